"""OCR statistics of five contexts, one of which holds text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mner.analysis import Inputs, analyze
from mner.analysis.ocr import Ocr, artefact_statistics, ocr_gain, ocr_statistics, text_words
from mner.analysis.parts.both_views import read_both
from mner.analysis.parts.loaded_run import LoadedRun
from mner.contexts.artefact import write_contexts
from mner.types import OcrText, VisualContext


def test_statistics_count_text_that_is_not_blank(
    opened: Callable[..., LoadedRun], contexts: list[VisualContext | None]
) -> None:
    known = [each for each in contexts if each is not None]
    result = ocr_statistics(known, name="made", data="d@1", subwords=opened().views.subwords)
    assert (result.pictures, result.read, result.with_text, result.share) == (5, 5, 1, 20.0)
    assert (result.words, result.subtokens) == (3.0, 4.0)  # kevin love 1 ##2
    assert result.sources == {"x": 1}
    assert result.signature.startswith("measure=ocr data=d@1 seeds=1 ")


def test_statistics_of_nothing_are_zero() -> None:
    result = ocr_statistics([], name="none", data="d@1")
    assert (result.share, result.words, result.subtokens) == (0.0, 0.0, None)


def test_sources_and_status_decide() -> None:
    each = VisualContext("1.jpg", ocr=(OcrText("GATE 12", source="x"), OcrText("map", source="y")))
    assert text_words(each, ["y"]) == ["map"]
    assert text_words(replace(each, status="placeholder")) == []
    assert ocr_statistics([each], name="n", data="d", sources=["y"]).sources == {"y": 1}


def test_artefact_is_counted_under_its_fingerprint(contexts: list[VisualContext | None], tmp_path: Path) -> None:
    path = tmp_path / "made.jsonl"
    write_contexts([each for each in contexts if each is not None], path)
    result = artefact_statistics(path)
    assert (result.name, result.pictures, result.with_text, result.words) == ("made.jsonl", 5, 1, 3.0)
    assert " data=made.jsonl@" in result.signature


@pytest.mark.parametrize("name", ["made.JSONL", "made.PARQUET", "made.ndjson"])
def test_artefact_of_another_ending_is_counted(contexts: list[VisualContext | None], tmp_path: Path, name: str) -> None:
    written = write_contexts([each for each in contexts if each is not None], tmp_path / "made.jsonl")
    path = tmp_path / name
    if path.suffix == ".PARQUET":
        write_contexts([each for each in contexts if each is not None], path)
    else:
        (tmp_path / "made.jsonl").rename(path)
    (ocr,) = analyze("ocr", Inputs([str(path)])).results
    assert (ocr.statistics[0].name, ocr.statistics[0].pictures) == (name, written)


def test_folder_of_shards_is_counted_as_one(contexts: list[VisualContext | None], tmp_path: Path) -> None:
    folder, known = tmp_path / "made.parquet", [each for each in contexts if each is not None]
    for number, of_post in enumerate((known[:2], known[2:])):
        write_contexts(of_post, folder / f"part-{number:07d}.parquet")
    (ocr,) = analyze("ocr", Inputs([str(folder)])).results
    assert isinstance(ocr, Ocr)
    (result,) = ocr.statistics
    assert (result.name, result.pictures, result.with_text) == ("made.parquet", 5, 1)


def test_gain_on_posts_with_and_without_text(opened: Callable[..., LoadedRun]) -> None:
    with_text, without = ocr_gain(read_both([opened()])).slices
    assert (with_text.name, with_text.posts) == ("with text", 1)
    assert (with_text.without.mean, with_text.with_.mean) == (100.0, 100.0)
    assert (without.name, without.posts) == ("without text", 5)
    assert without.without.mean == pytest.approx(400 / 9)  # phoenix, madrid of 5 gold and 4 found
    assert without.with_.mean == pytest.approx(600 / 9)
