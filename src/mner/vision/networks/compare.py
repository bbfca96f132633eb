"""Pictures -> how well each text fits each of them (CLIP, SigLIP), or the grid of their features (ResNet)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from mner.vision.networks.load import Network


def texts(network: Network, prompts: Sequence[str]) -> Tensor:
    """The directions (text, hidden) of texts, of length 1."""
    # SigLIP was trained on texts padded to their full length, and fits others badly.
    padding = "max_length" if network.architecture == "siglip" else True
    with network.lock, torch.inference_mode():
        inputs = network.tokenizer(list(prompts), padding=padding, truncation=True, return_tensors="pt")
        return _direction(network.model.get_text_features(**network.on_device(inputs)))


def fits(network: Network, pictures: Sequence[Image.Image], directions: Tensor) -> list[list[float]]:
    """The probability of each text for each picture, (picture, text).

    CLIP shares one probability among all texts, SigLIP judges each by itself; both as they were trained.
    """
    with torch.inference_mode():
        inputs = network.on_device(network.images(images=list(pictures), return_tensors="pt"))
        directions_of_pictures = _direction(network.model.get_image_features(**inputs))
        scores = directions_of_pictures @ directions.T * network.model.logit_scale.exp()
        siglip = network.architecture == "siglip"
        rows = (scores + network.model.logit_bias).sigmoid() if siglip else scores.softmax(dim=-1)
        probabilities: list[list[float]] = rows.tolist()
        return probabilities


def grids(network: Network, pictures: Sequence[Image.Image], *, side: int) -> list[NDArray[np.float32]]:
    """The last map of a convolutional network as cells, row by row: (cell, hidden) of each picture.

    Each picture is squeezed into a square of ``side`` pixels.
    """
    squares = [picture.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0) for picture in pictures]
    plain = {"do_resize": False, "do_center_crop": False}
    inputs = network.on_device(network.images(images=squares, return_tensors="pt", **plain))
    with torch.inference_mode():
        maps = network.model(pixel_values=inputs["pixel_values"]).last_hidden_state  # (picture, hidden, row, column)
    return list(maps.flatten(2).transpose(1, 2).float().cpu().numpy())


def _direction(output: Any) -> Tensor:
    """The features of an output, whatever this version of transformers wraps them in, at length 1."""
    features = output if isinstance(output, Tensor) else output.pooler_output
    return functional.normalize(features, dim=-1)
