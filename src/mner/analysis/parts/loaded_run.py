"""A trained run or a saved model -> what analyses need of it: posts, contexts, and its entities with any context."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from mner import config as configs
from mner import data, encoders
from mner.config import Config
from mner.decode import Scaling, ScoredSpan
from mner.errors import DataError, MnerError
from mner.evaluation.views import decoder_of
from mner.runs import read_record
from mner.runs.record import RunId
from mner.runtime import Backend, Runtime, open_model, predict, read_model
from mner.runtime.calibration import scaling_of, trained_fingerprint
from mner.runtime.saved import saved_config
from mner.tagger.opening import model_folder
from mner.types import Post, Span, ViewName, VisualContext
from mner.views import Piece, Views, compose
from mner.views.contexts import contexts_of
from mner.views.features import arrays_of
from mner.views.split import read_posts
from mner.views.substitute import substituted

Split = Literal["train", "dev"]
Spans = Sequence[Sequence[Span]]
"""The entities of each post."""


@dataclass(frozen=True, slots=True)
class LoadedRun:
    """A loaded model and the posts that it reads.

    Attributes:
        row: Data set and row, such as "mine/ita".
        config: The configuration of its run.
        runtime: Label scores.
        views: From words and pieces of context to token ids.
        posts: All posts of the split, gold entities included.
        contexts: What is known of each post's picture, or what ``context.substitute`` put in its place in training;
            None where nothing is.
        data: Data set, split and fingerprint, for signatures.
        root: Folder that the paths of [data] are relative to.
        model: The saved model's fingerprint.
        arrays: Of each post's picture, where the model declares any.
        scaling: Of the probabilities, where the model is calibrated.
    """

    row: str
    config: Config
    runtime: Runtime
    views: Views
    posts: Sequence[Post]
    contexts: Sequence[VisualContext | None]
    data: str
    root: Path = Path()
    model: str = ""
    arrays: Sequence[Mapping[str, np.ndarray]] | None = None
    scaling: Scaling | None = None

    @property
    def run(self) -> RunId:
        """Which run it is."""
        return RunId(self.config.data.name, self.config.name, self.config.seed, self.model)

    @property
    def trained(self) -> tuple[ViewName, ...]:
        """The views that the model was trained on."""
        return self.config.loss.views

    @property
    def substitute(self) -> str:
        """Why its contexts are not those of its posts' own pictures, for an error; "" where they are."""
        kind = self.config.context.substitute
        return "" if kind == "none" else f'; it was trained with context.substitute = "{kind}"'

    def must_be_own(self, analysis: str) -> None:
        """Refuse contexts that are not those of the posts' own pictures.

        Raises:
            DataError: The row is a control (``context.substitute``).
        """
        if self.substitute:
            raise DataError(
                f"{self.row}: {analysis} measures what the posts' own pictures do{self.substitute}. Name an experiment "
                "without it"
            )

    def must_have_posts_of(self, other: LoadedRun) -> None:
        """Refuse a comparison on different posts.

        Raises:
            DataError: The posts are not those of the other run.
        """
        if self.data != other.data:
            raise DataError(f"{other.row} and {self.row} read different posts: {other.data} and {self.data}")

    def pieces(self, config: configs.ContextConfig | None = None) -> list[tuple[Piece, ...]]:
        """What stands beside the words of each post, by the model's own [context] or another."""
        options = config or self.config.context
        return [() if context is None else compose(context, options) for context in self.contexts]

    def pictured(self, pieces: Sequence[Sequence[Piece]]) -> list[bool]:
        """Whether each post has anything of a picture: pieces beside its words, or arrays that the model reads."""
        arrays = self.arrays or [{}] * len(self.posts)
        return [bool(beside or features) for beside, features in zip(pieces, arrays, strict=True)]

    def read(
        self, pieces: Sequence[Sequence[Piece]] | None = None, arrays: Sequence[Mapping[str, np.ndarray]] | None = None
    ) -> list[tuple[Span, ...]]:
        """The entities of each post with these pieces beside the words; None reads the words alone.

        With pieces go the arrays of the posts' own pictures, or ``arrays``.
        """
        return [tuple(scored.span for scored in entities) for entities in self.scored(pieces, arrays)]

    def scored(
        self, pieces: Sequence[Sequence[Piece]] | None = None, arrays: Sequence[Mapping[str, np.ndarray]] | None = None
    ) -> list[tuple[ScoredSpan, ...]]:
        """The same with their probabilities, calibrated where the model is."""
        beside = None if pieces is None else arrays or self.arrays
        encoded = self.views.encode_many([post.words for post in self.posts], pieces, beside)
        decoder = decoder_of(self.config, self.runtime.labels, self.runtime.chain, self.scaling)
        return predict.spans(self.runtime, encoded, decoder)


Runs = Iterable[LoadedRun]
"""The runs of one experiment, at least one, which differ in their seed alone; taken one by one to save memory."""


def check_split(split: str) -> str:
    """The split, if it is one that may be read here.

    Raises:
        ValueError: It may not be read here.
    """
    if split not in ("train", "dev"):
        raise ValueError(
            f'expected train or dev, found "{split}". Test is scored by mner evaluate RUN --final alone; '
            "labels, oracle and learning read what it recorded"
        )
    return split


def open_run(path: Path, *, split: str = "dev", backend: Backend = "auto", allow_plugins: bool = False) -> LoadedRun:
    """A run directory or a saved model, with the posts of a split.

    Args:
        path: What ``mner train`` made, or a model directory whose configuration names its data.
        split: "train" or "dev"; there is no way to test here.
        backend: As of ``open_model``.
        allow_plugins: Run code outside mner that its configuration names.

    Raises:
        MnerError: ``split`` is another one, the run is unfinished, or ``path`` is neither run nor model.
        DataError: Its posts or contexts are missing or faulty.
    """
    try:
        check_split(split)
    except ValueError as error:
        raise MnerError(f"split: {error}") from None
    saved = read_model(model_folder(path), allow_plugins=allow_plugins)
    config = saved.config
    if (path / "config.toml").is_file():
        config = saved_config(path / "config.toml", allow_plugins=allow_plugins)
    root = configs.root_folder(config.data, path)
    posts = read_posts(config, root, split)  # type: ignore[arg-type]  # checked above
    bare = next((post for post in posts if post.spans is None), None)
    if bare is not None:
        raise DataError(f'{bare.where or split}: post "{bare.id}" has no gold labels to score against')
    own = contexts_of(posts, config, root) if saved.needs.context else [None] * len(posts)
    return LoadedRun(
        row=f"{config.data.name}/{config.name}",
        config=config,
        runtime=open_model(saved, backend=backend),
        views=Views.of(encoders.of_model(saved.folder, saved.manifest["encoder"]), config),
        posts=posts,
        contexts=substituted(own, config.context.substitute, seed=config.seed),
        data=f"{config.data.name}/{split}@{data.stamp(posts).fingerprint[:6]}",
        root=root,
        model=trained_fingerprint(saved),
        arrays=arrays_of(posts, config, root, saved.needs).arrays if saved.needs.pictured else None,
        scaling=scaling_of(saved),
    )


def open_runs(
    paths: Sequence[Path],
    *,
    split: str = "dev",
    backend: Backend = "auto",
    allow_plugins: bool = False,
    on_open: Callable[[str], None],
) -> Iterator[LoadedRun]:
    """The runs of one experiment, opened one by one; ``on_open`` is called with each path before.

    Raises:
        DataError: They differ in more than their seed, or saw different posts.
    """
    first: tuple[Path, str, str] | None = None
    for path in paths:
        on_open(str(path))
        run = open_run(path, split=split, backend=backend, allow_plugins=allow_plugins)
        now = (path, run.config.model_copy(update={"seed": 0}).fingerprint, run.data)
        first = first or now
        if now[1] != first[1]:
            raise DataError(
                f"{first[0]} and {path}: their configurations differ in more than the seed; name one experiment"
            )
        if now[2] != first[2]:
            raise DataError(f"{first[0]} and {path}: different posts, {first[2]} and {now[2]}")
        yield run


def row_runs(path: Path) -> list[Path]:
    """The runs of an experiment: a run or a model is alone, a folder of runs holds one for each seed.

    Raises:
        MnerError: There is none, or one is not finished.
        DataError: One in a folder of runs lacks its record or its model, or its record is damaged.
    """
    if not (path / "checkpoint.safetensors").exists() and any(
        (folder / "model.json").is_file() for folder in (path, path / "model")
    ):
        return [path]
    folders = sorted((file.parent for file in path.glob("*/config.toml")), key=lambda run: (len(run.name), run.name))
    runs = [run for run in folders if not (run / "model.json").is_file()]  # a saved model is not a run
    unfinished = [run for run in (path, *runs) if (run / "checkpoint.safetensors").exists()]
    if unfinished:
        paths = ", ".join(map(str, unfinished))
        raise MnerError(f"{paths}: not finished; continue with mner train CONFIG, or name one finished run")
    if not runs:
        raise MnerError(f"{path}: neither a run, nor a model, nor a folder of runs; train one: mner train CONFIG")
    for run in runs:
        lacking = [name for name in ("record.json", "model/model.json") if not (run / name).is_file()]
        if lacking:
            raise DataError(
                f"{run}: lacks {' and '.join(lacking)}, so it is not a finished run; finish it with "
                "mner train CONFIG, or name finished runs one by one"
            )
        read_record(run / "record.json")
    return runs
