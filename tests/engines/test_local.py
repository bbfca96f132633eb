"""Shards: whole or absent, kept over interruptions, refused for other input."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from mner.engines.local import Progress, run
from mner.errors import DataError


def doubled(items: Iterable[int]) -> Iterator[str]:
    for item in items:
        yield str(2 * item)


def lines(out: Path) -> list[str]:
    return [line for path in sorted(out.glob("part-*.jsonl")) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8, 9])
def test_every_item_gives_its_line_in_order(tmp_path: Path, count: int) -> None:
    steps = list(run(doubled, range(count), tmp_path / "out", fingerprint="f", shard_size=4))
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
        list(run(breaking, range(10), tmp_path, fingerprint="f", shard_size=4))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "part-0000000.jsonl"]
    seen_before = list(seen)
    steps = list(run(breaking, range(10), tmp_path, fingerprint="f", shard_size=4))
    assert steps[0] == Progress(1, 4, kept=True) and not any(step.kept for step in steps[1:])
    assert lines(tmp_path) == [str(2 * number) for number in range(10)]
    assert set(seen[len(seen_before) :]) == set(range(4, 10))


def test_other_input_or_size_is_refused(tmp_path: Path) -> None:
    list(run(doubled, range(3), tmp_path, fingerprint="f"))
    with pytest.raises(DataError, match="fingerprint differ"):
        list(run(doubled, range(3), tmp_path, fingerprint="g"))
    with pytest.raises(DataError, match="shard_size differ"):
        list(run(doubled, range(3), tmp_path, fingerprint="f", shard_size=2))


def test_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(DataError, match="not shards of mner; name another folder, or pass --force"):
        list(run(doubled, range(3), tmp_path, fingerprint="f"))


def test_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(DataError, match="out: cannot be a folder of shards"):
        list(run(doubled, range(3), tmp_path / "out", fingerprint="f"))


def test_run_killed_as_it_began_can_begin_again(tmp_path: Path) -> None:
    (tmp_path / ".manifest.json.mner.part").write_text('{"for')
    assert [step.items for step in run(doubled, range(3), tmp_path, fingerprint="f")] == [3]


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
        list(run(doubled, range(5), tmp_path, fingerprint="f", shard_size=2))
    assert lines(tmp_path) == []
    list(run(doubled, range(5), tmp_path, fingerprint="f", shard_size=2))
    assert lines(tmp_path) == ["0", "2", "4", "6", "8"]


def test_function_that_loses_an_item_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="3 items gave 2 lines"):
        list(run(lambda items: (str(item) for item in items if item), range(3), tmp_path, fingerprint="f"))
    assert not list(tmp_path.glob("part-*"))


@pytest.mark.parametrize("text", ["{", "[]"])
def test_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"manifest\.json: damaged"):
        list(run(doubled, range(3), tmp_path, fingerprint="f"))


def test_shards_of_a_longer_input_are_told(tmp_path: Path) -> None:
    list(run(doubled, range(9), tmp_path, fingerprint="f", shard_size=3))
    with pytest.raises(DataError, match="holds 3 shards, the input now makes 2"):
        list(run(doubled, range(6), tmp_path, fingerprint="f", shard_size=3))
