"""Pictures into contexts, in a fresh process on given cores: the whole build, or its models alone."""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from ours_stream import resident


def bare(job: dict[str, Any]) -> dict[str, Any]:
    """Seconds that each model takes, decoding and all else left out."""
    from mner.config import VisionConfig
    from mner.contexts.rows import to_line
    from mner.types import VisualContext
    from mner.vision.extract import Extractor
    from mner.vision.images import open_image

    extractor = Extractor(VisionConfig(), threads=1)
    extractor.load()
    backends: Any = extractor._backends
    seconds: Counter[str] = Counter()
    for path in [*sorted(Path(job["pictures"]).iterdir())[:1], *sorted(Path(job["pictures"]).iterdir())]:
        started = time.perf_counter()
        pixels = open_image(path).pixels
        marks = [("decoding", time.perf_counter() - started)]

        def call(part: str, run: Any, marks: list[tuple[str, float]] = marks) -> Any:
            begun = time.perf_counter()
            result = run()
            marks.append((part, time.perf_counter() - begun))
            return result

        tags = call("detector", lambda pixels=pixels: backends["detector"](pixels))
        scenes = call("scene", lambda pixels=pixels: backends["scene"](pixels))
        ocr = call("ocr", lambda pixels=pixels: backends["ocr"](pixels))
        beside = {"scenes": scenes, "ocr": ocr}
        captions = call(
            "captioner", lambda pixels=pixels, tags=tags, beside=beside: backends["captioner"](pixels, tags, **beside)
        )
        row = VisualContext(path.name, tags=tuple(tags), captions=tuple(captions), ocr=tuple(ocr), sha256="0" * 64)
        # What the process that writes does for each row that a worker sends.
        call("row", lambda row=row: to_line(pickle.loads(pickle.dumps(row))))
        if "warm" in seconds:
            seconds.update(dict(marks))
        seconds["warm"] = 1
    del seconds["warm"]
    return {"parts": dict(seconds)}


def whole(job: dict[str, Any]) -> dict[str, Any]:
    """What a build found, and resident memory as pictures passed."""
    from mner.config import VisionConfig
    from mner.data.listing import pictures
    from mner.vision.build import build

    samples: list[tuple[int, float]] = []
    seen = 0

    def watch(context: object) -> None:
        nonlocal seen
        seen += 1
        if seen % job["every"] == 0:
            samples.append((seen, resident()))

    hire = None
    if job["engine"] == "ray":
        from mner.engines.ray import Actors

        hire = partial(Actors, workers=job["workers"])
    statuses = build(
        pictures(Path(job["pictures"])),
        Path(job["out"]),
        config=VisionConfig() if job["ocr"] else VisionConfig(ocr=""),
        store=Path(job["store"]),
        workers=job["workers"],
        hire=hire,
        watch=watch,
    )
    return {"statuses": statuses, "samples": samples}


if __name__ == "__main__":
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    os.sched_setaffinity(0, job["cores"])
    print(json.dumps((bare if job["bare"] else whole)(job)))
