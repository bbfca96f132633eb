"""Ctrl-C that waits for a good moment: a training step is never torn in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred() -> Iterator[Callable[[], bool]]:
    """A function that says whether Ctrl-C was pressed since the block began; pressed again, it interrupts at once.

    A press that the block has not asked for interrupts when the block ends. The answer is always no outside the main
    thread, where signals cannot be caught, and in a process that ignores Ctrl-C, such as a script's background job.
    """
    before = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or before in {signal.SIG_IGN, None}:  # None: a handler that is not Python's
        yield lambda: False
        return
    pressed = answered = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def ask() -> bool:
        nonlocal answered
        answered = pressed
        return answered

    signal.signal(signal.SIGINT, note)
    try:
        yield ask
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed and not answered:
            raise KeyboardInterrupt
