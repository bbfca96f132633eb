"""Features of the regions that VinVL's or Bottom-Up's own detector finds, with their boxes: what VinVL models read.

The checkpoint is one in the published layout, as for the detector `c4`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mner.vision.detectors.c4 import DOWNLOADS, HOLDS, LICENCE, SPEED
from mner.vision.features.regions import shares
from mner.vision.images import Picture
from mner.vision.protocols import PluginOptions
from mner.vision.published_model import PublishedModel

_MODEL = PublishedModel("extractor c4", ("model",), HOLDS)


class Options(PluginOptions):
    """The options of c4."""

    model: Path | None = None  # folder of the checkpoint and its vocabulary, VinVL's or Bottom-Up's
    threshold: float = Field(default=0.2, ge=0, le=1)  # least confidence of a region's object
    least: int = Field(default=10, ge=1)  # regions that are kept though they are less sure
    most: int = Field(default=100, ge=1, le=300)  # regions of a picture
    device: str = "auto"  # a GPU where there is one; else as torch names it


ABOUT = _MODEL.about(downloads=DOWNLOADS, licence=LICENCE, speed=SPEED)


class FeatureExtractor:
    """The regions of a picture, the surest first."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        (folder,) = _MODEL.folders(options)
        from mner.vision.networks.regions import load

        self._options = options
        self._detector = load(folder, device=options.device, threads=threads)

    def __call__(
        self, pictures: Sequence[Picture | None], *, images: Sequence[str]
    ) -> list[dict[str, NDArray[np.float32]] | None]:
        """The regions (region, width) of each picture and their boxes (region, 6)."""
        return [None if picture is None else self._arrays(picture) for picture in pictures]

    def _arrays(self, picture: Picture) -> dict[str, NDArray[np.float32]]:
        chosen, pixels = self._options, picture.pixels
        scan = self._detector(pixels, threshold=chosen.threshold, least=chosen.least, most=chosen.most, refine=False)
        return {"regions": scan.features.numpy(), "boxes": shares(scan.boxes.numpy(), pixels.size).astype(np.float32)}
