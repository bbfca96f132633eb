"""Analyses on record: written without words of posts, read back as they were, damage named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mner.analysis import checked_options
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
        path = write_analysis(name, result, split="dev", opened={"a": [run.run], "b": [run.run]}, results=tmp_path)
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
        text = write_analysis(name, result, split="dev", opened={"a": [run.run]}, results=tmp_path).read_text()
        assert "cleveland" not in text and "jordan" not in text and '"shown": []' in text


def test_options_that_were_given_are_recorded(opened: Callable[..., LoadedRun], tmp_path: Path) -> None:
    run, text, folder = opened(), opened("text"), str(tmp_path / "runs" / "made" / "text")
    result = noise([run], baseline=[text], train=lambda each: each.posts)
    options = checked_options("noise", {"baseline": folder, "most": 3})
    read = {"ita": [run.run], folder: [text.run]}
    path = write_analysis("noise", result, split="dev", opened=read, results=tmp_path, options=options)
    assert str(tmp_path) not in path.read_text(), "an experiment is recorded by its name, not its folder"
    (back,) = read_analyses(tmp_path)
    assert back.options == {"baseline": "made/text", "most": 3}


def test_options_of_a_record_without_them_are_those_of_its_result(
    opened: Callable[..., LoadedRun], tmp_path: Path
) -> None:
    run, text = opened(), opened("text")
    results = {
        "captions": captions([run], order=["a"]),
        "noise": noise([run], baseline=[text], train=lambda each: each.posts),
        "robustness": robustness([run], shuffles=3),
        "slices": slices(read_both([run]), run.posts),
        "cases": cases(run, baseline=text),
    }
    for name, result in results.items():
        read = {"a": [run.run], "b": [text.run] if name in {"noise", "cases"} else []}
        path = write_analysis(name, result, split="dev", opened=read, results=tmp_path)
        record = json.loads(path.read_text())
        del record["options"]
        path.write_text(json.dumps(record))
    assert {each.analysis: dict(each.options) for each in read_analyses(tmp_path)} == {
        "captions": {"order": ("a",)},
        "noise": {"baseline": "made/text"},
        "robustness": {"shuffles": 3},
        "slices": {},
        "cases": {"baseline": "made/text"},
    }


def test_what_is_not_recorded_is_refused_beforehand(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(MnerError, match="cost reads run records"):
        check_recordable("cost", [], "dev")
    for rows, split in (([str(tmp_path), str(tmp_path)], "dev"), (["nowhere"], "dev"), ([str(tmp_path)], "train")):
        with pytest.raises(MnerError, match="takes one experiment"):
            check_recordable("captions", rows, split)
    with pytest.raises(MnerError, match="neither a run, nor a model"):
        check_recordable("ocr", [str(tmp_path)], "dev")  # perhaps the shards of an artefact
    check_recordable("captions", [str(tiny_model)], "dev")


@pytest.mark.parametrize("text", ["", "{}", '{"analysis": "captions", "result": {}}'])
def test_damaged_record_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "analysis" / "d" / "row" / "captions.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(DataError, match=r"captions\.json: not a record of an analysis"):
        read_analyses(tmp_path)
    assert read_analyses(tmp_path / "elsewhere") == []
