"""A finished run as a teacher: checked against the posts of this one, asked once what it believes of each word."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mner import config as configs
from mner import encoders
from mner.atomic import writing_bytes
from mner.cache import cache_folder
from mner.errors import ConfigError, DataError, ModelError
from mner.models.parts.crf import ChainCRF
from mner.runtime import predict
from mner.runtime.saved import SavedModel, read_model
from mner.runtime.torch import TorchRuntime
from mner.tags import PAD
from mner.training.batches import Split
from mner.types import ViewName
from mner.views import Encoded, Views
from mner.views.split import ViewSplit, read_split

POSTS = 256
"""Posts whose posteriors are computed at once."""

REMEDY = "name the directory of another run as loss.teacher"


@dataclass(frozen=True, slots=True)
class Teacher:
    """A run whose model teaches another.

    Attributes:
        run: Its directory.
        saved: Its model.
        encoded: The training posts as it reads them, in its best view, in order.
        about: What a record says of it.
        fingerprint: Of its model and of the posts as it reads them.
    """

    run: Path
    saved: SavedModel
    encoded: Sequence[Encoded]
    about: Mapping[str, Any]
    fingerprint: str


def find_teacher(place: str, splits: Mapping[str, ViewSplit], labels: Sequence[str]) -> Teacher:
    """The teacher that a run directory holds, for a run on these splits and labels.

    It reads the posts with its own tokenizer and its own contexts: in the I+T view if it was trained on that, which is
    the T view for a post without a context.

    Args:
        place: The run directory.
        splits: "train" and "dev" of the run that is to be taught. A teacher that learned from other posts, or was
            chosen on others, might know a post that this run is scored on.
        labels: BIOES labels of the run that is to be taught.

    Raises:
        ConfigError: Sub-tokens carry labels, which are not the teacher's.
        ModelError: There is no finished run, it has changed, or it had other posts or labels.
        DataError: Its posts or contexts are no longer where they were.
    """
    if PAD in labels:
        raise ConfigError('loss.teacher: teaches words; set model.subtoken_labels = "first"')
    try:
        saved = read_model(place)
        run = saved.folder.parent
        record = json.loads((run / "record.json").read_text(encoding="utf-8"))
    except ModelError as error:
        raise ModelError(f"loss.teacher: {error}") from error
    except (OSError, ValueError) as error:
        raise ModelError(
            f"loss.teacher: {place}: no record of a finished run ({error}), which alone tells what the model has "
            f"learned from; {REMEDY}"
        ) from error
    _check(run, saved, record, splits, labels)
    config = configs.load(run / "config.toml")
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), config.context)
    split = read_split(config, configs.root_folder(config.data, run), "train", views)
    _check_posts(run, "train", split.stamp.fingerprint, splits)
    view: ViewName = "I+T" if config.model.name != "text" and "I+T" in config.loss.views else "T"
    about = {
        "model": saved.fingerprint,
        **{name: record[name] for name in ("data", "row", "seed")},
        "encoder": record["encoder"]["name"],
        "view": view,
        "contexts": dict(split.coverage),
    }
    return Teacher(run, saved, split.encoded[view], about, f"{saved.fingerprint}-{split.fingerprint}")


def posteriors(teacher: Teacher, labels: Sequence[str]) -> list[np.ndarray]:
    """The teacher's log-posteriors (word, label) of each training post that has words, in order; ``labels`` are ours.

    Computed once, by torch in fp32; later runs find them in the cache.
    """
    encoded = [one for one in teacher.encoded if one.words]
    lengths = [one.words for one in encoded]
    path = cache_folder() / "teachers" / f"{teacher.fingerprint}.safetensors"
    table = _kept(path, (sum(lengths), len(labels)))
    if table is None:
        table = _computed(teacher.saved, encoded)
        with suppress(DataError), writing_bytes(path) as stream:  # another run may be writing the same
            stream.write(save({"posteriors": table}))
    order = [teacher.saved.labels.index(label) for label in labels]
    return np.split(table[:, order], np.cumsum(lengths)[:-1])


def taught(split: Split, members: Sequence[int], device: torch.device) -> tuple[Tensor, ...]:
    """What a model's losses take beside gold labels: log-posteriors (post, word, label) of some posts, or nothing."""
    if not split.taught:
        return ()
    return (pad_sequence([torch.from_numpy(split.taught[post]) for post in members], batch_first=True).to(device),)


def _check(
    run: Path, saved: SavedModel, record: Mapping[str, Any], splits: Mapping[str, ViewSplit], labels: Sequence[str]
) -> None:
    if record["model"] != saved.fingerprint:
        raise ModelError(f"loss.teacher: {run}: its model changed since training ended; {REMEDY}")
    if saved.config.model.init is not None:
        raise ModelError(
            f"loss.teacher: {run}: was continued from {saved.config.model.init}, which may have learned from posts "
            f"that this run is scored on; {REMEDY}"
        )
    for name in splits:
        _check_posts(run, name, record["splits"][name]["fingerprint"], splits)
    if odd := sorted(set(labels) ^ set(saved.labels)):
        raise ModelError(f"loss.teacher: {run}: only one of teacher and student knows {', '.join(odd)}; {REMEDY}")


def _check_posts(run: Path, name: str, found: str, splits: Mapping[str, ViewSplit]) -> None:
    ours = splits[name].stamp.fingerprint
    if found != ours:
        raise ModelError(
            f"loss.teacher: {run}: has other {name} posts, {name}@{found}, than this run, {name}@{ours}; it may know "
            f"posts that this run is scored on. Train a teacher on the same posts, or {REMEDY}"
        )


def _kept(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """What the cache has; None where that is nothing, damaged or of another shape."""
    try:
        table = load_file(path)["posteriors"]
    except (OSError, SafetensorError, KeyError):
        return None
    return table if table.shape == shape else None


def _computed(saved: SavedModel, encoded: Sequence[Encoded]) -> np.ndarray:
    """Log-posteriors (word, label) of all words of all posts, one below the other."""
    runtime = TorchRuntime.load(saved)
    crf = cast(ChainCRF, runtime.model.get_submodule("tagger.crf"))
    scores = [torch.from_numpy(one) for one in predict.emissions(runtime, encoded)]
    tables: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(scores), POSTS):
            some = scores[start : start + POSTS]
            lengths = torch.tensor([len(one) for one in some])
            found = crf.posteriors(pad_sequence(some, batch_first=True), lengths)
            tables += [one[:length] for one, length in zip(found, lengths.tolist(), strict=True)]
    return torch.cat(tables).numpy()
