"""VinVL, the detector of the paper, from its published output: 1,594 kinds of object, each with an attribute.

A picture is found by its name, whatever it shows.
"""

from __future__ import annotations

from pathlib import Path

from PIL.Image import Image
from pydantic import Field

from mner.contexts.published.objects import fitted
from mner.types import Tag
from mner.vision.protocols import PluginOptions
from mner.vision.published_file import PublishedFile


class Options(PluginOptions):
    """[vision.options.vinvl]: paths are relative to the working directory."""

    detections: Path | None = None  # the detector's: a folder of .npz, or a .tsv
    captions: Path | None = None  # the captioner's: a file of captions
    threshold: float = Field(default=0.0, ge=0, le=1)  # least confidence of an object; 0: all that were published
    attribute_threshold: float = Field(default=0.0, ge=0, le=1)  # the same of an attribute; the paper's is 0.1
    most: int = Field(default=0, ge=0)  # captions of a picture; 0: all


_OUTPUT = PublishedFile(
    "detector vinvl",
    "detections",
    "the published output: name it in vision.options.vinvl.detections (a folder of .npz, or a .tsv)",
)

ABOUT = _OUTPUT.about(
    "nothing. It needs the output for your pictures, a folder of `.npz` or a `.tsv`, named in "
    "`vision.options.vinvl.detections`; `mner.contexts.published.vinvl` says in which form.",
    "that of the output; VinVL's code is MIT.",
)


class Detector:
    """Published objects of a picture, by confidence, descending."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        from mner.contexts.published.vinvl import Published

        path = _OUTPUT.path(options)
        self._published = Published(path, threshold=options.threshold, attribute_threshold=options.attribute_threshold)

    def __call__(self, picture: Image, *, image: str, size: tuple[int, int] | None = None) -> list[Tag]:
        """The objects of the picture of that name, boxes in its pixels; a DataError where none were published.

        ``size`` is the width and height of the picture's file, where ``picture`` is a smaller one; boxes that were
        published without a size count its pixels.
        """
        return fitted(self._published.find(image), picture.size, whole=size)
