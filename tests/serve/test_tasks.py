"""The tasks of one request end with it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mner.serve.tasks import all_of, in_a_thread


def test_after_an_error_the_others_end_before_it_is_raised() -> None:
    ended: list[str] = []

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("first")

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("other")

    with pytest.raises(ValueError, match="first"):
        asyncio.run(all_of([wait(), fail()]))
    assert ended == ["other"]


def test_all_are_waited_for() -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0.01 * number)
        done.append(number)

    asyncio.run(all_of(map(work, [2, 1, 0])))
    assert done == [0, 1, 2]


def test_thread_gives_its_value_or_its_error() -> None:
    async def run() -> None:
        assert await in_a_thread(lambda: threading.current_thread().name) == "mner-grounder"
        with pytest.raises(ZeroDivisionError):
            await in_a_thread(lambda: 1 // 0)

    asyncio.run(run())
