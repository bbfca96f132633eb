"""A model and labelled posts -> thresholds that keep a promise, or probabilities that are true, stored in the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mner import config as configs
from mner.config import Config
from mner.data import stamp
from mner.decode import Chain, Decoder, Scaling
from mner.errors import ConfigError, DataError, MnerError, ModelError
from mner.evaluation.views import decoder_of
from mner.overwrite import MODEL, check_folder
from mner.runs.posts import data_of, posts_to_score, read_to_score, unread
from mner.runs.promise import Promise, thresholds_of
from mner.runs.rescale import METHODS, Method, rescaled
from mner.runs.view_scores import ViewEmissions, view_emissions
from mner.runtime import SavedModel, open_model, read_model
from mner.runtime.calibration import (
    NONE,
    Basis,
    StoredCalibration,
    Thresholds,
    calibration_of,
    store,
)
from mner.runtime.saved import saved_config
from mner.tagger.opening import EXPORTED, READY, model_folder
from mner.tags import entity_types
from mner.types import Post, ViewName
from mner.views.split import read_posts

CLOSED = "calibrated on them, the model can no longer be judged by them; take others, or pass --allow-test"

OVERLAP = 0.5
"""Share of posts that were trained on from which a file counts as training posts."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What ``calibrate`` stored, and where."""

    folder: Path
    calibration: StoredCalibration


def calibrate(
    model: str | Path | None = None,
    posts: str | Path | None = None,
    *,
    promise: Promise | None = None,
    scale: Method | None = None,
    clear: bool = False,
    contexts: Sequence[str | Path] = (),
    images: str | Path | None = None,
    features: str | Path | None = None,
    format: str | None = None,
    out: str | Path | None = None,
    allow_test: bool = False,
    allow_plugins: bool = False,
    watch: Callable[[str], None] = lambda message: None,
) -> Calibrated:
    """Calibrate a model on labelled posts and store the outcome in its ``model.json``.

    With ``promise`` and ``scale`` together the posts are halved: the first half fits the scaling, the second one the
    thresholds, which otherwise would be chosen by posts that the probabilities already know.

    Args:
        model: A model directory, a run directory, or "social-en".
        posts: The posts, in any format; None: the dev posts of a run, read as in training.
        promise: What thresholds are to keep; None fits none. It goes with the scaling that the model has.
        scale: Fit a temperature, or a curve for each label; thresholds that the model has are taken out.
        clear: Take out all calibration instead.
        contexts: Files of visual contexts.
        images: Folder of the posts' pictures, read where no context is given.
        features: Folder of the pictures' features, for a model that reads them.
        format: The file's format; None: by its first lines and name.
        out: Folder of a calibrated copy; None changes the model itself.
        allow_test: Take posts that are the test split of the model's run.
        allow_plugins: Run code outside mner that the model's configuration names.
        watch: Called with a line on what is done.

    Raises:
        ValueError: Nothing is to be done, ``clear`` comes with something else, or what says how posts are read comes
            without posts: those of a run are read as in training.
        MnerError: The posts are the test split's, or were trained on.
        ModelError: There is no model, it is damaged, or it is not to be changed where it is.
        DataError: The posts are faulty or too few, or no threshold keeps the promise on them.

    >>> import tempfile
    >>> from importlib.resources import files
    >>> posts = str(files("mner.data.sample") / "train.jsonl")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = calibrate("social-en", posts, promise=Promise("precision", 0.8), out=folder + "/mine")
    >>> sorted(done.calibration.thresholds.views["T"].thresholds)
    ['LOC', 'MISC', 'ORG', 'PER']
    """
    if clear is (promise is not None or scale is not None):
        raise ValueError("calibrate: name a promise, a scale or both; or clear alone")
    if posts is None and any((contexts, images, features, format, allow_test)):
        raise ValueError("calibrate: contexts, images, features, format and allow_test go with posts")
    if clear and posts is not None:
        raise ValueError("calibrate: clear takes no posts")
    place = model_folder(model)
    if (place / EXPORTED / "model.json").is_file():  # what mner.load takes
        place = place / EXPORTED
    saved = read_model(place, allow_plugins=allow_plugins)
    target = None if out is None else Path(out)
    _check_place(saved, target)
    if clear:
        return Calibrated(store(saved, NONE, out=target), NONE)
    source = _Source(posts, contexts, images, features, format, allow_test=allow_test, allow_plugins=allow_plugins)
    read = _read(saved, source, watch)
    stored, every = calibration_of(saved), read.untrained
    half = every & (np.random.default_rng(1).permutation(len(every)) % 2 == 0)
    both = scale is not None and promise is not None
    first, second = (half, every & ~half) if both else (every, every)
    if scale is not None:
        watch(f"{read.name}: fitting the {METHODS[scale]} on {first.sum()} posts")
        if stored.scale is not None:
            had = stored.scale.basis
            watch(f"this replaces the model's {METHODS[stored.scale.method]}, fitted on {had.posts} posts ({had.data})")
        if stored.thresholds is not None and promise is None:
            had_promise = f"a {stored.thresholds.target} of {stored.thresholds.least:g}"
            watch(
                f"this removes the model's thresholds for {had_promise}, which were found on other scores; to find "
                f"them again: --{stored.thresholds.target} {stored.thresholds.least:g}"
            )
        views = read.views(first)
        types = entity_types(read.labels)
        fitted = rescaled(views, read.decoder, scale, types=types, posts=len(every), basis=read.basis(first))
        stored = StoredCalibration(scale=fitted)
    elif stored.scale is not None and stored.scale.basis.fingerprint in {
        read.basis(fitted_on).fingerprint for fitted_on in (every, half)
    }:
        raise DataError(
            f"{read.name}: {saved.folder} has its {METHODS[stored.scale.method]} from these posts, which would "
            "make thresholds found on them promise too much; name other posts, or fit both at once, each on a half: "
            f"--{stored.scale.method} with --precision or --recall"
        )
    if promise is not None:
        watch(f"{read.name}: looking for thresholds on {second.sum()} posts")
        decoder = read.decoder(stored.scale.scaling() if stored.scale is not None else None)
        thresholds = Thresholds(
            target=promise.target,
            least=promise.least,
            delta=promise.delta,
            by_label=promise.by_label,
            views={
                view: thresholds_of(of_view, decoder, promise, f"{read.name}, view {view}", read.basis(second))
                for view, of_view in read.views(second).items()
            },
        )
        stored = stored.model_copy(update={"thresholds": thresholds})
    return Calibrated(store(saved, stored, out=target), stored)


def _check_place(saved: SavedModel, out: Path | None) -> None:
    """Refuse to change a model that is not the user's own, and to write over what is no model.

    Raises:
        ModelError: The model came with the package, or lies in the hub's cache.
        DataError: ``out`` holds something other than a model.
    """
    if out is not None:
        check_folder(out, MODEL)
    elif saved.folder.resolve() == READY or saved.folder.parent.name == "snapshots":
        where = "comes with the package" if saved.folder.resolve() == READY else "lies in the cache of the hub"
        raise ModelError(f"{saved.folder}: this model {where} and stays as it is; name a calibrated copy: --out FOLDER")


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the posts come from; see ``calibrate``."""

    posts: str | Path | None
    contexts: Sequence[str | Path]
    images: str | Path | None
    features: str | Path | None
    format: str | None
    allow_test: bool
    allow_plugins: bool


@dataclass(frozen=True, slots=True)
class _Read:
    """Posts as a model reads them.

    Attributes:
        name: What they are called.
        config: The configuration that they are read by.
        labels: The model's labels.
        chain: Its transition, start and end scores.
        posts: The posts.
        untrained: Of each, whether the model was not trained on it, as far as is known (post,).
        all_views: Label scores by view.
    """

    name: str
    config: Config
    labels: Sequence[str]
    chain: Chain
    posts: Sequence[Post]
    untrained: NDArray[np.bool_]
    all_views: Mapping[ViewName, ViewEmissions]

    def decoder(self, scaling: Scaling | None) -> Decoder:
        return decoder_of(self.config, self.labels, self.chain, scaling)

    def views(self, chosen: NDArray[np.bool_]) -> dict[ViewName, ViewEmissions]:
        """The chosen posts by view; no view without posts."""
        parts = {view: of_view.of(chosen) for view, of_view in self.all_views.items()}
        return {view: part for view, part in parts.items() if len(part.numbers)}

    def basis(self, chosen: NDArray[np.bool_]) -> Basis:
        """What the chosen posts are."""
        facts = stamp([self.posts[number] for number in np.flatnonzero(chosen).tolist()])
        return Basis(data=self.name, fingerprint=facts.fingerprint, posts=facts.posts, entities=facts.entities)


def _read(saved: SavedModel, source: _Source, watch: Callable[[str], None]) -> _Read:
    """The posts of a source; without one, the dev posts of the run that a model is of.

    Raises:
        DataError: There is neither, or most of the posts were trained on.
    """
    run = saved.folder.parent
    if source.posts is not None:
        config, _ = posts_to_score(
            saved,
            source.posts,
            source.contexts,
            source.images,
            source.format,
            features=source.features,
            allow_plugins=source.allow_plugins,
            closed="" if source.allow_test else CLOSED,
        )
        root = Path(source.posts).absolute().parent
        called = f"{config.data.name}/{Path(source.posts).name}"
    elif (run / "record.json").is_file():
        config = saved_config(run / "config.toml", allow_plugins=source.allow_plugins)
        root = configs.root_folder(config.data, run)
        called = f"{config.data.name}/dev"
        watch(
            f"{called}: these posts also chose the epoch, which makes the model look better on them than it is; a "
            "promise is exact on posts that nothing was chosen by: mner calibrate RUN POSTS"
        )
    else:
        raise DataError(f"{saved.folder}: a model, not a run; name labelled posts: mner calibrate {saved.folder} POSTS")
    split = read_to_score(saved, config, root)
    for remark in unread(saved, config, split.posts):
        watch(f"{called}: {remark}")
    untrained = _untrained(saved, split.posts, source.allow_plugins)
    known = len(untrained) - int(untrained.sum())
    if known >= max(1, OVERLAP * len(untrained)):
        raise MnerError(
            f"{called}: the model was trained on {known} of these {len(untrained)} posts, so it is surer of them than "
            "of others; name posts that it has not seen"
        )
    if known:
        watch(f"{called}: {known} posts with the words of a training post are left out")
    runtime = open_model(saved)
    emissions = view_emissions(runtime, split)
    return _Read(called, config, saved.labels, runtime.chain, split.posts, untrained, emissions)


def _untrained(saved: SavedModel, posts: Sequence[Post], allow_plugins: bool) -> NDArray[np.bool_]:
    """Of each post, whether no training post has its words; all are so where those are not on this machine."""
    try:
        config, root = data_of(saved, allow_plugins=allow_plugins)
        trained = {post.words for post in read_posts(config, root, "train")}
    except (ConfigError, DataError):
        trained = set()
    return np.array([post.words not in trained for post in posts], dtype=bool)
