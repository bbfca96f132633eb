"""Posts with pictures -> pictures without a context, contexts without a picture's content, files that do not open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mner.data.pictures import place_of
from mner.errors import ImageError
from mner.picture_files import short_name
from mner.preflight.report import Findings
from mner.types import Post

if TYPE_CHECKING:
    from mner.contexts.artefact import Contexts


def named(posts: Sequence[Post]) -> Iterator[tuple[Post, str]]:
    """Each picture that a post names, with the post."""
    return ((post, image) for post in posts for image in post.images)


def examine_contexts(findings: Findings, contexts: Contexts, posts: Sequence[Post]) -> None:
    """Report each post whose picture has no row in the artefact, or one that counts as no picture."""
    for post, image in named(posts):
        context, name = contexts.get(image), short_name(image)
        without = "without a picture" if len(post.images) == 1 else "without it"
        if context is None:
            findings.add(
                "warning",
                "no context",
                post.where,
                f'the picture "{name}" has no record in the contexts',
            )
        elif context.status != "ok":
            why = f": {context.reason}" if context.reason else ""
            findings.add(
                "warning",
                f"{context.status} context",
                post.where,
                f'the picture "{name}" is {context.status}{why}; the post is read as one {without}',
            )
        elif context.empty:
            findings.add("note", "empty context", post.where, f'nothing was read from the picture "{name}"')


class Pictures:
    """The pictures of a folder, each opened once."""

    def __init__(
        self, findings: Findings, folder: Path, *, watch: Callable[[str, int], None], allow_outside: bool = False
    ) -> None:
        self._findings = findings
        self._folder = folder
        self._watch = watch
        self._allow_outside = allow_outside
        self._opened: dict[str, bool] = {}

    def examine(self, posts: Sequence[Post]) -> None:
        """Report each picture of some posts that is missing or cannot be used."""
        from mner.vision.images import open_image

        for post, image in named(posts):
            if image in self._opened:
                continue
            place = place_of(self._folder, image, allow_outside=self._allow_outside)
            try:
                open_image(place)
                self._opened[image] = True
            except ImageError as error:
                self._opened[image] = False
                name = place if isinstance(place, Path) else short_name(image)
                self._findings.add("warning", f"{error.status} picture", post.where, f"{name}: {error.reason}")
            self._watch("pictures opened", len(self._opened))

    def opens(self, image: str) -> bool:
        """Whether a picture that was examined can be used."""
        return self._opened.get(image, False)
