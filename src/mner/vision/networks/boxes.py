"""Pictures -> what a detection network finds in them: objects of its own classes, or of names that it is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from PIL import Image

from mner.types import Box
from mner.vision.networks.load import Network, joined, prepared

LEAST = 1.0
"""Pixels of a side of a box; what is thinner is no object."""

OWL_PROMPT = "a photo of a {}"
"""The form of the texts that OWLv2 was trained on."""

K = TypeVar("K", int, str)


@dataclass(frozen=True, slots=True)
class Question:
    """Names that a network looks for in one pass.

    Attributes:
        names: In the order of the question.
        text: The question's token ids and masks, on the network's device.
        tokens: For Grounding DINO, whether a token belongs to a name, (name, token); None for OWLv2.
    """

    names: tuple[str, ...]
    text: dict[str, Any]
    tokens: torch.Tensor | None = None


def detect(network: Network, pictures: Sequence[Image.Image], threshold: float) -> list[list[tuple[int, float, Box]]]:
    """For each picture its (class, confidence, box) triples over a threshold, by confidence, descending.

    They are what the network's own processor makes of its output, with boxes cut to the picture.
    """
    triples: list[list[tuple[int, float, Box]]] = [[] for _ in pictures]
    for places, arrays in joined([prepared(network, picture) for picture in pictures]):
        with torch.inference_mode():
            results = network.images.post_process_object_detection(
                network.model(**arrays),
                threshold=threshold,
                target_sizes=[(pictures[place].height, pictures[place].width) for place in places],
            )
        for place, result in zip(places, results, strict=True):
            columns = result["labels"].tolist(), result["scores"].tolist(), result["boxes"].tolist()
            triples[place] = _cut(zip(*columns, strict=True), pictures[place].size)
    return triples


def ask(network: Network, names: Sequence[str]) -> list[Question]:
    """As many questions as the names need.

    OWLv2 compares each box with all names at once; the text of Grounding DINO holds ``max_text_len`` tokens.
    """
    if network.architecture == "owlv2":
        prompts = [OWL_PROMPT.format(name) for name in names]
        text = network.processor(text=[prompts], truncation=True, return_tensors="pt")
        return [Question(tuple(names), network.on_device(text))]
    questions, left = list[Question](), list(names)
    while left:
        taken = len(left)
        question = _sentence(network, left)
        while question is None and taken > 1:
            taken -= max(1, taken // 4)
            question = _sentence(network, left[:taken])
        if question is None:
            raise ValueError(f"the name {left[0]!r} has more tokens than the model takes")
        questions.append(question)
        left = left[taken:]
    return questions


def find(
    network: Network, pictures: Sequence[Image.Image], questions: Sequence[Question], threshold: float
) -> list[list[tuple[str, float, Box]]]:
    """For each picture its (name, confidence, box) triples over a threshold, by confidence, descending."""
    triples: list[list[tuple[str, float, list[float]]]] = [[] for _ in pictures]
    for places, pixels in joined([prepared(network, picture) for picture in pictures]):
        sizes = [(pictures[place].height, pictures[place].width) for place in places]
        for question in questions:
            for place, answers in zip(places, _answers(network, pixels, sizes, question, threshold), strict=True):
                triples[place] += answers
    return [_cut(rows, picture.size) for rows, picture in zip(triples, pictures, strict=True)]


def within(box: Iterable[Any], size: tuple[int, int]) -> Box | None:
    """A box cut to the picture, rounded to tenths of a pixel; None where nothing of it is left.

    >>> within((-3.04, 2.0, 20.26, 9.0), (20, 10)), within((25, 0, 30, 5), (20, 10))
    ((0.0, 2.0, 20.0, 9.0), None)
    """
    left, top, right, bottom = (float(side) for side in box)
    width, height = size
    left, top, right, bottom = max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height))
    if right - left < LEAST or bottom - top < LEAST:
        return None
    return (round(left, 1), round(top, 1), round(right, 1), round(bottom, 1))


def _cut(rows: Iterable[tuple[K, float, Sequence[float]]], size: tuple[int, int]) -> list[tuple[K, float, Box]]:
    cut = [(kind, round(score, 4), within(sides, size)) for kind, score, sides in sorted(rows, key=lambda row: -row[1])]
    return [(kind, score, box) for kind, score, box in cut if box is not None]


def _answers(
    network: Network, pixels: dict[str, Any], sizes: list[tuple[int, int]], question: Question, threshold: float
) -> Iterator[list[tuple[str, float, list[float]]]]:
    """What one question finds in each of the pictures of one pass."""
    text = {name: array.repeat(len(sizes), 1) for name, array in question.text.items()}
    read = network.processor.post_process_grounded_object_detection
    with torch.inference_mode():
        outputs = network.model(**text, **pixels)
    if question.tokens is None:
        results = read(outputs, threshold=threshold, target_sizes=sizes)
        kinds = [result["labels"].tolist() for result in results]
    else:
        with network.lock:
            results = read(outputs, text["input_ids"], threshold=threshold, target_sizes=sizes)
        kinds = [_kinds(logits, question.tokens, threshold) for logits in outputs.logits]
    for classes, result in zip(kinds, results, strict=True):
        rows = zip(classes, result["scores"].tolist(), result["boxes"].tolist(), strict=True)
        yield [(question.names[kind], round(score, 4), box) for kind, score, box in rows]


def _sentence(network: Network, names: Sequence[str]) -> Question | None:
    """The names as Grounding DINO is asked, "a cat. a dog."; None where they are more than it takes at once."""
    sentence, spans = "", []
    for name in names:
        spans.append((len(sentence), len(sentence) + len(name)))
        sentence += f"{name.lower()}. "
    with network.lock:
        text = network.tokenizer(
            sentence.rstrip(), return_tensors="pt", return_offsets_mapping=True, return_token_type_ids=True
        )
    offsets = text.pop("offset_mapping")[0]
    if len(offsets) > network.model.config.max_text_len:
        return None
    starts, ends = offsets.unbind(1)
    tokens = torch.stack([(starts >= start) & (ends <= end) & (ends > starts) for start, end in spans])
    return Question(tuple(names), network.on_device(text), tokens.to(network.device))


def _kinds(logits: torch.Tensor, tokens: torch.Tensor, threshold: float) -> list[int]:
    """The name of each box over the threshold: the one whose best token fits best.

    The processor's own phrases join all tokens over a threshold, which can be parts of two names, or none. ``logits``
    are (box, token), padded beyond the text with minus infinity; ``tokens`` says which token is of which (name, token).
    """
    fits = logits.sigmoid()
    over = fits[fits.max(dim=-1).values > threshold][:, : tokens.shape[1]]  # (box, token)
    best = over[:, None, :].masked_fill(~tokens, -1.0).max(dim=-1).values  # (box, name)
    kinds: list[int] = best.argmax(dim=-1).tolist()
    return kinds
