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
from pydantic import BaseModel, ConfigDict, Field

from mner.vision.detectors import openvocab
from mner.vision.images import Picture
from mner.vision.networks import folder as folders
from mner.vision.protocols import SLOW, About, Checkpoint


class Options(BaseModel):
    """The options of crops."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: tuple[str, ...] = Field(default=("person", "miscellaneous", "location", "organization"), min_length=1)
    detector: str = "google/owlv2-base-patch16-ensemble"  # a folder, or a hub id, perhaps with "@revision" behind it
    threshold: float = Field(default=0.1, gt=0, le=1)  # least confidence of a box
    model: str = "microsoft/resnet-152"  # the network that turns a region into a vector, named likewise
    side: int = Field(default=224, ge=32, le=1024)  # pixels of the square that each region is squeezed into
    device: str = "auto"  # a GPU where there is one; else as torch names it


ABOUT = About(
    downloads=(
        'nothing by itself. It needs `pip install "mner[vision-hub]"` and two models, as folders or in the '
        "hub's local cache. Torchvision and timm are not needed."
    ),
    licence="the models'.",
    speed="the models', mostly the detector's; meant for a GPU.",
    needs=("torch", "transformers"),
    checkpoints=(
        Checkpoint("google/owlv2-base-patch16-ensemble", "0.6 GB", "Apache-2.0", SLOW),
        Checkpoint("microsoft/resnet-152", "242 MB", "Apache-2.0", SLOW),
    ),
    models=lambda options: [
        *folders.files(folders.find(options.detector, option="detector")),
        *folders.files(folders.find(options.model, option="model")),
    ],
)


class FeatureExtractor:
    """The vectors of a picture's regions, in the order of the names.

    Args:
        options: The names and both models.
        threads: Most CPU threads of torch; 0: all cores.

    Raises:
        MissingExtraError: A package is not installed.
        ModelError: A model is not here, is damaged, or of another architecture.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        finder = folders.find(options.detector, option="detector")
        kind = folders.expect(finder, openvocab.ARCHITECTURES, option="detector")
        folder = folders.find(options.model, option="model")
        architecture = folders.expect(folder, ("resnet",), option="model")
        from mner.vision.networks import named
        from mner.vision.networks.load import load

        self._options = options
        auto = "AutoModelForZeroShotObjectDetection"
        self._finder = load(finder, kind, auto=auto, device=options.device, threads=threads)
        ask = named.ask_grounding if kind == "grounding-dino" else named.ask_owl
        self._questions = ask(self._finder, options.names)
        self._network = load(folder, architecture, auto="AutoModel", device=options.device, threads=threads)

    def __call__(
        self, pictures: Sequence[Picture | None], *, images: Sequence[str]
    ) -> list[dict[str, NDArray[np.float32]] | None]:
        """The vectors (name, width) of each picture."""
        from mner.vision.networks import named
        from mner.vision.networks.compare import grids

        seen = [picture.pixels for picture in pictures if picture is not None]
        boxes = named.find(self._finder, seen, self._questions, self._options.threshold)
        regions = [
            region
            for pixels, triples in zip(seen, boxes, strict=True)
            for region in cut(pixels, triples, self._options.names)
        ]
        vectors = iter([grid.mean(0) for grid in grids(self._network, regions, side=self._options.side)])
        return [
            None if picture is None else {"crops": np.stack([next(vectors) for _ in self._options.names])}
            for picture in pictures
        ]


def cut(
    picture: Image.Image, triples: Sequence[tuple[str, float, Sequence[float]]], names: Sequence[str]
) -> list[Image.Image]:
    """The region of the surest box of each name; the whole picture for a name without one.

    Args:
        picture: Upright RGB.
        triples: Name, confidence and box (left, top, right, bottom) in pixels of each detection.
        names: What was looked for.
    """
    from mner.vision.networks.boxes import within

    best: dict[str, tuple[float, float, float, float]] = {}
    for name, _, sides in sorted(triples, key=lambda triple: triple[1]):
        if box := within(sides, picture.size):
            best[name] = box
    return [picture.crop(best[name]) if name in best else picture for name in names]
