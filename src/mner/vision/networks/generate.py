"""A network's input -> the token ids it writes: for each picture the sentences of one beam search, best first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from mner.vision.networks.load import Network, quiet


class Written(NamedTuple):
    """One sequence of a beam search.

    Attributes:
        ids: Its token ids, those of the prompt included where the model repeats it.
        score: Mean log-probability of a token, as the search ranks by it; None where there is one beam.
    """

    ids: list[int]
    score: float | None


def write(network: Network, inputs: Mapping[str, Any], *, beams: int, count: int, tokens: int) -> list[list[Written]]:
    """For each picture the ``count`` best sequences of a beam search, which is deterministic.

    ``inputs`` are of one picture, or of several whose arrays have the same shapes; ``beams`` is the width of the search
    and not below ``count``; ``tokens`` are the most of a sequence, without those of the prompt.
    """
    with torch.inference_mode(), network.lock, quiet():
        output = network.model.generate(
            **inputs,
            num_beams=beams,
            num_return_sequences=count,
            max_new_tokens=tokens,
            do_sample=False,
            return_dict_in_generate=True,
            output_scores=beams > 1,  # without them no score of a sequence is returned
        )
    scores = getattr(output, "sequences_scores", None)
    rows = output.sequences.tolist()
    listed = [None] * len(rows) if scores is None else [round(float(score), 4) for score in scores]
    padding = network.model.generation_config.pad_token_id
    return [
        [Written(*pair) for pair in zip(_cut(rows[of : of + count], padding), listed[of : of + count], strict=True)]
        for of in range(0, len(rows), count)
    ]


def _cut(rows: list[list[int]], padding: int | None) -> list[list[int]]:
    """The sequences of one picture without what fills them up to the length of another picture's.

    >>> _cut([[5, 6, 0, 0], [5, 0, 0, 0]], 0)
    [[5, 6], [5, 0]]
    """
    length = max(len(row) for row in rows)
    while length and all(row[length - 1] == padding for row in rows):
        length -= 1
    return [row[:length] for row in rows]
