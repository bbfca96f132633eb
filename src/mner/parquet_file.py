"""Parquet files from anybody, read in bounded memory; needs ``pip install "mner[parquet]"``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mner.errors import DataError, MissingExtraError

UNPACKED, RATIO = 128 * 2**20, 16
"""Bytes that a group of rows may unpack to if that is more than ``RATIO`` times what the file holds of it.

Pictures hardly pack and text packs about tenfold; a value that a dictionary repeats, or a page of zeros, packs a
hundred thousandfold, and reading it takes several times its size.
"""

HELD = 128 * 2**20
"""Bytes that are held at once, about: fewer rows where their values may be long."""

PER_BYTE = 64
"""Rows that a file may have for each of its bytes; more name no pictures, and would be written out for hours."""


def packages() -> tuple[Any, Any]:
    """The modules ``pyarrow`` and ``pyarrow.parquet``.

    Raises:
        MissingExtraError: The package is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(f'Parquet needs a package ({error}): pip install "mner[parquet]"') from error
    return pyarrow, pyarrow.parquet


def batches(
    file: Any, path: Path, *, rows: int, columns: Sequence[str] | None = None
) -> Iterator[list[dict[str, Any]]]:
    """The rows of an opened ``ParquetFile``, some at a time.

    Args:
        file: The opened file.
        path: Its path, for messages.
        rows: Rows that are held at once, at most.
        columns: The columns to read; None takes all.

    Raises:
        DataError: It unpacks to far more than it holds, or has other rows than it says.
    """
    expected = file.metadata.num_rows
    if expected > 1000 + PER_BYTE * path.stat().st_size:
        raise DataError(f"{path}: says it has {expected:,} rows in {path.stat().st_size:,} bytes; write it again")
    number = 0
    for batch in file.iter_batches(batch_size=_rows(file, path, rows, columns), columns=columns):
        number += batch.num_rows
        if number > expected:
            break
        yield batch.to_pylist()
    if number != expected:
        raise DataError(f"{path}: damaged: says it has {expected} rows, and {number} were found")


def _rows(file: Any, path: Path, rows: int, columns: Sequence[str] | None) -> int:
    """How many rows may be held at once."""
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        chunks = [group.column(place) for place in range(group.num_columns)]
        chunks = [chunk for chunk in chunks if columns is None or chunk.path_in_schema.partition(".")[0] in columns]
        unpacked = sum(chunk.total_uncompressed_size for chunk in chunks)
        packed = sum(chunk.total_compressed_size for chunk in chunks)
        if unpacked > UNPACKED and unpacked > RATIO * packed:
            largest = max(chunks, key=lambda chunk: chunk.total_uncompressed_size)
            raise DataError(
                f"{path}: {packed:,} bytes unpack to {unpacked:,}, most of them of the column "
                f"{largest.path_in_schema}; at most {UNPACKED:,} are read, or {RATIO} times as many as are packed. "
                "Write it again in smaller groups of rows"
            )
        # A dictionary may repeat its longest value in every row; elsewhere all values together are so long.
        longest = sum(
            chunk.total_uncompressed_size // (1 if chunk.has_dictionary_page else max(1, chunk.num_values))
            for chunk in chunks
        )
        rows = min(rows, HELD // max(1, longest))
    return max(1, rows)
