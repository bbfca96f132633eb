"""A trained run or a saved model -> what every analysis asks of it: posts, contexts, and entities under any context."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from mner import config as configs
from mner import data, encoders
from mner.config import Config
from mner.errors import DataError, MnerError
from mner.evaluation.views import decoder_of
from mner.runs import read_record
from mner.runs.record import RunId
from mner.runtime import Backend, Runtime, open_model, predict, read_model
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
class Opened:
    """A loaded model and the posts it is looked at on.

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
                f"{self.row}: {analysis} asks what the posts' own pictures do{self.substitute}, so there is no answer; "
                "name a row without it"
            )

    def pieces(self, config: configs.ContextConfig | None = None) -> list[tuple[Piece, ...]]:
        """What stands beside the words of each post, by the model's own [context] or another."""
        options = config or self.config.context
        return [() if one is None else compose(one, options) for one in self.contexts]

    def read(self, pieces: Sequence[Sequence[Piece]] | None = None) -> list[tuple[Span, ...]]:
        """The entities of each post with these pieces beside the words; None reads the words alone."""
        arrays = None if pieces is None else self.arrays
        encoded = self.views.encode_many([post.words for post in self.posts], pieces, arrays)
        decoder = decoder_of(self.config, self.runtime.labels, self.runtime.chain)
        return [tuple(one.span for one in found) for found in predict.spans(self.runtime, encoded, decoder)]


Runs = Iterable[Opened]
"""The runs of one row that differ in their seed alone; taken one by one, so that memory holds one model at a time."""


def open_run(path: Path, *, split: str = "dev", backend: Backend = "auto", allow_plugins: bool = False) -> Opened:
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
    if split not in ("train", "dev"):
        raise MnerError(
            f'split "{split}": expected train or dev. Test is scored by mner evaluate RUN --final alone; '
            "labels, oracle and learning read what it recorded"
        )
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
    return Opened(
        row=f"{config.data.name}/{config.name}",
        config=config,
        runtime=open_model(saved, backend=backend),
        views=Views(
            encoders.of_model(saved.folder, saved.manifest["encoder"]),
            config.context,
            subtoken_labels=config.model.subtoken_labels,
        ),
        posts=posts,
        contexts=substituted(own, config.context.substitute, seed=config.seed),
        data=f"{config.data.name}/{split}@{data.stamp(posts).fingerprint[:6]}",
        root=root,
        model=saved.fingerprint,
        arrays=arrays_of(posts, config, root, saved.needs).arrays if saved.needs.arrays else None,
    )


def open_runs(
    paths: Sequence[Path],
    *,
    split: str = "dev",
    backend: Backend = "auto",
    allow_plugins: bool = False,
    watch: Callable[[str], None],
) -> Iterator[Opened]:
    """The runs of one row, opened one by one; ``watch`` is told each path before.

    Raises:
        DataError: They differ in more than their seed, or saw different posts.
    """
    first: tuple[Path, str, str] | None = None
    for path in paths:
        watch(str(path))
        one = open_run(path, split=split, backend=backend, allow_plugins=allow_plugins)
        now = (path, one.config.model_copy(update={"seed": 0}).fingerprint, one.data)
        first = first or now
        if now[1] != first[1]:
            raise DataError(f"{first[0]} and {path}: not of one row, their configurations differ in more than the seed")
        if now[2] != first[2]:
            raise DataError(f"{first[0]} and {path}: different posts, {first[2]} and {now[2]}")
        yield one


def row_runs(path: Path) -> list[Path]:
    """The runs of a row: a run or a model is alone, a folder of runs holds one for each seed.

    Raises:
        MnerError: There is none, or one is not finished.
        DataError: One in a folder of runs lacks its record or its model, or its record is damaged.
    """
    if not (path / "checkpoint.safetensors").exists() and any(
        (folder / "model.json").is_file() for folder in (path, path / "model")
    ):
        return [path]
    found = sorted((one.parent for one in path.glob("*/config.toml")), key=lambda run: (len(run.name), run.name))
    runs = [run for run in found if not (run / "model.json").is_file()]  # a saved model is no run of the row
    unfinished = [run for run in (path, *runs) if (run / "checkpoint.safetensors").exists()]
    if unfinished:
        told = ", ".join(map(str, unfinished))
        raise MnerError(f"{told}: not finished; continue with mner train CONFIG, or name one finished run")
    if not runs:
        raise MnerError(
            f"{path}: neither a run, nor a model, nor a folder of a row's runs; make one: mner train CONFIG"
        )
    for run in runs:
        lacking = [name for name in ("record.json", "model/model.json") if not (run / name).is_file()]
        if lacking:
            raise DataError(
                f"{run}: lacks {' and '.join(lacking)}, so it is no finished run of the row; finish it with "
                "mner train CONFIG, or name finished runs one by one"
            )
        read_record(run / "record.json")
    return runs
