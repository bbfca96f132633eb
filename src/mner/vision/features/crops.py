"""One region for each name that a detector looks for, as one ResNet vector each: UMGF's visual objects.

The names are those of entity types. The best box of each is cut out of the picture; where nothing is found for a name,
the whole picture stands in. UMGF used the toolkit of Yang et al. (ICCV 2019) to ground the names; open-vocabulary
detectors do the same here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from mner.types import Box
from mner.vision.detectors.openvocab import ARCHITECTURES
from mner.vision.images import Picture
from mner.vision.networks.folder import TORCHVISION, HubModel
from mner.vision.protocols import SLOW, Checkpoint, PluginOptions

_FINDER, _MODEL = HubModel("detector", ARCHITECTURES), HubModel("model", ("resnet", TORCHVISION))


class Options(PluginOptions):
    """The options of crops."""

    names: tuple[str, ...] = Field(default=("person", "miscellaneous", "location", "organization"), min_length=1)
    detector: str = "google/owlv2-base-patch16-ensemble"  # a folder, or a hub id, perhaps followed by "@revision"
    threshold: float = Field(default=0.1, gt=0, le=1)  # least confidence of a box
    model: str = "microsoft/resnet-152"  # the network that turns a region into a vector, named likewise
    side: int = Field(default=224, ge=32, le=1024)  # pixels of the square that each region is squeezed into
    device: str = "auto"  # a GPU where there is one; else as torch names it


ABOUT = _MODEL.about(
    downloads='nothing by itself. It needs `pip install "mner[vision-hub]"` and two models, as folders or in the '
    "hub's local cache. Torchvision and timm are not needed.",
    licence="the models'.",
    speed="the models', mostly the detector's; meant for a GPU.",
    batch=False,
    checkpoints=(
        Checkpoint("google/owlv2-base-patch16-ensemble", "0.6 GB", "Apache-2.0", SLOW),
        Checkpoint("microsoft/resnet-152", "242 MB", "Apache-2.0", SLOW),
    ),
    models=lambda options: [*_FINDER.files(options), *_MODEL.files(options)],
)


class FeatureExtractor:
    """The vectors of a picture's regions, in the order of the names."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._options = options
        self._finder = _FINDER.load(options, threads=threads)
        self._network = _MODEL.load(options, threads=threads)
        from mner.vision.networks import boxes

        self._questions = boxes.ask(self._finder, options.names)

    def __call__(
        self, pictures: Sequence[Picture | None], *, images: Sequence[str]
    ) -> list[dict[str, NDArray[np.float32]] | None]:
        """The vectors (name, width) of each picture."""
        from mner.vision.networks import boxes
        from mner.vision.networks.compare import grids

        usable = [picture.pixels for picture in pictures if picture is not None]
        triples = boxes.find(self._finder, usable, self._questions, self._options.threshold)
        pairs = zip(usable, triples, strict=True)
        regions = [region for pixels, each in pairs for region in cut(pixels, each, self._options.names)]
        vectors = iter([grid.mean(0) for grid in grids(self._network, regions, side=self._options.side)])
        return [
            None if picture is None else {"crops": np.stack([next(vectors) for _ in self._options.names])}
            for picture in pictures
        ]


def cut(picture: Image.Image, triples: Sequence[tuple[str, float, Box]], names: Sequence[str]) -> list[Image.Image]:
    """The region of the first box of each name; the whole picture for a name without one.

    Args:
        picture: Upright RGB.
        triples: Name, confidence and box in pixels of each detection, by confidence, descending.
        names: What was looked for.
    """
    best: dict[str, Box] = {}
    for name, _, box in triples:
        best.setdefault(name, box)
    return [picture.crop(best[name]) if name in best else picture for name in names]
