"""Why this entity: its probability with and without the picture, and without each source of what was read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from mner.config import Source
from mner.decode import Decoder
from mner.runtime import Runtime, predict
from mner.types import Box, Entity, OcrText, Post, Prediction, Span
from mner.views import Piece, Views

NOTICEABLE = 0.05
"""Least difference of two probabilities that is told as help or harm."""

Verdict = Literal[
    "same", "raised", "lowered", "label changed", "only with the picture", "lost with the picture", "no picture"
]
"""What the picture did for one entity."""


@dataclass(frozen=True, slots=True)
class Match:
    """A text in the picture that shares words with an entity; ``whole`` if it holds all of the entity's words."""

    text: str
    box: Box | None
    whole: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """One entity of either view and what it rests on.

    Attributes:
        entity: The entity, with the score of the view that found it; of both, the I+T view.
        verdict: What the picture did.
        without_image: Its probability in the T view.
        with_image: Its probability in the I+T view; None where no picture was used.
        without_source: Its probability in the I+T view with all of one kind of context left out, by kind.
        label_without: The label of the same words in the T view, where that is another.
        matches: Texts in the picture that share words with it.
    """

    entity: Entity
    verdict: Verdict
    without_image: float
    with_image: float | None = None
    without_source: Mapping[Source, float] = field(default_factory=dict)
    label_without: str | None = None
    matches: tuple[Match, ...] = ()

    def __str__(self) -> str:
        """One line: ``Kevin Love (PER): 0.98 with the picture, 0.71 without it; raised``."""
        named = f"{self.entity.text} ({self.entity.label}): "
        if self.with_image is None:
            return f"{named}{self.without_image:.2f}"
        was = f" (was {self.label_without})" if self.label_without else ""
        return (
            f"{named}{self.with_image:.2f} with the picture, {self.without_image:.2f} without it; {self.verdict}{was}"
        )

    def to_dict(self) -> dict[str, Any]:
        """The evidence as a JSON object."""
        row = self.entity.to_dict()
        row["verdict"] = self.verdict
        row["score_without_image"] = round(self.without_image, 6)
        if self.with_image is not None:
            row["score_with_image"] = round(self.with_image, 6)
            row["score_without"] = {kind: round(score, 6) for kind, score in self.without_source.items()}
        if self.label_without is not None:
            row["label_without_image"] = self.label_without
        if self.matches:
            row["ocr"] = [
                {"text": match.text, "whole": match.whole} | ({"box": list(match.box)} if match.box else {})
                for match in self.matches
            ]
        return row


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prediction with the evidence for each of its entities, and for those it lost.

    Attributes:
        prediction: What the tagger says of the post.
        evidence: Entities of either view, in order of appearance.
        pieces: What stood beside the words.
        picture: The picture, or the path of it, for showing; None without one.
    """

    prediction: Prediction
    evidence: tuple[Evidence, ...]
    pieces: tuple[Piece, ...] = ()
    picture: Any = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The prediction's row with the keys evidence and context added."""
        return {
            **self.prediction.to_dict(),
            "evidence": [one.to_dict() for one in self.evidence],
            "context": [{"kind": kind, "source": source, "text": text} for kind, source, text in self.pieces],
        }

    def __str__(self) -> str:
        """The post with its entities in brackets, then a line for each entity, then what was read from the picture."""
        lines = [str(self.prediction), *map(str, self.evidence)]
        if self.prediction.image_status not in ("none", "used"):
            reason = f": {self.prediction.reason}" if self.prediction.reason else ""
            lines.append(f"picture not used, {self.prediction.image_status}{reason}")
        return "\n".join([*lines, *(f"{piece.kind}: {piece.text}" for piece in self.pieces)])


def weigh(
    runtime: Runtime,
    views: Views,
    post: Post,
    *,
    decoder: Decoder,
    pieces: Sequence[Piece] = (),
    texts: Sequence[OcrText] = (),
) -> tuple[Evidence, ...]:
    """The evidence for the entities of one post, in order of appearance.

    The model runs once on each view, and once more for each kind of context with that kind left out. Nothing is
    read from inside the model.

    Args:
        runtime: Label scores.
        views: From words and context to token ids.
        post: The post.
        decoder: Turns label scores into entities and their exact probabilities.
        pieces: What stands beside the words; none means that no picture was used.
        texts: Texts in the picture, to be compared with the entities.
    """
    kinds = list(dict.fromkeys(piece.kind for piece in pieces))
    beside = [(), tuple(pieces)] if pieces else [()]
    beside += [tuple(piece for piece in pieces if piece.kind != kind) for kind in kinds]
    encoded = views.encode_many([post.words] * len(beside), beside)
    if not post.words:
        return ()
    scores = np.stack(predict.emissions(runtime, encoded))  # (without, with, and without each kind; word, label)
    lengths = [one.words for one in encoded]
    heads = predict.heads_of(encoded)
    two = heads[:2] if heads is not None else None
    found = [{one.span for one in spans} for spans in decoder.decode(scores[:2], lengths[:2], heads=two)]
    spans = sorted(set().union(*found))
    exact = np.stack(decoder.span_scores(scores, lengths, [spans] * len(beside), heads=heads))
    rows = list(zip(spans, exact.T.tolist(), strict=True))
    if not pieces:
        return tuple(Evidence(post.entity(span, plain), "no picture", plain) for span, (plain,) in rows)
    without, with_ = found
    labels = {(span.start, span.end): span.label for span in without}
    relabelled = {
        (span.start, span.end) for span in with_ if labels.get((span.start, span.end), span.label) != span.label
    }
    return tuple(
        Evidence(
            post.entity(span, together if span in with_ else plain),
            _verdict(span, with_, without, together - plain, relabelled),
            without_image=plain,
            with_image=together,
            without_source=dict(zip(kinds, left_out, strict=True)),
            label_without=labels[span.start, span.end] if (span.start, span.end) in relabelled else None,
            matches=matches(post.words[span.start : span.end], texts),
        )
        for span, (plain, together, *left_out) in rows
        # The words under their old label are told by the row of their new one.
        if span in with_ or (span.start, span.end) not in relabelled
    )


def matches(words: Sequence[str], texts: Sequence[OcrText]) -> tuple[Match, ...]:
    """Texts in a picture that share words with an entity, whatever their case and punctuation.

    A text matches if it holds the entity's words in a row, apart or run together ("NEW YORK" and "#newyork"), or is
    itself one or several of them ("CLEVELAND" for "Cleveland Cavaliers").

    >>> matches(["New", "York"], [OcrText("NEWYORK 2016"), OcrText("york"), OcrText("Old York Road")])
    (Match(text='NEWYORK 2016', box=None, whole=True), Match(text='york', box=None, whole=False))
    """
    wanted = [plain for word in words if (plain := _plain(word))]
    run = "".join(wanted)
    if len(run) < 2:
        return ()
    found = []
    for text in texts:
        seen = [plain for word in re.split(r"\s+", text.text) if (plain := _plain(word))]
        whole = any(
            run == "".join(seen[start:end]) for start in range(len(seen)) for end in _ends(seen, start, len(run))
        )
        part = bool(seen) and len("".join(seen)) > 1 and _within(seen, wanted)
        if whole or part:
            found.append(Match(text.text, text.box, whole))
    return tuple(found)


def _ends(words: Sequence[str], start: int, length: int) -> range:
    """Ends of runs of words from ``start`` on that are long enough and not much too long."""
    return range(start + 1, min(len(words), start + length) + 1)


def _within(few: Sequence[str], many: Sequence[str]) -> bool:
    return any(list(many[start : start + len(few)]) == list(few) for start in range(len(many) - len(few) + 1))


def _plain(word: str) -> str:
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(char for char in folded if char.isalnum() or unicodedata.category(char)[0] == "M")


def _verdict(
    span: Span, with_: set[Span], without: set[Span], gain: float, relabelled: set[tuple[int, int]]
) -> Verdict:
    if span not in with_:
        return "lost with the picture"
    if (span.start, span.end) in relabelled:
        return "label changed"
    if span not in without:
        return "only with the picture"
    if abs(gain) < NOTICEABLE:
        return "same"
    return "raised" if gain > 0 else "lowered"
