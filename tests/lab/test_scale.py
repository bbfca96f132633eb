"""The plan follows from the unit costs; the page is current."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.scale import CORES, LINK, Costs, costs, page, plan

ROOT = Path(__file__).resolve().parents[2]
RECORD = json.loads((ROOT / "benchmarks" / "results" / "context_build.json").read_text(encoding="utf-8"))


def test_hours_fall_with_machines_and_grow_with_pictures() -> None:
    cost = Costs(work=0.5, row=1e-4, picture=2e5, line=2e3, store=3e3)
    each, two, more = plan(cost, 10**6, 1), plan(cost, 10**6, 2), plan(cost, 10**7, 1)
    assert each.core_hours == two.core_hours == pytest.approx(10**6 * 0.5 / 3600)
    assert each.hours == pytest.approx(2 * two.hours) == pytest.approx(more.hours / 10)
    assert each.hours == pytest.approx(each.core_hours / CORES)
    assert each.limit == two.limit


def test_slow_network_is_what_saturates() -> None:
    cost = Costs(work=0.01, row=1e-4, picture=LINK, line=1, store=1)
    assert plan(cost, 10, 1).first == "each machine's network"


def test_page_holds_the_figures_of_its_record() -> None:
    text = page(RECORD)
    assert f"{1 / costs(RECORD).work:.1f} pictures a second" in text
    assert "{" not in text
