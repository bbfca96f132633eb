"""Captions that the VinVL captioner (Oscar+) wrote, from a published file; it is the captioner of the paper.

A picture is found by its name, whatever it shows.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL.Image import Image

from mner.types import Caption, OcrText, Tag
from mner.vision.detectors.vinvl import Options
from mner.vision.protocols import Scene
from mner.vision.published_file import about_captions, captions

__all__ = ["ABOUT", "Captioner", "Options"]

ABOUT = about_captions("vinvl", "that of the captions; VinVL's code is MIT.")


class Captioner:
    """Published captions of a picture, in the order of the file."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        from mner.contexts.published.sentences import Captions

        self._captions = Captions(captions("vinvl").path(options), source="vinvl", most=options.most)

    def __call__(
        self, picture: Image, tags: Sequence[Tag], *, scenes: Sequence[Scene], ocr: Sequence[OcrText], image: str
    ) -> list[Caption]:
        """The captions of the picture of that name; a DataError where there are none."""
        return self._captions.find(image)
