"""One configuration, several seeds: trained one after the other, each in its own run directory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mner.config import Config
from mner.errors import ConfigError, MnerError
from mner.files import write_text
from mner.overwrite import RUN, check_folder
from mner.runs import read_record
from mner.training.folder import run_folder
from mner.training.run import Event, Watch, train

MOST = 1000
"""Most seeds that one call trains."""


def parse_seeds(text: str) -> tuple[int, ...]:
    """The seeds that a text names: a number is how many, from 1; numbers with commas are the seeds themselves.

    Raises:
        ConfigError: It is neither, or names a seed twice.

    >>> parse_seeds("3"), parse_seeds("3,7"), parse_seeds("7,")
    ((1, 2, 3), (3, 7), (7,))
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise ConfigError(f'seeds "{text}": expected how many, such as 5, or which, such as 3,7 (a single one: "7,")')
    if any(len(part) > 10 or int(part) >= 2**32 for part in parts) or ("," not in text and int(parts[0]) > MOST):
        raise ConfigError(f"seeds: expected at most {MOST:,} of them, each below {2**32:,}")
    seeds = tuple(int(part) for part in parts)
    if "," not in text:
        seeds = tuple(range(1, seeds[0] + 1))
    if not seeds or len(set(seeds)) < len(seeds):
        raise ConfigError(f'seeds "{text}": expected at least one seed, and each once')
    return seeds


def train_seeds(
    config: Config,
    seeds: Sequence[int],
    *,
    root: Path,
    out: Path,
    results: Path | None = None,
    resume: bool = False,
    restart: bool = False,
    force: bool = False,
    watch: Watch = lambda event: None,
) -> list[Path]:
    """Train a configuration with each seed; the run directories, ``out/<data.name>/<name>/<seed>``.

    The same call continues where an earlier one was cut off: finished seeds are skipped, the one under way goes on
    from its last checkpoint. An interrupt ends the whole call and keeps what is done.

    Args:
        config: The resolved configuration; its own seed is not used.
        seeds: The seeds, in the order they are trained.
        root: Folder that the paths of [data] are relative to.
        out: Folder of runs.
        results: Folder that receives each run's record as that run ends, unless the one that is there is of the same
            model and scored on test; None for none.
        resume: Fail at a seed that has no run to continue.
        restart: Delete earlier runs of these seeds.
        force: Write into folders of these names that hold something other than a run.
        watch: Called with each event; one of kind "seed" says what becomes of a seed.

    Raises:
        MnerError: ``results`` holds a record that is scored on test, of another run than the one in ``out``; nothing
            is trained then. Or settings or data have changed since, which shows when a run ends; that run is kept.
        DataError: A seed's folder holds something other than a run.
        DataError, ModelError, MnerError: As ``train`` does; earlier seeds are kept.
    """
    if results is not None:
        for seed in seeds:
            seeded = config.model_copy(update={"seed": seed})
            _keep_scored(_record(results, seeded), run_folder(seeded, out), restart=restart)
    folders = []
    for number, seed in enumerate(seeds, start=1):
        seeded = config.model_copy(update={"seed": seed})
        check_folder(run_folder(seeded, out), RUN, force=force)
        place = f"seed {seed}" + (f", {number} of {len(seeds)}" if len(seeds) > 1 else "")
        announce = partial(_announce, watch, place)
        runs = {"resume": resume, "restart": restart, "set_aside": True}
        folders.append(train(seeded, root=root, out=out, **runs, watch=watch, announce=announce))
        if results is not None:
            _commit(folders[-1], _record(results, seeded))
    return folders


def _announce(watch: Watch, place: str, message: str) -> None:
    watch(Event("seed", 0, 0, f"{place}: {message}"))


def _record(results: Path, config: Config) -> Path:
    return results / config.data.name / config.name / f"{config.seed}.json"


def _keep_scored(record: Path, run: Path, *, restart: bool) -> None:
    """Refuse to train what would replace a record that is scored on test, which is done once."""
    if not record.exists():
        return
    scored = read_record(record)
    finished = run / "record.json"
    if scored.test is None or (not restart and finished.exists() and read_record(finished).model == scored.model):
        return
    raise MnerError(
        f"{record}: scored on test, and its run is no longer in {run} or would be thrown away; training it again would "
        "replace that score. Choose another seed, another name (--set name=...) or another --results"
    )


def _commit(run: Path, record: Path) -> None:
    """Write a run's record into the results, unless a score on test there would be lost.

    Raises:
        MnerError: The record there is scored, and it is of another model.
    """
    if record.exists() and (scored := read_record(record)).test is not None:
        trained = read_record(run / "record.json")
        if trained.model != scored.model:
            raise MnerError(
                f"{record}: scored on test, and of another model ({scored.model}) than {run} ({trained.model}), whose "
                "record would replace that score and is not written. Train it under another name (--set name=...) or "
                "with another --results"
            )
        if trained.test is None:  # the same model, trained again
            return
    write_text(record, (run / "record.json").read_text(encoding="utf-8"))
