"""Numbers on the command line: all of them have both ends, and none is infinite or not a number."""

from __future__ import annotations

from typing import Any

import typer

COUNT = 10**9
"""Most of what is merely counted: posts, rows, findings."""

THREADS = 1024
"""Most threads or processes of one machine."""

SEED = 2**32 - 1
"""Largest seed of a generator."""

DAY = 86_400
"""Seconds."""


def bounded(least: float, most: float, *names: str, **settings: Any) -> Any:
    """An option that takes a number from ``least`` to ``most``; the rest is as for ``typer.Option``."""

    def check(value: float | None) -> float | None:
        if value is None or least <= value <= most:  # what is not a number is neither
            return value
        raise typer.BadParameter(f"expected a number from {least:,} to {most:,}, found {value:g}")

    return typer.Option(*names, callback=check, **settings)
