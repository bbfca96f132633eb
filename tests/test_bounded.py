"""Files from anybody in bounded memory: how many rows of Parquet are read at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from mner import bounded


def test_rows_that_hold_many_values_count_as_long_as_all_of_these(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrow, parquet = bounded.packages()
    rows = [{"image": f"{row}.jpg", "views": [bytes([row, view]) * 500 for view in range(8)]} for row in range(20)]
    path = tmp_path / "several.parquet"
    parquet.write_table(arrow.Table.from_pylist(rows), path, use_dictionary=False, compression="none")
    monkeypatch.setattr(bounded, "HELD", 20_000)
    with bounded.parquet_file(path) as file:
        read = list(bounded.batches(file, path, rows=1000))
    assert [row for batch in read for row in batch] == rows
    assert {len(batch) for batch in read} == {2}  # of 8,000 bytes each
