"""Models of the hub that backends name for a start: their size, their licence and how long a picture takes."""

from __future__ import annotations

from typing import NamedTuple

QUICK = "under 1 s"
MIDDLE = "1 to 5 s"
SLOW = "over 5 s"
GPU = "minutes: for a GPU"


class Checkpoint(NamedTuple):
    """A model that fits a backend; others of the same architecture do, too.

    Attributes:
        name: Its id on the hub, perhaps with "@revision" behind it.
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
