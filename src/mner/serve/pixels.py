"""Pictures for models that read features of them: seen in a thread of its own, within the time that a request gives."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from PIL import Image

from mner.serve.picture_workers import too_large
from mner.serve.pictures import NAME, late
from mner.tagger import Tagger
from mner.tagger.steps import Looked, look
from mner.types import VisualContext


class PixelReader:
    """Has the tagger's extractor see pictures while the model reads other posts.

    Args:
        tagger: Its model reads features of pictures.
        pixels: Most pixels of a picture.
        waiting: Pictures that may wait for the thread.
    """

    def __init__(self, tagger: Tagger, *, pixels: int, waiting: int) -> None:
        self.waiting = 0
        self._tagger, self._pixels, self._most = tagger, pixels, waiting
        self._thread = ThreadPoolExecutor(1, "mner-features")

    def close(self) -> None:
        """See no more pictures; the one that is being seen is finished."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def start(self) -> None:
        """Have the extractor load, so that no picture waits for it; what is wrong with it shows with the first one."""
        tiny = io.BytesIO()
        Image.new("RGB", (8, 8)).save(tiny, "PNG")
        self._thread.submit(look, self._tagger, {"text": "a", "images": [tiny.getvalue()]})

    async def read(self, row: Mapping[str, Any], images: Sequence[bytes], *, until: float) -> Looked:
        """The post with the features of its pictures; bad ones, and all that are not seen in time, have a status.

        Args:
            row: The post as the tagger takes it; its "context", if any, says what backends read from the pictures.
            images: The bytes of the files of its pictures.
            until: The end of the time for it, as the event loop counts.

        Raises:
            MnerError: The extractor cannot be used.
        """
        known = row.get("context")
        contexts = known if isinstance(known, list) else [known] * len(images)
        reason = "too many pictures wait already"
        if not self.waiting or self.waiting + len(images) <= self._most:
            try:
                async with asyncio.timeout_at(until):
                    return await self._submit(row, images, contexts)
            except TimeoutError:
                reason = "the picture was not seen within the time of the request"
        # What was read from a picture is used without the picture itself, which an extractor would look at here.
        rest = [late(reason) if context is None else _unseen(context, reason) for context in contexts]
        pairs = zip(images, rest, strict=True)
        left = ["" if context.status == "ok" else content for content, context in pairs]
        return look(self._tagger, _with(row, left, rest))

    def _submit(
        self, row: Mapping[str, Any], images: Sequence[bytes], contexts: Sequence[VisualContext | None]
    ) -> asyncio.Future[Looked]:
        def work() -> Looked:
            pairs = zip(images, contexts, strict=True)
            return look(
                self._tagger,
                _with(row, images, [context or too_large(NAME, content, self._pixels) for content, context in pairs]),
            )

        def end(_: object) -> None:
            self.waiting -= len(images)

        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        self.waiting += len(images)
        future.add_done_callback(end)
        return future


def _unseen(context: VisualContext, reason: str) -> VisualContext:
    """What was read from a picture whose features are not there."""
    return context if context.status != "ok" else replace(context, reason=f"read without its features: {reason}")


def _with(
    row: Mapping[str, Any], images: Sequence[bytes | str], contexts: Sequence[VisualContext | None]
) -> Mapping[str, Any]:
    """The row with its pictures and what is known of each; one that cannot be used is not opened."""
    return {**row, "images": list(images), "context": list(contexts) if len(contexts) > 1 else contexts[0]}
