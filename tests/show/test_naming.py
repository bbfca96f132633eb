"""What a row's name says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mner.evaluation.records import read_row
from mner.show.naming import plain, stands_for

FOUND = {"T": ((), (), (), ())}


@pytest.mark.parametrize(
    ("name", "encoder", "row"),
    [
        ("text", "embedded:minilm", "text"),
        ("text-tuned", "embedded:minilm", "text"),
        ("text-mpnet", "embedded:mpnet", "text"),
        ("text-mpnet-tuned", "embedded:mpnet", "text"),
        ("ita-ga-cva-mpnet-warm-tuned", "embedded:mpnet", "ita-ga-cva"),
        ("ita-ga-cva-empty-mpnet-warm", "hub/mpnet", "ita-ga-cva-empty"),
    ],
)
def test_row_stands_for_the_one_of_its_name(
    make_record: Callable[..., dict[str, Any]],
    commit: Callable[[dict[str, Any]], Path],
    name: str,
    encoder: str,
    row: str,
) -> None:
    found = read_row(commit(make_record(name, 1, FOUND, encoder={"name": encoder})))
    assert plain(found) == row
    assert [each for each in ("text", "ita-ga", "ita-ga-cva", "ita-ga-cva-empty") if stands_for(found, each)] == [row]


def test_name_of_another_encoder_is_no_variant(
    make_record: Callable[..., dict[str, Any]], commit: Callable[[dict[str, Any]], Path]
) -> None:
    found = read_row(commit(make_record("text-mpnet", 1, FOUND, encoder={"name": "embedded:minilm"})))
    assert plain(found) == "text-mpnet" and not stands_for(found, "text")
