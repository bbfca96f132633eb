"""The steps of reading pictures: what each backend is given, and what becomes of its answer."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from PIL import Image

from mner.errors import ImageError, MnerError, MnerWarning
from mner.types import Caption, OcrText, Tag
from mner.vision.images import Picture
from mner.vision.protocols import Scene
from mner.vision.texts import cleaned


@dataclass(slots=True)
class Draft:
    """One picture, and what was read from it so far.

    Attributes:
        picture: Its pixels are those that backends see, its width and height those of the file.
        fingerprint: Under which its context is kept.
        faults: Steps that failed, and why.
        status: "timeout" where a backend had no more time.
    """

    image: str
    picture: Picture
    fingerprint: str
    tags: list[Tag] = field(default_factory=list)
    scenes: list[Scene] = field(default_factory=list)
    ocr: list[OcrText] = field(default_factory=list)
    captions: list[Caption] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    status: Literal["ok", "timeout"] = "ok"

    @property
    def key(self) -> tuple[str, str]:
        """What its context goes by, whatever the picture's name: SHA-256 and fingerprint."""
        return self.picture.sha256, self.fingerprint

    @property
    def reason(self) -> str | None:
        """What went wrong, in words; steps that share a backend may fail for the same reason."""
        steps: dict[str, list[str]] = {}
        for name, reason in self.faults:
            steps.setdefault(reason, []).append(name)
        return "; ".join(f"the {', '.join(names)} failed: {reason}" for reason, names in steps.items()) or None

    @property
    def pixels(self) -> Image.Image:
        """The picture as backends see it; boxes are in its pixels until the row is made."""
        return self.picture.pixels


class Call(NamedTuple):
    """What a backend is called with for one picture; its ``many`` takes a list for each of them."""

    given: tuple[Any, ...]
    named: Mapping[str, Any] = MappingProxyType({})


class Step(NamedTuple):
    """One step of reading a picture.

    Attributes:
        into: The list of ``Draft`` that its backend fills.
        call: The backend's arguments.
        keep: Makes entries of its answer.
    """

    into: str
    call: Callable[[Draft], Call] = lambda draft: Call((draft.pixels,))
    keep: Callable[[Iterable[Any]], Iterable[Any]] = list


STEPS = {
    "detector": Step("tags"),
    "attributes": Step("tags", lambda draft: Call((draft.pixels, draft.tags))),
    "scene": Step("scenes"),
    "ocr": Step("ocr", keep=cleaned),
    "captioner": Step(
        "captions",
        lambda draft: Call((draft.pixels, draft.tags), {"scenes": draft.scenes, "ocr": draft.ocr}),
        cleaned,
    ),
}
"""All steps, in their order: a later one is given what the earlier ones read."""


def run_step(
    name: str, backend: Callable[..., Any], drafts: Sequence[Draft], *, size: int = 1, by_name: bool = False
) -> None:
    """Put what a backend reads from each picture into one of its lists.

    Where several pictures in one call fail, each is tried alone: one that cannot be read costs no other. A picture
    that fails alone keeps the list it had, and the fault is noted. Where none fails alone, such as for want of a GPU's
    memory, a warning says that they were read one by one.

    Args:
        name: Which step it is.
        backend: It looks at one picture; by its method ``many`` at several.
        drafts: The pictures.
        size: Pictures in one call; more than one go to ``many``.
        by_name: Whether it is given the picture's name as well, and the size of its file if it takes that.
    """
    step = STEPS[name]
    takes_size = by_name and "size" in signature(backend).parameters
    for start in range(0, len(drafts), size):
        batch = drafts[start : start + size]
        calls = [step.call(draft) for draft in batch]
        answers, fault = _together(backend, calls, step) if len(batch) > 1 else (None, None)
        faults = sum(len(draft.faults) for draft in batch)
        for place, draft in enumerate(batch):
            if answers is not None:
                setattr(draft, step.into, answers[place])
                continue
            given, named = calls[place]
            if by_name:
                named = {**named, "image": draft.image}
            if takes_size:
                named = {**named, "size": (draft.picture.width, draft.picture.height)}
            try:
                setattr(draft, step.into, list(step.keep(backend(*given, **named))))
            except Exception as error:  # a backend may be anybody's code; one picture must not end the run
                reason = error if isinstance(error, MnerError) else f"{type(error).__name__}: {error}"
                draft.faults.append((name, str(reason)))
                if isinstance(error, ImageError) and error.status == "timeout":
                    draft.status = "timeout"
        if fault is not None and faults == sum(len(draft.faults) for draft in batch):
            warnings.warn(
                f"the {name} failed on {len(batch)} pictures at once and on none of them alone ({fault}); they were "
                "read one by one, which is slower: set a smaller batch in its table of [vision.options]",
                MnerWarning,
                stacklevel=2,
            )


def _together(backend: Any, calls: Sequence[Call], step: Step) -> tuple[list[list[Any]] | None, str | None]:
    """The answers for several pictures, one for each; else None, and why."""
    try:
        given = [list(column) for column in zip(*(call.given for call in calls), strict=True)]
        named = {name: [call.named[name] for call in calls] for name in calls[0].named}
        answers = [list(step.keep(answer)) for answer in backend.many(*given, **named)]
    except Exception as error:  # which picture is at fault shows when each is tried alone
        return None, f"{type(error).__name__}: {error}"
    if len(answers) != len(calls):
        return None, f"{len(answers)} answers"
    return answers, None
