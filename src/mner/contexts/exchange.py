"""The store <-> an artefact of all it keeps: what one machine has read, another one need not read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from mner.contexts.artefact import iter_contexts, write_contexts
from mner.contexts.edit import MARK
from mner.contexts.store import Store
from mner.types import VisualContext

KEPT_AS = "kept_as"
"""Key of a row of such an artefact: the fingerprint under which the store keeps it."""


def export_store(store: Store, path: Path) -> int:
    """Write all that a store keeps into an artefact, JSONL or Parquet by its suffix; the number of rows.

    A row's ``image`` is the name under which the picture was read first.

    Raises:
        DataError: The store cannot be read or the file cannot be written.
    """
    return write_contexts(_rows(store), path)


def import_into_store(rows: Iterable[VisualContext], store: Store) -> tuple[int, int]:
    """Keep rows of artefacts in a store; how many were kept, and how many could not be.

    Kept is what a run would have kept: a row that is ok, on which no backend failed, that nobody edited, and that
    says of which picture (``sha256``) and by which extractor it was read. What the store has stays.

    Raises:
        DataError: A row cannot be read, or the store cannot be written.
    """
    kept = left_out = 0
    for row in rows:
        named = row.extra.get(KEPT_AS, (row.extractor or {}).get("fingerprint"))
        if row.sha256 is None or not isinstance(named, str) or row.status != "ok" or row.reason or row.extra.get(MARK):
            left_out += 1
            continue
        kept += 1
        if store.get(row.sha256, named) is None:
            extra = {key: value for key, value in row.extra.items() if key != KEPT_AS}
            store.put(replace(row, extra=extra), named)
    return kept, left_out


def import_files(paths: Iterable[Path], store: Store) -> tuple[int, int]:
    """The same of artefact files, or of folders of them."""
    return import_into_store((row for path in paths for row in iter_contexts(path)), store)


def _rows(store: Store) -> Iterator[VisualContext]:
    for fingerprint, context in store:
        yield replace(context, extra={**context.extra, KEPT_AS: fingerprint})
