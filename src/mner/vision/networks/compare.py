"""Pictures and texts in one space (CLIP, SigLIP) -> how well each text fits each picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from mner.vision.networks.load import Network


def texts(network: Network, prompts: Sequence[str]) -> Tensor:
    """The directions (text, hidden) of texts, of length 1."""
    # SigLIP was trained on texts padded to their full length, and fits others badly.
    padding = "max_length" if network.architecture == "siglip" else True
    with network.lock, torch.inference_mode():
        made = network.tokenizer(list(prompts), padding=padding, truncation=True, return_tensors="pt")
        return _direction(network.model.get_text_features(**network.on_device(made)))


def fits(network: Network, pictures: Sequence[Image.Image], directions: Tensor) -> list[list[float]]:
    """The probability of each text for each picture, (picture, text).

    CLIP shares one probability among all texts, SigLIP judges each by itself; both as they were trained.
    """
    with torch.inference_mode():
        made = network.on_device(network.images(images=list(pictures), return_tensors="pt"))
        seen = _direction(network.model.get_image_features(**made))
        scores = seen @ directions.T * network.model.logit_scale.exp()
        if network.architecture == "siglip":
            rows: list[list[float]] = (scores + network.model.logit_bias).sigmoid().tolist()
            return rows
        rows = scores.softmax(dim=-1).tolist()
        return rows


def _direction(output: Any) -> Tensor:
    """The features of an output, whatever this version of transformers wraps them in, at length 1."""
    features = output if isinstance(output, Tensor) else output.pooler_output
    return functional.normalize(features, dim=-1)
