"""Pictures -> their visual contexts, by the backends that a configuration names."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from itertools import islice
from typing import Any, TypeVar

from mner.config import VisionConfig
from mner.errors import ImageError
from mner.types import Box, OcrText, Tag, VisualContext
from mner.vision.backends import Backends
from mner.vision.images import Opened, Source, opened
from mner.vision.seen import PARTS, Seen, look
from mner.vision.store import Store

MOST_TAGS = 100
"""Most objects and attributes together, as in the paper; what is over is cut and counted in the row's "cut"."""

_T = TypeVar("_T")
_Entry = TypeVar("_Entry", Tag, OcrText)


class Extractor:
    """Reads pictures; its backends are loaded with the first picture that needs them.

    Args:
        config: Which backends, and their options by plug-in name.
        threads: Most CPU threads of one backend; 0 leaves that to the backend.

    Raises:
        PluginError: No plug-in has a name that the configuration gives.
        ConfigError: An option is unknown or has a value that cannot be used.
    """

    def __init__(self, config: VisionConfig, *, threads: int = 0) -> None:
        self._backends = Backends(config, threads=threads)

    @cached_property
    def fingerprint(self) -> str:
        """12 hexadecimal digits of the backends, their versions, options and model files; not of mner's version."""
        return self._backends.fingerprint

    @property
    def batch(self) -> int:
        """Most pictures that a backend looks at in one call: what ``contexts`` should be given at once."""
        return self._backends.batch

    def read(self, source: Source, *, image: str) -> VisualContext:
        """What is in one picture: a path, a file's bytes or a Pillow image.

        A picture that cannot be used gives a context with a status and a reason, never an error. A backend that
        fails on it leaves its own part empty and the reason says so; the others' parts stay.

        Args:
            source: The picture.
            image: The name the context carries.

        Raises:
            MissingExtraError: A backend's package or program is not installed.
            ModelError: A backend's model file is missing or damaged.
        """
        return self.contexts([(image, opened(source))])[0]

    def stream(
        self, items: Iterable[tuple[str, Source]], *, store: Store | None = None, workers: int = 1
    ) -> Iterator[VisualContext]:
        """The contexts of (name, picture) pairs, in their order; a bad picture never stops the others.

        Args:
            items: Read as they are needed, so there may be any number.
            store: Where contexts are looked up by the picture's content, and kept. One that a backend failed on
                is not kept: it is tried again next time.
            workers: Pictures, or batches of them, that are read at the same time.
        """

        def read(some: Sequence[tuple[str, Source]]) -> list[VisualContext]:
            return self.contexts([(image, opened(source)) for image, source in some], store=store)

        batches = _batches(items, self.batch)
        if workers > 1:
            self._backends.load()  # once, before threads ask for it at the same time
        for contexts in map(read, batches) if workers <= 1 else _ahead(read, batches, workers):
            yield from contexts

    def contexts(self, pictures: Sequence[tuple[str, Opened]], *, store: Store | None = None) -> list[VisualContext]:
        """The contexts of pictures that are decoded already, in their order; ``batch`` of them are looked at at once.

        Args:
            pictures: Each with the name its context carries; in place of one that cannot be decoded, the error.
            store: As for ``stream``.

        Raises:
            MissingExtraError: A backend's package or program is not installed.
            ModelError: A backend's model file is missing or damaged.
        """
        begun = [self._begun(image, picture, store) for image, picture in pictures]
        rows = {place: one for place, one in enumerate(begun) if isinstance(one, VisualContext)}
        waiting = [(place, one) for place, one in enumerate(begun) if isinstance(one, Seen)]
        for some in _batches(waiting, self.batch):
            self._look([one for _, one in some])
            rows.update({place: self._ended(one, store) for place, one in some})
        return [rows[place] for place in range(len(begun))]

    def _begun(self, image: str, picture: Opened, store: Store | None) -> VisualContext | Seen:
        """The context of a picture where it is known already, else what was published about it by its name."""
        if isinstance(picture, ImageError):
            status = {"missing": "missing", "too_large": "too_large"}.get(picture.status, "unreadable")
            return replace(self._row(image), status=status, reason=picture.reason)  # type: ignore[arg-type]
        seen = Seen(image, picture, self.fingerprint)
        self._look_up(seen)
        known = store.get(picture.sha256, seen.fingerprint) if store is not None else None
        return seen if known is None else replace(known, image=image)

    def _look_up(self, seen: Seen) -> None:
        """Ask the backends that go by a picture's name; anew each time, as their files may change."""
        published: list[Any] = []
        for part in sorted(self._backends.named):
            look(part, getattr(self._backends, part), [seen], by_name=True)
            published += [part, getattr(seen, PARTS[part].into)]
        if published:
            seen.fingerprint += hashlib.sha256(repr((published, seen.faults)).encode()).hexdigest()[:12]

    def _look(self, seen: Sequence[Seen]) -> None:
        """Ask all other backends, each for all pictures before the next one is."""
        backends = self._backends
        backends.load()
        looked_up = backends.detector is None or "detector" in backends.named
        asked = {
            "detector": backends.detector,
            "attributes": None if looked_up else backends.describe,
            "scene": backends.scene,
            "ocr": backends.ocr,
            "captioner": backends.captioner,
        }
        for part, backend in asked.items():
            if backend is not None and part not in backends.named:
                look(part, backend, seen, size=backends.size(part))

    def _ended(self, seen: Seen, store: Store | None) -> VisualContext:
        """The context of a picture that all backends have looked at; kept where none failed."""
        kept = _most(sorted(seen.tags, key=lambda tag: -(tag.confidence or 0.0)))
        cut = len(seen.tags) - len(kept)
        scale = (seen.picture.width / seen.pixels.width, seen.picture.height / seen.pixels.height)
        context = replace(
            self._row(seen.image),
            tags=tuple(_scaled(kept, scale)),
            captions=tuple(seen.captions),
            ocr=tuple(_scaled(seen.ocr, scale)),
            sha256=seen.picture.sha256,
            reason="; ".join(seen.faults) or None,
            extra={"cut": {"tags": cut}} if cut else {},
        )
        if store is not None and context.reason is None:
            store.put(context, seen.fingerprint)
        return context

    def _row(self, image: str) -> VisualContext:
        name = {"name": "mner", "version": version("mner"), "fingerprint": self.fingerprint}
        return VisualContext(image=image, extractor=name)


def _most(tags: Sequence[Tag]) -> list[Tag]:
    """The first tags that make no more than ``MOST_TAGS`` objects and attributes together."""
    kept, count = list[Tag](), 0
    for tag in tags:
        count += 1 + len(tag.attributes)
        if count > MOST_TAGS:
            break
        kept.append(tag)
    return kept


def _scaled(entries: Iterable[_Entry], scale: tuple[float, float]) -> Iterator[_Entry]:
    """The entries with their boxes in pixels of the whole picture."""
    for entry in entries:
        if entry.box is None or scale == (1.0, 1.0):
            yield entry
            continue
        left, top, right, bottom = entry.box
        box: Box = (
            round(left * scale[0], 1),
            round(top * scale[1], 1),
            round(right * scale[0], 1),
            round(bottom * scale[1], 1),
        )
        yield replace(entry, box=box)


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch


def _ahead(
    read: Callable[[list[_T]], list[VisualContext]], batches: Iterable[list[_T]], workers: int
) -> Iterator[list[VisualContext]]:
    """Results in the order of the batches, with twice as many under way as there are workers."""
    waiting: deque[Future[list[VisualContext]]] = deque()
    left = iter(batches)
    with ThreadPoolExecutor(workers, thread_name_prefix="mner-vision") as pool:
        try:
            while True:
                waiting.extend(pool.submit(read, some) for some in islice(left, 2 * workers - len(waiting)))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
