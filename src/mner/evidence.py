"""Why this entity: its probability with and without the picture, and without each source of what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from mner.decode import Decoder
from mner.grounding.texts import Match, PictureTexts
from mner.runtime import Runtime, predict
from mner.types import Entity, OcrText, PictureStatus, Post, Prediction, Span, notebook_cell
from mner.views import Piece, Views

NOTICEABLE = 0.05
"""Least difference of two probabilities that counts as help or harm."""

Verdict = Literal[
    "same", "raised", "lowered", "label changed", "only with the picture", "lost with the picture", "no picture"
]
"""What the picture did for one entity."""


Beside = tuple[tuple[Piece, ...], Mapping[str, np.ndarray]]
"""What stands beside a post's words: pieces of context, and arrays."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One entity of either view and what it rests on.

    Attributes:
        entity: The entity, with the score of the view that found it; of both, the I+T view.
        verdict: What the picture did.
        without_image: Its probability in the T view.
        with_image: Its probability in the I+T view; None where no picture was used.
        without_source: Its probability in the I+T view with all of one kind of context left out, by kind, or one array
            of the picture's features, by name.
        label_without: The label of the same words in the T view, where that is another.
        matches: Texts in the picture that share words with it, the best ones first.
        without_picture: Of a post with several pictures its probability with one of them left out, in their order.

    >>> evidence = Evidence(Entity(0, 7, "Phoenix", "ORG", 0.97), "raised", without_image=0.71, with_image=0.97)
    >>> print(evidence)
    Phoenix (ORG): 0.97 with the picture, 0.71 without it; raised
    >>> evidence.to_dict()["score_without_image"]
    0.71
    """

    entity: Entity
    verdict: Verdict
    without_image: float
    with_image: float | None = None
    without_source: Mapping[str, float] = field(default_factory=dict)
    label_without: str | None = None
    matches: tuple[Match, ...] = ()
    without_picture: tuple[float, ...] = ()

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
        if self.without_picture:
            row["score_without_picture"] = [round(score, 6) for score in self.without_picture]
        if self.label_without is not None:
            row["label_without_image"] = self.label_without
        if self.matches:
            row["ocr"] = [
                {"text": match.text, "whole": match.whole}
                | ({"box": list(match.box)} if match.box else {})
                | ({"picture": match.picture} if match.picture else {})
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
        picture: The picture, or the path of it, for showing, of several the first; None without one.
        gold: The gold entities; None where the post carries no labels.
        more_pictures: The pictures after the first.

    >>> found = Prediction("1", "Phoenix won", (Entity(0, 7, "Phoenix", "ORG", 0.9),))
    >>> Explanation(found, (Evidence(found.entities[0], "no picture", 0.9),)).to_dict()["evidence"][0]["verdict"]
    'no picture'
    """

    prediction: Prediction
    evidence: tuple[Evidence, ...]
    pieces: tuple[Piece, ...] = ()
    picture: Any = field(default=None, repr=False, compare=False)
    gold: tuple[Entity, ...] | None = None
    more_pictures: tuple[Any, ...] = field(default=(), repr=False, compare=False)

    @property
    def pictures(self) -> tuple[Any, ...]:
        """All its pictures for showing, in their order; empty where there is none."""
        return (self.picture, *self.more_pictures) if self.picture is not None or self.more_pictures else ()

    def to_dict(self) -> dict[str, Any]:
        """The prediction's row with the keys evidence and context added, and gold where that is known."""
        row = {
            **self.prediction.to_dict(),
            "evidence": [evidence.to_dict() for evidence in self.evidence],
            "context": [piece.to_dict() for piece in self.pieces],
        }
        if self.gold is not None:
            row["gold"] = [
                {key: value for key, value in entity.to_dict().items() if key != "score"} for entity in self.gold
            ]
        return row

    def __str__(self) -> str:
        """The post with its entities in brackets, then a line for each entity, then what was read from the picture."""
        lines = [str(self.prediction), *map(str, self.evidence)]
        several = self.prediction.pictures
        alone = PictureStatus(self.prediction.image_status, reason=self.prediction.reason)
        for number, picture in enumerate(several or [alone], 1):
            if picture.status not in ("none", "used"):
                name = (f" {number}" if several else "") + (f" ({picture.image})" if picture.image else "")
                lines.append(
                    f"picture{name} not used, {picture.status}" + (f": {picture.reason}" if picture.reason else "")
                )
        for piece in self.pieces:
            lines.append(f"{piece.kind}{f' of picture {piece.picture + 1}' if several else ''}: {piece.text}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The post, its picture and what that did, as a notebook shows it."""
        return notebook_cell(self)


def weigh(
    runtime: Runtime,
    views: Views,
    post: Post,
    *,
    decoder: Decoder,
    pieces: Sequence[Piece] = (),
    texts: Sequence[OcrText] = (),
    arrays: Mapping[str, np.ndarray] | None = None,
    without_each: Sequence[Beside] = (),
    chosen: tuple[Sequence[Span], Sequence[Span]] | None = None,
) -> tuple[Evidence, ...]:
    """The evidence for the entities of one post, in order of appearance.

    The model runs once on each view, and once more for each kind of context with that kind left out, and for each of
    several pictures with that picture left out. Nothing is read from inside the model.

    Args:
        runtime: Label scores.
        views: From words and context to token ids.
        post: The post.
        decoder: Turns label scores into entities and their exact probabilities.
        pieces: What stands beside the words; none means that no picture was used.
        texts: Texts in the picture, to be compared with the entities.
        arrays: What the model reads of the picture besides, by name; each is left out like a kind of context.
        without_each: Of several pictures what is left beside the words when one is left out, in their order.
        chosen: Entities of the T view and of the prediction where thresholds promise recall; None: the best paths'.
    """
    features = arrays or {}
    pictured = bool(pieces or features)
    kinds = [*dict.fromkeys(piece.kind for piece in pieces), *features]
    beside: list[Beside] = [
        (
            tuple(piece for piece in pieces if piece.kind != left_out),
            {name: values for name, values in features.items() if name != left_out},
        )
        for left_out in (None, *kinds)
    ]
    if pictured:
        beside = [((), {}), *beside, *without_each]
    parts, rest = zip(*beside, strict=True)
    encoded = views.encode_many([post.words] * len(beside), parts, rest)
    if not post.words:
        return ()
    scores = np.stack(predict.emissions(runtime, encoded))  # (without, with, and without each kind; word, label)
    lengths = [view.words for view in encoded]
    heads = predict.heads_of(encoded)
    if chosen is None:
        two = heads[:2] if heads is not None else None
        decoded = [{scored.span for scored in spans} for spans in decoder.decode(scores[:2], lengths[:2], heads=two)]
    else:
        decoded = [set(of_view) for of_view in chosen[-1 - pictured :]]
    spans = sorted(set().union(*decoded))
    exact = np.stack(decoder.span_scores(scores, lengths, [spans] * len(beside), heads=heads))
    rows = list(zip(spans, exact.T.tolist(), strict=True))
    if not pictured:
        return tuple(Evidence(post.entity(span, plain), "no picture", plain) for span, (plain,) in rows)
    without, with_ = decoded
    compared = PictureTexts(texts)
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
            without_source=dict(zip(kinds, left_out, strict=False)),
            without_picture=tuple(left_out[len(kinds) :]),
            label_without=labels[span.start, span.end] if (span.start, span.end) in relabelled else None,
            matches=compared.matches(" ".join(post.words[span.start : span.end])),
        )
        for span, (plain, together, *left_out) in rows
        # The words under their old label stand in the row of their new one.
        if span in with_ or (span.start, span.end) not in relabelled
    )


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
