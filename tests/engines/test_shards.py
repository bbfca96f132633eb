"""Shards of a stream that looks ahead: every border, and no more items at hand than the stream asks for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from mner.engines.shards import part, run, write_lines

SIZE = 4


def doubled(ahead: int, lists: Iterable[list[int]]) -> Iterator[list[str]]:
    """Twice each item, ``ahead`` lists taken before the first is answered."""
    waiting: deque[list[int]] = deque()
    for some in lists:
        waiting.append(some)
        if len(waiting) > ahead:
            yield [str(2 * item) for item in waiting.popleft()]
    yield from ([str(2 * item) for item in some] for some in waiting)


def made(out: Path, items: Iterable[int], batch: int, ahead: int = 0, **options: object) -> list[tuple[int, bool]]:
    steps = run(
        partial(doubled, ahead), items, out, fingerprint="f", write=write_lines, shard_size=SIZE, batch_size=batch,
        **options,
    )  # fmt: skip
    return [(step.items, step.kept) for step in steps]


@pytest.mark.parametrize("ahead", [0, 1, 9])
@pytest.mark.parametrize("batch", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 8, 9, 12])
def test_every_item_is_in_its_shard_and_missing_shards_are_made_again(
    tmp_path: Path, count: int, batch: int, ahead: int
) -> None:
    sealed: dict[int, list[str]] = {}
    steps = made(tmp_path, range(count), batch, ahead, seal=sealed.__setitem__)
    expected = [min(end, count) for end in range(SIZE, count + SIZE, SIZE)]
    assert steps == [(items, False) for items in expected]
    shards = [[str(2 * item) for item in range(start, min(start + SIZE, count))] for start in range(0, count, SIZE)]
    assert [path.read_text().split() for path in sorted(tmp_path.glob("part-*"))] == shards
    assert sealed == dict(enumerate(shards))
    for missing in range(len(shards)):
        part(tmp_path, missing).unlink()
        steps = made(tmp_path, range(count), batch, ahead)
        assert steps == [(items, number != missing) for number, items in enumerate(expected)]
        assert part(tmp_path, missing).read_text().split() == shards[missing]


def test_no_list_crosses_a_border(tmp_path: Path) -> None:
    seen: list[list[int]] = []

    def stream(lists: Iterable[list[int]]) -> Iterator[list[str]]:
        for some in lists:
            seen.append(some)
            yield [str(item) for item in some]

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
        for some in lists:
            assert len(taken) - done <= 5
            done += len(some)
            yield [str(item) for item in some]

    writing: Callable[..., object] = write_lines
    list(run(answered, counted(), tmp_path, fingerprint="f", write=writing, shard_size=50, batch_size=5))
    assert done == 100
