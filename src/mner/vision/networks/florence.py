"""Florence-2: one network that captions, describes regions and reads; a picture is encoded once for all three."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image

from mner.types import Box
from mner.vision.networks.boxes import within
from mner.vision.networks.generate import write
from mner.vision.networks.load import Network

CAPTION, DETAILED, MORE = "<CAPTION>", "<DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>"
OBJECTS, REGIONS, READ = "<OD>", "<DENSE_REGION_CAPTION>", "<OCR_WITH_REGION>"

_last = threading.local()
"""The pictures that this thread encoded last, at once, by which network, and what came of them."""


def sentences(
    network: Network, pictures: Sequence[Image.Image], task: str, *, tokens: int, beams: int, count: int
) -> list[list[tuple[str, float | None]]]:
    """For each picture ``count`` sentences with their scores, best first: what a captioning task wrote.

    ``tokens`` are the most that it writes, ``beams`` is the width of the search.
    """
    written = _written(network, pictures, task, tokens=tokens, beams=beams, count=count)
    return [[(_sentence(network, text, task), score) for text, score in each] for each in written]


def regions(
    network: Network, pictures: Sequence[Image.Image], task: str, *, tokens: int
) -> list[list[tuple[str, Box]]]:
    """For each picture the (words, box) pairs of a task that finds objects, regions or text; boxes in its pixels."""
    # 3 beams are what the model's authors use.
    written = _written(network, pictures, task, tokens=tokens, beams=3, count=1)
    return [_regions(network, text, task, picture.size) for picture, [(text, _)] in zip(pictures, written, strict=True)]


def _written(
    network: Network, pictures: Sequence[Image.Image], task: str, *, tokens: int, beams: int, count: int
) -> list[list[tuple[str, float | None]]]:
    """What the network writes of each picture for a task token, place tokens included, best first, with scores."""
    with network.lock:
        request = {"images": list(pictures), "text": [task] * len(pictures)}
        inputs = network.on_device(network.processor(**request, return_tensors="pt"))
    features = _features(network, pictures, inputs["pixel_values"])
    with torch.inference_mode():
        words = network.model.get_input_embeddings()(inputs["input_ids"])
        places = (inputs["input_ids"] == network.model.config.image_token_id).unsqueeze(-1)
        mixed = words.masked_scatter(places, features.to(words.dtype))
        encoder = network.model.get_encoder()
        encoded = encoder(inputs_embeds=mixed, attention_mask=inputs["attention_mask"])
    given = {"encoder_outputs": encoded, "attention_mask": inputs["attention_mask"]}
    decode = network.tokenizer.decode
    return [
        [(decode(sequence.ids, skip_special_tokens=False), sequence.score) for sequence in sequences]
        for sequences in write(network, given, beams=beams, count=count, tokens=tokens)
    ]


def _sentence(network: Network, text: str, task: str) -> str:
    return str(_parsed(network, text, task, (1, 1))).replace("<pad>", "").strip()


def _regions(network: Network, text: str, task: str, size: tuple[int, int]) -> list[tuple[str, Box]]:
    answer = _parsed(network, text, task, size)
    corners = answer["quad_boxes"] if task == READ else answer["bboxes"]
    pairs = [(words, within(_box(sides), size)) for words, sides in zip(answer["labels"], corners, strict=True)]
    return [(words, box) for words, box in pairs if words and box is not None]


def _parsed(network: Network, text: str, task: str, size: tuple[int, int]) -> Any:
    with network.lock:
        return network.processor.post_process_generation(text=text, task=task, image_size=size)[task]


def _features(network: Network, pictures: Sequence[Image.Image], pixels: torch.Tensor) -> torch.Tensor:
    """The pictures' features (picture, place, hidden); those of the pictures that this thread saw last are at hand."""
    last: list[tuple[Any, Any, torch.Tensor]] = getattr(_last, "features", [])
    known = {id(picture()): features for by, picture, features in last if by() is network}
    missing = [place for place, picture in enumerate(pictures) if id(picture) not in known]
    if missing:
        with torch.inference_mode():
            encoded = network.model.get_image_features(pixels[missing]).pooler_output
        known.update({id(pictures[place]): encoded[row : row + 1] for row, place in enumerate(missing)})
        _last.features = [(weakref.ref(network), weakref.ref(each), known[id(each)]) for each in pictures]
    return torch.cat([known[id(picture)] for picture in pictures])


def _box(sides: Any) -> Box:
    """The upright box around two or four corners, as x, y, x, y, ..."""
    across, down = [float(side) for side in sides[::2]], [float(side) for side in sides[1::2]]
    return (round(min(across), 1), round(min(down), 1), round(max(across), 1), round(max(down), 1))
