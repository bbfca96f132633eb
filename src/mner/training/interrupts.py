"""Ctrl-C that waits for a good moment: a training step is never torn in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred() -> Iterator[Callable[[], bool]]:
    """A function that tells whether Ctrl-C was pressed since the block began; pressed again, it interrupts at once.

    A press that nobody asked about interrupts when the block ends, so that none is lost. Outside the main thread,
    where signals cannot be caught, the answer is always no.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    pressed = told = False
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def ask() -> bool:
        nonlocal told
        told = pressed
        return told

    signal.signal(signal.SIGINT, note)
    try:
        yield ask
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed and not told:
            raise KeyboardInterrupt
