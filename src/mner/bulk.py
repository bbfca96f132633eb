"""Many posts -> shards of rows that an interrupted run continues, or one stream of rows."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mner.data.formats.jsonl import line_of
from mner.engines import shard_list, shards
from mner.engines.worker_pool import Hire, ordered
from mner.errors import DataError
from mner.files import write_json, writing
from mner.folders import held
from mner.picture_files import short_name
from mner.tagger.limits import MinScore, check_score
from mner.tagger.requests import PostLike, check_many, plain_posts
from mner.tagger.tagger import LOOK_AHEAD, Tagger
from mner.types import LINKS, ImageStatus, PictureStatus, Post, Prediction

SHARD_SIZE = 1000
"""Posts of one shard, the most that an interrupt loses."""

SUMMARY = "summary.json"


@dataclass(slots=True)
class Counts:
    """What a number of predictions came to.

    Attributes:
        posts: Their number.
        entities: The entities in them.
        pictures: Pictures by what became of them; a post without one counts as "none".
        cut: Sub-tokens that the model could not take, by kind.
    """

    posts: int = 0
    entities: int = 0
    pictures: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)

    def add(self, prediction: Prediction) -> None:
        """Count one more prediction."""
        self.posts += 1
        self.entities += len(prediction.entities)
        self.pictures.update([picture.status for picture in prediction.pictures] or [prediction.image_status])
        self.cut.update(prediction.cut)

    def count(self, line: str) -> None:
        """Count a prediction that has been written as a line."""
        row = json.loads(line)
        self.posts += 1
        self.entities += len(row["entities"])
        self.pictures.update([picture["status"] for picture in row.get("pictures", ())] or [row["image_status"]])
        self.cut.update(row.get("cut", {}))

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
        parts = [
            f"{self.posts} post{'s' * (self.posts != 1)}, {self.entities} entit{'y' if self.entities == 1 else 'ies'}"
        ]
        if set(self.pictures) - {"none"}:
            parts.append("pictures: " + _listed(self.pictures))
        if lost := self.cut.keys() - {LINKS}:
            parts.append("sub-tokens cut: " + _listed(Counter({kind: self.cut[kind] for kind in lost})))
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Shards:
    """A finished bulk prediction: its files in order, their counts, and how many were there before."""

    files: tuple[Path, ...]
    counts: Counts
    before: int


def line(row: Mapping[str, Any]) -> str:
    r"""A row as one line of JSON, without the line feed.

    Half a surrogate pair, which is no UTF-8, and whatever some readers take for a line's end are written as escapes;
    values that JSON lacks as in a file of posts.

    >>> line({"text": "a\ud800"})
    '{"text": "a\\ud800"}'
    """
    text = line_of(row)
    return text.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@dataclass(frozen=True, slots=True)
class Tagging:
    """How posts are tagged; it pickles if ``reopen`` does, and workers on any machine can begin from it.

    Attributes:
        reopen: Gives the tagger, such as ``functools.partial(mner.load, "runs/mine", threads=1)``.
        min_score: Least probability of an entity, or "calibrated".
    """

    reopen: Callable[[], Tagger]
    min_score: MinScore = 0.0

    def __call__(self) -> Callable[[list[Post]], Iterator[str]]:
        """Load the tagger; gives the function from posts to lines."""
        tagger = self.reopen()
        return lambda posts: _lines(tagger, posts, self.min_score)


def predict_file(
    tagger: Tagger,
    posts: Iterable[PostLike],
    out: str | Path,
    *,
    min_score: MinScore = 0.0,
    watch: Callable[[int], None] = lambda posts: None,
) -> Counts:
    """Write the rows of predictions into one file, which appears when it is whole; what they came to.

    Args:
        tagger: The model.
        posts: The posts, which may come from a stream.
        out: The file.
        min_score: Least probability of an entity, or "calibrated".
        watch: Called with the number of posts done so far.

    Raises:
        DataError: The file cannot be written.
    """
    check_many(posts)
    check_score(min_score)
    counts = Counts()
    with writing(Path(out)) as stream:
        for prediction in tagger.pipe(posts, min_score=min_score):
            stream.write(line(prediction.to_dict()) + "\n")
            counts.add(prediction)
            watch(counts.posts)
    return counts


def predict_shards(
    tagger: Tagger,
    posts: Iterable[str | Post],
    out: str | Path,
    *,
    shard_size: int = SHARD_SIZE,
    min_score: MinScore = 0.0,
    hire: Hire[Post, str] | None = None,
    reopen: Callable[[], Tagger] | None = None,
    batch_size: int = LOOK_AHEAD,
    force: bool = False,
    watch: Callable[[int], None] = lambda posts: None,
) -> Shards:
    """The shards of predictions in a folder, those of an interrupted call kept.

    ``out`` gets ``part-0000000.jsonl`` and so on, each whole or not there; ``manifest.json`` with the model and the
    settings; ``shards.jsonl`` with counts and the fingerprint of each shard's posts; at the end ``summary.json``.
    Memory holds one shard's posts, which may come from a stream; with workers, what they have at hand besides.

    Args:
        tagger: The model.
        posts: Posts or texts, from the first on, also when a call continues another.
        out: The folder; made if it is not there.
        shard_size: Posts of one shard.
        min_score: Least probability of an entity, or "calibrated".
        hire: Makes workers that tag instead, such as ``functools.partial(mner.engines.ray.Actors, workers=8)``.
        reopen: Gives a worker the same tagger; needed with ``hire``.
        batch_size: Posts that a worker is handed at once.
        force: Write beside files that are not mner's.
        watch: Called with the number of posts done so far.

    Raises:
        DataError: The folder holds predictions of other posts, of another model or under other settings, or other
            files, or cannot be written, or another process is writing it.
        WorkerError: Workers cannot start.

    >>> import mner, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(predict_shards(mner.load(threads=1), [Post("Kevin Love won")], folder, min_score=0.5).counts)
    1 post, 1 entity
    """
    check_many(posts)
    check_score(min_score)
    out = Path(out)
    settings = {"mner": version("mner"), **tagger.settings, "min_score": min_score}
    digests: defaultdict[int, Any] = defaultdict(hashlib.sha256)
    known: dict[int, dict[str, Any]] = {}
    files: list[Path] = []
    counts, before = Counts(), 0

    def read() -> Iterator[Post]:
        for number, post in enumerate(plain_posts(posts)):
            rest = [part for part in (dict(post.extra), post.more_images) if part]  # extra comes back in the rows
            identity = json.dumps([post.id, post.text, post.words, post.offsets, post.image, *rest], default=str)
            digests[number // shard_size].update(identity.encode())
            yield post

    def seal(number: int, lines: list[str]) -> None:
        # Before the shard gets its name: a shard that is there has its record, whenever a kill comes.
        of_shard = Counts()
        for written in lines:
            of_shard.count(written)
        record = {"shard": number, "posts_id": digests[number].hexdigest()[:16], **of_shard.to_dict()}
        known[number] = shard_list.add(out, record, lines)

    with ExitStack() as stack:
        shards.make_folder(out)
        stack.enter_context(held(out))
        _compare(out, settings)
        known |= shard_list.read(out)
        shard_list.drop_damaged(out, known)
        options: dict[str, Any] = {"fingerprint": _written(settings), "shard_size": shard_size, "seal": seal}
        options |= {"force": force, "write": shards.write_lines}
        stream: Callable[[Iterable[list[Post]]], Iterator[list[str]]]
        if hire is None:
            stream, batch_size = shards.in_this_process(lambda shard: _lines(tagger, shard, min_score)), 0
        else:
            if reopen is None:
                raise TypeError("reopen: needed with hire, as workers load the tagger themselves")
            stream = partial(ordered, stack.enter_context(hire(Tagging(reopen, min_score))), lost=_lost)
        steps = shards.run(stream, read(), out, batch_size=batch_size, **options)
        for progress in steps:
            number = progress.shards - 1
            record = known.pop(number, {})
            path = shards.part(out, number)
            if record.get("posts_id") != digests.pop(number).hexdigest()[:16]:
                first = number * shard_size + 1
                raise DataError(
                    f"{path}: made of other posts than the input now has from post {first} on; "
                    f"{shard_list.elsewhere(out)}"
                )
            files.append(path)
            counts.merge(record)
            before += progress.skipped
            watch(counts.posts)
        write_json(out / SUMMARY, {**settings, **counts.to_dict(), "files": [path.name for path in files]})
    return Shards(tuple(files), counts, before)


def _lines(tagger: Tagger, posts: Iterable[Post], min_score: MinScore) -> Iterator[str]:
    return (line(prediction.to_dict()) for prediction in tagger.pipe(posts, min_score=min_score))


def _lost(post: Post, reason: str) -> str:
    """The line of a post that ends every process that tags it."""
    status: ImageStatus = "none" if post.image is None else "unreadable"
    each = tuple(PictureStatus(status, short_name(name), reason) for name in post.images)
    settings: dict[str, Any] = {"image": each[0].image if each else None, "pictures": each if post.more_images else ()}
    lost = Prediction(post.id, post.text, (), image_status=status, reason=reason, extra=post.extra, **settings)
    return line(lost.to_dict())


def _written(settings: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={str(value).replace(' ', '+')}" for key, value in settings.items())


def _compare(out: Path, settings: Mapping[str, Any]) -> None:
    """Refuse a folder begun under other settings, and name them; the engine refuses other faults."""
    path = out / shards.MANIFEST
    if not path.exists():
        return
    try:
        before = str(json.loads(path.read_text(encoding="utf-8"))["fingerprint"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: damaged ({error}); {shard_list.elsewhere(out)}") from None
    then, now = (dict(part.partition("=")[::2] for part in text.split()) for text in (before, _written(settings)))
    changed = [
        f"{key} {then.get(key)} is now {now.get(key)}" for key in {**then, **now} if then.get(key) != now.get(key)
    ]
    if changed:
        raise DataError(f"{out}: begun under other settings: {', '.join(changed)}; {shard_list.elsewhere(out)}")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common())
