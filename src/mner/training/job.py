"""A configuration -> everything a run needs before its first step: encoder files, views of both splits, labels."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np

from mner import encoders, models, tags
from mner.config import Config
from mner.encoders import EncoderFiles
from mner.errors import ConfigError, DataError, ModelError
from mner.files import sha256
from mner.runs.searches import SEARCHES
from mner.runtime import SavedModel
from mner.runtime.calibration import trained_fingerprint
from mner.training.batches import Split, gold_ids
from mner.training.source_models import source_model
from mner.training.teachers import UNLABELLED, Teacher, beliefs, find_teachers, taught_needs
from mner.types import ViewName
from mner.views import Needs, Task, Views
from mner.views.coverage import check_covered, check_pictured, check_read
from mner.views.split import Name, ViewSplit, check_test_closed, read_split
from mner.views.tasks import read_tasks

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What a run trains on; ``splits`` holds train, dev and the posts of further tasks, by their key in [data.tasks].

    ``weights`` is a SHA-256 over the encoders' files of weights, ``init`` the model that ``model.init`` names.
    """

    config: Config
    files: EncoderFiles
    views: Views
    splits: Mapping[str, ViewSplit]
    labels: tuple[str, ...]
    weights: str
    needs: Needs
    teachers: tuple[Teacher, ...] = ()
    init: SavedModel | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Of configuration, encoder, data, teachers and the model that training begins from together."""
        return self._fingerprint(self.config, self.init)

    def fingerprints_of(self, config: Config) -> list[str]:
        """Those of this job under other settings: today's, then earlier ones.

        Once the model of ``model.init`` had no part in it, and calibrating a teacher changed it.
        """
        every = product((self.init, None), (False, True))
        return [self._fingerprint(config, init, calibrated=calibrated) for init, calibrated in every]

    def _fingerprint(self, config: Config, init: SavedModel | None, *, calibrated: bool = False) -> str:
        read = (split.fingerprint for split in self.splits.values())
        taught = (teacher.saved.fingerprint if calibrated else teacher.fingerprint for teacher in self.teachers)
        begun = () if init is None else (trained_fingerprint(init),)
        return _digest((config.fingerprint, self.weights, *read, *taught, *begun))[:12]


def prepare(config: Config, root: Path) -> Job:
    """The job of a configuration; reads the training and dev splits and their contexts, and nothing of a test split.

    One exception: posts without labels that teachers label are compared with the words of the test posts.

    Raises:
        ConfigError: The data set is called like the folder of searches, the posts to train on or to choose by are those
            of the test split, a further task has none, or a teacher or the model of ``model.init`` was trained on posts
            that this run is scored on.
        DataError: A split is missing or faulty, or the I+T view is trained and too few pictures have a visual context,
            or none has one of a source that [context] names, or the model reads features and hardly any post to train
            on names a picture.
        ModelError: The encoder or a model is not on this machine, or a teacher cannot teach these labels.
    """
    if config.data.name == SEARCHES:
        raise ConfigError(f'data.name: results of searches are in a folder "{SEARCHES}"; choose another name')
    check_test_closed(config, root)
    own = models.needs(config)
    needs = taught_needs(config, own) if config.teachers.models else own
    files = encoders.find(config.model.encoder)
    views = Views.of(files, config)
    names: tuple[Name, ...] = ("train", "dev")
    splits = {str(name): read_split(config, root, name, views, needs) for name in names}
    if splits["train"].stamp.fingerprint == splits["dev"].stamp.fingerprint:
        _LOG.warning("data.dev: has the posts of data.train, so no epoch's score says what the model is worth")
    splits |= read_tasks(config, root, views, needs)
    for key in sorted(config.data.tasks.keys() - {task.data for task in needs.tasks}):
        why = "teachers.models names no teacher" if key == UNLABELLED.data else f'no task of "{config.model.name}"'
        _LOG.warning("data.tasks.%s: not read: %s", key, why)
    for split in splits.values() if needs.context else ():
        check_covered(config, split)
    train = splits["train"]
    types = Counter(span.label for post in train.posts for span in post.spans or ())
    if not types:
        raise DataError(f"{train.path}: no post has an entity; training needs labelled posts")
    if needs.context:
        check_read(config, train)
    check_pictured(config, train, needs)
    for task in own.tasks:
        check_pictured(config, splits[task.data], needs, task.example)
    scored = Counter(span.label for post in splits["dev"].posts for span in post.spans or ())
    for message in tags.similar_types(types + scored):
        _LOG.warning("%s: %s", train.path, message)
    for label in sorted(scored.keys() - types.keys()):
        _LOG.warning(
            "%s: %d of its entities are %s, a type that no training post has: the model cannot predict them",
            splits["dev"].path,
            scored[label],
            label,
        )
    labels = tags.bioes_labels(types, padded=config.model.subtoken_labels == "pad")
    folders = [_find_encoder(name, config).folder for name in needs.encoders]
    weights = _digest(sha256(path) for folder in folders for path in sorted(folder.glob("*.safetensors")))
    teachers = find_teachers(config, root, splits, labels) if config.teachers.models else ()
    place = config.model.init
    init = None if place is None else source_model("model.init", place, config, root)
    return Job(config, files, views, splits, labels, weights, needs, teachers, init)


def _find_encoder(name: str, config: Config) -> EncoderFiles:
    """An encoder that a model needs; where an option names one that is not here, the message says so."""
    try:
        return encoders.find(name)
    except ModelError:
        option = next((f"model.options.{key}" for key, value in config.model.options.items() if value == name), None)
        folder = Path(name).expanduser()
        if option is None or folder.is_dir():
            raise
        raise ModelError(
            f"{option}: no folder {folder.absolute()}; make one of the published checkpoint (mner encoder import "
            f'CHECKPOINT --out FOLDER) and set {option} = "FOLDER"'
        ) from None


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def training_split(job: Job) -> Split:
    """The training posts that have words, with both views and gold label ids."""
    part = _with_words(job.splits["train"])
    return Split(part.posts, part.encoded, gold_ids(part.posts, job.labels, part.encoded["T"]), job.needs.arrays)


def task_splits(job: Job) -> dict[Task, Split]:
    """The posts that have words of each further task, with both views and targets."""
    parts = {task: _with_words(job.splits[task.data]) for task in job.needs.tasks}
    return {
        task: Split(part.posts, part.encoded, part.targets[task.target], job.needs.arrays)
        for task, part in parts.items()
    }


def beliefs_of(
    job: Job,
    root: Path,
    folder: Path,
    views: Sequence[ViewName],
    watch: Callable[[str], None],
    *,
    device: str = "cpu",
    bf16: bool = False,
) -> dict[str, dict[ViewName, list[np.ndarray]]]:
    """What the teachers believe of the training posts and, under the task's name, of those without labels.

    They read on ``device``, in bfloat16 if ``bf16``.
    """
    parts = {"train": "train"} | {task.name: task.data for task in job.needs.tasks if task == UNLABELLED}
    return {
        name: beliefs(job.teachers, job.splits[key], job.config, root, folder, views, watch, device=device, bf16=bf16)
        for name, key in parts.items()
    }


def _with_words(split: ViewSplit) -> ViewSplit:
    numbers = [number for number, post in enumerate(split.posts) if post.words]
    return replace(
        split,
        posts=[split.posts[number] for number in numbers],
        encoded={view: [encoded[number] for number in numbers] for view, encoded in split.encoded.items()},
        targets={key: target[numbers] for key, target in split.targets.items()},
    )
