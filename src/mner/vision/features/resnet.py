"""The last map of a ResNet over the whole picture: 7 x 7 cells of 2,048 numbers, as multimodal taggers use them.

The picture is squeezed into a square, so that its edges are seen, too; pixels are scaled as the model's own
``preprocessor_config.json`` says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from mner.vision.images import Picture
from mner.vision.networks import folder as folders
from mner.vision.protocols import MIDDLE, QUICK, About, Checkpoint

_OPTION = "model"


class Options(BaseModel):
    """The options of resnet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "microsoft/resnet-152"  # a folder, or a hub id, perhaps with "@revision" behind it
    side: int = Field(default=224, ge=32, le=1024)  # pixels of the square; the grid has a cell for each 32 x 32
    device: str = "auto"  # a GPU where there is one; else as torch names it
    batch: int = Field(default=8, ge=1, exclude=True)  # pictures of one forward pass; a GPU is quicker with more


ABOUT = About(
    downloads=(
        'nothing by itself. It needs `pip install "mner[vision-hub]"` and a model, as a folder or in the '
        "hub's local cache. Torchvision and timm are not needed."
    ),
    licence="the model's.",
    speed="the model's; a GPU takes several pictures at once.",
    needs=("torch", "transformers"),
    checkpoints=(
        Checkpoint("microsoft/resnet-50", "103 MB", "Apache-2.0", QUICK),
        Checkpoint("microsoft/resnet-101", "179 MB", "Apache-2.0", QUICK),
        Checkpoint("microsoft/resnet-152", "242 MB", "Apache-2.0", MIDDLE),
    ),
    models=lambda options: folders.files(folders.find(options.model, option=_OPTION)),
)


class FeatureExtractor:
    """The grid of a picture.

    Args:
        options: The model.
        threads: Most CPU threads of torch; 0: all cores.

    Raises:
        MissingExtraError: A package is not installed.
        ModelError: The model is not here, is damaged, or is no ResNet.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        folder = folders.find(options.model, option=_OPTION)
        architecture = folders.expect(folder, ("resnet",), option=_OPTION)
        from mner.vision.networks.load import load

        self._side = options.side
        self._network = load(folder, architecture, auto="AutoModel", device=options.device, threads=threads)

    def __call__(
        self, pictures: Sequence[Picture | None], *, images: Sequence[str]
    ) -> list[dict[str, NDArray[np.float32]]]:
        """The grid (cell, width) of each picture; cells row by row."""
        from mner.vision.networks.compare import grids

        seen = [picture.pixels for picture in pictures if picture is not None]
        return [{"grid": grid} for grid in grids(self._network, seen, side=self._side)]
