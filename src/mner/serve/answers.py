"""A checked request -> its answer: pictures first, then the model, then one row for each post."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from mner.bulk import line
from mner.contexts.rows import from_row, to_row
from mner.errors import DataError
from mner.evidence import Explanation
from mner.serve.addresses import Fetcher, check
from mner.serve.batching import Batcher
from mner.serve.faults import RequestError
from mner.serve.metrics import Metrics
from mner.serve.pictures import NAME, PictureReader, late
from mner.serve.pixels import PixelReader
from mner.serve.schema import Options, Posted, Query
from mner.serve.settings import Settings
from mner.serve.tasks import all_of, in_a_thread
from mner.tagger import Tagger
from mner.tagger.grounder import Tagged
from mner.tagger.requests import request
from mner.tagger.steps import Looked, Step, explaining, reads_pixels, tagged
from mner.types import Post, Prediction, VisualContext

_T = TypeVar("_T")

LOOKERS = 4
"""Posts whose pictures a grounder looks at at a time, beside the thread that has the model."""

LATE = "the grounder did not look at the pictures within the time of the request"


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer, and what became of the pictures."""

    body: bytes
    pictures: dict[str, int]


@dataclass(slots=True)
class _Post:
    """A post on its way: its words split, and what goes with them, as the tagger takes it, or has looked at it."""

    posted: Posted
    post: Post
    beside: dict[str, Any]
    seen: Looked | None = None

    @property
    def words(self) -> int:
        return len(self.post.words) + _count_words(self.beside.get("context"))

    @property
    def row(self) -> Step:
        return self.seen or ({**self.posted.row, **self.beside} if self.beside else self.post)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A post that the model is done with, what explains it, and its prediction from the words alone, if wanted."""

    done: Tagged
    explained: Callable[[Prediction], Explanation]
    alone: Prediction | None


class Answers:
    """Answers requests with one tagger."""

    def __init__(
        self, tagger: Tagger, settings: Settings, batcher: Batcher, pictures: PictureReader | None, metrics: Metrics
    ) -> None:
        self._tagger, self._settings, self._batcher = tagger, settings, batcher
        self._pictures, self._metrics = pictures, metrics
        self._fetcher = Fetcher(settings)
        self._pixels = None
        if reads_pixels(tagger):
            self._pixels = PixelReader(tagger, pixels=settings.max_pixels, waiting=settings.pictures_waiting)
        self._free_lookers = asyncio.Semaphore(LOOKERS)

    def start(self) -> None:
        """Have what sees pictures load."""
        if self._pixels is not None:
            self._pixels.start()

    def close(self) -> None:
        """Fetch no more pictures, and look at no more."""
        self._fetcher.close()
        if self._pixels is not None:
            self._pixels.close()

    async def of(self, query: Query, room: Callable[[int], bool]) -> Answer:
        """The answer to a request.

        Args:
            query: The request.
            room: Counts the bytes of a picture that was fetched among those that are held; False where they are too
                many.

        Raises:
            RequestError: A post cannot be tagged, or too much waits already.
        """
        posts = [self._checked(posted) for posted in query.posts]
        options = query.options
        until = asyncio.get_running_loop().time() + query.picture_ms / 1000
        pictured = [post for post in posts if post.posted.pictured]
        if pictured:
            await all_of(self._look(post, until, room) for post in pictured)
        if options.explain:
            answers = await self._explained(posts, options, until)
        else:
            answers = await self._tagged(posts, options, until)
        rows = [row for row, _ in answers]
        statuses = Counter[str](
            status
            for _, prediction in answers
            for status in [picture.status for picture in prediction.pictures] or [prediction.image_status]
        )
        self._count([prediction for _, prediction in answers], statuses)
        body = '{"posts":[' + ",".join(map(line, rows)) + "]}" if query.many else line(rows[0])
        return Answer(body.encode(), dict(statuses))

    def _checked(self, posted: Posted) -> _Post:
        """The post, its words counted; words and context are as the tagger wants them."""
        beside: dict[str, Any] = {}
        try:
            if isinstance(posted.context, str):
                beside["context"] = posted.context
            elif posted.context is not None:
                beside["context"] = from_row({"image": NAME, **posted.context}, where="context")
        except DataError as error:
            raise RequestError(422, "invalid_context", str(error), field=posted.named("context")) from None
        try:
            parsed = request({**posted.row, **beside}).post
        except DataError as error:
            raise RequestError(422, "invalid_post", str(error), field=posted.place or None) from None
        if (words := len(parsed.words)) > self._settings.max_words:
            message = f"{words:,} words, the limit is {self._settings.max_words:,}"
            raise RequestError(422, "too_long", message, field=posted.named("text"))
        if posted.url is not None:
            field = posted.named("image_url")
            if not self._settings.hosts:
                message = "this service fetches no pictures; send the bytes in base64 as image"
                raise RequestError(422, "url_refused", message, field=field)
            check(posted.url, self._settings.hosts, field=field)
        return _Post(posted, parsed, beside)

    async def _look(self, post: _Post, until: float, room: Callable[[int], bool]) -> None:
        """Put what was read from a post's pictures into its row; one that cannot be read delays no other."""
        contents = post.posted.images
        if not contents:
            try:
                contents = (await self._fetcher.fetch(str(post.posted.url), until),)
            except TimeoutError:
                post.beside["context"] = late("the picture did not come in time")
                return
            except OSError as error:
                post.beside["context"] = VisualContext(NAME, status="missing", reason=str(error))
                return
            if not room(len(contents[0])):
                post.beside["context"] = late("the service holds too many pictures already; send it again")
                return
        if self._pictures is None:
            post.beside["images"] = contents  # for the tagger, which says why where it does not look at them
        else:
            contexts = await asyncio.gather(*(self._pictures.read(content, until=until) for content in contents))
            several = len(contexts) > 1
            post.beside["context"] = contexts if several else contexts[0]
            if several or contexts[0].status == "ok":
                post.beside["images"] = contents  # for models that look at pixels, too, and for grounders
        if self._pixels is not None and "images" in post.beside:
            post.seen = await self._pixels.read({**post.posted.row, **post.beside}, contents, until=until)

    async def _tagged(
        self, posts: Sequence[_Post], options: Options, until: float
    ) -> list[tuple[dict[str, Any], Prediction]]:
        rows = [post.row for post in posts]
        words = [post.words for post in posts]
        both = [at for at, post in enumerate(posts) if options.views and post.beside]
        rows += [posts[at].post for at in both]
        words += [len(posts[at].post.words) for at in both]
        tagged = await self._batcher.tag(rows, words)
        whole = await asyncio.gather(*(self._whole(each, until) for each in tagged))
        predictions = [_above(prediction, options.min_score) for prediction in whole]
        alone = dict(zip(both, predictions[len(posts) :], strict=True))
        return [
            (_row(prediction, options, alone.get(at, prediction)), prediction)
            for at, prediction in enumerate(predictions[: len(posts)])
        ]

    async def _explained(
        self, posts: Sequence[_Post], options: Options, until: float
    ) -> list[tuple[dict[str, Any], Prediction]]:
        both = [bool(options.views and post.beside) for post in posts]
        work = [partial(self._weighed, post, alone) for post, alone in zip(posts, both, strict=True)]
        words = [
            # both views, and each kind of context and each picture left out
            (6 + len(post.posted.images)) * post.words + len(post.post.words) * alone
            for post, alone in zip(posts, both, strict=True)
        ]
        weighed = await self._batcher.alone(work, words)
        return await asyncio.gather(*(self._explanation(each, options, until) for each in weighed))

    def _weighed(self, post: _Post, both: bool) -> _Weighed:
        """What needs the model to explain a post; called in its thread."""
        done, explained = explaining(self._tagger, post.row)
        return _Weighed(done, explained, tagged(self._tagger, [post.post])[0].prediction if both else None)

    async def _explanation(
        self, weighed: _Weighed, options: Options, until: float
    ) -> tuple[dict[str, Any], Prediction]:
        explanation = await asyncio.to_thread(weighed.explained, await self._whole(weighed.done, until))
        prediction = _above(explanation.prediction, options.min_score)
        alone = prediction if weighed.alone is None else _above(weighed.alone, options.min_score)
        row = _row(prediction, options, alone)
        row["evidence"] = [evidence.to_dict() for evidence in explanation.evidence]
        row["pieces"] = [piece.to_dict() for piece in explanation.pieces]
        return row, prediction

    async def _whole(self, done: Tagged, until: float) -> Prediction:
        """The prediction with what a grounder finds; where the time of the request is over before, without, saying so.

        The thread of the model goes on meanwhile.
        """
        if done.look is None:
            return done.prediction
        try:
            async with asyncio.timeout_at(until):
                return await self._looked(done.look)
        except TimeoutError:
            self._metrics.late.inc()
            return replace(done.prediction, reason="; ".join(filter(None, (done.prediction.reason, LATE))))

    async def _looked(self, look: Callable[[], Prediction]) -> Prediction:
        """What a grounder gives, once a thread is free for it.

        A thread cannot be stopped: what nobody waits for any longer keeps its thread to its end, and is dropped.
        """
        await self._free_lookers.acquire()
        looking = in_a_thread(look)
        looking.add_done_callback(lambda _: self._free_lookers.release())
        return await asyncio.shield(looking)

    def _count(self, predictions: Sequence[Prediction], statuses: Counter[str]) -> None:
        self._metrics.posts.inc(len(predictions))
        for status, count in statuses.items():
            self._metrics.pictures.labels(status).inc(count)
        for label, count in Counter(entity.label for post in predictions for entity in post.entities).items():
            self._metrics.entities.labels(label).inc(count)


def _row(prediction: Prediction, options: Options, alone: Prediction) -> dict[str, Any]:
    """The row of an answer: that of ``mner predict``, what was read from its picture, and views if wanted."""
    row = prediction.to_dict()
    if prediction.context is not None:
        row["context"] = to_row(prediction.context)
    if options.views:
        by_view = {"T": alone, "I+T": prediction if prediction.view == "I+T" else None}
        row["views"] = {
            view: None if (decoded := by_view[view]) is None else [entity.to_dict() for entity in decoded.entities]
            for view in dict.fromkeys(options.views)
        }
    return row


def _above(prediction: Prediction, score: float) -> Prediction:
    if not score:
        return prediction
    return replace(prediction, entities=tuple(entity for entity in prediction.entities if entity.score >= score))


def _count_words(context: Any) -> int:
    """About how many words a context adds."""
    if isinstance(context, list):
        return sum(map(_count_words, context))
    if isinstance(context, VisualContext):
        texts = [entry.text for part in (context.captions, context.ocr, context.texts) for entry in part]
        return len(context.tags) + sum(text.count(" ") + 1 for text in texts)
    return context.count(" ") + 1 if isinstance(context, str) else 0
