"""Pictures -> their visual contexts, by the backends that a configuration names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from itertools import islice
from typing import Any, TypeVar

from PIL import Image

from mner.config import VisionConfig
from mner.contexts.edit import MARK
from mner.contexts.store import Store
from mner.contexts.tag_limit import limit_tags
from mner.errors import ImageError
from mner.types import Box, OcrText, Tag, VisualContext
from mner.vision.backends import Backends
from mner.vision.images import Source, Unopened, decode, fetch, status_of
from mner.vision.prefetch import prefetch
from mner.vision.reading_steps import STEPS, Draft, run_step

LONGEST_SIDE = 1600
"""Pixels of the longest side that a backend sees; a larger picture is made smaller once, for all of them."""

AHEAD = 4
"""Pictures in memory while one after the other is read: the one that the models see and the next ones."""

Item = tuple[str, Source | VisualContext]
"""A picture's name and the picture, or its context where that need not be read again."""

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

    @cached_property
    def shard_fingerprint(self) -> str:
        """What identifies shards of contexts: ``fingerprint``, and the content of files where results are looked up."""
        published = self._backends.published
        return (
            hashlib.sha256(f"{self.fingerprint} {published}".encode()).hexdigest()[:12]
            if published
            else self.fingerprint
        )

    @property
    def sends(self) -> bool:
        """Whether a backend sends pictures to another machine."""
        return self._backends.sends

    @property
    def usage(self) -> dict[str, float]:
        """Calls, tokens, seconds and failures of the endpoints that it asked; empty without one."""
        return self._backends.usage

    @property
    def batch(self) -> int:
        """Most pictures that a backend looks at in one call."""
        return self._backends.batch

    def read(self, source: Source, *, image: str, store: Store | None = None) -> VisualContext:
        """What is in one picture: a path, a file's bytes or a Pillow image.

        A picture that cannot be used gives a context with a status and a reason, never an error. A backend that
        fails on it leaves its own part empty and the reason says so; the others' parts stay.

        ``image`` is the name that the context gets; ``store`` is as for ``stream``.

        Raises:
            MissingExtraError: A backend's package or program is not installed.
            ModelError: A backend's model file is missing or damaged.
        """
        return self._contexts([self._open((image, source), store)], store)[0]

    def stream(self, items: Iterable[Item], *, store: Store | None = None) -> Iterator[VisualContext]:
        """The contexts of (name, picture) pairs, in their order; a bad picture never stops the others.

        Files are read and decoded in a thread while the backends see the pictures before. Backends that can look at
        several pictures at once are given ``batch`` of them.

        Args:
            items: Read as they are needed, several at a time, so a Pillow image must stay open until its context has
                come. A context in the place of a picture is given back as it is.
            store: Where contexts are looked up by the picture's content, and saved unless a backend failed: such a
                picture is tried again next time. A picture in the store is not decoded.
        """
        opened = prefetch(lambda item: self._open(item, store), items, most=max(AHEAD, self.batch + 1))
        while batch := list(islice(opened, self.batch)):
            yield from self._contexts(batch, store)

    def load(self) -> None:
        """Load the backends now, not with the first picture that needs them."""
        for part in self._backends:
            _ = self._backends[part]

    def known(self, items: Sequence[Item], store: Store) -> list[VisualContext] | None:
        """The contexts of pictures that the store knows or that are missing; None if one of them must be decoded."""
        rows: list[VisualContext] = []
        for item in items:
            fetched = self._fetched(item, store)
            if isinstance(fetched, Unopened):
                return None
            rows.append(fetched)
        return rows

    def current(self, context: VisualContext, source: Source) -> bool:
        """Whether a context stays: edited by hand, or nothing failed and the picture's file is still the same."""
        if context.extra.get(MARK):
            return True
        try:
            return context.reason is None and fetch(source).sha256 == context.sha256
        except ImageError:
            return False

    def _open(self, item: Item, store: Store | None) -> Draft | VisualContext:
        """The decoded picture; its context where the store knows it or it cannot be read."""
        file = self._fetched(item, store)
        if isinstance(file, VisualContext):
            return file
        try:
            picture = decode(file)
        except ImageError as error:
            return self._refused(item[0], error)
        # Small at once: what waits for the backends takes little memory, however large the files are.
        return Draft(item[0], replace(picture, pixels=fitted(picture.pixels)), self.fingerprint)

    def _fetched(self, item: Item, store: Store | None) -> Unopened | VisualContext:
        """The context of a picture that the store knows or that is not here, else its bytes."""
        image, source = item
        if isinstance(source, VisualContext):
            return source
        try:
            file = fetch(source)
        except ImageError as error:
            return self._refused(image, error)
        if store is None or file.sha256 is None or self._backends.named:
            return file
        known = store.get(file.sha256, self.fingerprint)
        return file if known is None else replace(known, image=image)

    def _refused(self, image: str, error: ImageError) -> VisualContext:
        return replace(self._row(image), status=status_of(error), reason=error.reason)

    def _contexts(self, opened: Sequence[Draft | VisualContext], store: Store | None) -> list[VisualContext]:
        """The contexts of at most ``batch`` pictures, which the backends look at together."""
        begun = [self._begun(row, store) if isinstance(row, Draft) else row for row in opened]
        left: dict[tuple[str, str], Draft] = {}  # each picture once, however often and under what names it is here
        for row in begun:
            if isinstance(row, Draft):
                left.setdefault(row.key, row)
        if left:
            self._look(list(left.values()))
        ended = {key: self._ended(draft, store) for key, draft in left.items()}
        return [replace(ended[row.key], image=row.image) if isinstance(row, Draft) else row for row in begun]

    def _begun(self, draft: Draft, store: Store | None) -> Draft | VisualContext:
        """A picture with what was published about it; its context where the store knows it."""
        published: list[Any] = []
        for part in sorted(self._backends.named):  # each time, as their files may change
            run_step(part, self._backends[part], [draft], by_name=True)
            published += [part, getattr(draft, STEPS[part].into)]
        if published:
            draft.fingerprint += hashlib.sha256(repr((published, draft.faults)).encode()).hexdigest()[:12]
        # Once more: the same picture may have been read under another name since this one was opened.
        known = store.get(draft.picture.sha256, draft.fingerprint) if store is not None else None
        return draft if known is None else replace(known, image=draft.image)

    def _look(self, drafts: Sequence[Draft]) -> None:
        """Call all other backends, each for all pictures before the next one."""
        self.load()
        for part in STEPS:
            if part in self._backends and part not in self._backends.named:
                run_step(part, self._backends[part], drafts, size=self._backends.size(part))

    def _ended(self, draft: Draft, store: Store | None) -> VisualContext:
        """The context of a picture that all backends have looked at, saved where none failed."""
        tags, cut = limit_tags(draft.tags)
        scale = (draft.picture.width / draft.pixels.width, draft.picture.height / draft.pixels.height)
        context = replace(
            self._row(draft.image),
            tags=tuple(_scaled(tags, scale)),
            captions=tuple(draft.captions),
            ocr=tuple(_scaled(draft.ocr, scale)),
            sha256=draft.picture.sha256,
            reason=draft.reason,
            extra=cut,
        )
        if context.empty:  # what others have read of it counts, though one of them took too long
            context = replace(context, status=draft.status)
        if store is not None and context.reason is None:
            store.put(context, draft.fingerprint)
        return context

    def _row(self, image: str) -> VisualContext:
        return VisualContext(image=image, extractor=dict(self._name))

    @cached_property
    def _name(self) -> dict[str, str]:
        return {"name": "mner", "version": version("mner"), "fingerprint": self.fingerprint}


def fitted(pixels: Image.Image) -> Image.Image:
    """The picture, made smaller where its longest side is over ``LONGEST_SIDE``."""
    longest = max(pixels.size)
    if longest <= LONGEST_SIDE:
        return pixels
    size = [max(1, round(side * LONGEST_SIDE / longest)) for side in pixels.size]
    return pixels.resize((size[0], size[1]), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _scaled(entries: Iterable[_Entry], scale: tuple[float, float]) -> Iterator[_Entry]:
    """The entries with their boxes in pixels of the whole picture."""
    for entry in entries:
        if entry.box is None or scale == (1.0, 1.0):
            yield entry
            continue
        left, top, right, bottom = entry.box
        across, down = scale
        box: Box = (round(left * across, 1), round(top * down, 1), round(right * across, 1), round(bottom * down, 1))
        yield replace(entry, box=box)
