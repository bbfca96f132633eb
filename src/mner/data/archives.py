"""Pictures that are no files of their own: members of webdataset archives, rows of a Parquet file."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mner.data.pictures import SUFFIXES
from mner.errors import DataError, MissingExtraError

ARCHIVE, TABLE = ".tar", ".parquet"

NAMES = ("image", "path", "file", "name", "id", "key", "__key__")
"""Columns of a Parquet file that name its pictures, or say where they are; the first that is there and holds texts."""

BYTES = ("bytes", "image", "jpg", "png", "content")
"""Columns of a Parquet file that hold the pictures' files; the first that is there and holds bytes."""

ROWS = 16
"""Rows of a Parquet file that are held at once."""

BUFFER = 2**20
"""Bytes that are read ahead of a Parquet file, so that a group of rows need not be in memory whole."""


@dataclass(frozen=True, slots=True)
class Member:
    """A picture's place in an archive."""

    archive: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """The bytes of the picture's file."""
        with self.archive.open("rb") as stream:
            stream.seek(self.offset)
            return stream.read(self.size)


def members(archive: Path) -> Iterator[tuple[str, Member]]:
    """Name and place of each picture in a tar archive, in its order; only the members' headers are read.

    Raises:
        DataError: The archive is missing, damaged or compressed.
    """
    try:
        with tarfile.open(archive, "r:") as opened:
            for member in opened:
                if member.isfile() and Path(member.name).suffix.lower() in SUFFIXES:
                    yield member.name.removeprefix("./"), Member(archive, member.offset_data, member.size)
                opened.members = []  # type: ignore[attr-defined]  # else it keeps all that it has seen
    except (OSError, tarfile.TarError) as error:
        raise DataError(
            f"{archive}: no tar archive that can be read in place ({error}); a compressed one: gunzip it first"
        ) from None


def table(path: Path, *, images: Path | None = None) -> Iterator[tuple[str, Path | bytes]]:
    """Name and file of each picture in a Parquet file: bytes, where a column holds them, else paths.

    Args:
        path: The file.
        images: Folder that paths are relative to; None takes the folder of the file.

    Raises:
        DataError: The file is missing or damaged, or has neither a column of bytes nor one of paths.
        MissingExtraError: The package pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError(f'{path}: {error}; pip install "mner[parquet]"') from error
    try:
        with parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
            schema = file.schema_arrow
            held, inside = _bytes_column(schema, pyarrow)
            named = next((name for name in NAMES if _is(schema, name, pyarrow.string(), pyarrow.large_string())), None)
            if held is None and named is None:
                raise DataError(
                    f"{path}: expected a column of pictures ({', '.join(BYTES)}) or of their paths "
                    f"({', '.join(NAMES)}), found {', '.join(schema.names)}"
                )
            columns = [name for name in (held, named) if name is not None]
            number, folder = 0, images if images is not None else path.parent
            for batch in file.iter_batches(batch_size=ROWS, columns=columns):
                for row in batch.to_pylist():
                    name = row[named] if named is not None else None
                    yield _picture(row[held] if held is not None else None, name, number, folder, path, inside=inside)
                    number += 1
    except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
        raise DataError(f"{path}: no Parquet file that can be read ({error}); write it again") from None


def _picture(
    held: Any, name: str | None, number: int, folder: Path, path: Path, *, inside: bool
) -> tuple[str, Path | bytes]:
    if inside and isinstance(held, dict):  # as Hugging Face datasets write pictures
        name, held = name or held.get("path"), held.get("bytes")
    if held is not None:
        return name or f"{path.stem}-{number:08d}", bytes(held)
    if not name:
        return f"{path.stem}-{number:08d}", b""  # a row without a picture: it gets a status, as any other bad one
    return name, folder / name


def _bytes_column(schema: Any, pyarrow: Any) -> tuple[str | None, bool]:
    """The column of bytes, and whether they are inside a struct."""
    for name in BYTES:
        if _is(schema, name, pyarrow.binary(), pyarrow.large_binary()):
            return name, False
        if name in schema.names:
            kind = schema.field(name).type
            if pyarrow.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
                return name, True
    return None, False


def _is(schema: Any, name: str, *kinds: Any) -> bool:
    return name in schema.names and schema.field(name).type in kinds
