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
from mner.files import write_text
from mner.folders import LOCK, held
from mner.runs import read_record
from mner.runtime.saved import read_model, saved_config
from mner.tagger.opening import EXPORTED
from mner.training import checkpoint
from mner.training.job import Job

CHECKPOINT, RECORD, METRICS, SETTINGS = "checkpoint.safetensors", "record.json", "metrics.jsonl", "config.toml"
MODEL, FROZEN = "model", "frozen.json"

EARLIER = "earlier"
"""Folder beside a row's runs that keeps those that gave way to a run with other settings."""

OWN = (SETTINGS, RECORD, METRICS, MODEL, f"{MODEL}.old", f"{MODEL}.part", EXPORTED, FROZEN, CHECKPOINT)
"""All that mner writes into a run's directory; what else lies there is left alone."""


def run_folder(config: Config, out: Path) -> Path:
    """The directory of a configuration's run."""
    return out / config.data.name / config.name / str(config.seed)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """A block in which nothing else trains into a folder; of a run's own processes the first one sees to that.

    Raises:
        DataError: Another process does.
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
    """Nothing, if the best model of a run can be read.

    Raises:
        MnerError: It cannot.
    """
    try:
        read_model(folder / MODEL, allow_plugins=True)  # nothing that it names is imported here
    except ModelError as error:
        raise MnerError(
            f"{folder}: {standing}, but its best model cannot be read: {error}; copy model/ back (model.old, if that "
            "is there), or throw the run away and train it again: mner train CONFIG --restart"
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
    return begun in (job.fingerprint, *_elsewhere(folder, job))


def _elsewhere(folder: Path, job: Job) -> Iterator[str]:
    """The job's fingerprint on the device, and with the threads, that the folder's run began with."""
    try:
        begun = saved_config(folder / SETTINGS, allow_plugins=True).training
    except ModelError:
        return
    training = job.config.training.model_copy(update={"device": begun.device, "threads": begun.threads})
    yield job.fingerprint_of(job.config.model_copy(update={"training": training}))


def difference(folder: Path, config: Config) -> str:
    """What a configuration says otherwise than the one of the run in a folder, in words."""
    try:
        before = saved_config(folder / SETTINGS, allow_plugins=True)
    except ModelError:
        return "other settings or data"
    changed = list(_changed(before.model_dump(mode="json"), config.model_dump(mode="json")))
    return f"other settings ({'; '.join(changed)})" if changed else "other data"


def _changed(before: Mapping[str, Any], now: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """What two tables say otherwise, "training.epochs = 3 and 4"; where the data lie is no setting."""
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _changed(old, new, f"{path}{key}.")
        elif old != new and f"{path}{key}" != "data.root":
            yield f"{path}{key} = {old} and {new}"


def refuse_other(folder: Path, job: Job) -> None:
    """Nothing, if the run in a folder is the job's.

    Raises:
        MnerError: It has other settings or data.
    """
    if not belongs(folder, job):
        kind = MnerError if (folder / RECORD).exists() else ModelError
        begun = "a finished run" if kind is MnerError else "a run of another configuration or other data, cut off,"
        raise kind(
            f"{folder}: holds {begun} with {difference(folder, job.config)}; name this one otherwise "
            "(--set name=...), choose another --out, or pass --restart"
        )


def make_room(folder: Path, job: Job, *, restart: bool) -> str:
    """Ready a run's directory for training, and say what became of it.

    A run that was cut off stays, to be continued; one with other settings or data is moved to ``earlier/``; with
    ``restart`` any goes.

    Raises:
        MnerError: The run with other settings is frozen for its score on test, which is tied to its place.
    """
    if restart and any((folder / name).exists() for name in OWN):
        _clear(folder)
        return f"{folder} is thrown away"
    if not belongs(folder, job):
        other = difference(folder, job.config)
        return f"{folder} held a run with {other}, which is in {_set_aside(folder, other)} now"
    if (folder / CHECKPOINT).exists():
        return f"{folder} was cut off, continuing from its checkpoint"
    if any((folder / name).exists() for name in OWN):
        _clear(folder)
        return f"{folder} was cut off before its first checkpoint, starting again"
    return str(folder)


def _set_aside(folder: Path, other: str) -> Path:
    """Move a run to ``earlier/`` beside it; where it stands now."""
    if (folder / FROZEN).exists():
        raise MnerError(
            f"{folder}: holds a run with {other} that is frozen for its score on test; name this one otherwise "
            "(--set name=...), choose another --out, or pass --restart"
        )
    number = 1
    while (target := folder.parent / EARLIER / f"{folder.name}-{number}").exists():
        number += 1
    target.mkdir(parents=True)
    for name in OWN:
        if (folder / name).exists():
            (folder / name).rename(target / name)
    with suppress(ModelError):  # without readable settings it is no run that could be looked at anyway
        config = saved_config(target / SETTINGS, allow_plugins=True)
        root = configs.root_folder(config.data, folder)  # they are still as seen from there
        write_text(target / SETTINGS, configs.dumps(seen_from(target, config, root)))
    return target


def _clear(folder: Path) -> None:
    """Remove a run from its directory."""
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
    data = config.data.model_copy(update={"root": os.path.relpath(root, folder)})
    return config.model_copy(update={"data": data})


def must_resume(folder: Path) -> None:
    """Nothing, if there is a run to continue.

    Raises:
        MnerError: There is none.
    """
    if not ((folder / CHECKPOINT).exists() or (folder / RECORD).exists()):
        raise MnerError(f"{folder}: no run to resume; start it without --resume")
