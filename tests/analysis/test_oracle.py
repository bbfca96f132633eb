"""The oracle's choice, against trying every choice there is, and its controls."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.analysis.oracle import best_f1, oracle
from mner.errors import DataError
from mner.runs import read_experiment
from mner.types import Span
from tests.records import GOLD, LESS, Commit, Make

OTHER = [[Span(0, 1, "PER")], [Span(0, 1, "LOC")], [Span(0, 2, "PER")], []]


@st.composite
def readings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Two readings of up to six posts with the same gold counts."""
    posts = draw(st.lists(st.integers(0, 3), min_size=1, max_size=6))
    sides = []
    for _ in range(2):
        rows = []
        for gold in posts:
            correct = draw(st.integers(0, gold))
            rows.append([correct, correct + draw(st.integers(0, 2)), gold])
        sides.append(np.array(rows))
    return sides[0], sides[1]


@given(readings())
def test_no_choice_is_better_and_one_is_as_good(both: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = both
    tried = []
    for chosen in product((0, 1), repeat=len(a)):
        correct, predicted, gold = sum(both[side][post] for post, side in enumerate(chosen))
        tried.append(200 * correct / max(predicted + gold, 1))
    assert best_f1(a, b) == pytest.approx(max(tried))


def test_views_rows_and_seeds_are_told_apart(make_record: Make, commit: Commit) -> None:
    for seed, result in ((1, LESS), (2, OTHER)):
        ita = commit(make_record("ita-ga-cva", seed, {"T": LESS, "I+T": result}))
        text = commit(make_record("text", seed, {"T": LESS, "I+T": GOLD}))
    result = oracle(read_experiment(ita), baseline=read_experiment(text), split="test")
    views, rows, ita_seeds, text_seeds = result.choices
    assert (views.what, views.a, views.b) == ("views", "tiny/ita-ga-cva I+T", "tiny/ita-ga-cva T")
    assert (rows.a, rows.b) == ("tiny/ita-ga-cva I+T", "tiny/text T")
    assert (ita_seeds.what, ita_seeds.a, text_seeds.b) == ("seeds", "tiny/ita-ga-cva I+T", "tiny/text T")
    # LESS: 2 of 4 with 3 predicted. OTHER: 1 of 4 with 3 predicted. Best of both: 3 of 4 with 3 predicted.
    assert rows.f1 == pytest.approx(((400 / 7 + 200 / 7) / 2, 400 / 7))
    assert rows.best.f1 == pytest.approx((400 / 7, 600 / 7))
    assert rows.gain == pytest.approx((400 / 7 + 600 / 7) / 2 - 400 / 7)
    assert ita_seeds.gain == pytest.approx(600 / 7 - 400 / 7)
    assert ita_seeds.best.f1 == pytest.approx((600 / 7,)) and ita_seeds.differ == 100.0
    assert (text_seeds.gain, text_seeds.differ) == (pytest.approx(0.0), 0.0)
    assert " view=oracle(ita-ga-cva/I+T|text/T) " in rows.best.signature and " seeds=2 " in rows.best.signature


def test_gain_of_seeds_does_not_depend_on_their_order(make_record: Make, commit: Commit) -> None:
    gains = []
    for name, results in (("a", (LESS, GOLD, OTHER)), ("b", (GOLD, OTHER, LESS)), ("c", (OTHER, GOLD, LESS))):
        for seed, result in enumerate(results, 1):
            row = commit(make_record(name, seed, {"T": result, "I+T": result}))
        *_, seeds = oracle(read_experiment(row), split="test").choices
        gains.append(seeds.gain)
    # With GOLD nothing is gained; LESS and OTHER gain 600 / 7 - 400 / 7.
    assert gains == pytest.approx([200 / 7 / 3] * 3)


def test_records_without_outcomes_are_refused(make_record: Make, commit: Commit) -> None:
    row = commit(make_record("ita-ga-cva", 1, {"T": LESS, "I+T": GOLD}))
    record = json.loads((row / "1.json").read_text())
    del record["outcomes"]["dev"]
    commit(record)
    with pytest.raises(DataError, match="not every record keeps what became of each dev post"):
        oracle(read_experiment(row))
    assert oracle(read_experiment(row), split="test").choices[0].gain >= 0


def test_one_run_of_one_view_has_no_choice(make_record: Make, commit: Commit) -> None:
    with pytest.raises(DataError, match="nothing to choose between; name a --baseline"):
        oracle(read_experiment(commit(make_record("text", 1, {"T": LESS, "I+T": GOLD}))))
