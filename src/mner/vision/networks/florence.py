"""Florence-2: one network that captions, describes regions and reads; a picture is encoded once for all three."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image

from mner.types import Box
from mner.vision.networks.generate import write
from mner.vision.networks.load import Network

CAPTION, DETAILED, MORE = "<CAPTION>", "<DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>"
OBJECTS, REGIONS, READ = "<OD>", "<DENSE_REGION_CAPTION>", "<OCR_WITH_REGION>"

_last = threading.local()
"""The pictures that this thread encoded last, at once, by which network, and what came of them."""


def run(
    network: Network, pictures: Sequence[Image.Image], task: str, *, tokens: int, beams: int = 3, count: int = 1
) -> list[list[tuple[str, float | None]]]:
    """What the network writes of each picture for a task token, place tokens kept, best first, each with its score.

    Args:
        network: A Florence-2.
        pictures: Upright, in RGB; they are looked at in one pass.
        task: One of the task tokens above.
        tokens: Most tokens it writes.
        beams: Width of the search; 3 is what the model's authors use.
        count: How many sequences of each picture are returned.
    """
    with network.lock:
        asked = {"images": list(pictures), "text": [task] * len(pictures)}
        made = network.on_device(network.processor(**asked, return_tensors="pt"))
    seen = _seen(network, pictures, made["pixel_values"])
    with torch.inference_mode():
        words = network.model.get_input_embeddings()(made["input_ids"])
        places = (made["input_ids"] == network.model.config.image_token_id).unsqueeze(-1)
        mixed = words.masked_scatter(places, seen.to(words.dtype))
        encoder = network.model.get_encoder()
        encoded = encoder(inputs_embeds=mixed, attention_mask=made["attention_mask"])
    given = {"encoder_outputs": encoded, "attention_mask": made["attention_mask"]}
    written = write(network, given, beams=beams, count=count, tokens=tokens)
    decode = network.tokenizer.decode
    return [[(decode(one.ids, skip_special_tokens=False), one.score) for one in some] for some in written]


def sentence(network: Network, text: str, task: str) -> str:
    """The sentence in what a captioning task wrote."""
    answer = _parsed(network, text, task, (1, 1))
    return str(answer).replace("<pad>", "").strip()


def regions(network: Network, text: str, task: str, size: tuple[int, int]) -> list[tuple[str, Box]]:
    """The (words, box) pairs in what a task wrote that finds objects, regions or text.

    Args:
        network: A Florence-2.
        text: What it wrote.
        task: The task token it wrote this for.
        size: Width and height of the picture, in whose pixels the boxes are.
    """
    answer = _parsed(network, text, task, size)
    corners = answer["quad_boxes"] if task == READ else answer["bboxes"]
    return [(words, _box(sides)) for words, sides in zip(answer["labels"], corners, strict=True)]


def _parsed(network: Network, text: str, task: str, size: tuple[int, int]) -> Any:
    with network.lock:
        return network.processor.post_process_generation(text=text, task=task, image_size=size)[task]


def _seen(network: Network, pictures: Sequence[Image.Image], pixels: torch.Tensor) -> torch.Tensor:
    """The pictures' features (picture, place, hidden); those that this thread looked at last are kept."""
    kept: list[tuple[Any, Any, torch.Tensor]] = getattr(_last, "kept", [])
    known = {id(of()): features for by, of, features in kept if by() is network}
    missing = [place for place, picture in enumerate(pictures) if id(picture) not in known]
    if missing:
        with torch.inference_mode():
            made = network.model.get_image_features(pixels[missing]).pooler_output
        known.update({id(pictures[place]): made[row : row + 1] for row, place in enumerate(missing)})
        _last.kept = [(weakref.ref(network), weakref.ref(one), known[id(one)]) for one in pictures]
    return torch.cat([known[id(picture)] for picture in pictures])


def _box(sides: Any) -> Box:
    """The upright box around two or four corners, as x, y, x, y, ..."""
    across, down = [float(side) for side in sides[::2]], [float(side) for side in sides[1::2]]
    return (round(min(across), 1), round(min(down), 1), round(max(across), 1), round(max(down), 1))
