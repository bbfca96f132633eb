"""The tagger: posts in, predictions out, with the picture where it can be read and without it where not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mner.config import Config
from mner.decode import Decoder
from mner.errors import DataError, ModelError
from mner.evidence import Explanation, weigh
from mner.runtime import Runtime, predict
from mner.tagger.features import PictureFeatures
from mner.tagger.pictures import Pictures, judge
from mner.tagger.requests import GIVEN, ContextLike, PostLike, Request, check_many, check_score, request
from mner.tags import entity_types
from mner.types import ImageStatus, Prediction, ViewName, VisualContext
from mner.views import Piece, Views, compose

if TYPE_CHECKING:
    from mner.tagger.requests import PictureLike

LOOK_AHEAD = 128
"""Posts that ``pipe`` holds at a time: enough to batch posts of like length."""


class Tagger:
    """Finds the entities of posts.

    ``mner.load`` makes one. It may be called from several threads and from forked children; a copy, or what comes out
    of a pickle, loads the model again from its directory.

    Args:
        runtime: Label scores.
        views: From words and context to token ids.
        config: The configuration the model was trained with.
        pictures: From a picture to its context.
        use_images: False decodes the T view, whatever pictures come.
        fingerprints: Of the saved model and whatever else predictions depend on, by name.
        reopen: Makes the same tagger again, for copies and pickles; None: it cannot be copied.
        trained: The views that the model was trained on; None: those of the configuration.
        features: From a picture to the arrays that the model declares; None where it declares none.
        context: Whether the model reads a picture's text.

    Attributes:
        labels: The types of entities it knows, sorted.
        settings: What its predictions depend on; two taggers that agree in it predict the same.
        note: What a user should know of how the model runs on this machine; "" if nothing.
    """

    def __init__(
        self,
        runtime: Runtime,
        views: Views,
        *,
        config: Config,
        pictures: Pictures,
        use_images: bool = True,
        fingerprints: Mapping[str, str] | None = None,
        reopen: Callable[[], Tagger] | None = None,
        trained: Sequence[ViewName] | None = None,
        features: PictureFeatures | None = None,
        context: bool = True,
    ) -> None:
        self.config = config
        self.settings: Mapping[str, Any] = {**(fingerprints or {}), "use_images": use_images}
        self.labels = entity_types(runtime.labels)
        self.note = runtime.note
        self._runtime = runtime
        self._views = views
        self._pictures = pictures
        self._features = features
        self._reads_context = context
        self._reopen = reopen
        decode = config.decode
        self._decoder = Decoder(runtime.labels, runtime.chain, constrained=decode.constrained, repair=decode.labels)
        self._off: str | None = None
        if not use_images:
            self._off = "pictures are turned off (use_images=False)"
        elif "I+T" not in (trained or config.loss.views):
            self._off = "the model was trained on the words alone"

    def __repr__(self) -> str:
        views = "T" if self._off else "T, I+T"
        return f"<mner.Tagger {self.config.name}: {', '.join(self.labels)}; views {views}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._reopen is None:
            raise TypeError("this tagger can be neither copied nor pickled: mner.load did not make it")
        return _reopened, (self._reopen, dict(self.settings))

    def __call__(
        self,
        post: PostLike,
        *,
        image: PictureLike | None = None,
        context: ContextLike | None = None,
        min_score: float = 0.0,
    ) -> Prediction:
        """The entities of one post.

        Args:
            post: A text, a ``Post``, or a row with "text" or "words", and perhaps "id", "image", "context".
            image: Its picture: a path, the bytes of its file, or a PIL image. A picture that cannot be used is
                no error: ``image_status`` and ``reason`` tell.
            context: What stands for the picture, which is then not read: a caption, a context or its row.
            min_score: Least probability of an entity.

        Raises:
            DataError: A row holds neither text nor words, or its context is faulty.
        """
        check_score(min_score)
        wanted = self._request(post, image, context)
        return self._tag([wanted], [self._look(wanted)], min_score)[0]

    def batch(self, posts: Iterable[PostLike], *, min_score: float = 0.0) -> list[Prediction]:
        """The predictions of many posts as a list, in their order; ``pipe`` gives them one by one.

        Args:
            posts: What a call takes as its first argument.
            min_score: Least probability of an entity.

        Raises:
            DataError: A row is faulty; the message says which.
        """
        return list(self.pipe(posts, min_score=min_score))

    def pipe(
        self, posts: Iterable[PostLike], *, min_score: float = 0.0, look_ahead: int = LOOK_AHEAD
    ) -> Iterator[Prediction]:
        """The predictions of many posts, in their order; memory stays flat however many there are.

        Args:
            posts: What a call takes as its first argument; read ``look_ahead`` at a time.
            min_score: Least probability of an entity.
            look_ahead: Posts held at a time. More of them make fuller batches and a longer wait for the first.

        Raises:
            DataError: A row is faulty; the message says which.
            TypeError: ``posts`` is one post.
        """
        check_many(posts)
        check_score(min_score)
        if look_ahead < 1:
            raise ValueError(f"look_ahead: expected 1 or more, got {look_ahead}")
        return self._stream(enumerate(posts, 1), min_score, look_ahead)

    def _stream(
        self, numbered: Iterator[tuple[int, PostLike]], min_score: float, look_ahead: int
    ) -> Iterator[Prediction]:
        while window := [self._numbered(number, post) for number, post in islice(numbered, look_ahead)]:
            yield from self._tag(window, [self._look(wanted) for wanted in window], min_score)

    def explain(
        self, post: PostLike, *, image: PictureLike | None = None, context: ContextLike | None = None
    ) -> Explanation:
        """What the picture did for each entity of one post; takes what a call takes."""
        wanted = self._request(post, image, context)
        reading = self._look(wanted)
        pieces = reading.pieces
        texts = reading.context.ocr if reading.context is not None and pieces else ()
        return Explanation(
            self._tag([wanted], [reading], 0.0)[0],
            weigh(
                self._runtime,
                self._views,
                wanted.post,
                decoder=self._decoder,
                pieces=pieces,
                texts=texts,
                arrays=reading.arrays,
            ),
            pieces,
            self._pictures.source(wanted),
        )

    def _request(self, post: PostLike, image: PictureLike | None, context: ContextLike | None) -> Request:
        sources = self.config.context.captions
        return request(post, image=image, context=context, caption_source=sources[0] if sources else GIVEN)

    def _numbered(self, number: int, post: PostLike) -> Request:
        try:
            return self._request(post, None, None)
        except (DataError, TypeError) as error:
            raise type(error)(f"post {number}: {error}") from None

    def _look(self, wanted: Request) -> _Reading:
        """What of the picture goes beside the words, and what became of it."""
        if self._off is not None:
            return _Reading("disabled", self._off) if wanted.pictured else _Reading("none")
        context = self._pictures.context(wanted) if self._reads_context else None
        pieces = () if context is None else compose(context, self._views.options)
        status, reason = judge(wanted, context, pieces)
        if self._features is None or not wanted.pictured:
            return _Reading(status, reason, context, pieces)
        name = wanted.post.image or "picture"
        arrays, outcome, why = self._features.read(name, self._pictures.source(wanted))
        if arrays or context is None:
            status, reason = outcome, why
        return _Reading(status, reason, context, pieces, arrays)

    def _tag(self, requests: Sequence[Request], readings: Sequence[_Reading], min_score: float) -> list[Prediction]:
        encoded = self._views.encode_many(
            [wanted.post.words for wanted in requests],
            [reading.pieces for reading in readings],
            [reading.arrays for reading in readings],
        )
        decoded = predict.spans(self._runtime, encoded, self._decoder)
        return [
            Prediction(
                id=wanted.post.id,
                text=wanted.post.text,
                entities=tuple(wanted.post.entity(span.span, span.score) for span in spans if span.score >= min_score),
                view="I+T" if reading.status == "used" else "T",
                image_status=reading.status,
                reason=reading.reason,
                context=reading.context,
                image=wanted.post.image,
                cut=coded.cut,
                extra=wanted.post.extra,
            )
            for wanted, reading, coded, spans in zip(requests, readings, encoded, decoded, strict=True)
        ]


def _reopened(reopen: Callable[[], Tagger], settings: Mapping[str, Any]) -> Tagger:
    """The tagger of a copy or a pickle.

    Raises:
        ModelError: What it would predict has changed meanwhile.
    """
    tagger = reopen()
    changed = [name for name, value in settings.items() if tagger.settings.get(name) != value]
    if changed:
        raise ModelError(f"{tagger!r}: changed since it was pickled ({', '.join(changed)}); load it again: mner.load")
    return tagger


class _Reading(NamedTuple):
    status: ImageStatus
    reason: str | None = None
    context: VisualContext | None = None
    pieces: tuple[Piece, ...] = ()
    arrays: Mapping[str, np.ndarray] = MappingProxyType({})
