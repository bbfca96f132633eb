"""The artefact as Parquet, to share and to query: plain columns for what a row is about, JSON for what was read.

Columns: ``image``, ``status``, ``sha256`` and ``reason`` as texts; ``tags``, ``captions``, ``ocr``, ``texts`` and
``extractor`` as the JSON of the same keys of JSONL; ``other`` as JSON of all keys that mner does not know. Nothing is
lost in either direction. It needs ``pip install "mner[parquet]"``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from mner.bounded import batches, packages, parquet_file
from mner.contexts.rows import from_row, to_row
from mner.errors import DataError
from mner.files import writing_bytes
from mner.types import VisualContext

PLAIN = ("image", "status", "sha256", "reason")
JSON = ("tags", "captions", "ocr", "texts", "extractor")
OTHER = "other"
COLUMNS = (*PLAIN, *JSON, OTHER)

GROUP = 2000
"""Rows that are in memory at once and make one row group."""


def write_rows(rows: Iterable[VisualContext], path: Path) -> int:
    """Write contexts into a Parquet file that appears when it is whole; the number of rows.

    Raises:
        MissingExtraError: The package pyarrow is not installed.
    """
    arrow, parquet = packages()
    schema = arrow.schema([(name, arrow.string()) for name in COLUMNS])
    count = 0
    columns = map(to_columns, rows)
    options = {"compression": "zstd", "write_page_checksum": True}
    with writing_bytes(path) as stream, parquet.ParquetWriter(stream, schema, **options) as writer:
        while group := list(islice(columns, GROUP)):
            writer.write_table(arrow.Table.from_pylist(group, schema))
            count += len(group)
    return count


def read_rows(path: Path) -> Iterator[VisualContext]:
    """The contexts of a Parquet file, in order; other columns than mner's become keys of the record.

    Raises:
        DataError: The file is missing, damaged, not Parquet, or a row is not a context; the message names file and row.
        MissingExtraError: The package pyarrow is not installed.
    """
    with parquet_file(path, page_checksum_verification=True) as file:
        if "image" not in file.schema_arrow.names:
            raise DataError(f'{path}: expected a column "image", found {", ".join(file.schema_arrow.names)}')
        rows = (row for batch in batches(file, path, rows=GROUP) for row in batch)
        for number, row in enumerate(rows, 1):
            yield from_columns(row, where=f"{path}: row {number}")


def to_columns(context: VisualContext) -> dict[str, str | None]:
    """A context as the texts of a Parquet row.

    >>> to_columns(VisualContext("1.jpg", extra={"note": 1}))["other"]
    '{"note": 1}'
    """
    row = to_row(context)
    columns: dict[str, str | None] = {}
    for name in PLAIN:
        value = row.pop(name, None)
        if isinstance(value, str) and not _encodable(value):  # half a character, as a file's name can hold one
            row[name] = value
            value = value.encode("utf-8", "replace").decode()
        columns[name] = value
    for name in JSON:
        columns[name] = json.dumps(row.pop(name)) if name in row else None
    columns[OTHER] = json.dumps(row) if row else None
    return columns


def from_columns(columns: Mapping[str, Any], *, where: str) -> VisualContext:
    """The context of a Parquet row; a column without the expected JSON is a ``DataError``."""
    row = {name: value for name, value in columns.items() if value is not None and name != OTHER}
    try:
        for name in JSON:
            if isinstance(row.get(name), str):
                row[name] = json.loads(row[name])
        other = json.loads(columns.get(OTHER) or "{}")
        json.dumps({name: row[name] for name in row if name not in COLUMNS})  # a JSONL could not hold bytes or dates
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(
            f"{where}: expected JSON in {', '.join((*JSON, OTHER))}, and texts or numbers in other columns: {error}"
        ) from None
    if not isinstance(other, dict):
        raise DataError(f"{where}: {OTHER}: expected a JSON object, found {columns[OTHER]!r}")
    return from_row({**row, **other}, where=where)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
