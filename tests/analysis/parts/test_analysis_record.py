"""Analyses on record: written without words of posts, read back as they were, damage named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mner.analysis.captions import captions
from mner.analysis.cases import cases
from mner.analysis.noise import noise
from mner.analysis.ocr import Ocr, ocr_gain
from mner.analysis.parts.analysis_record import check_recordable, read_analyses, without_posts, write_analysis
from mner.analysis.parts.both_views import read_both
from mner.analysis.parts.loaded_run import LoadedRun
from mner.analysis.robustness import robustness
from mner.analysis.slices import slices
from mner.errors import DataError, MnerError


def test_numbers_come_back_as_they_were(opened: Callable[..., LoadedRun], tmp_path: Path) -> None:
    run = opened()
    outcome = {
        "captions": captions([run]),
        "cases": cases(run),
        "noise": noise([run], baseline=[opened("text")], train=lambda each: each.posts),
        "ocr": Ocr((), (ocr_gain(read_both([run])),)),
        "robustness": robustness([run]),
        "slices": slices(read_both([run]), run.posts),
    }
    for name, result in outcome.items():
        path = write_analysis(name, result, split="dev", runs=[run.run, run.run], results=tmp_path)
        assert path == tmp_path / "analysis" / "made" / "ita" / f"{name}.json"
        shown = json.loads(path.read_text())
        assert (shown["analysis"], shown["split"], shown["runs"]) == (name, "dev", [str(run.run)])
        assert shown["mner"] and "signature" in path.read_text()
    back = {each.analysis: each for each in read_analyses(tmp_path)}
    assert {name: each.result for name, each in back.items()} == {
        name: without_posts(name, result) for name, result in outcome.items()
    }
    assert (back["cases"].data, back["cases"].row, back["cases"].runs) == ("made", "ita", (run.run,))


def test_words_of_posts_are_not_recorded(opened: Callable[..., LoadedRun], tmp_path: Path) -> None:
    run = opened()
    results = {"cases": cases(run), "noise": noise([run], baseline=[opened("text")], train=lambda each: each.posts)}
    assert results["cases"].shown and results["noise"].shown
    for name, result in results.items():
        text = write_analysis(name, result, split="dev", runs=[run.run], results=tmp_path).read_text()
        assert "cleveland" not in text and "jordan" not in text and '"shown": []' in text


def test_what_is_not_recorded_is_refused_beforehand(tmp_path: Path) -> None:
    with pytest.raises(MnerError, match="cost reads run records"):
        check_recordable("cost", [], "dev")
    for rows, split in (([str(tmp_path), str(tmp_path)], "dev"), (["nowhere"], "dev"), ([str(tmp_path)], "train")):
        with pytest.raises(MnerError, match="takes one experiment"):
            check_recordable("captions", rows, split)
    check_recordable("captions", [str(tmp_path)], "dev")


@pytest.mark.parametrize("text", ["", "{}", '{"analysis": "captions", "result": {}}'])
def test_damaged_record_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "analysis" / "d" / "row" / "captions.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(DataError, match=r"captions\.json: not a record of an analysis"):
        read_analyses(tmp_path)
    assert read_analyses(tmp_path / "elsewhere") == []
