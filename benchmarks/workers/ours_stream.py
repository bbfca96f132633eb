"""Our side of the stream: many posts, each with a word of its own, through ``Tagger.pipe``; memory as it goes."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from posts import endless, training_posts
from repeat import Work, serve

import mner


def resident() -> float:
    """MiB that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def prepare(job: dict[str, Any]) -> tuple[Work, dict[str, Any]]:
    posts, _ = training_posts(1000)
    tagger = mner.load(job["model"], threads=job["threads"], use_images=False)

    def work() -> dict[str, Any]:
        samples = [[0, resident()]]
        entities = 0
        for number, prediction in enumerate(tagger.pipe(itertools.islice(endless(posts), job["posts"])), 1):
            entities += len(prediction.entities)
            if number % job["every"] == 0:
                samples.append([number, resident()])
        return {"posts": number, "entities": entities, "samples": samples}

    return work, {"torch": "torch" in sys.modules}


if __name__ == "__main__":
    serve(prepare, ("mner", "onnxruntime"))
