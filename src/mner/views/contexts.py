"""Posts -> what is known of their pictures: from files of contexts, or read from the pictures themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from mner.config import Config
from mner.data.pictures import place_of
from mner.errors import DataError, why_not
from mner.picture_files import short_name
from mner.several import together
from mner.types import Post, VisualContext


class Known(Protocol):
    """Contexts by picture name."""

    def get(self, image: str, /) -> VisualContext | None:
        """The context of a picture; None where there is none."""
        ...


def contexts_of(
    posts: Sequence[Post],
    config: Config,
    root: Path,
    *,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> list[VisualContext | None]:
    """The visual context of each post, from the files of ``data.contexts`` or from its picture."""
    wanted = dict.fromkeys(image for post in posts for image in post.images)
    known: dict[str, VisualContext] = {}
    if config.data.contexts:
        from mner.contexts.artefact import read_contexts

        contexts = read_contexts([root / file for file in config.data.contexts])
        known = {image: context for image in wanted if (context := contexts.get(image)) is not None}
    if config.data.images is not None:
        folder = root / config.data.images
        if not folder.is_dir():
            raise DataError(
                f"{folder}: {why_not(folder, 'folder')}; data.images = {config.data.images!r} is relative to {root}"
            )
        unread = [image for image in wanted if image not in known]
        read = {} if not unread else _read(unread, folder, config, watch)
        known |= {image: read[name] for image in unread if (name := short_name(image)) in read}
    return [context_of(post, known) for post in posts]


def context_of(post: Post, known: Known) -> VisualContext | None:
    """What is known of a post's pictures, together; None if nothing is known of any."""
    from mner.contexts.artefact import for_post

    read = [known.get(image) for image in post.images]
    if not any(read):
        return None
    contexts = [
        context or VisualContext(image, status="missing", reason="the files of contexts do not have it")
        for image, context in zip(post.images, read, strict=True)
    ]
    return for_post(together(contexts), post.id)


def _read(
    images: Sequence[str], folder: Path, config: Config, watch: Callable[[int, int], None]
) -> dict[str, VisualContext]:
    """What the backends of [vision] read of pictures in a folder, by short name."""
    from mner.contexts.store import Store
    from mner.vision.extract import Extractor

    extractor = Extractor(config.vision)
    read: dict[str, VisualContext] = {}
    with Store(needed=False) as store:
        files = ((short_name(image), place_of(folder, image)) for image in images)
        for number, context in enumerate(extractor.stream(files, store=store), 1):
            read[context.image] = context
            watch(number, len(images))
    return read
