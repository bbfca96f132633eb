"""Records of searches -> the trials behind an experiment's settings, what each search tried, scored and cost."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mner.config.space import Values
from mner.runs import Experiment
from mner.runs.searches import Search, Trial, setting
from mner.runs.settings import settings_that_differ
from mner.show.display import signed
from mner.show.tables import Part, TextTable


def trials_behind(experiment: Experiment, searches: Sequence[Search]) -> int:
    """The trials of the experiment's own search, if it was trained with the best settings of that; else 0.

    Its own is the search of this experiment on these data; the two may differ in nothing but the name.
    """
    for search in searches:
        best = search.best_trial
        if best is None or not search.is_of(experiment.data, experiment.identity):
            continue
        if not settings_that_differ(search.configured(best), experiment.records[0].config, but={"name"}):
            return search.trials_done
    return 0


def settings_from(experiment: Experiment, searches: Sequence[Search]) -> str:
    """Where an experiment's settings come from, in words: its own search, another's, or only its configuration.

    A tuned experiment may keep some settings of its own; these are named. Of several searches with these settings, the
    nearest in all others counts. A search whose best trial is its configuration as it is has changed none.
    """
    if trials := trials_behind(experiment, searches):
        return f"own search, {trials} trials"
    sources: list[tuple[int, int, str]] = []
    config = experiment.records[0].config
    for search in searches:
        best = search.best_trial
        if best is None or not (settings := best.settings):
            continue
        own = [key for key, value in settings.items() if setting(config, key) not in (value, None)]
        whose = search.name if search.data == experiment.data else f"{search.data}/{search.name}"
        but = f" except {', '.join(own)}" if own else ""
        if not own or (experiment.identity.tuned and 2 * len(own) < len(settings)):
            apart = settings_that_differ(search.configured(best), config, but={"name"})
            sources.append((len(own), len(apart), f"search of {whose}{but}"))
    return min(sources, default=(0, 0, "as configured"))[-1]


def tuning(searches: Sequence[Search], data: str, experiments: Mapping[str, Experiment]) -> Iterator[Part]:
    """One part for the searches of a data set; empty without a search. ``experiments`` are those of the data set."""
    chosen = [search for search in searches if search.data == data]
    rows = tuple(
        (
            search.name,
            search.encoder.name,
            " and ".join(search.judged_on.views),
            f"{search.trials_done} of {search.trials_asked}",
            _score(search.best_trial),
            _score(search.trials[0] if search.trials else None),
            f"{search.seconds / 60:.0f}",
        )
        for search in chosen
    )
    if rows:
        heads = ("experiment", "encoder", "judged on", "trials", "best dev F1", "as configured", "minutes")
        about = (
            "Searches of settings by `mner tune`, whose records are in `results/tune/`. Dev was used for choosing, "
            "so these scores are no results."
        )
        signatures = tuple(pair for search in chosen for pair in _signatures(search))
        notes = tuple(note for search in chosen for note in _trained_again(search, experiments.values()))
        yield Part("Tuning", about, TextTable(heads, rows, texts=3), notes=notes, signatures=signatures)


def _score(trial: Trial | None) -> str:
    """The score of a trial; "-" where there is none, as of one that diverged."""
    return "-" if trial is None or trial.score is None else f"{trial.score:.2f}"


def _trained_again(search: Search, experiments: Iterable[Experiment]) -> Iterator[str]:
    """What the first and the best trial scored when their settings and seed were trained again, outside the search.

    Machines, number formats and the order of sums differ: such a difference is no gain.
    """
    for what, trial in _first_and_best(search):
        config = search.configured(trial)
        for experiment in experiments:
            for record in experiment.records:
                if record.seed == config.get("seed") and not settings_that_differ(config, record.config, but={"name"}):
                    f1 = statistics.fmean(record.dev[view].micro.f1 for view in search.judged_on.views)
                    searched = "no score" if trial.score is None else _score(trial)
                    yield (
                        f"{search.name}, {what}: {searched} in the search, {f1:.2f} as {experiment.name}, seed "
                        f"{record.seed}, trained again with the same settings"
                    )


def _first_and_best(search: Search) -> Iterator[tuple[str, Trial]]:
    """The trial with the settings as configured, then the best one if it is another."""
    if search.trials:
        yield "best" if search.best == 1 else "as configured", search.trials[0]
    if search.best_trial is not None and search.best != 1:
        yield "best", search.best_trial


def _signatures(search: Search) -> Iterator[tuple[str, str]]:
    """Of the scores that are shown: those of the best trial, then of the first, which is the configuration as it is."""
    for number in dict.fromkeys(number for number in (search.best, 1) if number and search.trials):
        dev = search.trials[number - 1].dev
        for view in search.judged_on.views:
            if view in dev:
                yield f"{search.name}, trial {number}", dev[view].signature


def search_lines(record: Mapping[str, Any]) -> Iterator[str]:
    """The terms of a search, then each trial with the signatures of its dev scores, then the best."""
    judged, machine, sampler = record["judged_on"]["views"], record["machine"], record["sampler"]
    counted = " and ".join(judged)
    yield f"{record['data']}/{record['row']}: {record['trials_done']} of {record['trials_asked']} trials"
    yield f"score: dev F1 of view {counted}{', their mean' if len(judged) > 1 else ''}; dev was used for choosing"
    learns = f"{sampler['name']} from trial {sampler['random_trials'] + 1} on, at random before"
    yield f"seed {record['seed']}; sampler: {learns}"
    yield f"pruning: {record['pruning']['rule']}, from {record['pruning']['after_whole_trials']} whole trials on"
    yield f"space {record['space_fingerprint']}: " + "; ".join(
        f"{key} {Values.model_validate(values)}" for key, values in record["space"].items()
    )
    yield f"machine: {machine['cpu']}, {machine['cores']} cores, {' '.join(machine['flags'])}"
    yield ""
    yield f"{'trial':>5}  {'state':<8}  {'score':>6}  {'epochs':>6}  {'minutes':>7}  settings"
    for row in record["trials"]:
        yield from _trial(row, judged)
    yield ""
    if record["best"] is None:
        yield "no trial came to its end with a score"
        return
    first, best = record["trials"][0], record["trials"][record["best"] - 1]
    gain = (
        "" if first["score"] is None else f", {signed(best['score'] - first['score'])} over the configuration as it is"
    )
    yield f"best: trial {best['trial']}, {best['score']:.2f}{gain}"


def _trial(row: Mapping[str, Any], judged: list[str]) -> Iterator[str]:
    score = "-" if row["score"] is None else f"{row['score']:.2f}"
    epochs = f"{len(row['epochs']['scores'])}/{row['epochs']['planned']}"
    settings = ", ".join(f"{key} {value:g}" for key, value in row["settings"].items()) or "as configured"
    yield f"{row['trial']:>5}  {row['state']:<8}  {score:>6}  {epochs:>6}  {row['seconds'] / 60:7.1f}  {settings}"
    for view in judged:
        if view in row["dev"]:
            yield f"{'':7}{row['dev'][view]['signature']}"
