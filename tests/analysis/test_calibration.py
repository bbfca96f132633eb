"""Calibration of six posts read by rules, and the chart of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mner.analysis.calibration import calibrations, report
from mner.analysis.parts.loaded_run import LoadedRun
from mner.analysis.parts.report import Lines
from mner.decode import Scaling


def test_calibration_counts_right_entities_of_each_view(opened: Callable[..., LoadedRun]) -> None:
    """By the words alone phoenix, kevin and madrid are right, paris and cleveland are not, jordan is missed."""
    words, both = calibrations([opened()]).views
    assert (words.view, both.view) == ("T", "I+T")
    assert (words.whole.entities, words.whole.correct) == (5, pytest.approx(3 / 5))
    assert (both.whole.entities, both.whole.correct) == (5, pytest.approx(4 / 5))
    assert words.whole.ece == pytest.approx(100 * abs(words.whole.score - 0.6))
    assert words.labels["PER"].entities == 3
    assert " view=I+T " in both.signature


def test_runs_are_read_as_one(opened: Callable[..., LoadedRun]) -> None:
    result = calibrations([opened(), opened()])
    assert result.runs == 2
    assert result.views[0].whole.entities == 10
    assert " seeds=2 " in result.views[0].signature


def test_calibrated_model_is_measured_as_it_scores(opened: Callable[..., LoadedRun]) -> None:
    exact, scaled = (calibrations([run]) for run in (opened(), replace(opened(), scaling=Scaling(5.0))))
    assert scaled.views[0].whole.score < exact.views[0].whole.score
    assert scaled.views[0].whole.correct == exact.views[0].whole.correct


def test_report_has_a_table_for_labels_and_bins_and_a_chart(opened: Callable[..., LoadedRun]) -> None:
    written = report([calibrations([opened()])])
    assert [table.title for table in written.tables] == [
        "made/ita T",
        "made/ita T: reliability",
        "made/ita I+T",
        "made/ita I+T: reliability",
    ]
    assert [row[0] for row in written.tables[0].rows] == ["LOC", "PER", "all"]
    chart = written.charts[0]
    assert isinstance(chart, Lines)
    assert [name for name, _ in chart.series] == ["as it should be", "all"]
    assert chart.series[1][1][0].y == pytest.approx(60.0)
