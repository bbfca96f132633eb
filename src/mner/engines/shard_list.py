"""The list of a folder's shards, ``shards.jsonl``: a record of each, written before the shard gets its name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mner.engines.shards import MANIFEST, part, parts
from mner.errors import DataError
from mner.files import append, write_text

RECORDS = "shards.jsonl"


def add(out: Path, record: Mapping[str, Any], lines: Iterable[str]) -> dict[str, Any]:
    """Add a shard's record, with the SHA-256 of the lines that the shard will hold, and return it."""
    content = "".join(f"{line}\n" for line in lines).encode()
    whole = {**record, "sha256": hashlib.sha256(content).hexdigest()}
    append(out / RECORDS, json.dumps(whole) + "\n")
    return whole


def read(out: Path) -> dict[int, dict[str, Any]]:
    """The record of each shard, by number; a line that a kill cut short is removed.

    Raises:
        DataError: The list is damaged.
    """
    path = out / RECORDS
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        known = {record["shard"]: record for record in map(json.loads, whole)}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: damaged ({error}); {elsewhere(out)}") from None
    if whole != lines:
        write_text(path, "".join(whole))
    return known


def drop_damaged(out: Path, known: Mapping[int, Mapping[str, Any]]) -> None:
    """Remove shards that differ from what was written, for instance after a power cut; they are made again."""
    recorded = {part(out, number): record for number, record in known.items()}
    for path in parts(out) if (out / MANIFEST).exists() else ():
        if path not in recorded or not _whole(path, recorded[path]):
            path.unlink()


def _whole(path: Path, record: Mapping[str, Any]) -> bool:
    with path.open("rb") as stream:
        if "sha256" not in record:  # of mner 0.1
            return bool(sum(1 for _ in stream) == record.get("posts"))
        return bool(hashlib.file_digest(stream, "sha256").hexdigest() == record["sha256"])


def elsewhere(out: Path) -> str:
    """What to do about a folder that holds something else, for messages."""
    return f"name another folder, or remove this one and begin again: rm -r {out}"
