"""Pillow's warnings, ignored while pictures are decoded, whichever threads decode them."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_decoding = threading.Lock()
_quieted: list[warnings.catch_warnings[None]] = []
_depth = 0


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore what Pillow warns of: large pictures (the limit here is ours) and damaged metadata.

    The filters of warnings belong to the whole process. Where threads decode at once, each restoring what it found
    would leave the filters of another one behind; so the first to come changes them and the last to go restores.
    """
    global _depth
    with _decoding:
        if not _depth:
            _quieted.append(warnings.catch_warnings())
            _quieted[-1].__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.|mner\.vision\.images")
        _depth += 1
    try:
        yield
    finally:
        with _decoding:
            _depth -= 1
            if not _depth:
                _quieted.pop().__exit__(None, None, None)


def _after_fork() -> None:
    """A thread that the child does not have may hold the lock."""
    global _decoding
    _decoding = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
