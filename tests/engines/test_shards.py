"""Shards: whole or absent, kept over interruptions, refused for other input; the borders of streams that look ahead."""

from __future__ import annotations

import errno
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mner.engines.shards import Progress, in_this_process, part, parts, run, write_lines
from mner.errors import DataError

SIZE = 4


def doubled(ahead: int, lists: Iterable[list[int]]) -> Iterator[list[str]]:
    """Twice each item, ``ahead`` lists taken before the first is answered."""
    waiting: deque[list[int]] = deque()
    for items in lists:
        waiting.append(items)
        if len(waiting) > ahead:
            yield [str(2 * item) for item in waiting.popleft()]
    yield from ([str(2 * item) for item in items] for items in waiting)


def steps_of(out: Path, items: Iterable[int], batch: int, ahead: int = 0, **options: object) -> list[tuple[int, bool]]:
    steps = run(
        partial(doubled, ahead), items, out, fingerprint="f", write=write_lines, shard_size=SIZE, batch_size=batch,
        **options,
    )  # fmt: skip
    return [(step.items, step.skipped) for step in steps]


@pytest.mark.parametrize("ahead", [0, 1, 9])
@pytest.mark.parametrize("batch", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 8, 9, 12])
def test_every_item_is_in_its_shard_and_missing_shards_are_made_again(
    tmp_path: Path, count: int, batch: int, ahead: int
) -> None:
    sealed: dict[int, list[str]] = {}
    steps = steps_of(tmp_path, range(count), batch, ahead, seal=sealed.__setitem__)
    expected = [min(end, count) for end in range(SIZE, count + SIZE, SIZE)]
    assert steps == [(items, False) for items in expected]
    shards = [[str(2 * item) for item in range(start, min(start + SIZE, count))] for start in range(0, count, SIZE)]
    assert [path.read_text().split() for path in sorted(tmp_path.glob("part-*"))] == shards
    assert sealed == dict(enumerate(shards))
    for missing in range(len(shards)):
        part(tmp_path, missing).unlink()
        steps = steps_of(tmp_path, range(count), batch, ahead)
        assert steps == [(items, number != missing) for number, items in enumerate(expected)]
        assert part(tmp_path, missing).read_text().split() == shards[missing]


@pytest.mark.parametrize("ahead", [0, 1, 9])
@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("stale", range(3))
def test_shard_that_is_made_again_is_made_of_what_it_is_given(
    tmp_path: Path, stale: int, batch: int, ahead: int
) -> None:
    def again(number: int, items: Iterator[int]) -> list[int]:
        taken = list(items)
        return [item + 50 for item in taken] if number == stale else []

    steps_of(tmp_path, range(10), batch, ahead)
    steps = steps_of(tmp_path, range(10), batch, ahead, again=again)
    assert steps == [(items, number != stale) for number, items in enumerate((4, 8, 10))]
    lines = [line for path in sorted(tmp_path.glob("part-*")) for line in path.read_text().split()]
    expected = [item + 50 * (item // SIZE == stale) for item in range(10)]
    assert lines == [str(2 * item) for item in expected]


def test_no_list_crosses_a_border(tmp_path: Path) -> None:
    seen: list[list[int]] = []

    def stream(lists: Iterable[list[int]]) -> Iterator[list[str]]:
        for items in lists:
            seen.append(items)
            yield [str(item) for item in items]

    list(run(stream, range(9), tmp_path, fingerprint="f", write=write_lines, shard_size=SIZE, batch_size=3))
    assert seen == [[0, 1, 2], [3], [4, 5, 6], [7], [8]]


def test_items_of_a_shard_are_taken_as_they_are_needed(tmp_path: Path) -> None:
    taken: list[int] = []

    def counted() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    done = 0

    def answered(lists: Iterable[list[int]]) -> Iterator[list[str]]:
        nonlocal done
        for items in lists:
            assert len(taken) - done <= 5
            done += len(items)
            yield [str(item) for item in items]

    writing: Callable[..., object] = write_lines
    list(run(answered, counted(), tmp_path, fingerprint="f", write=writing, shard_size=50, batch_size=5))
    assert done == 100


def whole(
    function: Callable[[list[int]], Iterable[str]], items: Iterable[int], out: Path, **options: Any
) -> Iterator[Progress]:
    """A run in this process, a shard at a time."""
    return run(in_this_process(function), items, out, write=write_lines, **options)


def twice(items: Iterable[int]) -> Iterator[str]:
    for item in items:
        yield str(2 * item)


def lines(out: Path) -> list[str]:
    return [line for path in sorted(out.glob("part-*.jsonl")) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8, 9])
def test_every_item_gives_its_line_in_order(tmp_path: Path, count: int) -> None:
    steps = list(whole(twice, range(count), tmp_path / "out", fingerprint="f", shard_size=4))
    assert lines(tmp_path / "out") == [str(2 * number) for number in range(count)]
    assert [step.items for step in steps] == [min(n + 4, count) for n in range(0, count, 4)]
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["items"] == count


def test_interrupted_run_goes_on_without_doing_work_twice(tmp_path: Path) -> None:
    seen: list[int] = []

    def breaking(items: Iterable[int]) -> Iterator[str]:
        for item in items:
            if item == 6 and item not in seen:
                seen.append(item)
                raise KeyboardInterrupt
            seen.append(item)
            yield str(2 * item)

    with pytest.raises(KeyboardInterrupt):
        list(whole(breaking, range(10), tmp_path, fingerprint="f", shard_size=4))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "part-0000000.jsonl"]
    seen_before = list(seen)
    steps = list(whole(breaking, range(10), tmp_path, fingerprint="f", shard_size=4))
    assert steps[0] == Progress(1, 4, skipped=True) and not any(step.skipped for step in steps[1:])
    assert lines(tmp_path) == [str(2 * number) for number in range(10)]
    assert set(seen[len(seen_before) :]) == set(range(4, 10))


def test_other_input_or_size_is_refused(tmp_path: Path) -> None:
    list(whole(twice, range(3), tmp_path, fingerprint="f"))
    with pytest.raises(DataError, match="fingerprint differ"):
        list(whole(twice, range(3), tmp_path, fingerprint="g"))
    with pytest.raises(DataError, match="shard_size differ"):
        list(whole(twice, range(3), tmp_path, fingerprint="f", shard_size=2))


def test_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(DataError, match="not shards of mner; name another folder, or pass --force"):
        list(whole(twice, range(3), tmp_path, fingerprint="f"))


def test_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(DataError, match="out: cannot be a folder of shards"):
        list(whole(twice, range(3), tmp_path / "out", fingerprint="f"))


def test_run_killed_as_it_began_can_begin_again(tmp_path: Path) -> None:
    (tmp_path / ".manifest.json.mner.part").write_text('{"for')
    assert [step.items for step in whole(twice, range(3), tmp_path, fingerprint="f")] == [3]


@pytest.mark.parametrize(("written", "named"), [(0, "manifest.json"), (1, "part-0000000.jsonl")])
def test_full_disk_names_the_file_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int, named: str
) -> None:
    room = written

    def full(*_: object) -> None:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(DataError, match=rf"{named}: cannot be written: No space left"):
        patch.setattr("mner.files.os.fsync", full)
        list(whole(twice, range(5), tmp_path, fingerprint="f", shard_size=2))
    assert lines(tmp_path) == []
    list(whole(twice, range(5), tmp_path, fingerprint="f", shard_size=2))
    assert lines(tmp_path) == ["0", "2", "4", "6", "8"]


def test_function_that_loses_an_item_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="3 items gave 2 results"):
        list(whole(lambda items: (str(item) for item in items if item), range(3), tmp_path, fingerprint="f"))
    assert not list(tmp_path.glob("part-*"))


@pytest.mark.parametrize("text", ["{", "[]"])
def test_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"manifest\.json: damaged"):
        list(whole(twice, range(3), tmp_path, fingerprint="f"))


def test_shards_of_a_longer_input_are_named(tmp_path: Path) -> None:
    list(whole(twice, range(9), tmp_path, fingerprint="f", shard_size=3))
    with pytest.raises(DataError, match="holds 3 shards, the input now makes 2"):
        list(whole(twice, range(6), tmp_path, fingerprint="f", shard_size=3))


def test_files_that_only_resemble_shards_are_neither_counted_nor_taken(tmp_path: Path) -> None:
    for name in ("part-00000.jsonl", "part-0000000-mine.jsonl", "part-0000000.json"):
        (tmp_path / name).touch()
    for _ in range(2):
        steps_of(tmp_path, range(5), 0, force=True)
    assert sorted(parts(tmp_path)) == [part(tmp_path, 0), part(tmp_path, 1)]


def test_files_named_like_shards_are_not_taken_for_ones_of_a_new_folder(tmp_path: Path) -> None:
    part(tmp_path, 0).write_text("mine")
    with pytest.raises(DataError, match=r"named like shards, and no manifest\.json; name another folder"):
        steps_of(tmp_path, range(5), 0, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["part-0000000.jsonl"]
