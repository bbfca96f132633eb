"""What Ctrl-C does to the ``mner`` command, from its first moment to its last: one word and exit code 130."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_CODE = 130


def leave(number: int, frame: FrameType | None) -> None:
    """End the process at once: it has not begun its work, or has finished it."""
    os.write(2, b"interrupted\n")
    os._exit(EXIT_CODE)


def raise_interrupt(number: int, frame: FrameType | None) -> None:
    """Raise ``KeyboardInterrupt``; in the middle of an import end the process, as half a module helps nobody."""
    above = frame
    while above is not None:
        if above.f_code.co_filename.startswith("<frozen importlib"):
            leave(number, frame)
        above = above.f_back
    raise KeyboardInterrupt


def answer(handler: Callable[[int, FrameType | None], None]) -> None:
    """Have Ctrl-C call ``handler``, unless the process was started with Ctrl-C ignored."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def in_command() -> Iterator[None]:
    """A block in which Ctrl-C interrupts instead of ending the process; without effect where ``leave`` is not set."""
    if signal.getsignal(signal.SIGINT) is not leave:
        yield
        return
    answer(raise_interrupt)
    try:
        yield
    finally:
        answer(leave)
