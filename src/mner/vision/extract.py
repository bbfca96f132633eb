"""A picture -> its visual context, by the backends that a configuration names."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import version
from itertools import islice
from typing import Any, TypeVar

from PIL import Image

from mner.config import VisionConfig
from mner.errors import ImageError, MnerError
from mner.types import Box, Caption, OcrText, Tag, VisualContext
from mner.vision.backends import Backends
from mner.vision.images import Picture, Source, open_image
from mner.vision.protocols import Scene
from mner.vision.store import Store
from mner.vision.texts import cleaned

LONGEST_SIDE = 1600
"""Pixels of the longest side that a backend sees; a larger picture is made smaller once, for all of them."""

MOST_TAGS = 100
"""Most objects and attributes together, as in the paper; what is over is cut and counted in the row's "cut"."""

_T = TypeVar("_T")
_Entry = TypeVar("_Entry", Tag, OcrText)


@dataclass(frozen=True, slots=True)
class _Published:
    """What backends found by a picture's name: entries by part, and their faults."""

    parts: dict[str, list[Any]]
    faults: list[str]

    @property
    def digest(self) -> str:
        """A text that differs where what was found differs; "" where no backend goes by names."""
        return hashlib.sha256(repr((self.parts, self.faults)).encode()).hexdigest()[:12] if self.parts else ""


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
        return self._read(source, image, None)

    def stream(
        self, items: Iterable[tuple[str, Source]], *, store: Store | None = None, workers: int = 1
    ) -> Iterator[VisualContext]:
        """The contexts of (name, picture) pairs, in their order; a bad picture never stops the others.

        Args:
            items: Read as they are needed, so there may be any number.
            store: Where contexts are looked up by the picture's content, and kept. One that a backend failed on
                is not kept: it is tried again next time.
            workers: Pictures read at the same time.
        """
        if workers <= 1:
            contexts: Iterator[VisualContext] = (self._read(source, image, store) for image, source in items)
        else:
            self._backends.load()  # once, before threads ask for it at the same time
            contexts = _ahead(lambda item: self._read(item[1], item[0], store), items, workers)
        yield from contexts

    def _read(self, source: Source, image: str, store: Store | None) -> VisualContext:
        try:
            picture = open_image(source)
        except ImageError as error:
            reason = error.reason
            status = {"missing": "missing", "too_large": "too_large"}.get(error.status, "unreadable")
            return replace(self._row(image), status=status, reason=reason)  # type: ignore[arg-type]
        published = self._published(picture, image)
        fingerprint = self.fingerprint + published.digest
        known = store.get(picture.sha256, fingerprint) if store is not None else None
        if known is not None:
            return replace(known, image=image)
        context = self._context(picture, image, published)
        if store is not None and context.reason is None:
            store.put(context, fingerprint)
        return context

    def _published(self, picture: Picture, image: str) -> _Published:
        """What backends that go by a picture's name say of it; looked up anew each time, as their files may change."""
        calls: dict[str, Any] = {part: getattr(self._backends, part) for part in sorted(self._backends.named)}
        pixels = _fitted(picture.pixels) if calls else picture.pixels
        beside = {"captioner": {"tags": (), "scenes": (), "ocr": ()}}
        found = _Published({}, [])
        for part, call in calls.items():
            look = partial(call, pixels, image=image, **beside.get(part, {}))
            parts = _attempt(part, look, found.faults)
            found.parts[part] = parts if part == "detector" else list(cleaned(parts))
        return found

    def _context(self, picture: Picture, image: str, published: _Published) -> VisualContext:
        pixels, faults = _fitted(picture.pixels), list(published.faults)
        backends = self._backends
        detector, captioner, reader, scene = (backends.detector, backends.captioner, backends.ocr, backends.scene)
        looked_up = published.parts
        if "detector" in looked_up:
            tags: list[Tag] = looked_up["detector"]
        else:
            tags = _attempt("detector", lambda: detector(pixels), faults) if detector else []
            tags = _attempt("attributes", lambda: backends.describe(pixels, tags), faults, tags)
        scenes: list[Scene] = _attempt("scene", lambda: scene(pixels), faults) if scene else []
        ocr: list[OcrText] = looked_up.get("ocr", [])
        if reader and "ocr" not in looked_up:
            ocr = _attempt("ocr", lambda: list(cleaned(reader(pixels))), faults)
        captions: list[Caption] = looked_up.get("captioner", [])
        if captioner and "captioner" not in looked_up:
            captions = _attempt(
                "captioner", lambda: list(cleaned(captioner(pixels, tags, scenes=scenes, ocr=ocr))), faults
            )
        kept = _most(sorted(tags, key=lambda tag: -(tag.confidence or 0.0)))
        scale = (picture.width / pixels.width, picture.height / pixels.height)
        return replace(
            self._row(image),
            tags=tuple(_scaled(kept, scale)),
            captions=tuple(captions),
            ocr=tuple(_scaled(ocr, scale)),
            sha256=picture.sha256,
            reason="; ".join(faults) or None,
            extra={"cut": {"tags": len(tags) - len(kept)}} if len(kept) < len(tags) else {},
        )

    def _row(self, image: str) -> VisualContext:
        name = {"name": "mner", "version": version("mner"), "fingerprint": self.fingerprint}
        return VisualContext(image=image, extractor=name)


def _attempt(part: str, run: Callable[[], list[_T]], faults: list[str], otherwise: Sequence[_T] = ()) -> list[_T]:
    """What one backend found; after any error of its own, ``otherwise``, and the fault is noted."""
    try:
        return run()
    except Exception as error:  # a backend may be anybody's code; one picture must not end the run
        told = error if isinstance(error, MnerError) else f"{type(error).__name__}: {error}"
        faults.append(f"the {part} failed: {told}")
        return list(otherwise)


def _fitted(pixels: Image.Image) -> Image.Image:
    longest = max(pixels.size)
    if longest <= LONGEST_SIDE:
        return pixels
    size = [max(1, round(side * LONGEST_SIDE / longest)) for side in pixels.size]
    return pixels.resize((size[0], size[1]), Image.Resampling.BICUBIC, reducing_gap=2.0)


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


def _ahead(
    read: Callable[[tuple[str, Source]], VisualContext], items: Iterable[tuple[str, Source]], workers: int
) -> Iterator[VisualContext]:
    """Results in the order of the items, with twice as many under way as there are workers."""
    waiting: deque[Future[VisualContext]] = deque()
    left = iter(items)
    with ThreadPoolExecutor(workers, thread_name_prefix="mner-vision") as pool:
        try:
            while True:
                waiting.extend(pool.submit(read, item) for item in islice(left, 2 * workers - len(waiting)))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
