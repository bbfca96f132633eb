"""A folder with a published region detector -> what it sees in pictures: objects, attributes, boxes and features.

The folder holds ``model.safetensors`` with the published keys, the published vocabulary, and perhaps ``config.json``.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

import torch
from PIL import Image
from pydantic import ValidationError
from torch import Tensor

from mner.encoders._files import read_json
from mner.encoders._weights import read_weights
from mner.errors import ModelError
from mner.types import Box
from mner.vision.networks.boxes import within
from mner.vision.networks.c4 import Detector, Sizes, names_of
from mner.vision.networks.c4_layouts import LAYOUTS, Layout
from mner.vision.networks.checkpoint import fill
from mner.vision.networks.load import device_named


class Object(NamedTuple):
    """One object of a picture; its box is None where less than a pixel of it lies in the picture."""

    name: str
    confidence: float
    box: Box | None
    attributes: list[tuple[str, float]]


class Scan(NamedTuple):
    """What a detector sees in a picture, the surest object first; rows belong to the objects.

    Attributes:
        objects: The objects.
        features: Float32 (object, width).
        boxes: Float32 (object, 4) in the picture's pixels, as predicted.
    """

    objects: list[Object]
    features: Tensor
    boxes: Tensor


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class RegionDetector:
    """A loaded detector.

    Attributes:
        folder: Where it is from.
        width: Numbers of a region's features.
    """

    folder: Path
    width: int
    _layout: Layout
    _network: Detector
    _objects: tuple[str, ...]
    _attributes: tuple[str, ...]
    _device: torch.device
    _last: threading.local = field(default_factory=threading.local)

    def __call__(self, picture: Image.Image, *, threshold: float, least: int, most: int, refine: bool) -> Scan:
        """What it sees in an upright RGB picture; the last answer of a thread is kept for the captioner beside it.

        The arguments are those of ``c4.Detector``.
        """
        request = (threshold, least, most, refine)
        former = getattr(self._last, "scan", None)
        if former is not None and former[0]() is picture and former[1] == request:
            scan: Scan = former[2]
            return scan
        pixels, scale = self._layout.prepare(picture, torch.tensor(self._layout.mean))
        with torch.inference_mode():
            regions = self._network(
                pixels.to(self._device), scale[0], threshold=threshold, least=least, most=most, refine=refine
            )
        boxes = (regions.boxes / regions.boxes.new_tensor([*scale, *scale])).cpu()
        scan = Scan(
            [
                Object(self._objects[label - 1], round(confidence, 4), within(box, picture.size), attributes)
                for label, confidence, box, attributes in zip(
                    regions.labels.tolist(),
                    regions.confidences.tolist(),
                    boxes.tolist(),
                    names_of(regions.attributes, self._attributes),
                    strict=True,
                )
            ],
            regions.features.cpu(),
            boxes,
        )
        self._last.scan = (weakref.ref(picture), request, scan)
        return scan


_loaded: WeakValueDictionary[tuple[str, str], RegionDetector] = WeakValueDictionary()
_loading = threading.Lock()


def load(folder: Path, *, device: str = "auto", threads: int = 0) -> RegionDetector:
    """The detector of a folder; where it is loaded already, that one.

    Args:
        folder: With weights and vocabulary.
        device: "auto" (a GPU where there is one), or what torch calls it.
        threads: Most CPU threads of torch, for the whole process; 0 leaves that alone.

    Raises:
        ModelError: A file or an array is missing, unknown, damaged or of another model.
    """
    if threads:
        torch.set_num_threads(threads)
    place = device_named(device)
    key = (str(folder.resolve()), str(place))
    with _loading:
        detector = _loaded.get(key)
        if detector is None:
            detector = _loaded[key] = _load(folder, place)
    return detector


def _load(folder: Path, device: torch.device) -> RegionDetector:
    published = " or ".join(layout.published for layout in LAYOUTS)
    state = read_weights(folder, published=published)
    layout = next((layout for layout in LAYOUTS if any(key.startswith(layout.mark) for key in state)), None)
    if layout is None:
        names = " or ".join(layout.name for layout in LAYOUTS)
        raise ModelError(f"{folder}: holds no detector in the layout of {names}, which are published in {published}")
    sizes = layout.sizes
    if (folder / "config.json").is_file():
        try:
            sizes = Sizes.model_validate({**sizes.model_dump(), **read_json(folder / "config.json")})
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"]))
            raise ModelError(
                f"{folder / 'config.json'}: {where}: {fault['msg']}; known: {', '.join(Sizes.model_fields)}"
            ) from None
    objects, attributes = layout.names(folder)
    kinds = (("objects", objects, sizes.objects), ("attributes", attributes, sizes.attributes))
    for file, (kind, words, count) in zip(layout.files, kinds, strict=True):
        if len(words) != count:
            raise ModelError(
                f"{folder / file}: names {len(words)} {kind}, the checkpoint has {count}; take the vocabulary that is "
                f"published with it: {layout.published}"
            )
    with torch.device("meta"):
        network = Detector(sizes, layout.traits)
    fill(
        network, state, layout.table, where=folder, published=layout.published, unused=layout.unused,
        optional=("rpn.anchors",),
    )  # fmt: skip
    width = network.classes.in_features
    return RegionDetector(folder, width, layout, network.to(device), objects, attributes, device)


def with_boxes(scan: Scan, size: tuple[int, int]) -> Tensor:
    """Features and boxes (object, width + 6), as Oscar reads them: sides, width and height as shares of the picture."""
    sides = scan.boxes / scan.boxes.new_tensor([*size, *size])
    return torch.cat([scan.features, sides, sides[:, 2:] - sides[:, :2]], 1)
