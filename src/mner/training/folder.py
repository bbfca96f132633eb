"""A run's directory: what stands in it, what becomes of that, and one process at a time that trains into it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mner import config as configs
from mner.config import Config
from mner.errors import MnerError, ModelError
from mner.files import relative, write_text
from mner.folders import LOCK, held, old_of, part_of
from mner.runs import read_record
from mner.runtime.saved import read_model, saved_config
from mner.tagger.opening import EXPORTED
from mner.training import checkpoint
from mner.training.job import Job

CHECKPOINT, RECORD, METRICS, SETTINGS = "checkpoint.safetensors", "record.json", "metrics.jsonl", "config.toml"
MODEL, FROZEN = "model", "frozen.json"

EARLIER = "earlier"
"""Folder beside an experiment's runs for those that were replaced by a run with other settings."""

OWN = (
    SETTINGS, RECORD, METRICS, MODEL, old_of(Path(MODEL)).name, part_of(Path(MODEL)).name, EXPORTED, FROZEN, CHECKPOINT,
)  # fmt: skip
"""All that mner writes into a run's directory; other files there are left alone."""

REMEDY = "choose another name (--set name=...) or another --out, or pass --restart"


def run_folder(config: Config, out: Path) -> Path:
    """The directory of a configuration's run."""
    return out / config.data.name / config.name / str(config.seed)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """A block in which no other run trains into a folder; of a run's own processes only the first one checks.

    Raises:
        DataError: Another process trains into it.
    """
    if os.environ.get("RANK", "0") != "0":
        yield
        return
    with held(folder, folder.with_name(f".{folder.name}{LOCK}")):
        yield


def is_finished(folder: Path) -> bool:
    """Whether a run directory holds a finished run, record and model.

    Raises:
        DataError: The record is damaged.
        MnerError: The record is there, but the model is missing or damaged.
    """
    if not (folder / RECORD).exists():
        return False
    read_record(folder / RECORD)
    check_model(folder, "is finished")
    return True


def check_model(folder: Path, standing: str) -> None:
    """Check that the best model of a run can be read.

    Raises:
        MnerError: It cannot.
    """
    try:
        read_model(folder / MODEL, allow_plugins=True)  # nothing that it names is imported here
    except ModelError as error:
        raise MnerError(
            f"{folder}: {standing}, but its best model cannot be read: {error}; copy model/ back, "
            "or delete the run and train it again: mner train CONFIG --restart"
        ) from error


def belongs(folder: Path, job: Job) -> bool:
    """Whether the run in a folder, finished or cut off, is the job's; device and threads do not matter.

    Raises:
        DataError, ModelError: Its record or its checkpoint is damaged.
    """
    if (folder / RECORD).exists():
        begun = read_record(folder / RECORD).fingerprint
    elif (folder / CHECKPOINT).exists():
        begun = checkpoint.fingerprint_of(folder / CHECKPOINT)
    else:
        return True
    if begun in job.fingerprints_of(job.config):
        return True
    try:
        before = saved_config(folder / SETTINGS, allow_plugins=True).training
    except ModelError:
        return False
    training = job.config.training.model_copy(update={"device": before.device, "threads": before.threads})
    return begun in job.fingerprints_of(job.config.model_copy(update={"training": training}))


def difference(folder: Path, config: Config) -> str:
    """How a configuration differs from the one of the run in a folder, in words."""
    try:
        before = saved_config(folder / SETTINGS, allow_plugins=True)
    except ModelError:
        return "other settings or data"
    changed = list(_changed(before.model_dump(mode="json"), config.model_dump(mode="json")))
    if changed:
        return f"other settings ({'; '.join(changed)})"
    return "other data or models" if config.model.init or config.teachers.models else "other data"


def _changed(before: Mapping[str, Any], now: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The differences of two tables, "training.epochs = 3 and 4"; ``data.root`` is not a setting."""
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _changed(old, new, f"{path}{key}.")
        elif old != new and f"{path}{key}" != "data.root":
            yield f"{path}{key} = {old} and {new}"


def refuse_other(folder: Path, job: Job) -> None:
    """Check that the run in a folder is the job's.

    Raises:
        MnerError: It has other settings or data.
    """
    if not belongs(folder, job):
        kind, begun = (MnerError, "finished") if (folder / RECORD).exists() else (ModelError, "interrupted")
        raise kind(
            f"{folder}: holds {'an' if kind is ModelError else 'a'} {begun} run with "
            f"{difference(folder, job.config)}; {REMEDY}"
        )


def make_room(folder: Path, job: Job, *, restart: bool) -> str:
    """Prepare a run's directory for training, and say what became of it.

    An interrupted run stays, to be continued; one with other settings or data is moved to ``earlier/``; with
    ``restart`` any run is deleted.

    Raises:
        MnerError: The run with other settings is frozen for its score on test, which is tied to its place.
    """
    used = any((folder / name).exists() for name in OWN)
    if restart and used:
        frozen = ", although it was frozen for its score on test" if (folder / FROZEN).exists() else ""
        _clear(folder)
        return f"{folder} is deleted{frozen}"
    if not belongs(folder, job):
        other = difference(folder, job.config)
        return f"{folder} held a run with {other}, which is now in {_set_aside(folder, other)}"
    if (folder / CHECKPOINT).exists():
        return f"{folder} was interrupted, continuing from its checkpoint"
    if used:
        _clear(folder)
        return f"{folder} was interrupted before its first checkpoint, starting again"
    return str(folder)


def _set_aside(folder: Path, other: str) -> Path:
    """Move a run to ``earlier/`` beside it; where it stands now."""
    if (folder / FROZEN).exists():
        raise MnerError(f"{folder}: holds a run with {other} that is frozen for its score on test; {REMEDY}")
    number = 1
    while (target := folder.parent / EARLIER / f"{folder.name}-{number}").exists():
        number += 1
    target.mkdir(parents=True)
    for name in OWN:
        if (folder / name).exists():
            (folder / name).rename(target / name)
    with suppress(ModelError):  # without readable settings nothing can be read of the run anyway
        config = saved_config(target / SETTINGS, allow_plugins=True)
        root = configs.root_folder(config.data, folder)  # they are still as seen from there
        write_text(target / SETTINGS, configs.dumps(seen_from(target, config, root)))
    return target


def _clear(folder: Path) -> None:
    for name in OWN:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def seen_from(folder: Path, config: Config, root: Path) -> Config:
    """The configuration with a plain data.root restated relative to the run's directory."""
    if config.data.root.startswith(("$", "mner:")):
        return config
    data = config.data.model_copy(update={"root": relative(root, folder)})
    return config.model_copy(update={"data": data})
