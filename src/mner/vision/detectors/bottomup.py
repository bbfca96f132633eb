"""Bottom-Up, from its published output: 1,600 kinds of object and 400 attributes of Visual Genome.

A picture is found by its name, whatever it shows.
"""

from __future__ import annotations

from pathlib import Path

from PIL.Image import Image
from pydantic import BaseModel, ConfigDict, Field

from mner.contexts.published.objects import fitted
from mner.errors import ConfigError
from mner.types import Tag
from mner.vision.protocols import About


class Options(BaseModel):
    """[vision.options.bottomup]: paths are relative to the working directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    detections: Path | None = None  # the detector's: the .tsv
    objects: Path | None = None  # names of the objects; None: objects_vocab.txt beside the .tsv
    attributes: Path | None = None  # names of the attributes; None: attributes_vocab.txt
    captions: Path | None = None  # the captioner's: a file of captions
    threshold: float = Field(default=0.0, ge=0, le=1)  # least confidence of an object; 0: all that were published
    attribute_threshold: float = Field(default=0.1, ge=0, le=1)  # the same of an attribute, as in the paper
    most: int = Field(default=0, ge=0)  # captions of a picture; 0: all


def lacking(options: Options) -> str | None:
    """What must be there before it can run; None for nothing."""
    if options.detections is None:
        return "the published output: name it in vision.options.bottomup.detections (a .tsv)"
    return None if options.detections.exists() else f"{options.detections}: no such file"


ABOUT = About(
    downloads=(
        "nothing. It needs the features' `.tsv` for your pictures, named in "
        "`vision.options.bottomup.detections`, and beside it `objects_vocab.txt` and `attributes_vocab.txt`; "
        "`mner.contexts.published.bottomup` tells its columns."
    ),
    licence="that of the output; the detector's code and vocabularies are MIT.",
    speed="no time worth naming; the network does not run.",
    lacking=lacking,
    named=True,
)


class Detector:
    """Published objects of a picture, by confidence, descending.

    Args:
        options: Where they are, and which of them are kept.
        threads: Has no effect here.

    Raises:
        ConfigError: The options do not name the published output.
        DataError: A file is not there, or is none of its kind.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        from mner.contexts.published.bottomup import Published

        if options.detections is None:
            raise ConfigError(f"detector bottomup needs {lacking(options)}")
        self._published = Published(
            options.detections,
            objects=options.objects,
            attributes=options.attributes,
            threshold=options.threshold,
            attribute_threshold=options.attribute_threshold,
        )

    def __call__(self, picture: Image, *, image: str) -> list[Tag]:
        """What was published about the picture of that name; boxes in its pixels.

        Raises:
            DataError: Nothing was, or it is damaged.
        """
        return fitted(self._published.find(image), picture.size)
