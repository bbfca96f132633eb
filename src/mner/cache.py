"""Where mner keeps what it need not fetch or compute again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def cache_folder() -> Path:
    """``$MNER_CACHE``, else ``mner`` in ``$XDG_CACHE_HOME`` or in ``~/.cache``."""
    told = os.environ.get("MNER_CACHE")
    if told:
        return Path(told)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "mner"


def first_time(note: str) -> bool:
    """Whether a note is given for the first time; from now on it is not. Where nothing can be written it always is."""
    mark = cache_folder() / "notes" / hashlib.sha256(note.encode("utf-8", "replace")).hexdigest()[:16]
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        return True
    return True
