"""The options of the backends that ask an endpoint, what these say of themselves, and the checks before a call."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from mner.errors import ConfigError
from mner.vision.protocols import ADDRESS, About, PluginOptions

Part = Literal["captions", "objects", "text"]
"""A key of the answer."""

_TABLE = "vision.options.endpoint"
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_KEY = re.compile(r"[!-~]+")
_EXAMPLE = "http://127.0.0.1:8000/v1"


class Options(PluginOptions):
    """[vision.options.endpoint], the same for captioner, detector and OCR engine."""

    address: str = Field(default="", validate_default=True)  # of the API up to "/v1"; MNER_ENDPOINT takes its place
    model: str = ""  # its name there
    reported_as: str = ""  # the name in the server's answers, where it is another one
    key: str = Field(default="", exclude=True)  # environment variable that holds the API key; "" sends none
    ask: Annotated[tuple[Part, ...], Field(min_length=1)] = ("captions", "objects", "text")  # what an answer holds
    captions: int = Field(default=5, ge=1, le=20)  # sentences about a picture
    objects: int = Field(default=20, ge=1, le=100)  # most objects of a picture, each with at most 3 attributes
    lines: int = Field(default=50, ge=1, le=500)  # most lines of text in a picture
    language: str = "English"  # of captions and objects; text is copied as it is written
    structured: bool = True  # ask for JSON by its schema; a server that refuses is asked by the prompt alone
    temperature: float = Field(default=0.0, ge=0, le=2)  # of sampling; 0 takes the likeliest
    seed: int = 0  # of sampling, where the server has one
    tokens: int = Field(default=1024, ge=16)  # most that the model writes about a picture
    pixels: int = Field(default=1024, ge=64, le=1600)  # of the longest side of the picture that is sent, as a JPEG
    body: dict[str, Any] = Field(default_factory=dict)  # further keys of the request, or other values for mner's
    batch: int = Field(default=4, ge=1, le=64, exclude=True)  # pictures that are asked about at the same time
    timeout: float = Field(default=60.0, gt=0, exclude=True)  # seconds for a picture, all tries together
    retries: int = Field(default=4, ge=0, exclude=True)  # further tries where the server is busy or out of order
    per_minute: float = Field(default=0.0, ge=0, exclude=True)  # most requests a minute of one process; 0: no limit

    @field_validator("address")
    @classmethod
    def _named_by_the_user(cls, address: str) -> str:
        return os.environ.get(ADDRESS, address).rstrip("/")


def lacking(options: Options) -> str | None:
    """What must be there before the endpoint can be asked; None for nothing. It never shows a key."""
    parts = urlsplit(options.address)
    if not options.address:
        return f'the address of the API: {_TABLE}.address = "{_EXAMPLE}"'
    if parts.username is not None or parts.password is not None:
        return f"an address without a name or password in it: put the key into a variable that {_TABLE}.key names"
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        return f'an address such as "{_EXAMPLE}" in {_TABLE}.address, found {options.address!r}'
    if not options.model:
        return f"the model's name on the server: {_TABLE}.model"
    if not options.key:
        return None
    if not _VARIABLE.fullmatch(options.key):
        return (
            f"the name of an environment variable in {_TABLE}.key, of capitals, digits and underscores, such as "
            '"MY_KEY"; the key itself belongs into that variable'
        )
    if options.key not in os.environ:
        return f"the environment variable {options.key}, which {_TABLE}.key names: export {options.key}=..."
    if not _KEY.fullmatch(os.environ[options.key]):
        return f"a key in the environment variable {options.key}: visible ASCII characters without blanks"
    return None


def check(options: Options, part: Part) -> None:
    """Refuse options with which a part cannot be asked for.

    Raises:
        ConfigError: Something is missing, or the options do not ask for the part.
    """
    if missing := lacking(options):
        raise ConfigError(f"the endpoint needs {missing}")
    if part not in options.ask:
        raise ConfigError(f'{_TABLE}.ask: a backend needs "{part}", found {", ".join(options.ask)}; add it')


ABOUT = About(
    version=1,  # of prompt and schema: raise it when either changes
    downloads='nothing. It needs `pip install "mner[endpoint]"` and a server, to which each picture is sent.',
    licence="the model's, and the server's terms.",
    speed="the server's; several pictures are asked about at once, and each once for all parts.",
    needs=("httpx",),
    lacking=lacking,
    batch=True,
    sends=lambda options: str(options.address),
)
"""The same for all three parts."""
