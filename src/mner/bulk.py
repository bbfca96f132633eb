"""Many posts -> shards of rows that an interrupted run continues, or one stream of rows."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from mner.atomic import write_json, writing
from mner.errors import DataError
from mner.tagger import Tagger
from mner.types import Post, Prediction

SHARD_SIZE = 1000
"""Posts of one shard: what an interrupt loses at most."""

JOB, RECORDS, SUMMARY = "job.json", "shards.jsonl", "summary.json"


@dataclass(slots=True)
class Counts:
    """What a number of predictions came to.

    Attributes:
        posts: Their number.
        entities: The entities in them.
        pictures: Posts by what became of their picture.
        cut: Sub-tokens that the model could not take, by kind.
    """

    posts: int = 0
    entities: int = 0
    pictures: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)

    def add(self, one: Prediction) -> None:
        """Count one more."""
        self.posts += 1
        self.entities += len(one.entities)
        self.pictures[one.image_status] += 1
        self.cut.update(one.cut)

    def merge(self, row: Mapping[str, Any]) -> None:
        """Count what another ``to_dict`` holds."""
        self.posts += row["posts"]
        self.entities += row["entities"]
        self.pictures.update(row["pictures"])
        self.cut.update(row["cut"])

    def to_dict(self) -> dict[str, Any]:
        """The counts as a JSON object."""
        return {
            "posts": self.posts,
            "entities": self.entities,
            "pictures": dict(self.pictures),
            "cut": dict(self.cut),
        }

    def __str__(self) -> str:
        """One line: ``3 posts, 2 entities; pictures: 2 used, 1 missing``."""
        parts = [f"{self.posts} post{'s' * (self.posts != 1)}, {self.entities} entit{_ies(self.entities)}"]
        if set(self.pictures) - {"none"}:
            parts.append("pictures: " + _listed(self.pictures))
        if self.cut:
            parts.append("sub-tokens cut: " + _listed(self.cut))
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Shards:
    """A finished bulk prediction: its files in order, their counts, and how many were there before."""

    files: tuple[Path, ...]
    counts: Counts
    kept: int


def line(row: Mapping[str, Any]) -> str:
    r"""A row as one line of JSON; half a surrogate pair, which is no UTF-8, is written as its escape.

    >>> line({"text": "é\ud800"})
    '{"text": "\\u00e9\\ud800"}\n'
    """
    text = json.dumps(row, ensure_ascii=False)
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        text = json.dumps(row)
    return text + "\n"


def predict_shards(
    tagger: Tagger,
    posts: Iterable[Post],
    out: str | Path,
    *,
    shard_size: int = SHARD_SIZE,
    min_score: float = 0.0,
    watch: Callable[[int], None] = lambda posts: None,
) -> Shards:
    """The shards of predictions in a folder, those of an interrupted call kept.

    ``out`` gets ``00000.jsonl`` and so on, each whole or not there; ``job.json`` with the model and the settings;
    ``shards.jsonl`` with counts and the fingerprint of each shard's posts; at the end ``summary.json``. Memory holds
    one shard's posts.

    Args:
        tagger: The model.
        posts: The posts, from the first on, also when a call continues another.
        out: The folder; made if it is not there.
        shard_size: Posts of one shard.
        min_score: Least probability of an entity.
        watch: Called with the number of posts done so far.

    Raises:
        DataError: The folder holds predictions of other posts, of another model or under other settings.
    """
    out = Path(out)
    settings = {"mner": version("mner"), **tagger.settings, "shard_size": shard_size, "min_score": min_score}
    _begin(out, json.loads(json.dumps(settings)))
    known = _records(out)
    files, counts, kept = [], Counts(), 0
    for number, shard in enumerate(_cut(posts, shard_size)):
        path = out / f"{number:05d}.jsonl"
        record = _known(known.pop(number, None), path, fingerprint := _fingerprint(shard), number, shard_size)
        if record is None:
            record = _tag(tagger, shard, path, min_score) | {"shard": number, "fingerprint": fingerprint}
            with (out / RECORDS).open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(record) + "\n")
        else:
            kept += 1
        files.append(path)
        counts.merge(record)
        watch(counts.posts)
    if known:
        more = max(known) + 1
        raise DataError(f"{out}: holds {more} shards, these posts make {len(files)}; {_elsewhere(out)}")
    write_json(out / SUMMARY, {**settings, **counts.to_dict(), "files": [path.name for path in files]})
    return Shards(tuple(files), counts, kept)


def _begin(out: Path, settings: Mapping[str, Any]) -> None:
    """Write the settings of a new job, or check that an old one has the same."""
    path = out / JOB
    if not path.exists():
        if out.is_dir() and any(out.iterdir()):
            raise DataError(f"{out}: not empty, and not a folder of predictions; name another folder")
        write_json(path, settings)
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: damaged ({error}); {_elsewhere(out)}") from None
    changed = [key for key in {**before, **settings} if before.get(key) != settings.get(key)]
    if changed:
        told = ", ".join(f"{key} {before.get(key)!r} is now {settings.get(key)!r}" for key in changed)
        raise DataError(f"{out}: begun under other settings: {told}; {_elsewhere(out)}")


def _records(out: Path) -> dict[int, dict[str, Any]]:
    """The finished shards by number; a line that a kill cut short is taken away."""
    path = out / RECORDS
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [one for one in lines if one.endswith("\n")]
    if whole != lines:
        with writing(path) as stream:
            stream.writelines(whole)
    try:
        records = [json.loads(one) for one in whole]
        return {record["shard"]: record for record in records}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: damaged ({error}); {_elsewhere(out)}") from None


def _known(
    record: dict[str, Any] | None, path: Path, fingerprint: str, number: int, shard_size: int
) -> dict[str, Any] | None:
    """A shard's record if the shard is there; None if it must be made."""
    if record is None:
        return None
    if record["fingerprint"] != fingerprint:
        first = number * shard_size + 1
        raise DataError(
            f"{path}: made of other posts than the input now has from post {first} on; {_elsewhere(path.parent)}"
        )
    return record if path.is_file() and path.stat().st_size == record["bytes"] else None


def _tag(tagger: Tagger, shard: Sequence[Post], path: Path, min_score: float) -> dict[str, Any]:
    counts = Counts()
    with writing(path) as stream:
        for one in tagger.pipe(shard, min_score=min_score):
            counts.add(one)
            stream.write(line(one.to_dict()))
    return counts.to_dict() | {"bytes": path.stat().st_size}


def _cut(posts: Iterable[Post], size: int) -> Iterator[list[Post]]:
    remaining = iter(posts)
    while shard := list(islice(remaining, size)):
        yield shard


def _fingerprint(posts: Sequence[Post]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of all that a prediction depends on."""
    digest = hashlib.sha256()
    for post in posts:
        digest.update(json.dumps([post.id, post.text, post.words, post.offsets, post.image]).encode())
    return digest.hexdigest()[:16]


def _elsewhere(out: Path) -> str:
    return f"name another folder, or remove this one and begin anew: rm -r {out}"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common())


def _ies(count: int) -> str:
    return "y" if count == 1 else "ies"
