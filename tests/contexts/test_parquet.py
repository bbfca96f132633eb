"""The artefact as Parquet: nothing is lost, shards of a folder are one artefact, damage is named."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mner.contexts.artefact import iter_contexts, read_contexts, write_contexts
from mner.contexts.parquet import COLUMNS, from_columns, to_columns
from mner.contexts.rows import from_row, to_row
from mner.errors import DataError, MissingExtraError
from mner.types import VisualContext

FULL: dict[str, Any] = {
    "image": "pics/1.jpg",
    "status": "ok",
    "sha256": "ab",
    "reason": "the ocr failed",
    "extractor": {"name": "mine", "options": {"beam": 3}},
    "tags": [{"object": "dog", "attributes": ["brown"], "confidence": 0.9, "box": [1, 2, 3.5, 4], "track": 7}],
    "captions": [{"text": "a <unk> dog\u2028\x00 half \ud83d", "score": -1.5, "source": "catr", "beam": 2}],
    "ocr": [{"text": "EXIT", "confidence": 1}],
    "texts": [{"text": "background", "source": "wiki", "post": "7"}],
    "relation": {"score": 0.5, "deep": [1, [2, None]]},
    "note": None,
}


def test_row_survives_with_all_it_holds(tmp_path: Path) -> None:
    rows = [from_row(FULL), VisualContext("half \ud83d.jpg", reason="no \ud83d"), VisualContext("2.jpg")]
    assert write_contexts(rows, tmp_path / "a.parquet") == 3
    assert list(iter_contexts(tmp_path / "a.parquet")) == rows
    assert to_row(next(iter_contexts(tmp_path / "a.parquet"))) == FULL


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
KNOWN = {"image", "tags", "captions", "ocr", "texts", "extractor", "sha256", "status", "reason"}


@settings(deadline=None, max_examples=100)
@given(
    image=st.text(min_size=1, max_size=5),
    reason=st.none() | st.text(max_size=5),
    captions=st.lists(st.fixed_dictionaries({"text": st.text(max_size=8), "k": JSON}), max_size=2),
    extra=st.dictionaries(st.text(max_size=4).filter(lambda name: name not in KNOWN), JSON, max_size=3),
)
def test_any_row_survives(image: str, reason: str | None, captions: list[Any], extra: dict[str, Any]) -> None:
    context = from_row({**extra, "image": image, "reason": reason, "captions": captions})
    columns = to_columns(context)
    assert set(columns) == set(COLUMNS)
    assert all(value is None or value.encode() is not None for value in columns.values())
    assert from_columns(columns, where="row 1") == context


def test_rows_over_several_groups_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mner.contexts.parquet.GROUP", 10)
    names = [f"{number}.jpg" for number in range(35)]
    assert write_contexts(map(VisualContext, names), tmp_path / "a.parquet") == 35
    assert [row.image for row in iter_contexts(tmp_path / "a.parquet")] == names


def test_folder_of_shards_is_one_artefact_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    for number in range(3):
        write_contexts([VisualContext(f"{number}.jpg")], tmp_path / f"part-{number}.parquet")
    write_contexts([VisualContext("3.jpg")], tmp_path / "part-3.jsonl")
    (tmp_path / "manifest.json").write_text("{}")
    assert list(read_contexts(tmp_path)) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    shard = tmp_path / "part-1.parquet"
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"part-1\.parquet: damaged, or not a Parquet file"):
        read_contexts(tmp_path)


def test_bytes_turned_in_the_middle_are_told_or_harmless(tmp_path: Path) -> None:
    rows = [VisualContext(f"{number}.jpg", reason="x" * number) for number in range(50)]
    write_contexts(rows, tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    refused = 0
    for place in range(4, len(content), 23):
        (tmp_path / "a.parquet").write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            assert list(iter_contexts(tmp_path / "a.parquet")) == rows
        except DataError as error:
            assert "a.parquet" in str(error)
            refused += 1
    assert refused


def test_empty_folder_and_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no file of contexts"):
        read_contexts(tmp_path)
    with pytest.raises(DataError, match=r"gone\.parquet: no such file"):
        read_contexts(tmp_path / "gone.parquet")


def test_tables_of_others_are_read_where_they_can_be(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    def table(**columns: list[Any]) -> Path:
        pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
        return tmp_path / "t.parquet"

    (row,) = iter_contexts(table(image=["1.jpg"], captions=[[{"text": "a dog"}]], likes=[7]))
    assert (row.captions[0].text, row.extra) == ("a dog", {"likes": 7})
    with pytest.raises(DataError, match=r't\.parquet: expected a column "image", found path'):
        list(iter_contexts(table(path=["1.jpg"])))
    with pytest.raises(DataError, match=r"t\.parquet: row 1: expected JSON in tags"):
        list(iter_contexts(table(image=["1.jpg"], tags=["{"])))
    with pytest.raises(DataError, match=r"t\.parquet: row 1: .* texts or numbers in other columns"):
        list(iter_contexts(table(image=["1.jpg"], bytes=[b"\x00"])))
    with pytest.raises(DataError, match=r"t\.parquet: row 1: status: expected one of"):
        list(iter_contexts(table(image=["1.jpg"], status=["good"])))


def test_without_the_package_the_line_to_type_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r'pip install "mner\[parquet\]"'):
        write_contexts([VisualContext("1.jpg")], tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


def test_broken_writing_leaves_the_old_file(tmp_path: Path) -> None:
    write_contexts([VisualContext("1.jpg")], tmp_path / "a.parquet")

    def rows() -> Any:
        yield VisualContext("2.jpg")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_contexts(rows(), tmp_path / "a.parquet")
    assert list(read_contexts(tmp_path / "a.parquet")) == ["1.jpg"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.parquet"]
    assert json.loads(to_columns(from_row(FULL))["other"] or "")["relation"] == FULL["relation"]
