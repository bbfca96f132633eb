"""The lines of a search say its terms and every trial, whatever became of it."""

from __future__ import annotations

from typing import Any

from mner.show.search import search_lines
from tests import records

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
