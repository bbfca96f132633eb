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
from mner.training.run import Event, Watch, train

MOST = 1000
"""Most seeds of a row that one call trains."""


def parse_seeds(told: str) -> tuple[int, ...]:
    """The seeds that a text names: a number is how many, from 1; numbers with commas are the seeds themselves.

    Raises:
        ConfigError: It is neither, or names a seed twice.

    >>> parse_seeds("3"), parse_seeds("3,7"), parse_seeds("7,")
    ((1, 2, 3), (3, 7), (7,))
    """
    parts = [part.strip() for part in told.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise ConfigError(f'seeds "{told}": expected how many, such as 5, or which, such as 3,7 (one alone: "7,")')
    if any(len(part) > 10 or int(part) >= 2**32 for part in parts) or ("," not in told and int(parts[0]) > MOST):
        raise ConfigError(f"seeds: expected at most {MOST:,} of them, each below {2**32:,}")
    seeds = tuple(int(part) for part in parts)
    if "," not in told:
        seeds = tuple(range(1, seeds[0] + 1))
    if not seeds or len(set(seeds)) < len(seeds):
        raise ConfigError(f'seeds "{told}": expected at least one seed, and each once')
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
    """Train a row with each seed; the run directories, ``out/<data.name>/<name>/<seed>``.

    The same call continues where an earlier one was cut off: finished seeds are skipped, the one under way goes on
    from its last checkpoint. An interrupt ends the whole call and keeps what is done.

    Args:
        config: The resolved configuration; its own seed has no part in this.
        seeds: The seeds, in the order they are trained.
        root: Folder that the paths of [data] are relative to.
        out: Folder of runs.
        results: Folder that receives each run's record as that run ends; None for none.
        resume: Fail at a seed that has no run to continue.
        restart: Throw earlier runs of these seeds away.
        force: Write into folders of these names that hold something else than a run.
        watch: Called with each event; one of kind "seed" says what becomes of a seed.

    Raises:
        MnerError: ``results`` holds a record that is scored on test, of another run than the one that stands in
            ``out``; nothing is trained then.
        DataError: A seed's folder holds something else than a run, or another process trains it.
        DataError, ModelError, MnerError: As ``train`` does, at the seed that meets it; earlier seeds are kept.
    """
    if results is not None:
        for seed in seeds:
            run = out / config.data.name / config.name / str(seed)
            _keep_scored(_record(results, config, seed), run, restart=restart)
    folders = []
    for number, seed in enumerate(seeds, start=1):
        one = config.model_copy(update={"seed": seed})
        folder = out / config.data.name / config.name / str(seed)
        place = f"seed {seed}" + (f", {number} of {len(seeds)}" if len(seeds) > 1 else "")
        check_folder(folder, RUN, force=force)
        announce = partial(_announce, watch, place)
        folders.append(
            train(
                one, root=root, out=out, resume=resume, restart=restart, set_aside=True, watch=watch, announce=announce
            )
        )
        if results is not None:
            write_text(_record(results, config, seed), (folders[-1] / "record.json").read_text(encoding="utf-8"))
    return folders


def _announce(watch: Watch, place: str, told: str) -> None:
    watch(Event("seed", 0, 0, f"{place}: {told}"))


def _record(results: Path, config: Config, seed: int) -> Path:
    """Where a run's record is committed."""
    return results / config.data.name / config.name / f"{seed}.json"


def _keep_scored(record: Path, run: Path, *, restart: bool) -> None:
    """Refuse to train what would replace a record that is scored on test, which is done once.

    Raises:
        MnerError: The record is scored, and its run is not the one in ``run``, or that is to be thrown away.
    """
    if not record.exists():
        return
    scored = read_record(record)
    finished = run / "record.json"
    if scored.test is None or (not restart and finished.exists() and read_record(finished).model == scored.model):
        return
    raise MnerError(
        f"{record}: scored on test, and its run is not in {run} any more or would be thrown away; training it again "
        "would replace that score. Take another seed, another name (--set name=...) or another --results"
    )
