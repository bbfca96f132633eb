"""What a vision plug-in must offer: ``Options``, one class of these shapes, and ``ABOUT``, which describes it.

A detector's file has the class ``Detector``, a captioner's ``Captioner``, an OCR engine's ``Reader``; one that gives
objects attributes has a ``Describer``, one that labels whole pictures a ``SceneReader``, one that finds names a
``Grounder``. Each is made as
``Class(options, threads=n)``, where ``threads`` is the most CPU threads of one call and 0 leaves that to the backend.
Making it raises a ``MissingExtraError`` where a package or program is not installed, a ``ModelError`` where a model is
missing, damaged or of another architecture, a ``ConfigError`` or ``DataError`` where the options cannot be used. A file
outside mner may leave ``ABOUT`` out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from PIL.Image import Image
from pydantic import BaseModel, ConfigDict

from mner.types import Box, Caption, OcrText, Tag

ADDRESS = "MNER_ENDPOINT"
"""The environment variable by which a user names the address that pictures are sent to."""

QUICK = "under 1 s"
MIDDLE = "1 to 5 s"
SLOW = "over 5 s"
GPU = "minutes: for a GPU"


class PluginOptions(BaseModel):
    """A plug-in's table of options: an unknown key is refused, and no value changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Checkpoint(NamedTuple):
    """A model of the hub that fits a backend; others of the same architecture do, too.

    Attributes:
        name: Its id on the hub, perhaps followed by "@revision".
        size: Of the files that are used, rounded.
        licence: Of its weights; its own page has the last word.
        seconds: Of a picture on one core: an estimate from the size of the network, not a measurement.
    """

    name: str
    size: str
    licence: str
    seconds: str


FLORENCE = Checkpoint("florence-community/Florence-2-base", "0.5 GB", "MIT", SLOW)
"""One model for detector, captioner and OCR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a plug-in says of itself; whatever is left out does not apply.

    Attributes:
        version: Rises whenever the same picture and options may give another result: contexts in the store are then
            read again.
        downloads: What it downloads, and how large that is; a sentence, like the next two.
        licence: Of code and weights.
        speed: Time for a picture.
        needs: Packages beyond the core install, by the name they are imported by.
        programs: Programs beyond it.
        checkpoints: Models of the hub to begin with.
        models: From its options to the files that its output depends on: when one changes, pictures are read again.
        release: From its options to the version of a program or package that its output depends on, or "": when that
            changes, pictures are read again, too.
        lacking: From its options to a text that says what else must be there before it can run, or None.
        batch: Whether it looks at several pictures in one call, which a GPU is good at. Its class then has the method
            ``many``, its ``Options`` a number ``batch``, the most pictures of one call (best declared with
            ``exclude=True``, as it changes no result). ``many`` takes a list for each argument of the call and returns
            a list of answers, one for each picture, the same as one by one. Where it raises, its pictures are tried
            alone.
        published: From its options to the files and folders where it looks results up by name: shards of contexts are
            continued only with the same ones.
        named: Whether it looks up what was published about a picture, by its name. Its class is called with one more
            keyword, ``image``, and if it takes a keyword ``size``, with width and height of the picture's file, which
            may be larger than the picture; its results are looked up again in each run and taken as they are: tags get
            no other attributes.
        sends: From its options to the address that it sends pictures to, or "". One that a saved model names is used
            only where the user has named the same in ``MNER_ENDPOINT``. Its class keeps what it asks as ``endpoint``,
            whose ``usage`` are the counts that a build reports.
    """

    version: int = 1
    downloads: str = ""
    licence: str = ""
    speed: str = ""
    needs: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    models: Callable[[Any], Iterable[Path]] = lambda options: ()
    release: Callable[[Any], str] = lambda options: ""
    lacking: Callable[[Any], str | None] = lambda options: None
    batch: bool = False
    published: Callable[[Any], Iterable[Path]] = lambda options: ()
    named: bool = False
    sends: Callable[[Any], str] = lambda options: ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One label of the whole picture and its probability."""

    label: str
    confidence: float


class Sought(NamedTuple):
    """A name to look for in a picture, and what kind of thing it is called, "" for none."""

    text: str
    kind: str


class Grounder(Protocol):
    """Says where a picture shows what has a name."""

    def __call__(self, picture: Image, sought: Sequence[Sought]) -> list[list[tuple[float, Box]]]:
        """For each name its confidences and boxes in an upright RGB picture, in its pixels, the best first."""
        ...


class Detector(Protocol):
    """Finds objects."""

    def __call__(self, picture: Image) -> list[Tag]:
        """The objects of an upright RGB picture, boxes in its pixels, by confidence, descending."""
        ...


class Captioner(Protocol):
    """Writes sentences about a picture."""

    def __call__(
        self, picture: Image, tags: Sequence[Tag], *, scenes: Sequence[Scene], ocr: Sequence[OcrText]
    ) -> list[Caption]:
        """Sentences, best first; none where nothing can be said."""
        ...


class Reader(Protocol):
    """Reads text."""

    def __call__(self, picture: Image) -> list[OcrText]:
        """The lines of text in an upright RGB picture, in reading order, boxes in its pixels."""
        ...


class Describer(Protocol):
    """Gives objects attributes."""

    def __call__(self, picture: Image, tags: Sequence[Tag]) -> list[Tag]:
        """The tags of an upright RGB picture, in their order, with attributes where it has any to give."""
        ...


class SceneReader(Protocol):
    """Says what the whole picture looks like."""

    def __call__(self, picture: Image) -> list[Scene]:
        """Labels of an upright RGB picture, by probability, descending."""
        ...
