"""The last map of a ResNet over the whole picture: 7 x 7 cells of 2,048 numbers, as multimodal taggers use them.

The picture is squeezed into a square, so that its edges are seen, too; pixels are scaled as the model's own
``preprocessor_config.json`` says. Without a ``config.json``, a folder holds torchvision's weights, which published
taggers read.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mner.vision.images import Picture
from mner.vision.networks.folder import TORCHVISION, HubModel
from mner.vision.protocols import MIDDLE, QUICK, Checkpoint, PluginOptions

_MODEL = HubModel("model", ("resnet", TORCHVISION))


class Options(PluginOptions):
    """The options of resnet."""

    model: str = "microsoft/resnet-152"  # a folder, or a hub id, perhaps followed by "@revision"
    side: int = Field(default=224, ge=32, le=1024)  # pixels of the square; the grid has a cell for each 32 x 32
    device: str = "auto"  # a GPU where there is one; else as torch names it
    batch: int = Field(default=8, ge=1, exclude=True)  # pictures of one forward pass; a GPU is quicker with more


ABOUT = _MODEL.about(
    speed="the model's; a GPU takes several pictures at once.",
    batch=False,
    checkpoints=(
        Checkpoint("microsoft/resnet-50", "103 MB", "Apache-2.0", QUICK),
        Checkpoint("microsoft/resnet-101", "179 MB", "Apache-2.0", QUICK),
        Checkpoint("microsoft/resnet-152", "242 MB", "Apache-2.0", MIDDLE),
    ),
)


class FeatureExtractor:
    """The grid of a picture."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._side = options.side
        self._network = _MODEL.load(options, threads=threads)

    def __call__(
        self, pictures: Sequence[Picture | None], *, images: Sequence[str]
    ) -> list[dict[str, NDArray[np.float32]]]:
        """The grid (cell, width) of each picture; cells row by row."""
        from mner.vision.networks.compare import grids

        pixels = [picture.pixels for picture in pictures if picture is not None]
        return [{"grid": grid} for grid in grids(self._network, pixels, side=self._side)]
