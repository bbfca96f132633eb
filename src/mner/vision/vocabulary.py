"""A file of names, one a line -> the names."""

from __future__ import annotations

from pathlib import Path

from mner.errors import DataError

LONGEST = 60
"""Characters of a name; the models' text encoders take 16 to 77 sub-tokens."""


def read_names(path: Path, *, illegal: str = "") -> list[str]:
    """The names of a file in its order; empty lines and those that begin with "#" are left out.

    Args:
        path: UTF-8 text, one name a line.
        illegal: Characters that a name may not have.

    Raises:
        DataError: The file cannot be read or holds no name, or a line cannot be used; the message says which.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; write one name a line into it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected UTF-8 text, one name a line") from None
    names, lines = list[str](), dict[str, int]()
    for number, line in enumerate(text.split("\n"), 1):
        name = " ".join(line.split())
        if not name or name.startswith("#"):
            continue
        where = f"{path}:{number}"
        if len(name) > LONGEST:
            raise DataError(f"{where}: expected a name of at most {LONGEST} characters, found {len(name)}")
        wrong = next((char for char in name if char in illegal or not char.isprintable()), None)
        if wrong is not None:
            raise DataError(f"{where}: expected a name without {wrong!r}, found {name!r}")
        if name.lower() in lines:
            raise DataError(f"{where}: {name!r} is in line {lines[name.lower()]} already; write each name once")
        lines[name.lower()] = number
        names.append(name)
    if not names:
        raise DataError(f"{path}: no name in it; write one a line")
    return names
