"""A ResNet as torchvision publishes it: weights alone, from which its sizes are read; pictures are scaled to match.

The network is that of transformers, which computes the same: both stride in the 3 x 3 convolution of a block.
Source: He et al. 2016, table 1; github.com/pytorch/vision, torchvision/models/resnet.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mner.encoders._weights import read_weights
from mner.errors import ModelError
from mner.vision.networks.checkpoint import Table, fill

PUBLISHED = (
    "download.pytorch.org/models (such as resnet152-394f9c45.pth); a model of the hub has a config.json beside it"
)
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Red, green and blue of ImageNet's pictures, of 1."""

_DEPTHS = {
    "basic": ((2, 2, 2, 2), (3, 4, 6, 3)),
    "bottleneck": ((3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3)),
}
"""Blocks of the four stages of each ResNet that torchvision publishes: 18 and 34 layers; 50, 101 and 152."""

_KEYS: Table = (
    (r"^embedder\.embedder\.convolution\.", "conv1."),
    (r"^embedder\.embedder\.normalization\.", "bn1."),
    (r"^encoder\.stages\.0\.layers\.", "layer1."),
    (r"^encoder\.stages\.1\.layers\.", "layer2."),
    (r"^encoder\.stages\.2\.layers\.", "layer3."),
    (r"^encoder\.stages\.3\.layers\.", "layer4."),
    (r"\.layer\.0\.convolution\.", ".conv1."),
    (r"\.layer\.1\.convolution\.", ".conv2."),
    (r"\.layer\.2\.convolution\.", ".conv3."),
    (r"\.layer\.0\.normalization\.", ".bn1."),
    (r"\.layer\.1\.normalization\.", ".bn2."),
    (r"\.layer\.2\.normalization\.", ".bn3."),
    (r"\.shortcut\.convolution\.", ".downsample.0."),
    (r"\.shortcut\.normalization\.", ".downsample.1."),
)
_CLASSES = (r"fc\.(weight|bias)",)  # ImageNet's classes, which no feature depends on
_MEAN_KEY, _COUNTER_KEY = "running_mean", "num_batches_tracked"


def load(folder: Path) -> tuple[Any, Any]:
    """The network of a folder's ``model.safetensors``, and what prepares pictures for it.

    Raises:
        ModelError: An array is missing, unknown, damaged or of another network.
    """
    import transformers as untyped

    transformers: Any = untyped
    state = read_weights(folder, published=PUBLISHED)
    with torch.device("meta"):
        network = transformers.ResNetModel(transformers.ResNetConfig(**_sizes(state, folder)))
    # Older files lack the counters of training steps, on which nothing depends.
    counters = {f"{key.removesuffix(_MEAN_KEY)}{_COUNTER_KEY}": np.array(0) for key in state if key.endswith(_MEAN_KEY)}
    fill(network, {**counters, **state}, _KEYS, where=folder, published=PUBLISHED, unused=_CLASSES)
    return network, transformers.ConvNextImageProcessorPil(do_resize=False, image_mean=MEAN, image_std=DEVIATION)


def _sizes(state: Mapping[str, NDArray[Any]], folder: Path) -> dict[str, Any]:
    kind, last = ("bottleneck", "conv3") if "layer1.0.conv3.weight" in state else ("basic", "conv2")
    outer = ["conv1.weight", *(f"layer{stage}.0.{last}.weight" for stage in range(1, 5))]
    if lacking := [key for key in outer if key not in state]:
        raise ModelError(
            f"{folder}: has neither a config.json nor {lacking[0]}, which a ResNet in torchvision's layout has. Such "
            f"weights are published in {PUBLISHED}"
        )
    depths = tuple(
        sum(bool(re.fullmatch(rf"layer{stage}\.\d+\.conv1\.weight", key)) for key in state) for stage in range(1, 5)
    )
    if depths not in _DEPTHS[kind]:
        known = " or ".join("-".join(map(str, each)) for each in _DEPTHS[kind])
        raise ModelError(
            f"{folder}: its stages have {'-'.join(map(str, depths))} blocks, a whole ResNet of this kind has {known}. "
            f"Whole ones are published in {PUBLISHED}"
        )
    widths = [len(state[key]) for key in outer]
    return {"embedding_size": widths[0], "hidden_sizes": widths[1:], "depths": list(depths), "layer_type": kind}
