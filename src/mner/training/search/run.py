"""A configuration -> trials of other settings, each trained and scored on dev; the best becomes a configuration."""

from __future__ import annotations

import hashlib
import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import Trial, TrialState

from mner import config as configs
from mner.config import Config
from mner.config.space import Number, Space, Values
from mner.errors import DivergedError
from mner.evaluation.views import signed_scores
from mner.files import write_json, write_text
from mner.overwrite import SEARCH, check_folder
from mner.runs import read_record
from mner.runs.searches import SEARCHES
from mner.training.interrupts import deferred
from mner.training.job import Job, prepare
from mner.training.run import Event, train
from mner.training.search import defaults, resume, study
from mner.training.search.record import made_here, run_name, search_record
from mner.types import ViewName

JOURNAL, RUNS, BEST = "trials.jsonl", "runs", "best.toml"
"""The contents of a search's folder: optuna's journal, the runs of its trials, the best trial's configuration."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A search's record, its file, and the best trial's configuration and run.

    Both are missing (None) before a trial is whole, and the run also if it was lost with an earlier folder.
    """

    record: Mapping[str, Any]
    record_path: Path
    row: Path | None
    run: Path | None


@dataclass(frozen=True, slots=True)
class Search:
    """What stays the same from trial to trial; ``start`` holds the configuration's own values."""

    job: Job
    root: Path
    folder: Path
    space: Mapping[str, Values]
    start: Mapping[str, Number]
    judged: Sequence[ViewName]


class _GivenUp(Exception):  # noqa: N818 (no error: it takes a trial out of its training)
    """A trial that will not be among the better ones."""


def tune(
    config: Config,
    *,
    base: Path,
    root: Path,
    out: Path,
    results: Path,
    trials: int = 12,
    space: Space | None = None,
    epochs_max: int | None = None,
    judged: Sequence[ViewName] | None = None,
    restart: bool = False,
    force: bool = False,
    watch: Callable[[Event], None] = lambda event: None,
) -> Tuned:
    """Search a configuration's settings: train trials one after the other, score each on dev, keep the best.

    The first trial is the configuration as it is. A trial's score is the mean of the judged views' dev F1 at the
    epoch that training kept; a trial that lags is given up early (``study.hopeless``), one whose loss diverges
    counts as a trial without a score. The same call continues an interrupted search; the trial that was cut off
    goes on from its checkpoint. Where the search's folder is gone, its record suffices: the trials that ended are
    taken from it, the one that was cut off begins again. A larger ``trials`` adds to a search that is over. Test
    splits are never opened.

    Args:
        config: The configuration of the first trial.
        base: The file that the best trial's configuration builds on; ``config`` adds to what it says.
        root: Folder that the paths of [data] are relative to (``config.root_folder``).
        out: Folder of searches; this one is in ``out/<data.name>/<name>``.
        results: Folder whose ``tune/<data.name>/<name>.json`` receives the record as trials end.
        trials: Trials in all, those of earlier calls included.
        space: Laid over the default search space (``defaults.searched``).
        epochs_max: Most epochs of a trial; None: twice the configuration's.
        judged: Views whose dev F1 is averaged; None: the views that are trained.
        restart: Delete an earlier search and its record.
        force: Write into a folder of that name that holds something other than a search.
        watch: Called with the events of each trial's training, and with kind "trial" as trials begin and end.

    Raises:
        ConfigError: The search space does not suit the configuration.
        DataError: A split is missing or faulty, the folder holds something else, or the record is damaged.
        ModelError: The encoder is missing.
        MnerError: There is another search with other settings, the record has more trials than the folder, or mner
            0.1 wrote the record and the folder is gone.
    """
    searched, left_out = defaults.searched(config, space, epochs_max=epochs_max)
    folder = out / config.data.name / config.name
    journal, record_path = folder / JOURNAL, results / SEARCHES / config.data.name / f"{config.name}.json"
    check_folder(folder, SEARCH, force=force)
    job = prepare(config, root)
    if left_out:
        watch(Event("trial", 0, trials, f"not searched, because they have no effect here: {', '.join(left_out)}"))
    views = tuple(judged or config.loss.views)
    search = Search(job, root, folder, searched, defaults.searchable(config), views)
    of_space = f"{defaults.fingerprint(searched)} {views}"
    fingerprints = [
        hashlib.sha256(f"{of_job} {of_space}".encode()).hexdigest()[:12] for of_job in job.fingerprints_of(config)
    ]
    recorded = None if restart else resume.recorded(record_path, fingerprints)
    with study.opened(journal, fingerprints, restart=restart) as trials_study:
        if recorded and resume.restore(
            trials_study, recorded, record_path, searched=searched, start=search.start, folder=folder
        ):
            done = len(recorded.trials)
            message = f"going on from {record_path}: {done} of {max(trials, done)} trials are done"
            watch(Event("trial", done, trials, message))
        if restart:
            shutil.rmtree(folder / RUNS, ignore_errors=True)
            (folder / BEST).unlink(missing_ok=True)

        def write() -> Tuned:
            record = search_record(trials_study, job, space=searched, start=search.start, judged=views, trials=trials)
            write_json(record_path, record)
            _sweep(search, record)
            return Tuned(record, record_path, *_write_best(search, base, record))

        tuned = write()
        while len(study.over(trials_study)) < trials:
            try:
                _trial(search, trials_study, trials, watch)
            finally:  # an interrupted trial is on record too
                with deferred():
                    tuned = write()
    return tuned


def _trial(search: Search, past: optuna.Study, trials: int, watch: Callable[[Event], None]) -> None:
    """Run the next trial to its end and write it into the study."""
    config = search.job.config
    trial = study.ask(past, search.space, search.start, seed=config.seed)
    over = study.over(past)
    number = len(over) + 1
    changed = study.settings(trial, search.start)
    tried = defaults.setting(config, changed, name=run_name(number))
    planned = tried.training.epochs
    title = f"trial {number} of {trials}"
    settings = ", ".join(f"{key} {value:g}" for key, value in changed.items()) or "the configuration as it is"
    watch(Event("trial", number, trials, f"{title}: {settings}"))
    ended = [each.user_attrs for each in over if each.state == TrialState.COMPLETE]
    whole = [(facts["scores"], facts["planned"]) for facts in ended]
    epochs: list[Mapping[str, Any]] = []
    scores: list[float] = []

    def see(event: Event) -> None:
        for epoch in event.epochs[len(epochs) :]:
            epochs.append(epoch)
            scores.append(_score({view: epoch["dev"][view]["micro"]["f1"] for view in search.judged}))
            trial.report(scores[-1], len(scores))
        if event.kind in {"step", "epoch"}:
            watch(event)
        if event.kind != "step" and len(scores) < planned and study.hopeless(scores, planned, whole):
            raise _GivenUp

    try:
        run = train(tried, root=search.root, out=search.folder / RUNS, watch=see)
    except KeyboardInterrupt:
        study.break_off(past, trial, "interrupted")
        raise
    except _GivenUp:
        with deferred():
            _keep(trial, search, tried, scores, _best_epoch(epochs, tried, search.job), epochs[-1]["seconds"])
            past.tell(trial, state=TrialState.PRUNED)
        watch(Event("trial", number, trials, f"{title}: given up after epoch {len(epochs)}"))
    except DivergedError as error:
        with deferred():
            trial.set_user_attr("diverged", str(error))
            _keep(trial, search, tried, scores, None, epochs[-1]["seconds"] if epochs else 0.0)
            past.tell(trial, state=TrialState.PRUNED)
        watch(Event("trial", number, trials, f"{title}: {error}"))
    else:
        record = read_record(run / "record.json")
        scores = [_score({view: epoch["dev"][view] for view in search.judged}) for epoch in record.epochs]
        dev = {view: scored.model_dump(mode="json", exclude_unset=True) for view, scored in record.dev.items()}
        best = {"epoch": record.best_epoch, "dev": dev}
        with deferred():
            score = _keep(trial, search, tried, scores, best, record.seconds)
            past.tell(trial, score)
        watch(Event("trial", number, trials, f"{title}: dev score {score:.2f}"))


def _score(f1: Mapping[ViewName, float]) -> float:
    return round(statistics.fmean(f1.values()), 4)


def _best_epoch(epochs: Sequence[Mapping[str, Any]], config: Config, job: Job) -> dict[str, Any]:
    """The epoch that training would have kept, each view's score with its signature."""
    best = max(epochs, key=lambda epoch: float(epoch["selected"]))
    stamp = job.splits["dev"].stamp
    dev = {view: signed_scores(config, "dev", view, scores, stamp) for view, scores in best["dev"].items()}
    return {"epoch": best["epoch"], "dev": dev}


def _keep(
    trial: Trial, search: Search, config: Config, scores: list[float], best: Mapping[str, Any] | None, seconds: float
) -> float:
    """Write a trial's facts into the study; the trial's score, 0 if it has none."""
    dev = {} if best is None else best["dev"]
    score = _score({view: dev[view]["micro"]["f1"] for view in search.judged}) if dev else None
    attributes = {
        "score": score,
        "scores": scores,
        "planned": config.training.epochs,
        "best_epoch": None if best is None else best["epoch"],
        "dev": {view: {"f1": row["micro"]["f1"], "signature": row["signature"]} for view, row in dev.items()},
        "seconds": seconds,
        "made": made_here(),
    }
    for name, value in attributes.items():
        trial.set_user_attr(name, value)
    return score or 0.0


def _sweep(search: Search, record: Mapping[str, Any]) -> None:
    """Remove the runs of all trials but the best and the one that comes next, which may have been cut off."""
    keep = {run_name(record["trials_done"] + 1), run_name(record["best"] or 0)}
    for folder in (search.folder / RUNS / search.job.config.data.name).glob("trial-*"):
        if folder.name not in keep:
            shutil.rmtree(folder)


def _write_best(search: Search, base: Path, record: Mapping[str, Any]) -> tuple[Path | None, Path | None]:
    if record["best"] is None:
        return None, None
    config, row = search.job.config, record["trials"][record["best"] - 1]
    path = search.folder / BEST
    best = defaults.setting(config, row["settings"], name=f"{config.name}-tuned")
    experiment = config.identity.experiment or config.name
    of = config.identity.model_copy(update={"experiment": experiment, "tuned": True})
    best = best.model_copy(update={"identity": of})
    about = [
        f"Written by mner tune: trial {row['trial']} of {record['trials_done']} on {config.data.name}, dev F1 "
        f"{row['score']:.2f} ({', '.join(search.judged)}), used for choosing."
    ]
    write_text(path, configs.row_toml(best, path, base=base, root=search.root, about=about))
    run = search.folder / RUNS / config.data.name / run_name(row["trial"]) / str(config.seed)
    return path, run if run.exists() else None
