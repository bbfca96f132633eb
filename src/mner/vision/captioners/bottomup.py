"""Captions that the Bottom-Up and Top-Down captioner wrote, from a published file.

A picture is found by its name, whatever it shows.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL.Image import Image

from mner.errors import ConfigError
from mner.types import Caption, OcrText, Tag
from mner.vision.detectors.bottomup import Options
from mner.vision.protocols import About, Scene

__all__ = ["ABOUT", "Captioner", "Options"]


def lacking(options: Options) -> str | None:
    """What must be there before it can run; None for nothing."""
    if options.captions is None:
        return "the published captions: name them in vision.options.bottomup.captions (.json, .jsonl or .tsv)"
    return None if options.captions.exists() else f"{options.captions}: no such file"


ABOUT = About(
    downloads=(
        "nothing. It needs the captions of your pictures, named in `vision.options.bottomup.captions`: JSON "
        "as for the COCO server, JSON lines or TSV, several captions of a picture best first; "
        "`mner.contexts.published.sentences` says more."
    ),
    licence="that of the captions; the captioner's code is MIT.",
    speed="no time worth naming; the network does not run.",
    lacking=lacking,
    named=True,
)


class Captioner:
    """Published captions of a picture, in the order of the file.

    Args:
        options: Where they are, and how many are kept.
        threads: Has no effect here.

    Raises:
        ConfigError: The options do not name the published captions.
        DataError: They are not there, or the file is damaged.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        from mner.contexts.published.captions import Captions

        if options.captions is None:
            raise ConfigError(f"captioner bottomup needs {lacking(options)}")
        self._captions = Captions(options.captions, source="bottomup", most=options.most)

    def __call__(
        self, picture: Image, tags: Sequence[Tag], *, scenes: Sequence[Scene], ocr: Sequence[OcrText], image: str
    ) -> list[Caption]:
        """The captions of the picture of that name.

        Raises:
            DataError: There is none.
        """
        return self._captions.find(image)
