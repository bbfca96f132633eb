"""Posts and contexts -> what training on them would refuse, by the functions with which training refuses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mner.config import Config
from mner.errors import MnerError
from mner.preflight.pictures import Pictures
from mner.preflight.posts import is_train
from mner.preflight.report import Findings
from mner.types import Post, VisualContext
from mner.views.coverage import check_covered, check_pictured, check_read
from mner.views.inputs import NEEDS, Needs
from mner.views.split import Name, check_test_closed, files_of, trained_on
from mner.views.substitute import substituted

if TYPE_CHECKING:
    from mner.contexts.artefact import Contexts

NAMES: tuple[Name, ...] = ("train", "dev", "test")
KIND = "refused by training"


class Seen(NamedTuple):
    """What is kept of a post: its pictures' names, where it stands, whether it has entities, its context."""

    image: str | None
    where: str
    entities: bool
    context: VisualContext | None
    more_images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Covered:
    """A split as ``mner.views.coverage`` looks at it."""

    path: Path
    posts: Sequence[Seen]
    contexts: Sequence[VisualContext | None]


@dataclass(slots=True)
class Training:
    """The posts of all splits, as far as training looks at them before its first step.

    Attributes:
        known: The contexts; None where there are no files of contexts.
        pictures: The pictures, which training reads where a context is absent; None without a folder of pictures.
        seen: The posts that training takes, by split.
        paths: The first file of each split.
    """

    known: Contexts | None
    pictures: Pictures | None
    seen: dict[Name, list[Seen]] = field(default_factory=dict)
    paths: dict[Name, Path] = field(default_factory=dict)

    def examine(self, name: str, path: Path, posts: Sequence[Post]) -> None:
        """Keep what training looks at of some posts."""
        from mner.views.contexts import context_of

        split = next((each for each in NAMES if name == each or (each == "train" and is_train(name))), None)
        if split is None:
            return
        self.paths.setdefault(split, path)
        seen = self.seen.setdefault(split, [])
        for post in posts:
            if post.spans is None and split == "train":
                continue
            context = None if self.known is None else context_of(post, self.known)
            seen.append(Seen(post.image, post.where, bool(post.spans), context, post.more_images))

    def report(self, findings: Findings, config: Config, root: Path | None) -> bool:
        """Report what training would refuse of these posts, and scoring of the test posts.

        Args:
            findings: Receives it.
            config: The configuration, its contexts and pictures those that are checked.
            root: Folder that its paths are relative to; None where the files of posts are not the configuration's.

        Returns:
            Whether it depends on pictures that only training reads.
        """
        unread = False
        try:
            if root is not None:
                check_test_closed(config, root)
                for name in ("train", "dev"):
                    files_of(config, name)
            if "train" in self.seen:
                self.seen["train"] = trained_on(self.seen["train"], config)
                if not any(post.entities for post in self.seen["train"]):
                    findings.add("error", "no entities", str(self.paths["train"]), "no post to train on has an entity")
        except MnerError as error:
            findings.add("error", KIND, "configuration", str(error))
            return unread
        for name, posts in self.seen.items():
            try:
                contexts = [self._context(post) for post in posts]
                split = Covered(
                    self.paths[name], posts, substituted(contexts, config.context.substitute, seed=config.seed)
                )
                check_covered(config, split)
                unread |= _opened(posts, contexts)
                if name == "train" and not _opened(posts, contexts):
                    check_read(config, split)
            except MnerError as error:
                if needs_of(config).context:
                    message = str(error).removeprefix(f"{self.paths[name]}: ")
                    if name == "test":
                        findings.add("warning", "refused by mner evaluate --final", str(self.paths[name]), message)
                    else:
                        findings.add("error", KIND, str(self.paths[name]), message)
        if "train" in self.seen and config.data.features is not None:
            train = Covered(self.paths["train"], self.seen["train"], ())
            try:
                check_pictured(config, train, needs_of(config))
            except MnerError as error:
                findings.add("error", KIND, str(train.path), str(error).removeprefix(f"{train.path}: "))
        return unread

    def _context(self, post: Seen) -> VisualContext | None:
        """The context that training has of a post; one that is still to be read from its picture is empty."""
        if post.context is not None or post.image is None or self.pictures is None:
            return post.context
        opens = any(map(self.pictures.opens, (post.image, *post.more_images)))
        return VisualContext(post.image, status="ok" if opens else "unreadable")


def _opened(posts: Sequence[Seen], contexts: Sequence[VisualContext | None]) -> bool:
    """Whether any context is still to be read from a picture."""
    return any(
        post.context is None and context is not None and context.status == "ok"
        for post, context in zip(posts, contexts, strict=True)
    )


def needs_of(config: Config) -> Needs:
    """What the model of a configuration needs; contexts alone where it cannot be looked into."""
    if config.outside_code:
        return NEEDS
    from mner import models

    try:
        return models.needs(config)
    except (ModuleNotFoundError, MnerError):
        return NEEDS
