"""Pictures while they are read, and the call of a backend that looks at one of them, or at several at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from PIL import Image

from mner.errors import MnerError, MnerWarning
from mner.types import Caption, OcrText, Tag
from mner.vision.images import Picture
from mner.vision.protocols import Scene
from mner.vision.texts import cleaned


@dataclass(slots=True)
class Seen:
    """One picture, and what was found in it so far.

    Attributes:
        image: Its name.
        picture: Its pixels are those that backends see, its width and height those of the file.
        fingerprint: Under which its context is kept.
        faults: What went wrong, for the row's reason.
    """

    image: str
    picture: Picture
    fingerprint: str
    tags: list[Tag] = field(default_factory=list)
    scenes: list[Scene] = field(default_factory=list)
    ocr: list[OcrText] = field(default_factory=list)
    captions: list[Caption] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        """What its context goes by, whatever the picture's name: SHA-256 and fingerprint."""
        return self.picture.sha256, self.fingerprint

    @property
    def pixels(self) -> Image.Image:
        """The picture as backends see it; boxes are in its pixels until the row is made."""
        return self.picture.pixels


class Asked(NamedTuple):
    """What a backend is called with for one picture; its ``many`` takes a list for each of them."""

    given: tuple[Any, ...]
    named: Mapping[str, Any] = MappingProxyType({})


class Part(NamedTuple):
    """One part of reading a picture.

    Attributes:
        into: The list that its backend fills, of those of ``Seen``.
        ask: What the backend is given.
        keep: What is kept of its answer.
    """

    into: str
    ask: Callable[[Seen], Asked] = lambda one: Asked((one.pixels,))
    keep: Callable[[Iterable[Any]], Iterable[Any]] = list


PARTS = {
    "detector": Part("tags"),
    "attributes": Part("tags", lambda one: Asked((one.pixels, one.tags))),
    "scene": Part("scenes"),
    "ocr": Part("ocr", keep=cleaned),
    "captioner": Part(
        "captions", lambda one: Asked((one.pixels, one.tags), {"scenes": one.scenes, "ocr": one.ocr}), cleaned
    ),
}
"""All parts, in the order in which they are asked: a later one is told what the earlier ones found."""


def look(name: str, backend: Callable[..., Any], seen: Sequence[Seen], *, size: int = 1, by_name: bool = False) -> None:
    """Put what a backend finds in each picture into one of its lists.

    Where several pictures in one call fail, each is tried alone: one that cannot be read costs no other. A picture
    that fails alone keeps the list it had, and the fault is noted. Where none fails alone, such as for want of a GPU's
    memory, a warning says that the call for several was in vain.

    Args:
        name: Which part it is.
        backend: It looks at one picture; by its method ``many`` at several.
        seen: The pictures.
        size: Pictures in one call; more than one go to ``many``.
        by_name: Whether it is told the picture's name as well.
    """
    part = PARTS[name]
    for start in range(0, len(seen), size):
        some = seen[start : start + size]
        asked = [part.ask(one) for one in some]
        answers, fault = _together(backend, asked, part) if len(some) > 1 else (None, None)
        faults = sum(len(one.faults) for one in some)
        for place, one in enumerate(some):
            if answers is not None:
                setattr(one, part.into, answers[place])
                continue
            given, named = asked[place]
            told = {**named, "image": one.image} if by_name else named
            try:
                setattr(one, part.into, list(part.keep(backend(*given, **told))))
            except Exception as error:  # a backend may be anybody's code; one picture must not end the run
                said = error if isinstance(error, MnerError) else f"{type(error).__name__}: {error}"
                one.faults.append(f"the {name} failed: {said}")
        if fault is not None and faults == sum(len(one.faults) for one in some):
            warnings.warn(
                f"the {name} failed on {len(some)} pictures at once and on none of them alone ({fault}); they were "
                "read one by one, which is slower: set a smaller batch in its table of [vision.options]",
                MnerWarning,
                stacklevel=2,
            )


def _together(backend: Any, asked: Sequence[Asked], part: Part) -> tuple[list[list[Any]] | None, str | None]:
    """The answers for several pictures, one for each; else None, and why."""
    try:
        given = [list(column) for column in zip(*(one.given for one in asked), strict=True)]
        found = backend.many(*given, **{name: [one.named[name] for one in asked] for name in asked[0].named})
        answers = [list(part.keep(one)) for one in found]
    except Exception as error:  # which picture is at fault is told when each is tried alone
        return None, f"{type(error).__name__}: {error}"
    if len(answers) != len(asked):
        return None, f"{len(answers)} answers"
    return answers, None
