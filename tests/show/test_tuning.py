"""Searches on record: which rows have their best settings, and what is said of them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mner import config as configs
from mner.errors import DataError
from mner.runs.experiments import Experiment, joined
from mner.runs.record import RunRecord
from mner.runs.searches import Search, read_searches
from mner.runs.settings import settings_that_differ
from mner.show.tables import Part
from mner.show.tuning import search_lines, settings_from, trials_behind, tuning
from tests import records
from tests.records import Make

START = {"training": {"epochs": 2, "encoder_lr": 0.1}, "context": {"budget": {"captions": 64}}}
ROOT = Path(__file__).resolve().parents[2]
TUNED_ROWS = sorted((ROOT / "lab" / "tuned").glob("*/*.toml"))


def dev(f1: str) -> dict[str, Any]:
    return {view: {"f1": float(f1), "signature": f"f1={f1} view={view}"} for view in ("T", "I+T")}


def search(best: int | None = 2, **changes: Any) -> Search:
    return Search.model_validate(table(best, **changes))


def table(best: int | None = 2, **changes: Any) -> dict[str, Any]:
    trials = [
        {"settings": {}, "score": 70.0, "dev": dev("70.00")},
        {"settings": {"training.encoder_lr": 0.3, "loss.weight_it": 0.25}, "score": 72.5, "dev": dev("72.50")},
    ]
    facts = {"config": START, "trials_asked": 12, "best": best, "seconds": 600.0}
    return records.search("ita", trials, **{**facts, **changes})


@pytest.fixture
def row_with(make_record: Make) -> Callable[..., Experiment]:
    """A function that makes a row of a name with some configuration."""
    result = {"T": [[], [], [], []], "I+T": [[], [], [], []]}

    def make(name: str, *, rate: float, budget: int = 64, weight: float | None = None, **training: Any) -> Experiment:
        record = make_record(name, 1, result, decode="constrained")
        record["config"] |= {"name": name, "training": {"epochs": 2, "encoder_lr": rate, **training}}
        record["config"]["context"] = {"budget": {"captions": budget}}
        record["config"]["loss"] |= {} if weight is None else {"weight_it": weight}
        return joined([(Path("1.json"), RunRecord.model_validate(record))])

    return make


def test_only_a_row_with_the_best_settings_is_tuned(row_with: Callable[..., Experiment]) -> None:
    tuned = row_with("ita-tuned", rate=0.3, weight=0.25)
    assert trials_behind(tuned, [search()]) == 2
    assert trials_behind(row_with("ita", rate=0.3, weight=0.25), [search()]) == 2
    others = [
        row_with("ita-tuned", rate=0.1, weight=0.25),
        row_with("ita-tuned", rate=0.3),
        row_with("ita-tuned", rate=0.3, weight=0.25, budget=32),
        row_with("text-tuned", rate=0.3, weight=0.25),
        row_with("ita-tuned", rate=0.3, weight=0.25, warmup=0.1),  # which the search did not try
    ]
    assert [trials_behind(row, [search()]) for row in others] == [0, 0, 0, 0, 0]
    assert trials_behind(tuned, [search(data="other")]) == 0, "the search of another data set"
    assert trials_behind(tuned, []) == trials_behind(tuned, [search(best=None)]) == 0
    assert trials_behind(row_with("ita", rate=0.1), [search(best=1)]) == 2, "the configuration as it is was the best"


def test_settings_are_told_by_the_search_they_are_from(row_with: Callable[..., Experiment]) -> None:
    rows = [
        row_with("ita-tuned", rate=0.3, weight=0.25),
        row_with("ita-empty-tuned", rate=0.3, weight=0.25, budget=32),
        row_with("ita", rate=0.1),
        row_with("ita-tuned", rate=0.1, weight=0.1),
    ]
    shown = [settings_from(row, [search()]) for row in rows]
    assert shown == ["own search, 2 trials", "search of ita", "as configured", "as configured"]
    assert settings_from(row_with("ita-tuned", rate=0.3, weight=0.25), [search(data="other")]) == "search of other/ita"
    three = search()
    three.trials[1].settings["training.epochs"] = 2
    other_rate = row_with("ita-mpnet-tuned", rate=0.05, weight=0.25)
    assert settings_from(other_rate, [three]) == "search of ita except training.encoder_lr"


def test_settings_are_from_the_nearest_search_that_changed_any(row_with: Callable[..., Experiment]) -> None:
    other = search(config=START | {"model": {"name": "umt"}}).model_copy(update={"name": "a-system"})
    as_it_is = search(best=1).model_copy(update={"name": "a-system"})
    control = row_with("ita-empty-tuned", rate=0.3, weight=0.25, budget=32)
    assert settings_from(control, [other, search(), as_it_is]) == "search of ita"
    assert settings_from(control, [as_it_is]) == "as configured"


def test_trials_trained_again_stand_beside_the_search(row_with: Callable[..., Experiment]) -> None:
    row = row_with("ita-tuned", rate=0.3, weight=0.25)
    (part,) = tuning([search(config=START | {"seed": 1})], "tiny", {row.name: row})
    assert part.notes == (
        "ita, best: 72.50 in the search, 0.00 as ita-tuned, seed 1, trained again with the same settings",
    )
    (part,) = tuning([search(config=START | {"seed": 2})], "tiny", {row.name: row})
    assert part.notes == (), "another seed"


@pytest.mark.parametrize("path", TUNED_ROWS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_tuned_rows_have_the_best_settings_on_record(path: Path, make_record: Make) -> None:
    config, data, row = configs.load(path), path.parent.name, path.stem
    assert (config.data.name, config.name) == (data, f"{row}-tuned")
    searches = [each for each in read_searches(ROOT / "lab" / "results") if (each.data, each.name) == (data, row)]
    first = path.parents[1] / "twitter15" / path.name
    if not searches and data != "twitter15":  # nothing was searched on these data: the settings found on Twitter-15
        ours, theirs = (each.model_dump(mode="json", exclude={"data"}) for each in (config, configs.load(first)))
        idle = {"loss.temperature"} if config.loss.cva == "none" else ()  # the bases differ where it has no effect
        assert settings_that_differ(ours, theirs, but=idle) == []
        return
    if not searches:  # a control, or another encoder: it builds on the tuned row whose settings it takes
        base = tomllib.loads(path.read_text())["base"]
        built_on = base if isinstance(base, str) else base[0]
        assert (path.parent / built_on).resolve() in TUNED_ROWS
        return
    identity = config.identity.model_dump()
    record = make_record(config.name, 1, {"T": [[]] * 4, "I+T": [[]] * 4}, data=data, identity=identity)
    record["config"] = config.model_dump(mode="json", exclude_none=True)
    assert trials_behind(joined([(path, RunRecord.model_validate(record))]), searches) == searches[0].trials_done > 0


def test_searches_are_read_and_told(tmp_path: Path) -> None:
    folder = records.write_search(tmp_path, table()).parent
    result = read_searches(tmp_path)
    (part,) = tuning(result, "tiny", {})
    assert isinstance(part, Part) and part.table is not None
    assert part.table.rows == (("ita", "tiny", "T and I+T", "2 of 12", "72.50", "70.00", "10"),)
    two, each = "ita, trial 2", "ita, trial 1"
    best = ((two, "f1=72.50 view=T"), (two, "f1=72.50 view=I+T"))
    assert part.signatures == (*best, (each, "f1=70.00 view=T"), (each, "f1=70.00 view=I+T"))
    (part,) = tuning([search(best=1, judged_on={"views": ["T"]})], "tiny", {})
    assert part.signatures == ((each, "f1=70.00 view=T"),)
    assert list(tuning(result, "other", {})) == []
    (folder / "text.json").write_text("{}")
    with pytest.raises(
        DataError, match=r"text\.json: not .* a search \(it lacks 'data'\); restore it from version control"
    ):
        read_searches(tmp_path)
    assert read_searches(tmp_path / "nowhere") == []


@pytest.mark.parametrize(("score", "cell", "said"), [(0.0, "0.00", "0.00"), (None, "-", "no score")])
def test_first_trial_that_learned_nothing_or_diverged(
    score: float | None, cell: str, said: str, row_with: Callable[..., Experiment]
) -> None:
    first = {"settings": {}, "score": score, "dev": {}}
    facts = table(config={"seed": 1, **START})
    result = Search.model_validate({**facts, "trials": [first, *facts["trials"][1:]]})
    ita = row_with("ita", rate=0.1)
    (part,) = tuning([result], "tiny", {"ita": ita})
    assert part.table is not None and part.table.rows[0][4:6] == ("72.50", cell)
    assert part.notes == (
        f"ita, as configured: {said} in the search, 0.00 as ita, seed 1, trained again with the same settings",
    )


SIGNATURE = "f1=70.00 view=T scheme=iob2-repaired match=exact decode=constrained data=mine/dev@3f2a9c seeds=1 mner=0.1"


def trial(number: int, state: str, score: float | None, **settings: float) -> dict[str, Any]:
    scored = {"T": {"f1": score, "signature": SIGNATURE}, "I+T": {"f1": score, "signature": "view=I+T"}}
    return {
        "trial": number,
        "state": state,
        "score": score,
        "settings": settings,
        "epochs": {"planned": 4, "scores": [] if score is None else [score], "best": 1},
        "dev": {} if score is None else scored,
        "seconds": 90.0,
    }


def record(*trials: dict[str, Any], best: int | None) -> dict[str, Any]:
    facts = {
        "data": "mine",
        "seed": 7,
        "space": {"training.encoder_lr": {"low": 1e-5, "high": 1e-3, "log": True}},
        "space_fingerprint": "0123456789ab",
        "sampler": {"name": "TPE", "seed": 7, "random_trials": 5},
        "pruning": {"rule": "median", "after_whole_trials": 4},
        "judged_on": {"split": "dev", "views": ["T"], "score": "mean micro F1 of the views"},
        "trials_asked": 3,
        "best": best,
        "machine": {"cpu": "A CPU", "cores": 2, "flags": ["avx2"]},
    }
    return records.search("text", list(trials), **facts)


def test_lines_tell_terms_and_trials() -> None:
    rows = [
        trial(1, "whole", 70.0),
        trial(2, "diverged", None, **{"training.encoder_lr": 1e-3}),
        trial(3, "whole", 70.5),
    ]
    text = "\n".join(search_lines(record(*rows, best=3)))
    assert "mine/text: 3 of 3 trials" in text and "seed 7" in text and "machine: A CPU, 2 cores, avx2" in text
    assert "space 0123456789ab: training.encoder_lr 1e-05..0.001 log" in text
    assert text.count(SIGNATURE) == 2 and "view=I+T" not in text
    assert "diverged       -     0/4      1.5  training.encoder_lr 0.001" in text
    assert text.endswith("best: trial 3, 70.50, +0.50 over the configuration as it is")


def test_lines_of_a_search_without_a_score() -> None:
    assert list(search_lines(record(trial(1, "diverged", None), best=None)))[-1] == (
        "no trial came to its end with a score"
    )
