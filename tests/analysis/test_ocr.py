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
    known = [one for one in contexts if one is not None]
    found = ocr_statistics(known, name="made", data="d@1", subwords=opened().views.subwords)
    assert (found.pictures, found.read, found.with_text, found.share) == (5, 5, 1, 20.0)
    assert (found.words, found.subtokens) == (3.0, 4.0)  # kevin love 1 ##2
    assert found.sources == {"x": 1}
    assert found.signature.startswith("measure=ocr data=d@1 seeds=1 ")


def test_statistics_of_nothing_are_zero() -> None:
    found = ocr_statistics([], name="none", data="d@1")
    assert (found.share, found.words, found.subtokens) == (0.0, 0.0, None)


def test_sources_and_status_decide() -> None:
    one = VisualContext("1.jpg", ocr=(OcrText("GATE 12", source="x"), OcrText("map", source="y")))
    assert text_words(one, ["y"]) == ["map"]
    assert text_words(replace(one, status="placeholder")) == []
    assert ocr_statistics([one], name="n", data="d", sources=["y"]).sources == {"y": 1}


def test_artefact_is_counted_under_its_fingerprint(contexts: list[VisualContext | None], tmp_path: Path) -> None:
    path = tmp_path / "made.jsonl"
    write_contexts([one for one in contexts if one is not None], path)
    found = artefact_statistics(path)
    assert (found.name, found.pictures, found.with_text, found.words) == ("made.jsonl", 5, 1, 3.0)
    assert " data=made.jsonl@" in found.signature


def test_folder_of_shards_is_counted_as_one(contexts: list[VisualContext | None], tmp_path: Path) -> None:
    folder, known = tmp_path / "made.parquet", [one for one in contexts if one is not None]
    for number, some in enumerate((known[:2], known[2:])):
        write_contexts(some, folder / f"part-{number:07d}.parquet")
    (ocr,) = analyze("ocr", Inputs([str(folder)])).results
    assert isinstance(ocr, Ocr)
    (found,) = ocr.statistics
    assert (found.name, found.pictures, found.with_text) == ("made.parquet", 5, 1)


def test_gain_on_posts_with_and_without_text(opened: Callable[..., LoadedRun]) -> None:
    with_text, without = ocr_gain(read_both([opened()])).slices
    assert (with_text.name, with_text.posts) == ("with text", 1)
    assert (with_text.without.mean, with_text.with_.mean) == (100.0, 100.0)
    assert (without.name, without.posts) == ("without text", 5)
    assert without.without.mean == pytest.approx(400 / 9)  # phoenix, madrid of 5 gold and 4 found
    assert without.with_.mean == pytest.approx(600 / 9)
