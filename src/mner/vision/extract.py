"""A picture -> its visual context, by the backends that a configuration names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any, TypeVar

from PIL import Image

from mner.config import VisionConfig
from mner.errors import ImageError, MnerError
from mner.types import Box, Caption, OcrText, Tag, VisualContext
from mner.vision.ahead import ahead
from mner.vision.backends import Backends
from mner.vision.images import Named, Picture, Source, Unopened, decode, fetch
from mner.vision.protocols import Scene
from mner.vision.store import Store
from mner.vision.texts import cleaned

LONGEST_SIDE = 1600
"""Pixels of the longest side that a backend sees; a larger picture is made smaller once, for all of them."""

MOST_TAGS = 100
"""Most objects and attributes together, as in the paper; what is over is cut and counted in the row's "cut"."""

AHEAD = 4
"""Pictures at hand at most while one after the other is read: the one that the models see and the next ones."""

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


@dataclass(frozen=True, slots=True)
class _Opened:
    """A picture for the backends; its pixels are fitted, its width and height those of the file."""

    image: str
    picture: Picture


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

    def read(self, source: Source, *, image: str, store: Store | None = None) -> VisualContext:
        """What is in one picture: a path, a file's bytes or a Pillow image.

        A picture that cannot be used gives a context with a status and a reason, never an error. A backend that
        fails on it leaves its own part empty and the reason says so; the others' parts stay.

        Args:
            source: The picture.
            image: The name the context carries.
            store: As for ``stream``.

        Raises:
            MissingExtraError: A backend's package or program is not installed.
            ModelError: A backend's model file is missing or damaged.
        """
        return self._read((image, source), store)

    def stream(
        self, items: Iterable[Named], *, store: Store | None = None, workers: int = 1
    ) -> Iterator[VisualContext]:
        """The contexts of (name, picture) pairs, in their order; a bad picture never stops the others.

        Files are read and decoded in a thread while the backends see the picture before.

        Args:
            items: Read as they are needed, so there may be any number.
            store: Where contexts are looked up by the picture's content, and kept. One that a backend failed on
                is not kept: it is tried again next time. A picture that it has is not decoded.
            workers: Pictures that the backends see at the same time.
        """
        if workers <= 1:
            opened = ahead(lambda item: self._open(item, store), items, threads=1, most=AHEAD)
            yield from (self._seen(one, store) for one in opened)
        else:
            self._backends.load()  # once, before threads ask for it at the same time
            yield from ahead(lambda item: self._read(item, store), items, threads=workers, most=2 * workers)

    def load(self) -> None:
        """Load the backends now, not with the first picture that needs them."""
        self._backends.load()

    def known(self, items: Sequence[Named], store: Store) -> list[VisualContext] | None:
        """The contexts of pictures none of which need be decoded; None if one of them must be."""
        rows: list[VisualContext] = []
        for item in items:
            found = self._fetched(item, store)
            if isinstance(found, Unopened):
                return None
            rows.append(found)
        return rows

    def _read(self, item: Named, store: Store | None) -> VisualContext:
        return self._seen(self._open(item, store), store)

    def _open(self, item: Named, store: Store | None) -> _Opened | VisualContext:
        """All that is done without a backend: the picture, or its row where there is nothing to see or to be seen."""
        file = self._fetched(item, store)
        if isinstance(file, VisualContext):
            return file
        try:
            picture = decode(file)
        except ImageError as error:
            return self._refused(item[0], error)
        # Small at once: what waits for the backends takes little memory, however large the files are.
        return _Opened(item[0], replace(picture, pixels=_fitted(picture.pixels)))

    def _fetched(self, item: Named, store: Store | None) -> Unopened | VisualContext:
        """What the store or a missing file tells of a picture, else its bytes."""
        image, source = item
        try:
            file = fetch(source)
        except ImageError as error:
            return self._refused(image, error)
        if store is None or file.sha256 is None or self._backends.named:
            return file
        known = store.get(file.sha256, self.fingerprint)
        return file if known is None else replace(known, image=image)

    def _refused(self, image: str, error: ImageError) -> VisualContext:
        status = error.status if error.status in {"missing", "too_large"} else "unreadable"
        return replace(self._row(image), status=status, reason=error.reason)  # type: ignore[arg-type]

    def _seen(self, opened: _Opened | VisualContext, store: Store | None) -> VisualContext:
        if isinstance(opened, VisualContext):
            return opened
        image, picture = opened.image, opened.picture
        published = self._published(picture, image)
        fingerprint = self.fingerprint + published.digest
        # Asked again: the same picture may have been read under another name since this one was opened.
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
        beside = {"captioner": {"tags": (), "scenes": (), "ocr": ()}}
        found = _Published({}, [])
        for part, call in calls.items():
            look = partial(call, picture.pixels, image=image, **beside.get(part, {}))
            parts = _attempt(part, look, found.faults)
            found.parts[part] = parts if part == "detector" else list(cleaned(parts))
        return found

    def _context(self, picture: Picture, image: str, published: _Published) -> VisualContext:
        pixels, faults = picture.pixels, list(published.faults)
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
        return VisualContext(image=image, extractor=dict(self._name))

    @cached_property
    def _name(self) -> dict[str, str]:
        return {"name": "mner", "version": version("mner"), "fingerprint": self.fingerprint}


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
