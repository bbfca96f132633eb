"""Where entities are looked for in a picture, and how alike a text must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from mner.config import Section, validated
from mner.grounding.misread import LEAST
from mner.grounding.objects import Choice

PEOPLE: tuple[str, ...] = ("person", "man", "woman", "boy", "girl", "child", "player", "lady", "guy", "people")
"""What detectors call a human being."""


KINDS = {
    "PER": "person",
    "PERSON": "person",
    "LOC": "place",
    "LOCATION": "place",
    "GPE": "place",
    "ORG": "organization",
    "ORGANIZATION": "organization",
    "MISC": "",
    "OTHER": "",
}
"""What the usual labels are called in a question; any other label by itself, in small letters."""


class GroundingSettings(Section):
    """How regions are found; what is left out has its default.

    >>> GroundingSettings(sources=("text",)).least
    0.85
    """

    sources: tuple[Literal["text", "objects"], ...] = ("text", "objects")  # of what was read; () leaves both out
    least: float = Field(default=LEAST, gt=0, le=1)  # share of letters that a misread name still has; 1: all of them
    choice: Choice = "only"  # of objects: the only one an entity can be, or by turns the surest
    objects: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(
        default_factory=lambda: {"PER": PEOPLE, "PERSON": PEOPLE}
    )  # by label: the detector's names for things of that type, in whatever case; labels left out have none
    grounder: str = ""  # the backend that is asked with the picture itself: "openvocab", "endpoint", a dotted name
    options: dict[str, Any] = Field(default_factory=dict)  # of that backend
    kinds: dict[str, str] = Field(
        default_factory=lambda: dict(KINDS)
    )  # by label: what the backend is given as the type


def settings_of(given: Mapping[str, Any] | GroundingSettings | bool) -> GroundingSettings | None:
    """The settings that a caller means; None where nobody is to look.

    Raises:
        ConfigError: A key or a value is not as it should be; the message lists every fault.

    >>> settings_of(False) is None, settings_of({"least": 1.0}).least
    (True, 1.0)
    """
    if isinstance(given, bool):
        return GroundingSettings() if given else None
    if isinstance(given, GroundingSettings):
        return given
    return validated(GroundingSettings, given, where="grounding")
