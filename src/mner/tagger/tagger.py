"""The tagger: posts in, predictions out, with the picture if it can be read and without it if not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mner.data.reading import rename
from mner.errors import DataError, ModelError
from mner.evidence import Explanation, weigh
from mner.runtime import Runtime, SavedModel
from mner.several import MOST_PICTURES
from mner.tagger import hub
from mner.tagger.beside import Beside, PictureReading, predicted
from mner.tagger.features import PictureFeatures
from mner.tagger.grounder import Grounder, Tagged
from mner.tagger.limits import Limits, MinScore
from mner.tagger.pictures import Pictures
from mner.tagger.requests import GIVEN, ContextLike, PostLike, Request, check_many, request
from mner.tags import entity_types
from mner.types import Post, Prediction
from mner.views import Views

if TYPE_CHECKING:
    from mner.tagger.requests import PictureLike

LOOK_AHEAD = 128
"""Posts that ``pipe`` holds at a time: enough to batch posts of like length."""


class Tagger:
    """Finds the entities of posts; ``mner.load`` returns one.

    ``tagger(post)`` tags one post, ``batch`` a list, ``pipe`` a stream; ``atag`` is the call for asyncio, and
    ``explain`` says what the picture did. A tagger may be used from several threads and from forked children. A copy
    and an unpickled tagger load the model again from its directory.

    Args:
        saved: The model's directory, read.
        runtime: Label scores.
        views: From words and context to token ids.
        pictures: From a picture to its context.
        features: From a picture to the arrays that the model declares; None if it declares none.
        use_images: False decodes the T view, whatever pictures come.
        max_pictures: Most pictures of one post.
        grounder: Finds where a picture shows an entity; None: nobody looks.
        limits: How entities are scored, and which are returned; None: all of them, as the model is calibrated.
        fingerprints: Of the saved model and of everything else that predictions depend on, by name.
        reopen: Opens the same tagger again, for copies and pickles; None: it cannot be copied.

    Attributes:
        labels: The types of entities that it finds, sorted.
        config: The configuration that the model was trained with.
        settings: What its predictions depend on; two taggers with equal settings predict the same.
        note: What a user should know about how the model runs on this machine; "" if nothing.

    >>> import asyncio, mner, tempfile
    >>> tagger = mner.load(threads=1)
    >>> [len(each.entities) for each in tagger.batch(["Kevin Love is back", "We are back"], min_score=0.5)]
    [1, 0]
    >>> print(next(tagger.pipe(["Kevin Love is back"])), "...", asyncio.run(tagger.atag("We are back", min_score=0.5)))
    [Kevin Love|PER ...] is back ... We are back
    >>> print(tagger.explain("Phoenix was unreal last night", context="a basketball game").evidence[0])
    Phoenix (ORG): ... with the picture, ... without it; label changed (was LOC)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tagger.save(folder)
    ...     mner.load(folder)
    <mner.Tagger social-en: LOC, MISC, ORG, PER; views T, I+T>
    """

    def __init__(
        self,
        saved: SavedModel,
        runtime: Runtime,
        *,
        views: Views,
        pictures: Pictures,
        features: PictureFeatures | None = None,
        use_images: bool = True,
        max_pictures: int = MOST_PICTURES,
        grounder: Grounder | None = None,
        limits: Limits | None = None,
        fingerprints: Mapping[str, str] | None = None,
        reopen: Callable[[], Tagger] | None = None,
    ) -> None:
        self.config = saved.config
        self._limits = limits or Limits.of(saved, runtime)
        self.settings: Mapping[str, Any] = {**(fingerprints or {}), "use_images": use_images, **self._limits.settings}
        self.labels = entity_types(runtime.labels)
        self.note = runtime.note
        self._saved = saved
        self._runtime = runtime
        self._views = views
        self._pictures = pictures
        self._grounder = grounder or Grounder(None, pictures)
        sources = saved.config.context.captions or (GIVEN,)
        self._request = partial(request, caption_source=sources[0], max_pictures=max_pictures)
        self._reopen = reopen
        off = None if "I+T" in saved.views else "the model was trained on the words alone"
        self._off = off if use_images else "pictures are turned off (use_images=False)"
        self._beside = Beside(
            views.options, pictures, reads_context=saved.needs.context, features=features, off=self._off
        )

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
        image: PictureLike | Sequence[PictureLike] | None = None,
        context: ContextLike | Sequence[ContextLike] | None = None,
        min_score: MinScore = 0.0,
    ) -> Prediction:
        """The entities of one post.

        Args:
            post: A text, a ``Post``, or a row with "text" or "words", and perhaps "id", "image" or "images", "context".
            image: Its picture: a path, the bytes of its file, or a PIL image; or a list of its pictures. A picture that
                cannot be used is not an error: ``image_status`` and ``reason`` say what happened.
            context: What stands for the picture, which is then not read: a caption, a context or its row; or a list
                with one for each picture.
            min_score: Least probability of an entity; "calibrated": the thresholds of ``mner calibrate``.

        Raises:
            DataError: A row holds neither text nor words, or its context is faulty, or has too many pictures.

        >>> import mner
        >>> print(mner.load()("Kevin Love is back in Cleveland", min_score=0.5))
        [Kevin Love|PER ...] is back in [Cleveland|LOC ...]
        """
        limit = self._limits.chosen(min_score)
        return self._tag([self._request(post, image=image, context=context)], limit)[0].whole()

    async def atag(
        self,
        post: PostLike,
        *,
        image: PictureLike | Sequence[PictureLike] | None = None,
        context: ContextLike | Sequence[ContextLike] | None = None,
        min_score: MinScore = 0.0,
    ) -> Prediction:
        """What a call returns; a thread computes it, so that the event loop goes on meanwhile."""
        import asyncio

        return await asyncio.to_thread(self, post, image=image, context=context, min_score=min_score)

    def batch(self, posts: Iterable[PostLike], *, min_score: MinScore = 0.0) -> list[Prediction]:
        """The predictions of many posts as a list, in their order; ``pipe`` yields them one by one.

        Args:
            posts: What a call takes as its first argument.
            min_score: Least probability of an entity; "calibrated": the thresholds of ``mner calibrate``.

        Raises:
            DataError: A row is faulty; the message says which.
        """
        return list(self.pipe(posts, min_score=min_score))

    def pipe(
        self, posts: Iterable[PostLike], *, min_score: MinScore = 0.0, look_ahead: int = LOOK_AHEAD
    ) -> Iterator[Prediction]:
        """The predictions of many posts, in their order; memory does not grow with their number.

        Args:
            posts: What a call takes as its first argument; read ``look_ahead`` at a time.
            min_score: Least probability of an entity; "calibrated": the thresholds of ``mner calibrate``.
            look_ahead: Posts held at a time. More posts make fuller batches and a longer wait for the first.

        Raises:
            DataError: A row is faulty; the message says which.
            TypeError: ``posts`` is one post.
        """
        check_many(posts)
        limit = self._limits.chosen(min_score)
        if look_ahead < 1:
            raise ValueError(f"look_ahead: expected 1 or more, got {look_ahead}")
        return self._stream(enumerate(posts, 1), limit, look_ahead)

    def _stream(
        self, numbered: Iterator[tuple[int, PostLike]], limit: MinScore, look_ahead: int
    ) -> Iterator[Prediction]:
        while window := [self._numbered(number, post) for number, post in islice(numbered, look_ahead)]:
            yield from (done.whole() for done in self._tag(window, limit))

    def explain(
        self,
        post: PostLike,
        *,
        image: PictureLike | Sequence[PictureLike] | None = None,
        context: ContextLike | Sequence[ContextLike] | None = None,
    ) -> Explanation:
        """What the picture did for each entity of one post; the arguments are those of a call."""
        wanted = self._request(post, image=image, context=context)
        done, explained = self._explaining(wanted, self._beside.look(wanted))
        return explained(done.whole())

    def _explaining(
        self, wanted: Request, reading: PictureReading
    ) -> tuple[Tagged, Callable[[Prediction], Explanation]]:
        (done,) = self._tag([wanted], self._limits.own, [reading])
        evidence = weigh(
            self._runtime,
            self._views,
            wanted.post,
            decoder=self._limits.decoder,
            pieces=reading.pieces,
            texts=reading.context.ocr if reading.context is not None and reading.pieces else (),
            arrays=reading.arrays,
            without_each=reading.without_each(),
            chosen=self._limits.beyond(self._runtime, self._views, wanted.post.words, done.spans),
        )
        spans = rename(wanted.post, self.config.data.rename).spans
        gold = None if spans is None else tuple(wanted.post.entity(span, 1.0) for span in spans)

        def explained(prediction: Prediction) -> Explanation:
            first, *more = [self._pictures.source(picture) for picture in wanted.apart or [wanted]]
            grounded = self._grounder.evidence(wanted, prediction, evidence)
            return Explanation(prediction, grounded, reading.pieces, first, gold, tuple(more))

        return done, explained

    def save(self, folder: str | Path) -> None:
        """Copy the model into a folder, which ``mner.load(folder)`` takes on any machine.

        Raises:
            DataError: The folder holds something other than a model.
            ModelError: The model has changed since it was loaded, or the folder cannot be written.
        """
        hub.save(self._saved, Path(folder))

    def push_to_hub(self, repo: str, *, private: bool | None = None, message: str | None = None) -> str:
        """The address of the commit that uploads the model with its card to the Hugging Face Hub.

        The token is that of ``hf auth login``, or ``HF_TOKEN`` in the environment.

        Args:
            repo: Such as "owner/name"; made if it is not there.
            private: Whether a new repository is private; None: as the owner's settings say.
            message: Of the commit.

        Raises:
            ModelError: The hub cannot be reached, or refuses the token or the name.

        >>> mner.load("runs/mine/ita/1").push_to_hub("owner/name", private=True)  # doctest: +SKIP
        """
        return hub.push(self._saved, repo, private=private, message=message)

    def _numbered(self, number: int, post: PostLike) -> Request:
        try:
            return self._request(post)
        except (DataError, TypeError) as error:
            where = post.where if isinstance(post, Post) else ""
            raise type(error)(f"{where or f'post {number}'}: {error}") from None

    def _tag(
        self, requests: Sequence[Request], limit: MinScore, readings: Sequence[PictureReading] | None = None
    ) -> list[Tagged]:
        readings = readings or [self._beside.look(wanted) for wanted in requests]
        encoded = self._views.encode_many(
            [wanted.post.words for wanted in requests],
            [reading.pieces for reading in readings],
            [reading.arrays for reading in readings],
        )
        decoded = self._limits.spans(self._runtime, encoded, limit)
        done = []
        for wanted, reading, coded, spans in zip(requests, readings, encoded, decoded, strict=True):
            entities = tuple(wanted.post.entity(each.span, each.score) for each in spans)
            prediction = predicted(wanted, reading, self._grounder.read(wanted, reading.context, entities), coded.cut)
            of_words = tuple(each.span for each in spans)
            done.append(Tagged(prediction, of_words, self._grounder.looking(wanted, reading, prediction)))
        return done


def _reopened(reopen: Callable[[], Tagger], settings: Mapping[str, Any]) -> Tagger:
    """The tagger of a copy or a pickle.

    Raises:
        ModelError: It would predict something else, because the model has changed.
    """
    tagger = reopen()
    changed = [name for name, value in settings.items() if tagger.settings.get(name) != value]
    if changed:
        raise ModelError(f"{tagger!r}: changed since it was pickled ({', '.join(changed)}); load it again: mner.load")
    return tagger
