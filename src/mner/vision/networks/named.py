"""Names to look for, and pictures -> the boxes of what was found: OWLv2 and Grounding DINO."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from mner.vision.networks.joined import joined
from mner.vision.networks.load import Network, prepared

OWL_PROMPT = "a photo of a {}"
"""How the text encoder of OWLv2 was trained to be asked."""


@dataclass(frozen=True, slots=True)
class Question:
    """Names that are asked for at once.

    Attributes:
        names: In the order of the question.
        text: The question's token ids and masks, on the network's device.
        tokens: For Grounding DINO, whether a token belongs to a name, (name, token); None for OWLv2.
    """

    names: tuple[str, ...]
    text: dict[str, Any]
    tokens: torch.Tensor | None = None


def ask_owl(network: Network, names: Sequence[str]) -> list[Question]:
    """One question over all names: OWLv2 compares each box with each."""
    prompts = [OWL_PROMPT.format(name) for name in names]
    text = network.processor(text=[prompts], truncation=True, return_tensors="pt")
    return [Question(tuple(names), network.on_device(text))]


def ask_grounding(network: Network, names: Sequence[str]) -> list[Question]:
    """As many questions as the names need: the model's text holds ``max_text_len`` tokens."""
    questions, left = list[Question](), list(names)
    while left:
        taken = len(left)
        question = _sentence(network, left)
        while question is None and taken > 1:
            taken -= max(1, taken // 4)
            question = _sentence(network, left[:taken])
        if question is None:  # a single name that is too long asks for nothing the model could hold
            raise ValueError(f"the name {left[0]!r} has more tokens than the model takes")
        questions.append(question)
        left = left[taken:]
    return questions


def find(
    network: Network, pictures: Sequence[Image.Image], questions: Sequence[Question], threshold: float
) -> list[list[tuple[str, float, list[float]]]]:
    """For each picture its (name, confidence, box) triples over a threshold, boxes as the processor gives them."""
    found: list[list[tuple[str, float, list[float]]]] = [[] for _ in pictures]
    for places, pixels in joined([prepared(network, picture) for picture in pictures]):
        sizes = [(pictures[place].height, pictures[place].width) for place in places]
        for question in questions:
            for place, triples in zip(places, _answers(network, pixels, sizes, question, threshold), strict=True):
                found[place] += triples
    return found


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
    for named, result in zip(kinds, results, strict=True):
        rows = zip(named, result["scores"].tolist(), result["boxes"].tolist(), strict=True)
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

    The processor's own phrases join all tokens over a threshold, which can be parts of two names, or none.

    Args:
        logits: Of each box and token, (box, token); padded beyond the text with minus infinity.
        tokens: Which tokens belong to which name, (name, token).
        threshold: Least confidence of a box.
    """
    fits = logits.sigmoid()
    kept = fits[fits.max(dim=-1).values > threshold][:, : tokens.shape[1]]  # (box, token)
    best = kept[:, None, :].masked_fill(~tokens, -1.0).max(dim=-1).values  # (box, name)
    kinds: list[int] = best.argmax(dim=-1).tolist()
    return kinds
