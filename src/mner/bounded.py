"""Files from anybody, read in bounded memory: lines of text, and rows of Parquet (``pip install "mner[parquet]"``)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from mner.errors import DataError, MissingExtraError
from mner.picture_files import open_regular

LONGEST = 2**29
"""Bytes or characters of a line, at most; a device gives one that fills the memory."""

GZIP = b"\x1f\x8b"
"""How a file that gzip packed begins."""

UNPACKED, RATIO = 128 * 2**20, 16
"""Bytes that a group of rows may unpack to if that is more than ``RATIO`` times what the file holds of it.

Pictures hardly pack and text packs about tenfold; a value that a dictionary repeats, or a page of zeros, packs a
hundred thousandfold, and reading it takes several times its size.
"""

HELD = 128 * 2**20
"""Bytes that are in memory at once, about: fewer rows where their values may be long."""

PER_BYTE = 64
"""Rows that a file may have for each of its bytes; more name no pictures, and would be written out for hours."""


def bounded(stream: Any, name: str) -> Iterator[Any]:
    """The lines of an open file; whatever else gives lines is taken as it is.

    Raises:
        DataError: A line of a file is longer than ``LONGEST``, or the file cannot be read.
    """
    if not isinstance(stream, io.BufferedReader | io.TextIOWrapper):
        yield from stream
        return
    for number in count(1):
        try:
            line = stream.readline(LONGEST + 1)
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror or error}") from None
        if not line:
            return
        if len(line) > LONGEST:
            raise DataError(f"{name}:{number}: a line of more than {LONGEST:,} bytes, which no such file has")
        yield line


def text_lines(path: Path) -> Iterator[tuple[str, str]]:
    """``file:line`` and text, without its end, of each line that is not blank.

    Raises:
        DataError: The file cannot be read, is packed, is not UTF-8, or has a line longer than ``LONGEST``.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as stream:  # some editors put a mark first
            for number, line in enumerate(bounded(stream, str(path)), 1):
                if line.strip():
                    yield f"{path}:{number}", line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        if error.start == 1 and error.object.startswith(GZIP):
            raise DataError(f"{path}: is packed with gzip; unpack it: gunzip {path}") from None
        raise DataError(f"{path}: not UTF-8 text ({error}); write the file again in UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


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


@contextmanager
def parquet_file(path: Path, **options: Any) -> Iterator[Any]:
    """A block that reads an open ``ParquetFile``; ``options`` are those of pyarrow.

    Raises:
        DataError: In the block: the file is missing, damaged or not Parquet.
        MissingExtraError: The package pyarrow is not installed.
    """
    pyarrow, parquet = packages()
    try:
        open_regular(path).close()
        with parquet.ParquetFile(path, **options) as file:
            yield file
    except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
        raise DataError(
            f"{path}: damaged, or not a Parquet file ({error}); make it again, or take it out of the folder"
        ) from error


def batches(
    file: Any, path: Path, *, rows: int, columns: Sequence[str] | None = None
) -> Iterator[list[dict[str, Any]]]:
    """The rows of an opened ``ParquetFile``, at most ``rows`` at a time, with all or the named columns.

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
    """How many rows may be in memory at once."""
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
        # A dictionary may repeat its longest value in every row; elsewhere all rows together are so long. A row of a
        # column of lists has many values.
        longest = sum(
            chunk.total_uncompressed_size // (1 if chunk.has_dictionary_page else max(1, group.num_rows))
            for chunk in chunks
        )
        rows = min(rows, HELD // max(1, longest))
    return max(1, rows)
