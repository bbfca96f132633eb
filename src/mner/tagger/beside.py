"""A request -> what of its pictures goes beside the words, and what became of each picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from mner.config import ContextConfig
from mner.several import MOST_PICTURES, UNNAMED, reason_of, together
from mner.tagger.features import PictureFeatures
from mner.tagger.pictures import Pictures
from mner.tagger.requests import Request
from mner.types import Entity, ImageStatus, PictureStatus, Prediction, VisualContext
from mner.views import Array, Piece, compose
from mner.views.features import side_by_side

_STATUS: dict[str, ImageStatus] = {
    "placeholder": "placeholder",
    "unreadable": "unreadable",
    "missing": "missing",
    "too_large": "too_large",
    "timeout": "timeout",
    "skipped": "disabled",
}

_REASON: dict[str, str] = {
    "placeholder": "the picture is a placeholder",
    "unreadable": "the picture cannot be read",
    "missing": "there is no such picture",
    "too_large": "the picture is too large",
    "timeout": "the picture took too long",
    "skipped": "the picture was skipped when contexts were made",
}


def judge(request: Request, context: VisualContext | None, pieces: Sequence[Piece]) -> tuple[ImageStatus, str | None]:
    """What became of a request's picture, and why it was not used, or not all of it.

    Args:
        request: The request.
        context: What was read; None if no picture was looked at.
        pieces: The parts of it that go beside the words.
    """
    if context is None or not request.pictured:
        return "none", None
    if context.status != "ok":
        return _STATUS[context.status], context.reason or _REASON[context.status]
    if pieces:
        return "used", context.reason
    if context.empty:
        return "empty", context.reason or "nothing was read from the picture"
    return (
        "empty",
        context.reason
        or "what was read from the picture is blank, or of sources that the model's [context] leaves out",
    )


class PictureReading(NamedTuple):
    """What of a picture goes beside the words, and what became of it."""

    status: ImageStatus
    reason: str | None = None
    context: VisualContext | None = None
    pieces: tuple[Piece, ...] = ()
    arrays: Mapping[str, np.ndarray] = MappingProxyType({})
    apart: tuple[PictureReading, ...] = ()  # of several pictures, each by itself
    declared: Sequence[Array] = ()  # the arrays that the model reads

    def without_each(self) -> list[tuple[tuple[Piece, ...], Mapping[str, np.ndarray]]]:
        """What is left when each of several pictures is left out; empty for a single one."""
        last = max((piece.picture for piece in self.pieces), default=0)
        count = len(self.apart) or (last + 1 if 0 < last < MOST_PICTURES else 0)  # a context may stand for several
        return [self.without(place) for place in range(count)]

    def without(self, place: int) -> tuple[tuple[Piece, ...], Mapping[str, np.ndarray]]:
        """The pieces and arrays that are left when one of several pictures is left out."""
        rest = [reading.arrays for at, reading in enumerate(self.apart) if at != place]
        return tuple(piece for piece in self.pieces if piece.picture != place), side_by_side(rest, self.declared)


class Beside:
    """Looks at the pictures of requests.

    Args:
        options: [context].
        pictures: From a picture to its context.
        reads_context: Whether the model reads contexts.
        features: From a picture to the arrays that the model declares; None if it declares none.
        off: Why no picture is looked at; None if pictures are.

    Attributes:
        reads_context: Whether contexts of pictures are read.
        reads_pixels: Whether features of pictures are read.
    """

    def __init__(
        self,
        options: ContextConfig,
        pictures: Pictures,
        *,
        reads_context: bool,
        features: PictureFeatures | None = None,
        off: str | None = None,
    ) -> None:
        self._options = options
        self._pictures = pictures
        self._features = features
        self._off = off
        self.reads_context = reads_context and off is None
        self.reads_pixels = features is not None and off is None

    def look(self, wanted: Request) -> PictureReading:
        """What of the request's pictures goes beside the words, and what became of them.

        Of several pictures, each is read by itself: one that cannot be read takes nothing from the others.
        """
        if self._off is not None:
            return PictureReading("disabled", self._off) if wanted.pictured else PictureReading("none")
        if wanted.apart and wanted.context is None:
            return self._together(wanted)
        context = self._pictures.context(wanted) if self.reads_context else None
        pieces = () if context is None else compose(context, self._options)
        given = wanted.context
        refused = given is not None and given.status != "ok"  # it says why the picture cannot be used
        status, reason = judge(wanted, given if refused else context, pieces)
        if self._features is None or not wanted.pictured or refused:
            return PictureReading(status, reason, context, pieces)
        arrays, outcome, why = self._features.read(wanted.post.image or UNNAMED, self._pictures.source(wanted))
        if arrays or context is None:
            status, reason = outcome, why
        return PictureReading(status, reason, context, pieces, arrays)

    def _together(self, wanted: Request) -> PictureReading:
        """Several pictures as one reading: used if any of them is."""
        readings = tuple(self.look(picture) for picture in wanted.apart)
        contexts = [
            VisualContext(picture.post.image or UNNAMED, status="missing", reason="no picture was given")
            if reading.context is None
            else reading.context
            for picture, reading in zip(wanted.apart, readings, strict=True)
        ]
        context = together(contexts) if any(reading.context is not None for reading in readings) else None
        used = next((reading for reading in readings if reading.status == "used"), readings[0])
        declared = () if self._features is None else self._features.declared
        pairs = zip(wanted.apart, readings, strict=True)
        reasons = [
            reason_of(number, picture.post.image, reading.reason)
            for number, (picture, reading) in enumerate(pairs, 1)
            if reading.reason is not None
        ]
        return PictureReading(
            used.status,
            "; ".join(reasons) or None,
            context,
            () if context is None else compose(context, self._options),
            side_by_side([reading.arrays for reading in readings], declared),
            readings,
            declared,
        )


def predicted(
    wanted: Request, reading: PictureReading, entities: tuple[Entity, ...], cut: Mapping[str, int]
) -> Prediction:
    """The prediction for a request that has these entities."""
    return Prediction(
        id=wanted.post.id,
        text=wanted.post.text,
        entities=entities,
        view="I+T" if reading.status == "used" else "T",
        image_status=reading.status,
        reason=reading.reason,
        context=reading.context,
        image=wanted.post.image,
        cut=cut,
        extra=wanted.post.extra,
        pictures=_statuses(wanted, reading),
    )


def _statuses(wanted: Request, reading: PictureReading) -> tuple[PictureStatus, ...]:
    """What became of each picture of a post with several; empty for any other post."""
    pairs = zip(wanted.apart, reading.apart or [reading] * len(wanted.apart), strict=True)
    return tuple(PictureStatus(own.status, picture.post.image, own.reason) for picture, own in pairs)
