"""VinVL, the detector of the paper, from its published output: 1,594 kinds of object, each with an attribute.

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
    """[vision.options.vinvl]: paths are relative to the working directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    detections: Path | None = None  # the detector's: a folder of .npz, or a .tsv
    captions: Path | None = None  # the captioner's: a file of captions
    threshold: float = Field(default=0.0, ge=0, le=1)  # least confidence of an object; 0: all that were published
    attribute_threshold: float = Field(default=0.0, ge=0, le=1)  # the same of an attribute; the paper's is 0.1
    most: int = Field(default=0, ge=0)  # captions of a picture; 0: all


def lacking(options: Options) -> str | None:
    """What must be there before it can run; None for nothing."""
    if options.detections is None:
        return "the published output: name it in vision.options.vinvl.detections (a folder of .npz, or a .tsv)"
    return None if options.detections.exists() else f"{options.detections}: no such file or folder"


ABOUT = About(
    downloads=(
        "nothing. It needs the output for your pictures, a folder of `.npz` or a `.tsv`, named in "
        "`vision.options.vinvl.detections`; `mner.contexts.published.vinvl` says in which form."
    ),
    licence="that of the output; VinVL's code is MIT.",
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
        DataError: It is not there, or is none of VinVL's.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        from mner.contexts.published.vinvl import Published

        if options.detections is None:
            raise ConfigError(f"detector vinvl needs {lacking(options)}")
        self._published = Published(
            options.detections, threshold=options.threshold, attribute_threshold=options.attribute_threshold
        )

    def __call__(self, picture: Image, *, image: str) -> list[Tag]:
        """What was published about the picture of that name; boxes in its pixels.

        Raises:
            DataError: Nothing was, or it is damaged.
        """
        return fitted(self._published.find(image), picture.size)
