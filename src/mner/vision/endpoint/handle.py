"""One endpoint for all backends with the same options: each picture is asked about once, whoever wants to know."""

from __future__ import annotations

import os
import re
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image
from pydantic import ValidationError

from mner.errors import ImageError, MissingExtraError, ServiceError
from mner.types import Caption, OcrText, Tag
from mner.vision.endpoint.answer import Answer, Completion, again, parsed, request
from mner.vision.endpoint.settings import Options, Part, check
from mner.vision.texts import clean

if TYPE_CHECKING:
    from mner.vision.endpoint.transport import Clock, Transport

NAME = 100
"""Characters of an object's name or attribute that are kept."""

REFUSES_SCHEMA = frozenset({400, 415, 422, 501})
"""Statuses by which servers refuse a schema that they cannot keep to."""

Make = Callable[[bool], dict[str, Any]]
"""The body of a request, with a schema or without."""

_VERSION = re.compile(r"(:latest|\.gguf|-\d{4}-\d{2}-\d{2})$")

_open: weakref.WeakValueDictionary[tuple[int, str], Handle] = weakref.WeakValueDictionary()
_opening = threading.Lock()


class Failure(NamedTuple):
    """Why there is no answer; kept in place of the error, whose traceback would keep the picture."""

    reason: str
    timeout: bool = False
    status: int = 0

    def error(self) -> ImageError | ServiceError:
        """The error to raise."""
        return ImageError("timeout", self.reason) if self.timeout else ServiceError(self.reason, status=self.status)


def open_endpoint(options: Options, part: Part) -> Handle:
    """The endpoint of these options; where it is open already, that one.

    Raises:
        ConfigError: An option is missing, cannot be used, or does not ask for ``part``.
        MissingExtraError: The package httpx is not installed.
    """
    check(options, part)
    try:
        from mner.vision.endpoint.transport import Transport
    except ImportError:
        raise MissingExtraError('the backends of an endpoint need httpx: pip install "mner[endpoint]"') from None
    limits = (options.key, options.batch, options.timeout, options.retries, options.per_minute)
    with _opening:
        # A forked child opens its own: two processes must not read from one connection.
        key = (os.getpid(), f"{options.model_dump_json()}{limits}")
        handle = _open.get(key)
        if handle is None:
            secret = os.environ[options.key] if options.key else None
            handle = _open[key] = Handle(options, Transport(options, secret))
    return handle


class Handle:
    """An endpoint, and what it said of pictures that are still in memory.

    Attributes:
        pictures: That it was asked about.
        failures: Pictures with a part that could not be read.
        prompt_tokens: As the server counts them.
        completion_tokens: As the server counts them.
        seconds: Spent waiting, of all pictures together.
    """

    def __init__(self, options: Options, transport: Transport) -> None:
        self._options, self._transport = options, transport
        self._structured = options.structured
        self._refused: Failure | None = None  # of the key; further pictures are not sent
        self._lock = threading.Lock()
        self._asked: dict[int, tuple[weakref.ref[Image.Image], Future[Answer | Failure]]] = {}
        self.pictures = self.failures = self.prompt_tokens = self.completion_tokens = 0
        self.seconds = 0.0

    @property
    def usage(self) -> dict[str, float]:
        """What was asked of the endpoint so far."""
        names = ("pictures", "prompt_tokens", "completion_tokens", "seconds", "failures")
        return {"calls": self._transport.calls, **{name: getattr(self, name) for name in names}}

    def captions(self, pictures: Sequence[Image.Image]) -> list[list[Caption]]:
        """The sentences about each picture."""
        written = self._part(pictures, "captions")
        return [
            [Caption(text, source="endpoint") for text in _unique(texts)][: self._options.captions] for texts in written
        ]

    def objects(self, pictures: Sequence[Image.Image]) -> list[list[Tag]]:
        """The objects of each picture, with their attributes."""
        tags = []
        for things in self._part(pictures, "objects"):
            named = [(clean(thing.name, longest=NAME), _unique(thing.attributes, NAME)[:3]) for thing in things]
            unique = dict.fromkeys((name, tuple(attributes)) for name, attributes in named if name)
            tags.append([Tag(*each, source="endpoint") for each in unique][: self._options.objects])
        return tags

    def text(self, pictures: Sequence[Image.Image]) -> list[list[OcrText]]:
        """The lines of text in each picture."""
        written = self._part(pictures, "text")
        return [[OcrText(line, source="endpoint") for line in lines][: self._options.lines] for lines in written]

    def boxes(self, make: Make, read: Callable[[str], Answer]) -> list[Any]:
        """The part "boxes" of the answer to a question of its own, which nobody shares.

        Args:
            make: The body of the request, with a schema or without.
            read: The answer's parts.

        Raises:
            ServiceError: There is no answer, or it cannot be used.
            ImageError: It took too long.
        """
        return self._checked(self._ask(make, read), "boxes")

    def _part(self, pictures: Sequence[Image.Image], part: Part) -> list[list[Any]]:
        """One part of the answers about pictures, which are asked for at the same time.

        Raises:
            ServiceError: There is no answer about one of them, or the part is not in it.
            ImageError: One took too long.
        """
        if len(pictures) == 1:
            answers = [self._shared(pictures[0])]
        else:
            with ThreadPoolExecutor(len(pictures), thread_name_prefix="mner-endpoint") as pool:
                answers = list(pool.map(self._shared, pictures))
        return [self._checked(answer, part) for answer in answers]

    def _checked(self, answer: Answer | Failure, part: str) -> list[Any]:
        if isinstance(answer, Failure):
            raise answer.error()
        if part in answer.faults:
            fault = self._transport.without_key(answer.faults[part])
            raise ServiceError(f"{self._options.address}: the answer cannot be used: {fault}")
        return answer.parts[part]

    def _shared(self, picture: Image.Image) -> Answer | Failure:
        """What was said of a picture, by the first backend that asks; the others get the same."""
        number, futures = id(picture), self._asked
        with self._lock:
            known = futures.get(number)
            first = known is None or known[0]() is not picture
            if known is None or first:
                known = weakref.ref(picture, lambda _: futures.pop(number, None)), Future()
                futures[number] = known
        future = known[1]
        if first:
            try:
                make, read = partial(request, self._options, picture), partial(parsed, ask=self._options.ask)
                future.set_result(self._ask(lambda structured: make(structured=structured), read))
            except BaseException as error:  # not a fault of the picture, such as Ctrl-C
                futures.pop(number, None)
                future.set_exception(error)
        return future.result()

    def _ask(self, make: Make, read: Callable[[str], Answer]) -> Answer | Failure:
        from mner.vision.endpoint.transport import Clock

        if self._refused is not None:
            return self._refused
        begun = time.monotonic()
        outcome: Answer | Failure
        try:
            outcome = self._answer(make, read, Clock(self._options.timeout))
        except ImageError as error:
            outcome = Failure(error.reason, timeout=True)
        except ServiceError as error:
            outcome = Failure(str(error), status=error.status)
            if error.status in {401, 403}:
                self._refused = outcome
        with self._lock:
            self.pictures += 1
            self.seconds += time.monotonic() - begun
            self.failures += isinstance(outcome, Failure) or bool(outcome.faults)
        return outcome

    def _answer(self, make: Make, read: Callable[[str], Answer], clock: Clock) -> Answer:
        """The answer about a picture; one that cannot be read is asked for once more."""
        body, content = self._first(make, clock)
        answer = read(content)
        if answer.faults:
            try:
                second = read(self._said(again(body, content, answer), clock))
            except (ImageError, ServiceError):
                return answer
            answer = Answer({**second.parts, **answer.parts}, second.faults)
            for part in answer.parts:
                answer.faults.pop(part, None)
        return answer

    def _first(self, make: Make, clock: Clock) -> tuple[dict[str, Any], str]:
        """The request, and the text of the answer; without a schema where the server refuses one."""
        structured = self._structured
        body = make(structured)
        try:
            return body, self._said(body, clock)
        except ServiceError as error:
            if not structured or error.status not in REFUSES_SCHEMA:
                raise
        body = make(False)
        content = self._said(body, clock)
        self._structured = False
        return body, content

    def _said(self, body: dict[str, Any], clock: Clock) -> str:
        content, address = self._transport.post(body, clock), self._options.address
        try:
            completion = Completion.model_validate_json(content)
        except ValidationError:
            start = clean(self._transport.without_key(content.decode("utf-8", "replace"))[:100], longest=60)
            raise ServiceError(f"{address}: not the answer of a chat API, it begins: {start}") from None
        if completion.usage is not None:
            with self._lock:
                self.prompt_tokens += completion.usage.prompt_tokens
                self.completion_tokens += completion.usage.completion_tokens
        expected = self._options.reported_as or self._options.model
        if not _same_model(expected, completion.model):
            reported = clean(self._transport.without_key(completion.model), longest=NAME)
            raise ServiceError(
                f'{address}: the model "{reported}" answered, expected "{expected}"; if they are the same, name it in '
                "vision.options.endpoint.reported_as"
            )
        if not completion.choices or completion.choices[0].message.content is None:
            raise ServiceError(f"{address}: the answer holds no text")
        return completion.choices[0].message.content


def _same_model(expected: str, reported: str) -> bool:
    """Whether a server's name of a model means the expected one: folders, suffixes and dates may differ.

    >>> _same_model("org/sees-7b", "sees-7b"), _same_model("sees", "sees:latest"), _same_model("sees", "sees-2")
    (True, True, False)
    """
    names = [_VERSION.sub("", name.casefold().rpartition("/")[2]) for name in (expected, reported)]
    return not reported or names[0] == names[1]


def _unique(texts: Sequence[str], longest: int = 1000) -> list[str]:
    """Each text once, made clean, without empty ones."""
    return [text for text in dict.fromkeys(clean(text, longest=longest) for text in texts) if text]
