"""The visual-context artefact: JSONL or Parquet, one record for each picture; unknown keys are kept."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from mner.bounded import text_lines
from mner.contexts.rows import from_row, parsed, to_line
from mner.errors import DataError
from mner.files import sha256, writing
from mner.picture_files import short_name
from mner.types import Caption, ContextText, VisualContext

PARQUET = ".parquet"
"""Suffix of an artefact that is not JSONL."""

_T = TypeVar("_T")


def key(image: str) -> str:
    """The name a picture goes by: ``IMGID:x`` is ``x.jpg``; a path keeps its relative form.

    >>> key("IMGID:123"), key("./pics/a.png")
    ('123.jpg', 'pics/a.png')
    """
    if image.startswith("IMGID:"):
        return image.removeprefix("IMGID:") + ".jpg"
    return short_name(image).removeprefix("./")


def spelt(name: str) -> str:
    """A name as all systems would write it: slashes, and accents composed."""
    slashed = name.replace("\\", "/")
    return slashed if slashed.isascii() else unicodedata.normalize("NFC", slashed)


class Contexts(Mapping[str, VisualContext]):
    """Contexts by picture name; ``get`` also finds a picture by the last part of its path, however that is spelt.

    Where several pictures share that last part, or there are pictures of the very folder that a path names, only a path
    that ends like one of theirs finds it: no context is better than another picture's.
    """

    def __init__(self, rows: Iterable[VisualContext] = ()) -> None:
        self._rows: dict[str, VisualContext] = {}
        self._names: dict[str, list[str]] = {}  # last part of the path -> names
        self._folders: set[str] = set()
        self._ends_of_folders: set[str] = set()
        for row in rows:
            self.add(row)

    def add(self, row: VisualContext) -> None:
        """Add a record; entries of a picture that is known already join the earlier ones, equal ones once.

        A placeholder stays one whatever other records say. Otherwise the status "ok" outweighs any other.
        """
        name = key(row.image)
        known = self._rows.get(name)
        self._rows[name] = row if known is None else _joined(known, row)
        if known is None:
            folder, _, last = spelt(name).rpartition("/")
            self._names.setdefault(last, []).append(name)
            if folder and folder not in self._folders:
                self._folders.add(folder)
                self._ends_of_folders.update(_ends(folder))

    def __getitem__(self, image: str) -> VisualContext:
        name = key(image)
        if name not in self._rows:
            name = self._nearest(name)
        return self._rows[name]

    def _nearest(self, name: str) -> str:
        wanted = f"/{spelt(name)}"
        folder, _, last = wanted[1:].rpartition("/")
        known = self._names[last]
        if len(known) > 1 or folder in self._ends_of_folders or not self._folders.isdisjoint(_ends(folder)):
            paths = {path: f"/{spelt(path)}" for path in known}
            known = [path for path in known if wanted.endswith(paths[path]) or paths[path].endswith(wanted)]
        if len(known) != 1:
            raise KeyError(name)
        return known[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _ends(folder: str) -> list[str]:
    """The path of a folder and what is left of it without its first parts: "a/b/c", "b/c", "c"."""
    parts = folder.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def read_contexts(paths: str | Path | Sequence[str | Path]) -> Contexts:
    """The contexts of one or several files; later files add entries to earlier records.

    Raises:
        DataError: A file is missing, or a line is not a context; the message names file, line and what was expected.
    """
    contexts = Contexts()
    for path in [paths] if isinstance(paths, str | Path) else paths:
        for row in iter_contexts(Path(path)):
            contexts.add(row)
    return contexts


def iter_contexts(path: Path) -> Iterator[VisualContext]:
    """The records of a file, one after the other; of a folder, those of its ``*.jsonl`` and ``*.parquet``, by name."""
    for file in files_of(path):
        if not file.exists():
            raise DataError(f"{file}: no such file; make one from pictures: mner context build")
        if file.suffix.lower() == PARQUET:
            from mner.contexts.parquet import read_rows

            yield from read_rows(file)
        else:
            for where, line in text_lines(file):
                yield from_row(parsed(line, where, 'a JSON object such as {"image": "1.jpg"}'), where=where)


def files_of(path: Path) -> list[Path]:
    """The files that an artefact consists of: the file itself, or the shards of a folder.

    Raises:
        DataError: A folder holds no shard.
    """
    if not path.is_dir():
        return [path]
    shards = sorted(file for file in path.iterdir() if file.suffix.lower() in {".jsonl", PARQUET})
    if not shards:
        raise DataError(f"{path}: holds no file of contexts (*.jsonl, *{PARQUET})")
    return shards


def digest(path: Path) -> str:
    """The SHA-256 of an artefact, hexadecimal: of its file, or over those of its shards, names aside.

    Raises:
        DataError: A folder holds no shard, or a file cannot be read.
    """
    try:
        digests = [sha256(file) for file in files_of(path)]
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror or error}") from None
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def write_contexts(rows: Iterable[VisualContext], path: Path) -> int:
    """Write records into a file that appears when it is whole, as JSONL or, by its suffix, Parquet; their number.

    Raises:
        DataError: The file cannot be written, such as on a full disk, or another process is writing it.
        MissingExtraError: Parquet without the package pyarrow.
        Exception: What the rows raise, as they raise it.
    """
    if path.suffix.lower() == PARQUET:
        from mner.contexts.parquet import write_rows

        return write_rows(rows, path)
    count = 0
    with writing(path) as stream:
        for row in rows:
            stream.write(to_line(row) + "\n")
            count += 1
    return count


def for_post(context: VisualContext, post: str) -> VisualContext:
    """The context without the texts and captions that belong to other posts with the same picture.

    One belongs to a post if its entry has the key ``post``, with that post's id.

    >>> from mner.types import ContextText
    >>> both = (ContextText("a", extra={"post": "1"}), ContextText("b", extra={"post": "2"}), ContextText("c"))
    >>> [entry.text for entry in for_post(VisualContext("x.jpg", texts=both), "2").texts]
    ['b', 'c']
    """
    entries: tuple[ContextText | Caption, ...] = (*context.texts, *context.captions)
    if not any("post" in entry.extra for entry in entries):
        return context
    texts = tuple(entry for entry in context.texts if entry.extra.get("post", post) == post)
    captions = tuple(entry for entry in context.captions if entry.extra.get("post", post) == post)
    return replace(context, texts=texts, captions=captions)


def _joined(earlier: VisualContext, later: VisualContext) -> VisualContext:
    """Two records of one picture as one, new entries of the later one last."""
    both = (earlier, later)
    base = next((row for status in ("placeholder", "ok") for row in both if row.status == status), earlier)
    return replace(
        base,
        tags=_added(earlier.tags, later.tags),
        captions=_added(earlier.captions, later.captions),
        ocr=_added(earlier.ocr, later.ocr),
        texts=_added(earlier.texts, later.texts),
        sha256=earlier.sha256 or later.sha256,
        extra={**earlier.extra, **later.extra},
    )


def _added(earlier: tuple[_T, ...], later: tuple[_T, ...]) -> tuple[_T, ...]:
    return earlier + tuple(entry for entry in later if entry not in earlier)
