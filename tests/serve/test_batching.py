"""Batches of many requests: order, budget, back-pressure, and faults that stay with who made them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from mner.serve.batching import Batcher
from mner.serve.faults import RequestError


def batcher(tag, **settings: Any) -> Batcher:
    defaults = {"batch_words": 100, "wait": 0.01, "waiting_words": 1000, "under_way": lambda: 99}
    return Batcher(tag, **{**defaults, **settings})


def echo(sizes: list[int]):
    def tag(rows):
        sizes.append(len(rows))
        return [row["text"] for row in rows]

    return tag


async def closed(batching: Batcher, work) -> Any:
    batching.start()
    try:
        return await work
    finally:
        await batching.close()


def rows(*texts: str) -> list[dict[str, str]]:
    return [{"text": text} for text in texts]


def test_requests_share_a_batch_and_each_gets_its_own() -> None:
    sizes: list[int] = []

    async def run() -> None:
        batching = batcher(echo(sizes))
        work = asyncio.gather(*(batching.tag(rows(f"{n}a", f"{n}b"), [3, 3]) for n in range(8)))
        assert await closed(batching, work) == [[f"{n}a", f"{n}b"] for n in range(8)]

    asyncio.run(run())
    assert sizes == [16]


def test_batch_keeps_to_its_budget_of_words() -> None:
    sizes: list[int] = []

    async def run() -> None:
        batching = batcher(echo(sizes), batch_words=10)
        work = asyncio.gather(*(batching.tag(rows(str(n)), [4]) for n in range(5)))
        assert await closed(batching, work) == [[str(n)] for n in range(5)]

    asyncio.run(run())
    assert sizes == [2, 2, 1]


def test_long_request_is_cut_so_that_others_get_their_turn() -> None:
    sizes: list[int] = []

    async def run() -> None:
        batching = batcher(echo(sizes), batch_words=10)
        texts = [str(n) for n in range(7)]
        assert await closed(batching, batching.tag(rows(*texts), [4] * 7)) == texts

    asyncio.run(run())
    assert max(sizes) <= 2


def test_short_request_overtakes_the_rest_of_a_long_one() -> None:
    ended: list[str] = []

    async def ask(batching: Batcher, name: str, count: int) -> None:
        await batching.tag(rows(*[name] * count), [9] * count)
        ended.append(name)

    async def run() -> None:
        batching = batcher(echo([]), batch_words=10)
        await closed(batching, asyncio.gather(ask(batching, "long", 50), ask(batching, "short", 1)))

    asyncio.run(run())
    assert ended == ["short", "long"]


def test_budget_of_one_word_tags_every_request_alone() -> None:
    sizes: list[int] = []

    async def run() -> None:
        batching = batcher(echo(sizes), batch_words=1)
        await closed(batching, asyncio.gather(*(batching.tag(rows("a"), [3]) for _ in range(4))))

    asyncio.run(run())
    assert sizes == [1] * 4


def test_lone_request_does_not_wait_for_others() -> None:
    async def run() -> None:
        batching = batcher(echo([]), wait=30.0, under_way=lambda: 1)
        await asyncio.wait_for(closed(batching, batching.tag(rows("a"), [1])), 5)

    asyncio.run(run())


def test_too_much_waiting_is_refused_with_the_seconds_to_wait() -> None:
    release = threading.Event()

    def tag(rows):
        release.wait(10)
        return [row["text"] for row in rows]

    async def run() -> None:
        batching = batcher(tag, batch_words=10, waiting_words=25)
        batching.start()
        first = [asyncio.ensure_future(batching.tag(rows("a"), [10]))]
        await asyncio.sleep(0.1)
        first += [asyncio.ensure_future(batching.tag(rows("a"), [10])) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RequestError) as fault:
            await batching.tag(rows("b"), [10])
        assert fault.value.status == 429
        assert fault.value.wait is not None
        assert fault.value.wait >= 1
        release.set()
        assert await asyncio.gather(*first) == [["a"]] * 3
        assert batching.waiting == 0
        await batching.close()

    asyncio.run(run())


def test_work_of_one_request_is_admitted_together_and_lets_others_between() -> None:
    ended: list[str] = []

    async def work(batching: Batcher) -> None:
        assert await batching.alone([lambda n=n: n for n in range(20)], [10] * 20) == list(range(20))  # type: ignore[misc]
        ended.append("alone")

    async def tag(batching: Batcher) -> None:
        await batching.tag(rows("a"), [1])
        ended.append("tag")

    async def run() -> None:
        batching = batcher(echo([]), waiting_words=25)
        await asyncio.wait_for(closed(batching, asyncio.gather(work(batching), tag(batching))), 10)

    asyncio.run(run())
    assert ended == ["tag", "alone"]


def test_work_after_one_that_fails_or_whose_client_has_left_is_not_done() -> None:
    called: list[int] = []

    def work(number: int) -> None:
        called.append(number)
        if number == 1:
            raise ValueError("no")

    async def run() -> None:
        batching = batcher(echo([]))
        batching.start()
        with pytest.raises(ValueError, match="no"):
            await batching.alone([lambda n=n: work(n) for n in range(4)], [1] * 4)  # type: ignore[misc]
        release = threading.Event()
        gone = asyncio.ensure_future(batching.alone([lambda: release.wait(10), lambda: work(9)], [1, 1]))
        await asyncio.sleep(0.05)
        gone.cancel()
        release.set()
        await batching.close()
        assert batching.waiting == 0

    asyncio.run(run())
    assert called == [0, 1]


def test_post_that_cannot_be_tagged_harms_no_other_request() -> None:
    def tag(rows):
        if any(row["text"] == "bad" for row in rows):
            raise RuntimeError("no")
        return [row["text"] for row in rows]

    async def run() -> None:
        batching = batcher(tag)
        work = asyncio.gather(*(batching.tag(rows(text), [1]) for text in ("a", "bad", "b")), return_exceptions=True)
        good, bad, last = await closed(batching, work)
        assert (good, last) == (["a"], ["b"])
        assert isinstance(bad, RuntimeError)

    asyncio.run(run())


def test_request_whose_client_has_left_is_not_tagged() -> None:
    sizes: list[int] = []

    async def run() -> None:
        batching = batcher(echo(sizes))
        gone = asyncio.ensure_future(batching.tag(rows("gone"), [1]))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        assert await closed(batching, batching.tag(rows("a"), [1])) == ["a"]
        assert batching.waiting == 0

    asyncio.run(run())
    assert sizes == [1]


def test_closing_answers_what_waits() -> None:
    async def run() -> None:
        batching = batcher(echo([]), wait=0.0)
        batching.start()
        work = asyncio.gather(*(batching.tag(rows(str(n)), [60]) for n in range(5)))
        await asyncio.sleep(0)
        await batching.close()
        assert await work == [[str(n)] for n in range(5)]

    asyncio.run(run())


def test_closing_answers_the_rest_of_a_long_request() -> None:
    async def run() -> None:
        batching = batcher(echo([]), batch_words=10, wait=0.0)
        batching.start()
        work = asyncio.create_task(batching.tag(rows("1", "2", "3"), [9, 9, 9]))
        await asyncio.sleep(0)
        await batching.close()
        assert await asyncio.wait_for(work, 5) == ["1", "2", "3"]

    asyncio.run(run())
