"""Every system that ITA is compared with: training, prediction and memory as multiples of ITA's."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from record import Table, arguments, median, write
from sides import Measured, Side, alternate

SYSTEMS = ("umt", "umgf", "ocsga", "rpbert", "rpbert-without-rp", "riva", "vinvl", "bert-vinvl", "imgfeat")
ITA, OTHERS = "ita-ga", ("text", "ita-ga-cva")
ABOUT = """One epoch over the same posts and one prediction of them, on one encoder, the rows taking turns. Pictures are
random numbers in the published sizes (49 cells, 4 crops, 36 regions, 2,048 numbers each) and were computed before;
contexts are one made-up caption, or four object labels. Batches are of one size and further tasks (RpBERT's pairs,
RIVA's pretraining) are left out. OCSGA and RIVA use the encoder's table of input embeddings alone."""


def main(argv: Sequence[str] | None = None) -> int:
    """0 when all rows were measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=64, help="posts of one repetition")
    parser.add_argument("--posts-per-step", type=int, default=16)
    parser.add_argument("--systems", nargs="*", default=SYSTEMS, choices=SYSTEMS)
    parser.add_argument("--encoder", default="embedded:minilm", help="name or folder")
    options = arguments(parser, argv)
    names = (ITA, *OTHERS, *options.systems)
    shared = {
        "posts": options.posts,
        "posts_per_step": options.posts_per_step,
        "threads": options.threads,
        "encoder": options.encoder,
    }
    sides = [Side(name, "ours_systems.py", {**shared, "row": name}) for name in names]
    with tempfile.TemporaryDirectory() as folder:
        measured = alternate(sides, Path(folder), repetitions=options.repetitions)
    ratios: dict[str, float] = {}
    table = compared(measured, ratios)
    options.encoder = Path(options.encoder).name
    write(
        "systems",
        ABOUT,
        [table],
        settings=options,
        seconds={
            f"{name}, {work}": [each[work] for each in side.repetitions]
            for name, side in measured.items()
            for work in ("training", "prediction")
        },
        ratios=ratios,
    )
    return 0


def compared(measured: dict[str, Measured], ratios: dict[str, float]) -> Table:
    """Parameters, seconds and memory of each row, and its times over ITA's."""
    table = Table(
        "Beside ITA",
        ["row", "parameters", "training, s", "over ITA", "prediction, s", "over ITA", "peak MiB"],
        note=f"ITA is {ITA}: the words and a caption, the I+T view alone. Seconds are medians. Peak memory is the "
        "whole process's.",
    )
    for name, side in measured.items():
        cells: list[float] = []
        for work in ("training", "prediction"):
            own, ita = (median([each[work] for each in of.repetitions]) for of in (side, measured[ITA]))
            cells += [own, own / ita]
            if name != ITA:
                ratios[f"{name} / ITA, {work} (below 1 is faster than ITA)"] = own / ita
        table.rows.append([name, side.about["parameters"], *cells, side.repetitions[-1]["peak_mib"]])
    return table


if __name__ == "__main__":
    sys.exit(main())
