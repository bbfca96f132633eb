"""The record of a search -> lines of text: what was tried, on which terms, and what each trial scored on dev."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mner.config.space import Values
from mner.show.display import signed


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
