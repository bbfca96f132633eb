"""Pictures that are not files of their own: members of webdataset archives, rows of a Parquet file."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from zlib import crc32

from mner.bounded import batches, packages, parquet_file
from mner.data.pictures import place_of
from mner.errors import DataError, ImageError
from mner.picture_files import HEAD, Inline, Refused, is_picture_name, kind_of, open_regular, short_name

ARCHIVE, TABLE = ".tar", ".parquet"

FILES = ("image", "path", "file")
"""Columns of a Parquet file that name its pictures' files; the first that holds texts is taken."""

NAMES = (*FILES, "name", "id", "key", "__key__")
"""All that may; the path beside a picture's bytes comes before those that are not in ``FILES``."""

BYTES = ("bytes", "image", "jpg", "png", "content")
"""Columns of a Parquet file that may contain the pictures' files; the first that holds bytes is taken."""

ROWS = 16
"""Rows of a Parquet file that are in memory at once."""

BUFFER = 2**20
"""Bytes of a Parquet file that are read ahead, so that a group of rows need not be in memory whole."""

LONGEST_HEADER = 2**20
"""Bytes of a header that extends the next one: a long name, or entries in the pax form."""

_SIZED = tarfile.REGULAR_TYPES
_NAMING = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A picture's place in an archive, and the checksum of the header before it."""

    archive: Path
    offset: int
    size: int
    header: int

    def read(self) -> bytes:
        """The bytes of the picture's file; ``ImageError`` if another member stands in its place by now."""
        with open_regular(self.archive) as stream:
            stream.seek(self.offset - tarfile.BLOCKSIZE)
            header, content = stream.read(tarfile.BLOCKSIZE), stream.read(self.size)
        if crc32(header) != self.header or len(content) != self.size:
            raise ImageError("unreadable", f"{self.archive.name} has changed since it was listed; read it again")
        return content


def members(archive: Path) -> Iterator[tuple[str, Member]]:
    """Name and place of each picture in a tar archive, in its order; only headers and first bytes are read.

    Raises:
        DataError: The archive is missing, damaged or compressed, or gives different pictures one name.
    """
    firsts: dict[str, Member] = {}
    try:
        with open_regular(archive) as stream:
            for name, member in _files(stream, archive):
                named = is_picture_name(name)
                if not (_begins_like_one(stream, member) if named is None else named):
                    continue
                name = name.removeprefix("./")
                if not _alike(stream, firsts.setdefault(name, member), member):
                    raise DataError(
                        f"{archive}: two different pictures are called {name}, as after tar --append; write the "
                        "archive again with one of them"
                    )
                yield name, member
    except (OSError, tarfile.TarError) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(
            f"{archive}: not a tar archive that can be read in place ({why}); a compressed one: gunzip it first"
        ) from None


def _files(stream: IO[bytes], archive: Path) -> Iterator[tuple[str, Member]]:
    """Name and place of each file in an archive; every member begins after the one before and ends in the archive."""
    end = os.fstat(stream.fileno()).st_size
    place = 0
    extended: dict[str, str] = {}  # what headers before a member say of it
    while (block := _block(stream, place)) is not None:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        start, size = place + tarfile.BLOCKSIZE, header.size
        if header.type == tarfile.GNUTYPE_SPARSE:
            start = _behind_sparse(stream, start)
        if header.type in _SIZED and "size" in extended:
            size = _number(extended["size"])
        if size < 0 or size >= 2**62:
            raise tarfile.ReadError(f"a member of {size} bytes at byte {place}")
        if header.type in _NAMING:
            if size > LONGEST_HEADER or start + size > end:
                raise tarfile.ReadError(f"a header of {size:,} bytes at byte {place}")
            stream.seek(start)
            extended |= _extended(header.type, stream.read(size))
        elif header.type in _SIZED:
            if header.type != tarfile.GNUTYPE_SPARSE:
                yield extended.get("path", header.name), Member(archive, start, size, crc32(block))
            extended = {}
        else:
            extended = {}
        holds = header.type in (*_SIZED, *_NAMING) or header.type not in tarfile.SUPPORTED_TYPES
        place = start + (-(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE if holds else 0)
        if place > end:
            raise tarfile.ReadError(f"unexpected end of data: it is cut short at {end:,} of at least {place:,} bytes")


def _block(stream: IO[bytes], place: int) -> bytes | None:
    """The header at a place; None at the archive's end."""
    stream.seek(place)
    block = stream.read(tarfile.BLOCKSIZE)
    return None if block == bytes(tarfile.BLOCKSIZE) or (place and not block) else block


def _behind_sparse(stream: IO[bytes], place: int) -> int:
    """Where the data of a member with holes begins: after the blocks that list the holes."""
    stream.seek(place - tarfile.BLOCKSIZE)
    more = stream.read(tarfile.BLOCKSIZE)[482:483]
    while more.strip(b"\0"):
        more = stream.read(tarfile.BLOCKSIZE)[504:505]
    return stream.tell()


def _extended(kind: bytes, content: bytes) -> dict[str, str]:
    """What a header before a member says: its name, and in the pax form perhaps its size."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return {"path": content.rstrip(b"\0").decode("utf-8", "surrogateescape")}
    known = {}
    while kind == tarfile.XHDTYPE and content.strip(b"\0"):
        digits, _, rest = content.partition(b" ")
        length = _number(digits.decode("ascii", "replace"))
        if not len(digits) + 1 < length <= len(content):
            raise tarfile.ReadError(f"a header entry of {length} bytes")
        name, _, value = rest[: length - len(digits) - 2].partition(b"=")
        known[name.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        content = content[length:]
    return {name: known[name] for name in ("path", "size") if name in known}


def _number(digits: str) -> int:
    if not digits.isascii() or not digits.isdigit() or len(digits) > 20:
        raise tarfile.ReadError(f"expected a number of bytes, found {digits[:20]!r}")
    return int(digits)


def _begins_like_one(stream: IO[bytes], member: Member) -> bool:
    stream.seek(member.offset)
    return kind_of(stream.read(min(HEAD, member.size))) is not None


def _alike(stream: IO[bytes], first: Member, member: Member) -> bool:
    """Whether two members hold the same bytes, compared in pieces."""
    if first is member or first.size != member.size:
        return first is member
    pieces: list[bytes] = []
    for at in range(0, member.size, BUFFER):
        for place in (first.offset, member.offset):
            stream.seek(place + at)
            pieces.append(stream.read(min(BUFFER, member.size - at)))
        if pieces.pop() != pieces.pop():
            return False
    return True


def table(
    path: Path, *, images: Path | None = None, allow_outside_images: bool = False
) -> Iterator[tuple[str, Path | bytes | Inline | Refused]]:
    """Name and file of each picture in a Parquet file: bytes, where a column holds them, else paths.

    Bytes in a struct, as Hugging Face datasets write pictures, are named by the first of a column of ``FILES``, the
    struct's own path and another column of ``NAMES``.

    Args:
        path: The file.
        images: Folder that paths are relative to; None takes the folder of the file.
        allow_outside_images: Read paths that lead out of that folder, too.

    Raises:
        DataError: The file is missing or damaged, has neither a column of bytes nor one of paths, gives different
            pictures one name, or unpacks to far more than it holds.
        MissingExtraError: The package pyarrow is not installed.
    """
    types = packages()[0].types
    with parquet_file(path, buffer_size=BUFFER, pre_buffer=False) as file:
        schema = file.schema_arrow
        content_column, inside = _bytes_column(schema, types, path)
        name_column = next((name for name in NAMES if _is(schema, name, types, "string")), None)
        columns = [name for name in (content_column, name_column) if name is not None]
        if not columns:
            raise DataError(
                f"{path}: expected a column of pictures ({', '.join(BYTES)}) or of their paths "
                f"({', '.join(NAMES)}), found {', '.join(schema.names)}"
            )
        folder = images if images is not None else path.parent
        rows = (row for batch in batches(file, path, rows=ROWS, columns=columns) for row in batch)
        named: dict[str, tuple[int, int]] = {}  # name -> its first row, and the hash of the picture
        for number, row in enumerate(rows):
            name, content = row.get(name_column or ""), row.get(content_column or "")
            if inside and isinstance(content, dict):
                own = content.get("path")
                name = name or own if name_column in FILES else own or name
                content = content.get("bytes")
            called = short_name(name or f"{path.stem}-{number:08d}")
            if content is not None:
                first, picture = named.setdefault(called, (number, hash(content)))
                if picture != hash(content):
                    raise DataError(
                        f"{path}: rows {first} and {number} both call their picture {called}, and the "
                        f"pictures differ; give each a name of its own in a column of texts ({', '.join(FILES)})"
                    )
                yield called, content
            elif not name:
                yield called, b""  # a row without a picture: it gets a status, as any other bad one
            else:
                yield called, place_of(folder, name, allow_outside=allow_outside_images)


def _bytes_column(schema: Any, types: Any, path: Path) -> tuple[str | None, bool]:
    """The column of bytes, and whether they are inside a struct."""
    for name in BYTES:
        if _is(schema, name, types, "binary"):
            return name, False
        kind = schema.field(name).type if name in schema.names else None
        if kind is not None and types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
            fields = {"bytes": "binary", "path": "string"}
            for inner, expected in fields.items():
                at = kind.get_field_index(inner)
                if at >= 0 and not (_of(kind.field(at).type, types, expected) or types.is_null(kind.field(at).type)):
                    raise DataError(f"{path}: {name}.{inner}: expected {expected}, found {kind.field(at).type}")
            return name, True
    return None, False


def _is(schema: Any, name: str, types: Any, kind: str) -> bool:
    return schema.names.count(name) == 1 and _of(schema.field(name).type, types, kind)


def _of(column: Any, types: Any, kind: str) -> bool:
    """Whether a type is "binary" or "string", of whatever width and in whatever coding."""
    if types.is_dictionary(column):
        column = column.value_type
    forms = (kind, f"large_{kind}", f"{kind}_view") + (("fixed_size_binary",) if kind == "binary" else ())
    return any(getattr(types, f"is_{form}", lambda _: False)(column) for form in forms)
