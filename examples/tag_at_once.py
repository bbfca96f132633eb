"""Tag within an asyncio program, which goes on meanwhile: python examples/tag_at_once.py MODEL TEXT [TEXT ...]."""

import asyncio
import sys

import mner


async def main(model: str, texts: list[str]) -> None:
    tagger = mner.load(model, threads=1)
    for prediction in await asyncio.gather(*(tagger.atag(text) for text in texts)):
        print(prediction)


asyncio.run(main(sys.argv[1], sys.argv[2:]))
