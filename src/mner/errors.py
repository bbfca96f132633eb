"""Every error a caller may handle; each message says what is wrong, where, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Literal


class MnerError(Exception):
    """The base of all errors that mner raises on purpose.

    >>> import mner
    >>> try:
    ...     mner.load("my-model")
    ... except mner.MnerError as error:
    ...     print(error)
    my-model: no such model. ...
    """


class ConfigError(MnerError):
    """A configuration cannot be used; the message lists every fault at once."""


class DataError(MnerError):
    """A file of posts or contexts cannot be read; the message begins ``file:line:``."""


class ImageError(MnerError):
    """A picture cannot be used.

    Attributes:
        status: One of the values of ``ImageStatus`` ("missing", "unreadable", "too_large", ...).
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class ModelError(MnerError):
    """A saved model or an encoder is missing, damaged or of another version."""


class DivergedError(MnerError):
    """A training loss is no longer a finite number."""


class PluginError(MnerError):
    """No plug-in has that name, or it lacks what a plug-in must have."""


class MissingExtraError(MnerError):
    """A feature needs a package that is not installed; the message shows the line to type."""


class WorkerError(MnerError):
    """The workers of a run cannot start, or do not keep to what was agreed."""


class ServiceError(MnerError):
    """A service refused a request, or did not answer.

    Attributes:
        status: Of the response; 0 where none came.
        code: The service's word for the fault, for programs; "" where no response came.
        field: The field of the request that is wrong; None where no single field is wrong.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.field = status, code, field


class MnerWarning(UserWarning):
    """Something that a user should know of and that ends nothing; the command line prints it as a note."""


def why_not(path: Path, wanted: Literal["file", "folder"]) -> str:
    """Why a path is not a file, or not a folder.

    >>> why_not(Path("nowhere"), "file"), why_not(Path("/"), "file")
    ('no such file', 'is a folder; expected a file')
    """
    if not path.exists():
        return f"no such {wanted}"
    kind = "a folder" if path.is_dir() else "a file" if path.is_file() else "a pipe or a device"
    return f"is {kind}; expected a {wanted}"
