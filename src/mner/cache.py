"""Where mner keeps what it need not fetch or compute again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$MNER_CACHE``, else ``mner`` in ``$XDG_CACHE_HOME`` or in ``~/.cache``."""
    told = os.environ.get("MNER_CACHE")
    if told:
        return Path(told)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "mner"
