"""Shards: resumable after a kill, refused after a change, equal to the stream."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mner
from mner.bulk import Counts, line, predict_file, predict_shards
from mner.errors import DataError
from mner.tagger import Tagger
from mner.types import Entity, Post, Prediction, VisualContext

TEXTS = [f"Kevin Love won {number} in Cleveland" for number in range(10)]
POSTS = [
    Post(str(n), text, tuple(text.split()), ((0, 5), (6, 10), (11, 14), (15, 16), (17, 19), (20, 29)))
    for n, text in enumerate(TEXTS)
]


@pytest.fixture(scope="module")
def tagger(tiny_model: Path) -> Tagger:
    return mner.load(tiny_model, threads=1)


def rows(files: Any) -> list[dict[str, Any]]:
    return [json.loads(text) for path in files for text in path.read_text(encoding="utf-8").splitlines()]


def content(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def test_shards_hold_what_the_stream_says(tagger: Tagger, tmp_path: Path) -> None:
    seen: list[int] = []
    done = predict_shards(tagger, POSTS, tmp_path / "out", shard_size=4, watch=seen.append)
    assert [path.name for path in done.files] == ["part-0000000.jsonl", "part-0000001.jsonl", "part-0000002.jsonl"]
    assert seen == [4, 8, 10]
    written, expected = rows(done.files), [prediction.to_dict() for prediction in tagger.pipe(POSTS)]
    assert [row["id"] for row in written] == [post.id for post in POSTS]
    for row, other in zip(written, expected, strict=True):
        scores, others = ([e.pop("score") for e in side["entities"]] for side in (row, other))
        assert row == other
        assert scores == pytest.approx(others, abs=1e-5)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["posts"], summary["files"]) == (10, [path.name for path in done.files])
    assert done.counts.entities == sum(len(row["entities"]) for row in written)


def test_shards_of_texts(tagger: Tagger, tmp_path: Path) -> None:
    texts = [post.text for post in POSTS]
    done = predict_shards(tagger, texts, tmp_path / "texts")
    bare = predict_shards(tagger, [Post(text) for text in texts], tmp_path / "posts")
    assert rows(done.files) == rows(bare.files)
    assert [row["text"] for row in rows(done.files)] == texts
    with pytest.raises(TypeError, match=r"^post 2: expected a text or a mner\.Post, got dict$"):
        predict_shards(tagger, ["Hi", {"text": "Bo"}], tmp_path / "rows")  # type: ignore[list-item]


def test_interrupted_run_continues(tagger: Tagger, tmp_path: Path) -> None:
    whole = predict_shards(tagger, POSTS, tmp_path / "whole", shard_size=3)

    def stopping() -> Iterator[Post]:
        yield from POSTS[:7]
        raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        predict_shards(tagger, stopping(), out, shard_size=3)
    assert sorted(path.name for path in out.glob("*.jsonl")) == [
        "part-0000000.jsonl",
        "part-0000001.jsonl",
        "shards.jsonl",
    ]
    assert not (out / "summary.json").exists()
    before = (out / "part-0000000.jsonl").stat().st_mtime_ns
    done = predict_shards(tagger, POSTS, out, shard_size=3)
    assert done.before == 2
    assert (out / "part-0000000.jsonl").stat().st_mtime_ns == before
    assert rows(done.files) == rows(whole.files)
    assert content(out) == content(tmp_path / "whole")
    assert done.counts == whole.counts


class WorkerPool:
    """Two workers in this process, of which one ends whenever it is handed a certain post."""

    workers = idle = 2

    def __init__(self, begin: Any, fatal: str) -> None:
        self.tag, self.fatal, self.done, self.ends = begin(), fatal, [], 0

    def give(self, task: int, items: Any) -> None:
        ended = any(post.id == self.fatal for post in items)
        self.ends += ended
        self.done.append((task, None if ended else list(self.tag(items))))

    def wait(self) -> Any:
        return [self.done.pop()]  # the later first


@pytest.mark.parametrize("image", [None, "4.jpg"])
def test_post_that_ends_its_workers_is_marked(tagger: Tagger, tmp_path: Path, image: str | None) -> None:
    posts = [replace(post, image=image) if post.id == "4" else post for post in POSTS]
    pools: list[WorkerPool] = []

    def hire(begin: Any) -> Any:
        pools.append(WorkerPool(begin, "4"))
        return nullcontext(pools[0])

    options = {"shard_size": 4, "batch_size": 3}
    done = predict_shards(tagger, posts, tmp_path / "a", **options, hire=hire, reopen=lambda: tagger)
    written, expected = rows(done.files), [json.loads(line(prediction.to_dict())) for prediction in tagger.pipe(posts)]
    assert [row["id"] for row in written] == [post.id for post in posts]
    lost = written.pop(4)
    assert lost["reason"] == f"given up: {pools[0].ends - 1} workers ended with it, one after the other"
    assert (lost["entities"], lost["image_status"]) == ([], "unreadable" if image else "none")
    spans = [[(e["start"], e["end"], e["label"]) for e in row["entities"]] for row in (*written, *expected)]
    assert spans[:9] == [*spans[9:13], *spans[14:]]
    assert done.counts.posts == 10


def test_finished_run_is_left_as_it_is(tagger: Tagger, tmp_path: Path) -> None:
    first = predict_shards(tagger, POSTS, tmp_path, shard_size=3)
    before = content(tmp_path)
    again = predict_shards(tagger, POSTS, tmp_path, shard_size=3)
    assert (again.before, again.counts) == (4, first.counts)
    assert content(tmp_path) == before


def test_record_cut_short_is_made_again(tagger: Tagger, tmp_path: Path) -> None:
    predict_shards(tagger, POSTS, tmp_path, shard_size=3)
    before = content(tmp_path)
    (tmp_path / "shards.jsonl").write_bytes(before["shards.jsonl"][:-9])
    (tmp_path / "part-0000001.jsonl").unlink()
    done = predict_shards(tagger, POSTS, tmp_path, shard_size=3)
    assert done.before == 2
    after = content(tmp_path)
    assert after.pop("shards.jsonl") != before.pop("shards.jsonl")
    assert after == before
    again = predict_shards(tagger, POSTS, tmp_path, shard_size=3)
    assert (again.before, again.counts) == (4, done.counts)


@pytest.mark.parametrize(
    ("posts", "message"),
    [
        ([*POSTS[:4], POSTS[9], *POSTS[5:]], "from post 4 on"),
        (POSTS[1:], "from post 1 on"),
        (POSTS[:6], "holds 4 shards, the input now makes 2"),
        ([*POSTS, POSTS[0]], "from post 10 on"),
    ],
)
def test_changed_posts_are_refused(tagger: Tagger, tmp_path: Path, posts: list[Post], message: str) -> None:
    predict_shards(tagger, POSTS, tmp_path, shard_size=3)
    with pytest.raises(DataError, match=f"{message}.*another folder"):
        predict_shards(tagger, posts, tmp_path, shard_size=3)


@pytest.mark.parametrize(("options", "name"), [({"shard_size": 5}, "shard_size"), ({"min_score": 0.5}, "min_score")])
def test_changed_settings_are_refused(tagger: Tagger, tmp_path: Path, options: Any, name: str) -> None:
    predict_shards(tagger, POSTS[:3], tmp_path, shard_size=3)
    with pytest.raises(DataError, match=f"{name}.*another folder|other settings: {name} .* is now"):
        predict_shards(tagger, POSTS[:3], tmp_path, **{"shard_size": 3, **options})


def test_changed_model_is_refused(tagger: Tagger, tiny_model: Path, tmp_path: Path) -> None:
    predict_shards(tagger, POSTS[:3], tmp_path)
    other = mner.load(tiny_model, threads=1, use_images=False)
    with pytest.raises(DataError, match="use_images True is now False"):
        predict_shards(other, POSTS[:3], tmp_path)
    other.settings = {**tagger.settings, "model": "0123456789ab"}
    with pytest.raises(DataError, match=r"model .* is now 0123456789ab;"):
        predict_shards(other, POSTS[:3], tmp_path)


@pytest.mark.parametrize("name", ["shards.jsonl", "summary.json"])
def test_full_disk_names_the_file_and_the_run_goes_on(
    tagger: Tagger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    opened = os.open

    def full(path: Any, *given: Any, **how: Any) -> int:
        if name in Path(path).name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, *given, **how)

    with monkeypatch.context() as patch, pytest.raises(DataError, match=rf"{name}: cannot be written: No space left"):
        patch.setattr("mner.files.os.open", full)
        predict_shards(tagger, POSTS, tmp_path / "out", shard_size=3)
    done = predict_shards(tagger, POSTS, tmp_path / "out", shard_size=3)
    assert [row["id"] for row in rows(done.files)] == [post.id for post in POSTS]
    assert (tmp_path / "out" / "summary.json").exists()


def test_foreign_folder_is_refused(tagger: Tagger, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("!")
    with pytest.raises(DataError, match="not shards of mner"):
        predict_shards(tagger, POSTS, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("name", ["manifest.json", "shards.jsonl"])
def test_damaged_folder_is_told(tagger: Tagger, tmp_path: Path, name: str) -> None:
    predict_shards(tagger, POSTS[:3], tmp_path)
    (tmp_path / name).write_text("{\n")
    with pytest.raises(DataError, match=f"{name}: damaged"):
        predict_shards(tagger, POSTS[:3], tmp_path)


@pytest.mark.parametrize(
    "spoil", [lambda text: text[:100], lambda text: "", lambda text: text.replace("Kevin", "Karin")]
)
@pytest.mark.parametrize("listed", [True, False])
def test_shard_that_is_not_what_was_written_is_made_again(
    tagger: Tagger, tmp_path: Path, spoil: Callable[[str], str], listed: bool
) -> None:
    """Cut short by a power cut, or changed; of mner 0.1, whose list has no checksums, cut short at least."""
    done = predict_shards(tagger, POSTS, tmp_path, shard_size=3)
    before = [path.read_text() for path in done.files]
    path = next(path for path in done.files if "Kevin" in path.read_text())
    path.write_text(spoil(path.read_text()))
    if not listed:
        if path.read_text().count("\n") == 3:
            return
        records = [json.loads(line) for line in (tmp_path / "shards.jsonl").read_text().splitlines()]
        (tmp_path / "shards.jsonl").write_text(
            "".join(json.dumps({key: row[key] for key in row if key != "sha256"}) + "\n" for row in records)
        )
    again = predict_shards(tagger, POSTS, tmp_path, shard_size=3)
    assert again.before == len(done.files) - 1
    assert [path.read_text() for path in again.files] == before


def test_second_run_into_a_folder_hears_of_the_first(tagger: Tagger, tmp_path: Path) -> None:
    def rivals() -> Iterator[Post]:
        with pytest.raises(DataError, match=rf"process {os.getpid()} on .* is writing this folder; wait until it ends"):
            predict_shards(tagger, POSTS, tmp_path, shard_size=3)
        yield from POSTS

    assert predict_shards(tagger, rivals(), tmp_path, shard_size=3).counts.posts == len(POSTS)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs rights there")
@pytest.mark.parametrize("name", ["manifest.json", "shards.jsonl", "summary.json", "part-0000000.jsonl", ".mner.lock"])
def test_links_in_the_folder_are_not_written_through(tagger: Tagger, tmp_path: Path, name: str) -> None:
    victim, out = tmp_path / "victim", tmp_path / "out"
    victim.write_text("precious\n")
    out.mkdir()
    (out / name).symlink_to(victim)
    with suppress(DataError):
        predict_shards(tagger, POSTS, out, shard_size=3, force=True)
    assert victim.read_text() == "precious\n"


def test_files_of_others_in_the_folder_stay(tagger: Tagger, tmp_path: Path) -> None:
    mine = tmp_path / "part-00000.jsonl"
    mine.write_text("precious")
    for _ in range(2):
        predict_shards(tagger, POSTS, tmp_path, shard_size=5, force=True)
    assert mine.read_text() == "precious"


def test_one_file_holds_the_same_rows(tagger: Tagger, tmp_path: Path) -> None:
    done = predict_shards(tagger, POSTS, tmp_path / "out", shard_size=3)
    counts = predict_file(tagger, POSTS, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == "".join(path.read_text() for path in done.files)
    assert counts == done.counts

    def broken() -> Iterator[Post]:
        yield from POSTS[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_file(tagger, broken(), tmp_path / "other.jsonl")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.jsonl"]


def test_no_posts_make_no_shards(tagger: Tagger, tmp_path: Path) -> None:
    done = predict_shards(tagger, [], tmp_path)
    assert (done.files, done.counts.posts) == ((), 0)


def test_memory_holds_one_shard(tagger: Tagger, tmp_path: Path) -> None:
    taken: list[int] = []

    def counted() -> Iterator[Post]:
        for number, post in enumerate(POSTS, 1):
            taken.append(number)
            yield post

    ahead = [0]
    predict_shards(tagger, counted(), tmp_path, shard_size=2, watch=lambda done: ahead.append(len(taken) - done))
    assert max(ahead) == 0


@pytest.mark.slow
def test_killed_process_continues(tiny_model: Path, tmp_path: Path) -> None:
    """A kill that no handler sees, in the middle of the work."""
    posts, out = tmp_path / "posts.jsonl", tmp_path / "out"
    posts.write_text("".join(json.dumps({"id": str(n), "text": f"Kevin Love won {n}"}) + "\n" for n in range(200)))
    command = [
        sys.executable,
        "-m",
        "mner",
        "predict",
        str(posts),
        "--model",
        str(tiny_model),
        "--out",
        str(out),
        "--shard-size",
        "1",
        "--threads",
        "1",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(out.glob("part-*.jsonl"))) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    shards = len(list(out.glob("part-*.jsonl")))
    assert 3 <= shards < 200
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before = int(done.stderr.rsplit("; ", 1)[1].split()[0])
    assert shards - 1 <= before <= shards
    assert [row["id"] for row in rows(sorted(out.glob("part-*.jsonl")))] == [str(n) for n in range(200)]


def test_counts_read_like_a_sentence() -> None:
    counts = Counts()
    assert str(counts) == "0 posts, 0 entities"
    counts.add(Prediction("1", "a", (Entity(0, 1, "a", "PER", 0.5),)))
    assert str(counts) == "1 post, 1 entity"
    counts.add(
        Prediction("2", "a", (), image_status="used", context=VisualContext("x"), cut={"captions": 3, "links": 4})
    )
    assert str(counts) == "2 posts, 1 entity; pictures: 1 none, 1 used; sub-tokens cut: 3 captions"
    other = Counts()
    other.merge(json.loads(json.dumps(counts.to_dict())))
    assert other == counts


@given(st.text())
def test_line_is_one_line_of_utf8(text: str) -> None:
    written = line({"text": text}).encode()
    assert len(written.decode().splitlines()) == 1
    assert json.loads(written) == {"text": text}


def test_line_is_json_whatever_the_users_keys_hold() -> None:
    written = line({"id": "1", "when": date(2026, 1, 31), "score": float("nan"), "note": "a\u2028b"})
    assert written == '{"id": "1", "when": "2026-01-31", "score": null, "note": "a\\u2028b"}'


def test_pictures_after_the_first_belong_to_a_post(tagger: Tagger, tmp_path: Path) -> None:
    both = [replace(post, image="none.jpg", more_images=("gone.jpg",)) for post in POSTS[:3]]
    done = predict_shards(tagger, both, tmp_path, shard_size=2)
    assert dict(done.counts.pictures) == {"missing": 6}
    assert [row["images"] for row in rows(done.files)] == [["none.jpg", "gone.jpg"]] * 3
    again = predict_shards(tagger, both, tmp_path, shard_size=2)
    assert (again.before, again.counts) == (2, done.counts)
    changed = [*both[:2], replace(both[2], more_images=("other.jpg",))]
    with pytest.raises(DataError, match="made of other posts"):
        predict_shards(tagger, changed, tmp_path, shard_size=2)
