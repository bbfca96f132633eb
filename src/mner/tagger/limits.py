"""Which probabilities entities have, exact or calibrated, and which entities are returned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

from mner.decode import Decoder, ScoredSpan
from mner.errors import ModelError
from mner.runtime import Runtime, SavedModel, predict
from mner.runtime.calibration import Thresholds, calibration_of
from mner.types import Span, ViewName
from mner.views import Encoded, Views

MinScore = float | Literal["calibrated"]
"""Least probability of an entity: a number from 0 to 1, or "calibrated": the thresholds that the model holds."""

CALIBRATED = "calibrated"


def check_score(min_score: MinScore) -> None:
    """Nothing, if this is a probability or "calibrated".

    Raises:
        ValueError: It is neither.
    """
    if min_score == CALIBRATED or (isinstance(min_score, Real) and 0 <= min_score <= 1):
        return
    raise ValueError(f'min_score: expected a probability from 0 to 1 or "calibrated", got {min_score!r}')


@dataclass(frozen=True, slots=True)
class Limits:
    """How one model's entities are scored and chosen.

    Attributes:
        name: What to call the model in a message.
        decoder: Gives the entities and their probabilities.
        thresholds: The calibrated thresholds; None where the model has none.
        raw: Whether the probabilities are exact ones though the model holds a scaling.
        own: The limit that 0 stands for.
    """

    name: str
    decoder: Decoder
    thresholds: Thresholds | None = None
    raw: bool = False
    own: MinScore = 0.0

    @classmethod
    def of(cls, saved: SavedModel, runtime: Runtime, *, raw_scores: bool = False, own: MinScore = 0.0) -> Limits:
        """The limits of a saved model that runs.

        Raises:
            ValueError: ``own`` is no limit.
            ModelError: ``own`` is "calibrated" and the model is not; or its calibration is damaged.
        """
        calibration, decode = calibration_of(saved), saved.config.decode
        scaling = calibration.scale.scaling() if calibration.scale is not None and not raw_scores else None
        decoder = Decoder(
            runtime.labels, runtime.chain, constrained=decode.constrained, repair=decode.labels, scaling=scaling
        )
        raw = raw_scores and calibration.scale is not None
        limits = cls(str(saved.folder), decoder, calibration.thresholds, raw, own)
        limits.chosen(own)
        return limits

    @property
    def settings(self) -> dict[str, Any]:
        """What of this predictions depend on besides the model; nothing by default."""
        return ({"raw_scores": True} if self.raw else {}) | ({"own_min_score": self.own} if self.own else {})

    def chosen(self, min_score: MinScore) -> MinScore:
        """The limit that is meant.

        Raises:
            ValueError: It is not one.
            ModelError: It is "calibrated", and the model has no thresholds for the scores that it gives.
        """
        check_score(min_score)
        limit = self.own if min_score == 0 else min_score
        if limit == CALIBRATED and self.thresholds is None:
            raise ModelError(
                f"{self.name}: holds no calibrated thresholds; make a copy that does, from labelled posts that it was "
                "not trained on: mner calibrate MODEL POSTS --precision 0.95 --out FOLDER"
            )
        if limit == CALIBRATED and self.raw:
            raise ModelError(f"{self.name}: its thresholds are for calibrated scores; leave out raw_scores")
        return limit

    def spans(self, runtime: Runtime, encoded: Sequence[Encoded], limit: MinScore) -> list[list[ScoredSpan]]:
        """The entities of each post that are returned.

        They are those of the best path, or, where thresholds promise recall, the ``decode.candidates``.

        Raises:
            ModelError: The model is not calibrated for the view of a post.
        """
        if limit != CALIBRATED or self.thresholds is None:
            least = float(limit)
            decoded = predict.spans(runtime, encoded, self.decoder)
            return [[span for span in spans if span.score >= least] for spans in decoded]
        by_view = {view: self._least(view) for view in dict.fromkeys(post.view for post in encoded)}
        decoded = predict.spans(runtime, encoded, self.decoder, every=self.thresholds.target == "recall")
        return [
            [span for span in spans if span.score >= by_view[post.view].get(span.label, 1.0)]
            for post, spans in zip(encoded, decoded, strict=True)
        ]

    def beyond(
        self, runtime: Runtime, views: Views, words: Sequence[str], returned: Sequence[Span]
    ) -> tuple[Sequence[Span], Sequence[Span]] | None:
        """The entities of the words alone and those that are ``returned``; None where the best paths have them all."""
        if self.own != CALIBRATED or self.thresholds is None or self.thresholds.target != "recall":
            return None
        (alone,) = self.spans(runtime, views.encode_many([words]), self.own)
        return [scored.span for scored in alone], returned

    def _least(self, view: ViewName) -> dict[str, float]:
        """The thresholds of a view by label."""
        views = {} if self.thresholds is None else self.thresholds.views
        if view in views:
            return views[view].thresholds
        remedy = "calibrate it again: mner calibrate MODEL POSTS"
        if view == "I+T":
            remedy += " --contexts FILE, or read the words alone (use_images=False, --no-images)"
        raise ModelError(f"{self.name}: not calibrated for posts in view {view}; {remedy}")
