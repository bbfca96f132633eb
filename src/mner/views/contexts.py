"""Posts -> what is known of their pictures: from files of contexts, or read from the pictures themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mner.config import Config
from mner.data.pictures import place_of
from mner.errors import DataError, why_not
from mner.picture_files import short_name
from mner.types import Post, VisualContext


def contexts_of(
    posts: Sequence[Post],
    config: Config,
    root: Path,
    *,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> list[VisualContext | None]:
    """The visual context of each post, from the files of ``data.contexts`` or from its picture."""
    known: list[VisualContext | None] = [None] * len(posts)
    if config.data.contexts:
        from mner.contexts.artefact import for_post, read_contexts

        contexts = read_contexts([root / file for file in config.data.contexts])
        ready = [None if post.image is None else contexts.get(post.image) for post in posts]
        known = [context and for_post(context, post.id) for post, context in zip(posts, ready, strict=True)]
    if config.data.images is None:
        return known
    folder = root / config.data.images
    if not folder.is_dir():
        raise DataError(
            f"{folder}: {why_not(folder, 'folder')}; data.images = {config.data.images!r} is relative to {root}"
        )
    pairs = zip(posts, known, strict=True)
    wanted = {post.image: None for post, context in pairs if context is None and post.image is not None}
    if wanted:
        from mner.contexts.store import Store
        from mner.vision.extract import Extractor

        extractor = Extractor(config.vision)
        read: dict[str, VisualContext] = {}
        with Store(needed=False) as store:
            files = ((short_name(image), place_of(folder, image)) for image in wanted)
            for number, context in enumerate(extractor.stream(files, store=store), 1):
                read[context.image] = context
                watch(number, len(wanted))
        known = [
            read.get(short_name(post.image)) if context is None and post.image is not None else context
            for post, context in zip(posts, known, strict=True)
        ]
    return known
