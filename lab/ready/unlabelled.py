"""Training posts that may hold entities of a type nobody labelled there: python -m lab.ready.unlabelled.

The Broad Twitter Corpus has no MISC. Learned from as it stands, it would teach that titles, events and products are no
entities. So a post is left out where the earlier ready model gives a word outside of all labelled entities a
probability of MISC above the threshold. The numbers of these posts are kept in lab/ready/unlabelled.json, so that what
is trained on does not change with the model in the package.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lab.ready.probe import Probe
from lab.ready.sources import SOURCES, TYPES, posts_of
from mner.files import write_json
from mner.types import Post

FILE = Path(__file__).with_name("unlabelled.json")
RECIPE = Path(__file__).with_name("recipe.toml")
READY = Path(__file__).resolve().parents[2] / "src" / "mner" / "ready"


def suspects(probe: Probe, posts: Sequence[Post], types: Sequence[str], threshold: float) -> list[int]:
    """The numbers of posts in which a word outside all gold entities may belong to one of ``types``."""
    numbers = []
    for number, (post, probability) in enumerate(zip(posts, probe.types(posts), strict=True)):
        outside = np.ones(len(post.words), bool)
        for span in post.spans or ():
            outside[span.start : span.end] = False
        if any((probability[kind] * outside).max(initial=0.0) >= threshold for kind in types):
            numbers.append(number)
    return numbers


def left_out(name: str, file: Path = FILE) -> frozenset[int]:
    """The numbers of training posts of a data set that are not learned from."""
    listed = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return frozenset(listed.get(name, {}).get("posts", ()))


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the file stands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=READY, help="a saved model that knows all types")
    parser.add_argument("--out", type=Path, default=FILE)
    arguments = parser.parse_args(argv)
    if not os.environ.get("MNER_DATA"):
        parser.error("set MNER_DATA to the folder that holds btc/")
    threshold = tomllib.loads(RECIPE.read_text(encoding="utf-8"))["misc"]
    probe, listed = Probe(arguments.model), {}
    for name, source in SOURCES.items():
        missing = [kind for kind in TYPES if kind not in source.types]
        if missing:
            posts = posts_of(Path(os.environ["MNER_DATA"]), name, "train")
            numbers = suspects(probe, posts, missing, threshold)
            listed[name] = {
                "types": missing,
                "threshold": threshold,
                "model": probe.saved.fingerprint,
                "of": len(posts),
                "posts": numbers,
            }
            print(f"{name}: {len(numbers)} of {len(posts)} training posts may hold {', '.join(missing)}")
    write_json(arguments.out, listed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
