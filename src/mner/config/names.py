"""Values of settings that name a folder or a device."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_NO_NAME = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?")


def file_name(name: str) -> str:
    """The same name, if a file or folder may be called so.

    Raises:
        ValueError: It is empty or longer than 200 bytes, begins with a dot, or has a separator or control character.

    >>> file_name("my-model")
    'my-model'
    """
    fits = name and not name.startswith(".") and len(name.encode(errors="replace")) <= 200
    if not fits or _NO_NAME.search(name):
        raise ValueError(
            "expected the name of a folder: 1 to 200 bytes, no separators, no control characters, no dot in front, "
            f"found {name[:40]!r}"
        )
    return name


FileName = Annotated[str, AfterValidator(file_name)]


def device_name(name: str) -> str:
    """The same name, if a device may be called so, here or on another machine.

    Raises:
        ValueError: It may not.
    """
    if not _DEVICE.fullmatch(name):
        raise ValueError(f'expected "auto", "cpu", "cuda", "cuda:1" (or another number) or "mps", found {name!r}')
    return name


DeviceName = Annotated[str, AfterValidator(device_name)]
