"""Bottom-Up, from its published output: 1,600 kinds of object and 400 attributes of Visual Genome.

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
    """[vision.options.bottomup]: paths are relative to the working directory."""

    detections: Path | None = None  # the detector's: the .tsv
    objects: Path | None = None  # names of the objects; None: objects_vocab.txt beside the .tsv
    attributes: Path | None = None  # names of the attributes; None: attributes_vocab.txt
    captions: Path | None = None  # the captioner's: a file of captions
    threshold: float = Field(default=0.0, ge=0, le=1)  # least confidence of an object; 0: all that were published
    attribute_threshold: float = Field(default=0.1, ge=0, le=1)  # the same of an attribute, as in the paper
    most: int = Field(default=0, ge=0)  # captions of a picture; 0: all


_OUTPUT = PublishedFile(
    "detector bottomup",
    "detections",
    "the published output: name it in vision.options.bottomup.detections (a .tsv)",
)


def published(options: Options) -> list[Path]:
    """The files where objects are looked up: the ``.tsv`` and the names of objects and attributes."""
    from mner.contexts.published.bottomup import ATTRIBUTES, OBJECTS

    path = options.detections
    if path is None:
        return []
    return [path, options.objects or path.with_name(OBJECTS), options.attributes or path.with_name(ATTRIBUTES)]


ABOUT = _OUTPUT.about(
    "nothing. It needs the features' `.tsv` for your pictures, named in `vision.options.bottomup.detections`, and "
    "beside it `objects_vocab.txt` and `attributes_vocab.txt`; `mner.contexts.published.bottomup` says which columns.",
    "that of the output; the detector's code and vocabularies are MIT.",
    published=published,
)


class Detector:
    """Published objects of a picture, by confidence, descending."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        from mner.contexts.published.bottomup import Published

        self._published = Published(
            _OUTPUT.path(options), **options.model_dump(exclude={"detections", "captions", "most"})
        )

    def __call__(self, picture: Image, *, image: str, size: tuple[int, int] | None = None) -> list[Tag]:
        """The objects of the picture of that name, boxes in its pixels; a DataError where none were published.

        ``size`` is the width and height of the picture's file, where ``picture`` is a smaller one; boxes that were
        published without a size count its pixels.
        """
        return fitted(self._published.find(image), picture.size, whole=size)
