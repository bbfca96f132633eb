"""A stream of posts: whether memory stays flat however many there are."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exported import onnx_copy, tiny_model
from posts import training_posts
from record import Table, arguments, write
from sides import Side, alternate

from mner.runtime import read_model

ABOUT = """Posts through `Tagger.pipe`, one process a model. Each post has a word that no other has, so whatever is
kept of posts would grow with their number. Resident memory is sampled as they pass; flat means that no later sample
lies more than a tenth above the one after the first posts."""

MARGIN = 0.10


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", type=Path, help="a trained model with its encoder; without it only the tiny one runs"
    )
    parser.add_argument("--tiny", type=Path, help="a tiny model; made from the encoder's tokenizer if not given")
    parser.add_argument("--encoder", default="embedded:minilm", help="whose tokenizer the tiny model has")
    parser.add_argument("--posts", type=int, default=50_000, help="posts through the trained model")
    parser.add_argument("--tiny-posts", type=int, default=1_000_000, help="posts through the tiny model")
    parser.add_argument("--first", type=int, default=10_000, help="posts after which memory must be flat")
    parser.add_argument("--every", type=int, default=1_000, help="posts between two samples")
    options = arguments(parser, argv)
    with tempfile.TemporaryDirectory() as name:
        readings = measure(options, Path(name))
    table = Table(
        "Resident memory, MiB",
        [
            "model",
            "posts",
            "before",
            f"after {options.first:,}",
            "at the end",
            "most since",
            "growth",
            "flat",
        ],
    )
    ratios: dict[str, float] = {}
    for what, reading in readings.items():
        samples = reading["samples"]
        after = [sample for sample in samples if sample[0] >= options.first] or samples[-1:]
        base, most = after[0][1], max(memory for _, memory in after)
        growth = ratios[f"{what}: most / after {options.first} posts (1 is best)"] = most / base
        row = [what, reading["posts"], samples[0][1], base, samples[-1][1], most]
        table.rows.append([*row, f"{growth - 1:+.1%}", "yes" if growth <= 1 + MARGIN else "NO"])
    write(
        "memory_stream",
        ABOUT,
        [table],
        settings=options,
        seconds={
            what: {"seconds": reading["seconds"], "samples": reading["samples"]} for what, reading in readings.items()
        },
        ratios=ratios,
    )
    return 0 if all(ratio <= 1 + MARGIN for ratio in ratios.values()) else 1


def measure(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    """What each model's process reports, one after the other."""
    posts, _ = training_posts(64)
    models = {"tiny": (options.tiny or tiny_model(folder / "tiny", options.encoder), options.tiny_posts, False)}
    if options.model is not None:
        models["trained"] = (read_model(options.model).folder, options.posts, True)
    readings = {}
    for name, (model, count, int8) in models.items():
        if not count:
            continue
        copy = onnx_copy(model, folder / f"{name}-onnx", posts, int8=int8)
        called = f"{name}, torch" if copy is None else f"{name}, onnx {'int8' if int8 else 'fp32'}"
        job = {"model": str(copy or model), "threads": options.threads, "posts": count, "every": options.every}
        reading = alternate([Side(called, "ours_stream.py", job)], folder, repetitions=1)[called]
        if reading.unavailable:
            raise SystemExit(f"{called}: {reading.unavailable}")
        readings[called] = reading.repetitions[0]
    return readings


if __name__ == "__main__":
    sys.exit(main())
