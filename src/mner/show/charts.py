"""Charts of a report -> SVG: lines over a scale, and bars to both sides of zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mner.analysis.parts.report import Bars, Lines
from mner.show.display import COLOURS, signed
from mner.show.environment import template

WIDTH, HEIGHT = 720.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 22.0, 14.0, 46.0
TITLE = 24.0
"""Pixels above a chart for its title, where it stands in a file of charts."""
LABEL, BAR, GAP, NUMBER = 220.0, 13.0, 12.0, 46.0
"""Of bars, in pixels: room for a group's name, thickness of one, room between groups, room for a bar's number."""


def svg(chart: Lines | Bars) -> str:
    """The chart as an ``<svg>`` element; it takes its colours from the page's style."""
    element: str = template("chart.svg").render(title=chart.title, **_drawn(chart))
    return element


def svg_file(charts: Sequence[Lines | Bars]) -> str:
    """The charts as one SVG that stands alone, one below the other under their titles."""
    placed, top = [], 0.0
    for chart in charts:
        height = _drawn(chart)["height"]
        placed.append({"title": chart.title, "svg": svg(chart), "top": top, "height": height})
        top += TITLE + height
    written: str = template("charts.svg").render(charts=placed, width=WIDTH, height=top, title=TITLE)
    return written


def _drawn(chart: Lines | Bars) -> dict[str, Any]:
    return _lines(chart) if isinstance(chart, Lines) else _bars(chart)


def names(chart: Lines | Bars) -> list[tuple[str, int]]:
    """Each series' name and colour, for a legend."""
    series = [name for name, _ in chart.series] if isinstance(chart, Lines) else chart.series
    return [(name, number % COLOURS) for number, name in enumerate(series)]


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from at or below ``low`` to at or above ``high``, evenly spaced.

    >>> ticks(71.3, 74.9)
    [71.0, 72.0, 73.0, 74.0, 75.0]
    """
    span = (high - low) or abs(high) or 1.0
    raw = span / (most - 1)
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, max(last, first + 1) + 1)]


def _lines(chart: Lines) -> dict[str, Any]:
    points = [point for _, line in chart.series for point in line]
    spreads = [(point.y - (point.spread or 0), point.y + (point.spread or 0)) for point in points]
    low = 0.0 if chart.zero else min(low for low, _ in spreads)
    across = _whole([point.x for point in points]) or ticks(min(p.x for p in points), max(p.x for p in points))
    up = ticks(low, max(high for _, high in spreads))

    def x(value: float) -> float:
        return round(LEFT + _share(value, across) * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - _share(value, up) * (HEIGHT - TOP - BOTTOM), 1)

    lines = [
        {
            "colour": number % COLOURS,
            "path": " ".join(f"{x(point.x)},{y(point.y)}" for point in line),
            "points": [
                {
                    "x": x(point.x),
                    "y": y(point.y),
                    "low": y(point.y - (point.spread or 0)),
                    "high": y(point.y + (point.spread or 0)),
                    "spread": bool(point.spread),
                    "marked": point.marked,
                    "title": point.title,
                }
                for point in line
            ],
        }
        for number, (_, line) in enumerate(chart.series)
    ]
    return {
        "kind": "lines",
        "width": WIDTH,
        "height": HEIGHT,
        "frame": (LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM),
        "across": [(x(value), _number(value)) for value in across],
        "up": [(y(value), _number(value)) for value in up],
        "x": chart.x,
        "y": chart.y,
        "lines": lines,
        "dots": chart.dots,
        "groups": [],
    }


def _bars(chart: Bars) -> dict[str, Any]:
    values = [value for _, group in chart.groups for value in group if value is not None]
    across = ticks(min([0.0, *values]), max([0.0, *values]))
    left = LABEL + NUMBER * (across[0] < 0)
    tall = len(chart.series) * BAR + GAP

    def x(value: float) -> float:
        return round(left + _share(value, across) * (WIDTH - left - RIGHT - NUMBER), 1)

    groups = []
    for row, (name, group) in enumerate(chart.groups):
        top = TOP + row * tall
        bars = [
            {
                "x": min(x(0.0), x(value)),
                "width": round(abs(x(value) - x(0.0)), 1),
                "y": round(top + number * BAR, 1),
                "end": x(value) + (6 if value >= 0 else -6),
                "anchor": "start" if value >= 0 else "end",
                "value": signed(value),
                "colour": number % COLOURS,
                "title": f"{name}, {chart.series[number]}: {signed(value)}",
            }
            for number, value in enumerate(group)
            if value is not None
        ]
        groups.append({"name": name, "middle": round(top + (tall - GAP) / 2, 1), "bars": bars})
    height = TOP + len(chart.groups) * tall + BOTTOM - GAP / 2
    return {
        "kind": "bars",
        "width": WIDTH,
        "height": height,
        "frame": (LABEL, TOP - GAP / 2, WIDTH - RIGHT, height - BOTTOM),
        "across": [(x(value), _number(value)) for value in across],
        "up": [],
        "x": chart.x,
        "y": "",
        "lines": [],
        "dots": False,
        "groups": groups,
        "zero": x(0.0),
        "bar": BAR - 2,
    }


def _share(value: float, scale: Sequence[float]) -> float:
    return (value - scale[0]) / ((scale[-1] - scale[0]) or 1.0)


def _whole(values: Sequence[float]) -> list[float]:
    """The values themselves where they are few whole numbers: k = 0, 1, 2."""
    different = sorted(set(values))
    return different if 1 < len(different) <= 12 and all(value == int(value) for value in different) else []


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "\u2212")
