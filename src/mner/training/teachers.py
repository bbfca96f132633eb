"""Saved models as teachers: checked against what this run is scored on, and read once for what they believe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mner import data, models
from mner.config import Config
from mner.errors import ConfigError, DataError, ModelError
from mner.files import writing_bytes
from mner.folders import WAIT
from mner.models.parts.chain import ChainScores, posteriors
from mner.runs.posts import views_of
from mner.runtime import Runtime, SavedModel, open_model, predict
from mner.runtime.calibration import trained_fingerprint
from mner.tagger.features import check_trained
from mner.tags import PAD, entity_types
from mner.training.batches import Split
from mner.training.source_models import source_model
from mner.types import Post, ViewName
from mner.views import Encoded, Needs, Task
from mner.views.split import ViewSplit, encoded_split
from mner.words import LINK

UNLABELLED = Task("taught", data="unlabelled")
"""Learning from the teachers alone, on the posts of ``data.tasks.unlabelled``."""

FOLDER = "teachers"
"""Beside an experiment's runs: what its teachers believe, for all seeds."""

PART = 256
"""Posts whose posteriors are computed and kept together."""

LEAST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, slots=True)
class Teacher:
    """A saved model that teaches.

    Attributes:
        place: As [teachers] names it.
        saved: The model.
        ours: Which of our labels each of its labels is (its label, our label), 0 or 1.
    """

    place: str
    saved: SavedModel
    ours: np.ndarray

    @property
    def fingerprint(self) -> str:
        """The model's as it was trained: what it teaches are its exact posteriors, whatever its calibration."""
        return trained_fingerprint(self.saved)


def taught_needs(config: Config, needs: Needs) -> Needs:
    """What a model needs that learns from teachers: also the posts without labels, where there are such.

    Raises:
        ConfigError: It cannot be taught.
    """
    if not models.can_be_taught(config):
        raise ConfigError(
            f'teachers.models: the model "{config.model.name}" does not learn from teachers (its losses take no '
            '"taught"); every model of mner does'
        )
    if config.model.subtoken_labels == "pad":
        raise ConfigError('teachers.models: they teach words; set model.subtoken_labels = "first"')
    if UNLABELLED.data not in config.data.tasks:
        return needs
    return Needs(needs.encoders, needs.arrays, needs.context, (*needs.tasks, UNLABELLED), needs.start)


def find_teachers(
    config: Config, root: Path, splits: Mapping[str, ViewSplit], labels: Sequence[str]
) -> tuple[Teacher, ...]:
    """The teachers that [teachers] names, for a run on these splits and BIOES labels.

    Raises:
        ModelError: There is no such model, or it has other entity types.
        ConfigError: ``teachers.rename`` names a type that no teacher has, or one was trained on posts that this run is
            scored on.
        DataError: Posts without labels are among those that this run is scored on.
    """
    _check_unlabelled(config, root, splits)
    teachers, types = [], set[str]()
    for place in config.teachers.models:
        saved = source_model("teachers.models", place, config, root)
        types.update(entity_types(saved.labels))
        teachers.append(Teacher(place, saved, _ours(place, saved.labels, labels, config.teachers.rename)))
    if unknown := sorted(config.teachers.rename.keys() - types):
        raise ConfigError(
            f"teachers.rename: no teacher has the type {', '.join(unknown)}; they have {', '.join(sorted(types))}"
        )
    return tuple(teachers)


def beliefs(
    teachers: Sequence[Teacher],
    split: ViewSplit,
    config: Config,
    root: Path,
    folder: Path,
    views: Sequence[ViewName],
    watch: Callable[[str], None] = lambda message: None,
    *,
    device: str = "cpu",
    bf16: bool = False,
) -> dict[ViewName, list[np.ndarray]]:
    """What the teachers believe of each post that has words: for each view log-posteriors (word, label) of each post.

    The mean of the teachers' posteriors, each over its own sub-tokens and with its own [context]. What a teacher says
    is kept in ``folder`` part by part and read from there the next time, also by other seeds. Teachers in torch read on
    ``device``, their products in bfloat16 if ``bf16``; as for training itself, either makes it no other run.

    Raises:
        ModelError: A teacher cannot be run here, or the features come from another extractor than its own.
        DataError: ``folder`` cannot be written.
    """
    posts = [post for post in split.posts if post.words]
    lengths = [len(post.words) for post in posts]
    sums: dict[ViewName, np.ndarray] = {}
    for teacher in teachers:
        own = teacher.saved.config.model_copy(update={"data": config.data, "vision": config.vision})
        read = encoded_split(split.path, posts, own, root, views_of(teacher.saved, own), teacher.saved.needs)
        if read.features:
            check_trained(
                read.features, teacher.saved.features, f"teachers.models: {teacher.place}: {config.data.features}"
            )
        posteriors: dict[ViewName, np.ndarray] = {}
        for view in views:
            theirs = _view_of(teacher.saved, view if config.teachers.view == "same" else config.teachers.view)
            if theirs not in posteriors:
                name = f"{teacher.fingerprint}-{read.fingerprint}-{theirs.replace('+', '')}"
                runs = _Reader(teacher, read.encoded[theirs], folder, name, watch, device, bf16)
                posteriors[theirs] = np.concatenate(list(runs.parts())) @ teacher.ours
            sums[view] = sums.get(view, 0) + posteriors[theirs] / len(teachers)
    ends = np.cumsum(lengths)[:-1]
    return {view: np.split(np.log(np.maximum(table, LEAST)), ends) for view, table in sums.items()}


def taught(split: Split, members: Sequence[int], views: Sequence[ViewName], device: torch.device) -> dict[str, Any]:
    """What a model's losses take of teachers: log-posteriors (post, word, label) of some posts; or nothing."""
    if not split.taught:
        return {}
    of_view: dict[ViewName, Tensor] = {}
    for view in views:
        tables = [torch.from_numpy(split.taught[view][post]) for post in members]
        of_view[view] = pad_sequence(tables, batch_first=True).to(device)
    return {"taught": of_view}


class _Reader:
    """A teacher's posteriors, part by part: from the folder, or computed and written there."""

    def __init__(
        self,
        teacher: Teacher,
        encoded: Sequence[Encoded],
        folder: Path,
        name: str,
        watch: Callable[[str], None],
        device: str,
        bf16: bool,
    ) -> None:
        self.teacher, self.encoded, self.folder, self.name, self.watch = teacher, encoded, folder, name, watch
        self.device, self.bf16 = device, bf16
        self.runtime: Runtime | None = None

    def parts(self) -> Iterator[np.ndarray]:
        """Posteriors (word, label) of each part's words, one post below the other."""
        for start in range(0, len(self.encoded), PART):
            part = self.encoded[start : start + PART]
            path = self.folder / f"{self.name}-{start:07d}.safetensors"
            table = _cached(path, (sum(post.words for post in part), len(self.teacher.saved.labels)))
            if table is None:
                table = self._computed(part)
                _keep(path, table)
            yield table

    def _computed(self, part: Sequence[Encoded]) -> np.ndarray:
        if self.runtime is None:
            self.watch(f"{self.teacher.place}: teaches; what it says of the posts is computed once")
            saved = self.teacher.saved
            in_torch = all(map(saved.holds, saved.needs.encoders))
            self.runtime = open_model(saved, backend="torch", device=self.device) if in_torch else open_model(saved)
        theirs = self.runtime.chain
        scores = ChainScores(*map(torch.from_numpy, (theirs.transitions, theirs.start, theirs.end)))
        with torch.autocast(self.device.partition(":")[0], torch.bfloat16, enabled=self.bf16):
            emissions = [torch.from_numpy(post) for post in predict.emissions(self.runtime, part)]
        lengths = torch.tensor([len(post) for post in emissions])
        with torch.inference_mode():
            labelled = posteriors(scores, pad_sequence(emissions, batch_first=True), lengths).exp()
        tables = [post[:length].numpy() for post, length in zip(labelled, lengths.tolist(), strict=True)]
        return np.concatenate(tables).astype(np.float32)


def _cached(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """What a file has; None where that is nothing, damaged or of another shape."""
    with suppress(OSError, SafetensorError, KeyError):
        table = load_file(path)["posteriors"]
        return table if table.shape == shape else None
    return None


def _keep(path: Path, table: np.ndarray) -> None:
    """Write what a file is to have; another seed's run may be writing the same at this moment."""
    until = time.monotonic() + WAIT
    while True:
        try:
            with writing_bytes(path) as stream:
                stream.write(save({"posteriors": table}))
            return
        except DataError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _view_of(saved: SavedModel, view: ViewName) -> ViewName:
    """The view of a teacher that is read for a view: the other one where it was not trained on it."""
    return view if view in saved.views else saved.views[0]


def _ours(place: str, theirs: Sequence[str], ours: Sequence[str], rename: Mapping[str, str]) -> np.ndarray:
    if PAD in theirs:
        raise ModelError(f"teachers.models: {place}: its sub-tokens carry labels of their own; name a teacher of words")
    types = {each: rename.get(each, each) for each in entity_types(theirs)}
    known, wanted = {each for each in types.values() if each}, set(entity_types(ours))
    if lacking := sorted(wanted - known):
        free = [each for each, name in types.items() if name not in wanted]
        remedy = (
            f"say which is which, such as --set 'teachers.rename={{{free[0]}=\"{lacking[0]}\"}}', or " if free else ""
        )
        raise ModelError(
            f"teachers.models: {place} has no entity type {', '.join(lacking)}, so it would teach that there is none; "
            f"it has {', '.join(types)}; {remedy}name another teacher"
        )
    if further := sorted(each for each, name in types.items() if name and name not in wanted):
        raise ModelError(
            f"teachers.models: {place} has the entity type {', '.join(further)}, which no training post has (they have "
            f"{', '.join(sorted(wanted))}). Say what it is: --set 'teachers.rename={{{further[0]}=\"\"}}' takes it for "
            "no entity"
        )
    matrix = np.zeros((len(theirs), len(ours)), np.float32)
    for number, label in enumerate(theirs):
        name = types.get(label[2:], "")
        matrix[number, ours.index(f"{label[:2]}{name}" if name else "O")] = 1
    return matrix


def _check_unlabelled(config: Config, root: Path, splits: Mapping[str, ViewSplit]) -> None:
    """Refuse posts without labels that are dev or test posts, whatever their links and the case of their letters.

    Of the test posts the words alone are read, and nothing of them is kept.
    """
    split = splits.get(UNLABELLED.data)
    if split is None:
        return
    if not any(post.words for post in split.posts):
        raise DataError(f"{split.path}: no post has a word; data.tasks.{UNLABELLED.data} needs texts to learn from")
    scored: dict[str, Post] = {_key(post): post for post in splits["dev"].posts}
    for file in config.data.files("test"):
        if (root / file).is_file():
            read = data.read(root / file, format=config.data.format, labels=config.data.labels)
            scored = {_key(post): post for post in read} | scored
    scored.pop("", None)
    same = [(post, scored[_key(post)]) for post in split.posts if _key(post) in scored]
    if same:
        shown = "; ".join(f"{post.where} is {other.where}" for post, other in same[:5])
        raise DataError(
            f"data.tasks.{UNLABELLED.data}: {len(same)} of the {len(split.posts)} posts of {split.path} are posts that "
            f"this run is scored on: {shown}{'; ...' if len(same) > 5 else ''}. Take them out"
        )


def _key(post: Post) -> str:
    """A post's letters and digits without its links, in one case.

    >>> _key(Post("Kevin LOVE won! http://t.co/x"))
    'kevinlovewon'
    """
    return "".join(sign for word in post.words for sign in LINK.sub("", word) if sign.isalnum()).casefold()
