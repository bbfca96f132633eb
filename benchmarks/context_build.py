"""Pictures into contexts: the build against its models alone, workers, Ray, the store, memory; and unit costs."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from record import Table, arguments, median, timed, write

ABOUT = """Drawn pictures of varied sizes, a third of them with a line of text, through the embedded backends; every run
a fresh process on as many cores as it has workers, from its start to its end, one after the other in each repetition.
`models alone` is the sum of the models' own times on the same pictures on one core: no start, no decoding, no store.
The second run finds everything in the store. Memory is sampled in a build without workers and without OCR, which takes
nine tenths of the time; `context_memory` samples it with OCR."""

WORKER = Path(__file__).resolve().parent / "workers" / "ours_contexts.py"
MODELS = ("detector", "scene", "ocr", "captioner")
SIDES = (320, 480, 640, 800, 1080, 1600)
TEXTS = ("CLEVELAND ARENA", "HARBOUR MARKET", "GATE 42 BOARDING", "LIVE TONIGHT", "CITY MUSEUM")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=500, help="pictures of the timed builds")
    parser.add_argument("--many", type=int, default=5000, help="pictures of the build whose memory is sampled; 0: none")
    options = arguments(parser, argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds, units, samples = measure(options, folder)
    middle = {what: median(times) for what, times in seconds.items()}
    table = Table("Seconds of a build", ["build", "seconds", "pictures/s"])
    table.rows = [[what, value, options.pictures / value] for what, value in middle.items()]
    parts = Table("Seconds of a picture on one core", ["part", "seconds"])
    parts.rows = [[what, value] for what, value in units["seconds"].items()]
    sizes = Table("Bytes of a picture", ["what", "bytes"])
    sizes.rows = [[what, value] for what, value in units["bytes"].items()]
    single = middle["one worker"]
    ratios = {
        "build / models alone (1 is best)": single / middle["models alone"],
        "one worker / two workers": single / middle["two workers"],
        "one worker / second run": single / middle["second run"],
    }
    if "Ray, two actors" in middle:
        ratios["Ray / two workers (1 is best)"] = middle["Ray, two actors"] / middle["two workers"]
    if samples:
        base = next(held for count, held in samples if count >= min(options.pictures, samples[-1][0]))
        after = [held for count, held in samples if count >= options.pictures] or [base]
        ratios[f"memory, without OCR: most / after {options.pictures} pictures (1 is best)"] = max(after) / base
    peers = {} if importlib.util.find_spec("ray") else {"ray": {"unavailable": "not installed"}}
    everything = {**seconds, "units": units, "memory": samples}
    write(
        "context_build", ABOUT, [table, parts, sizes], settings=options, seconds=everything, ratios=ratios, peers=peers
    )
    return 0


def measure(
    options: argparse.Namespace, folder: Path
) -> tuple[dict[str, list[float]], dict[str, dict[str, float]], list[list[float]]]:
    """Seconds by build, costs of one picture, and samples of memory."""
    pictures = draw(folder / "pictures", options.pictures)
    cores = sorted(os.sched_getaffinity(0))
    plain = {"pictures": str(pictures), "bare": False, "engine": "local", "every": 10**9, "ocr": True}
    plain["out"] = str(folder / "out")
    builds: dict[str, dict[str, Any]] = {
        "one worker": {**plain, "workers": 1, "cores": cores[:1]},
        "second run": {**plain, "workers": 1, "cores": cores[:1]},
        "two workers": {**plain, "workers": 2, "cores": cores[:2]},
    }
    if importlib.util.find_spec("ray"):
        builds["Ray, two actors"] = {**plain, "workers": 2, "cores": cores[:2], "engine": "ray"}
    seconds: dict[str, list[float]] = {"models alone": []}
    parts: dict[str, float] = {}
    store_bytes = 0.0
    for number in range(options.repetitions):
        print(f"  repetition {number + 1} of {options.repetitions}", file=sys.stderr, flush=True)
        parts = run({**plain, "bare": True, "cores": cores[:1]}, folder)["parts"]
        seconds["models alone"].append(sum(value for part, value in parts.items() if part in MODELS))
        for what, job in builds.items():
            name = "one worker" if what == "second run" else what
            store = folder / f"{name}-{number}.sqlite"
            seconds.setdefault(what, []).append(
                timed(lambda job=job, store=store: run({**job, "store": str(store)}, folder))  # type: ignore[misc]
            )
            if what == "one worker":
                store_bytes = float(store.stat().st_size)
    count = options.pictures
    units = {
        "seconds": {part: value / count for part, value in parts.items()},
        "bytes": {
            "picture": sum(path.stat().st_size for path in pictures.iterdir()) / count,
            "row of the artefact": (folder / "out").stat().st_size / count,
            "store": store_bytes / count,
        },
    }
    samples: list[list[float]] = []
    if options.many:
        job = {**builds["one worker"], "every": max(1, min(100, count)), "store": str(folder / "many.sqlite")}
        job["ocr"] = False
        samples = run({**job, "pictures": str(draw(folder / "many", options.many))}, folder)["samples"]
    return seconds, units, samples


def draw(folder: Path, count: int) -> Path:
    """A folder of pictures of varied sizes, each another, a third with text."""
    folder.mkdir()
    chance = random.Random(1)
    for number in range(count):
        size = (chance.choice(SIDES), chance.choice(SIDES))
        picture = Image.new("RGB", size, tuple(chance.randrange(256) for _ in range(3)))
        pen = ImageDraw.Draw(picture)
        for _ in range(12):
            left, top = chance.randrange(size[0]), chance.randrange(size[1])
            box = (left, top, left + chance.randrange(20, 300), top + chance.randrange(20, 300))
            pen.ellipse(box, fill=tuple(chance.randrange(256) for _ in range(3)))
        if number % 3 == 0:
            pen.rectangle((10, 10, size[0] - 10, 90), fill="white")
            pen.text((20, 25), chance.choice(TEXTS), fill="black", font_size=min(48, size[0] // 12))
        picture.save(folder / f"{number:05d}.jpg", quality=90)
    return folder


def run(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    path = folder / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    done = subprocess.run([sys.executable, WORKER, path], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"a build failed:\n{done.stderr[-2000:]}")
    times: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return times


if __name__ == "__main__":
    sys.exit(main())
