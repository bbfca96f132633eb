"""Charts: points stand where their numbers say, and their text is escaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mner.analysis.parts.report import Bars, Lines, Point
from mner.show.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, names, svg, ticks

EVIL = "</svg><script>alert(1)</script>"


@pytest.fixture
def lines() -> Lines:
    each = (Point(0, 70.0, "k=0"), Point(1, 72.0, "k=1", spread=1.0), Point(2, 74.0, "k=2", marked=True))
    return Lines("F1", "captions", "F1", (("row", each), (EVIL, (Point(0, 71.0, EVIL),))))


def test_points_stand_where_their_numbers_say(lines: Lines, parse: Callable[[str], Any]) -> None:
    dots = parse(svg(lines)).attributes_of("circle")
    across = [float(dot["cx"]) for dot in dots[:3]]
    assert across == [LEFT, LEFT + (WIDTH - LEFT - RIGHT) / 2, WIDTH - RIGHT]
    assert [float(dot["cy"]) for dot in dots[:3]] == pytest.approx(
        [HEIGHT - BOTTOM, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) / 2, TOP]
    )
    assert [dot["class"] for dot in dots[:3]] == ["dot", "dot", "dot marked"]


def test_spread_is_drawn_to_both_sides(lines: Lines, parse: Callable[[str], Any]) -> None:
    (spread,) = [line for line in parse(svg(lines)).attributes_of("line") if line["class"] == "spread"]
    middle = (float(spread["y1"]) + float(spread["y2"])) / 2
    assert middle == pytest.approx(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) / 2)
    assert float(spread["y1"]) > float(spread["y2"])


def test_ticks_are_round_and_hold_all_points(lines: Lines, parse: Callable[[str], Any]) -> None:
    shown = [text for path, text in parse(svg(lines)).texts if path and path[-1] == "text.tick"]
    assert "70" in shown and "74" in shown
    assert ticks(0.0, 1.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(5.0, 5.0)[0] <= 5.0 < ticks(5.0, 5.0)[-1]
    assert ticks(-0.3, 2.1)[0] <= -0.3 and ticks(-0.3, 2.1)[-1] >= 2.1


def test_nothing_told_becomes_markup(lines: Lines, parse: Callable[[str], Any]) -> None:
    page = parse(svg(lines))
    assert page.attributes_of("script") == []
    assert EVIL in page.text("title")
    assert [name for name, _ in names(lines)] == ["row", EVIL]


def test_bars_start_at_zero_and_end_at_their_value(parse: Callable[[str], Any]) -> None:
    chart = Bars("gain", "points", ("P", "R"), (("LOC", (2.0, -1.0)), ("PER", (None, 4.0))))
    page = parse(svg(chart))
    bars = page.attributes_of("rect")
    (zero,) = [float(line["x1"]) for line in page.attributes_of("line") if line["class"] == "zero"]
    right, left, longest = bars
    assert float(right["x"]) == float(longest["x"]) == zero
    assert float(left["x"]) + float(left["width"]) == pytest.approx(zero)
    assert float(longest["width"]) == pytest.approx(2 * float(right["width"]), abs=0.2)
    assert float(right["width"]) == pytest.approx(2 * float(left["width"]), abs=0.2)
    assert [text for path, text in page.texts if path and path[-1] == "text.group"] == ["LOC", "PER"]
    assert "LOC, R: \u22121.00" in page.text("title")
