"""What a vision plug-in must offer: ``Options``, ``VERSION`` and one class of these shapes.

A detector's file has the class ``Detector``, a captioner's ``Captioner``, an OCR engine's ``Reader``. Each is made as
``Class(options, threads=n)``, where ``threads`` is the most CPU threads of one call and 0 leaves that to the backend.
``VERSION`` is a number that rises whenever the same picture and options may give another result: contexts that
were kept are then read again. A file may have ``MODELS``, the model files that its output depends on, or, where the
options name them, a function ``models(options)`` that lists them.

Backends that need more than the core install say so for ``mner backends``: ``NEEDS``, packages by the name they are
imported by; ``PROGRAMS``, programs; ``lacking(options)``, a text that says what else must be there, or None;
``CHECKPOINTS``, models of the hub to begin with.

A backend may look at several pictures in one call, which a GPU is good at: its class has the method ``many``, its
``Options`` a number ``batch``, which says how many at most (best declared with ``exclude=True``, as it changes no
result). ``many`` takes a list for each argument of the call and returns a list of answers, one for each picture, the
same as one by one. Where it raises, its pictures are tried alone.

A file with ``NAMED = True`` looks up what was published about a picture, by its name. Its class is called with one more
keyword, ``image``; its results are looked up anew in each run and taken as they are: tags get no other attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL.Image import Image

from mner.types import Caption, OcrText, Tag


@dataclass(frozen=True, slots=True)
class Scene:
    """One label of the whole picture and its probability."""

    label: str
    confidence: float


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
