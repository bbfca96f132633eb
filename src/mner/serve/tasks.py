"""The tasks of one request: they end with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

_T = TypeVar("_T")


async def unless_gone(request: Request, work: Coroutine[Any, Any, _T]) -> _T:
    """What the work gives; it is dropped where the client leaves before.

    Raises:
        ClientDisconnect: The client has left.
    """
    ours = asyncio.current_task()
    assert ours is not None
    left = False

    async def watch() -> None:
        nonlocal left
        while (await request.receive())["type"] != "http.disconnect":
            pass
        left = True
        ours.cancel()

    watching = asyncio.ensure_future(watch())
    try:
        return await work
    except asyncio.CancelledError:
        if left and not ours.uncancel():
            raise ClientDisconnect from None
        raise
    finally:
        watching.cancel()


async def all_of(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all; after the first error the others end before it is raised, for what they hold is the request's."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def in_a_thread(work: Callable[[], _T]) -> asyncio.Future[_T]:
    """What a thread of its own gives; the process may end while it is at work, unlike with those of asyncio."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def run() -> None:
        try:
            end = partial(future.set_result, work())
        except BaseException as error:  # raised again by whoever waits
            end = partial(future.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(end)

    threading.Thread(target=run, daemon=True, name="mner-grounder").start()
    return future
