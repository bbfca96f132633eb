"""Memory of a long context build with all embedded backends, OCR included, as pictures pass."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from context_build import draw, run
from record import Table, arguments, write

ABOUT = """Drawn pictures as of `context_build` through one build without workers, in a fresh process on the cores that
the benchmark was given (memory, not time: they are not counted); its resident memory as pictures pass. Each picture is
another: the store never answers."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=5000, help="pictures of the build")
    parser.add_argument("--first", type=int, default=500, help="pictures whose most memory the whole is compared with")
    parser.add_argument("--every", type=int, default=100, help="pictures from one sample to the next")
    options = arguments(parser, argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = {"bare": False, "workers": 1, "engine": "local", "ocr": True, "every": options.every}
        places = {
            "pictures": draw(folder / "pictures", options.pictures),
            "out": folder / "out",
            "store": folder / "store",
        }
        cores = sorted(os.sched_getaffinity(0))
        samples = run({**job, **{key: str(place) for key, place in places.items()}, "cores": cores}, folder)["samples"]
    first = max(held for count, held in samples if count <= options.first)
    table = Table("Resident memory, MiB", ["pictures", "held"])
    step = max(1, len(samples) // 10)
    table.rows = [[f"{count:,}", held] for count, held in samples[step - 1 :: step]]
    ratios = {f"most / most within {options.first} pictures (1 is best)": max(held for _, held in samples) / first}
    write("context_memory", ABOUT, [table], settings=options, seconds={"memory": samples}, ratios=ratios, peers={})
    return 0


if __name__ == "__main__":
    sys.exit(main())
