"""Loops over arrays in machine code, where numba is installed (the extra ``fast``)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def with_numba() -> bool:
    """Whether numba can be imported beside this numpy; finding out imports it, which takes a moment."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


@cache
def compiled(loop: Callable[..., Any]) -> Callable[..., Any]:
    """A loop that numba compiles at its first call and keeps for the next process; the loop itself without numba.

    It rounds as Python does, except that a product and the sum it goes into may be rounded once.
    """
    if not with_numba():
        return loop
    import numba

    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        result: Callable[..., Any] = numba.njit(cache=True, **options)(loop)
    except RuntimeError:  # no folder to keep it in
        result = numba.njit(**options)(loop)
    return result
