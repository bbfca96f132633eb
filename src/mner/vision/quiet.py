"""Changes to settings of the whole process, such as filters of warnings, that several threads want at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any


class Shared:
    """A change that holds while any thread is inside ``with shared():``.

    The first to come makes it, the last to go takes it back. If each thread restored the setting that it had met, it
    would leave another thread's change behind.
    """

    def __init__(self, change: Callable[[], AbstractContextManager[Any]]) -> None:
        self._change, self._undo, self._inside = change, ExitStack(), 0
        self._after_fork()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()  # a thread that the child does not have may hold the parent's

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """The change holds in this block."""
        with self._lock:
            if not self._inside:
                self._undo.enter_context(self._change())
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._undo.close()
