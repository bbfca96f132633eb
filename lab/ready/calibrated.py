"""True probabilities for the ready model: curves fitted on the dev posts that chose its epoch, and stored in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lab.ready.data import DEV_CONTEXTS
from lab.ready.probe import Probe
from lab.ready.sources import SOURCES
from mner import data
from mner.decode import ScoredSpan
from mner.runs.calibrate import calibrate
from mner.types import Post

FITTED, HELD_OUT = slice(0, None, 2), slice(1, None, 2)
"""Of each data set's dev posts, those that chose the epoch and fit the curves; those that judge both."""
POSTS = "calibration.txt"


def calibrated(folder: Path, root: Path, out: Path) -> Path:
    """A copy of a model whose scores are as often right as they say; its folder.

    Args:
        folder: A saved model.
        root: Folder of the prepared files.
        out: Folder of the copy.
    """
    data.write(list(judged(Probe(folder).entities, root)), root / POSTS, format="twitter", losses=Counter())
    done = calibrate(
        folder, root / POSTS, scale="platt", contexts=[root / DEV_CONTEXTS], format="twitter", out=out, allow_test=True
    )
    return done.folder


def judged(find: Callable[[Sequence[Post]], Sequence[Sequence[ScoredSpan]]], root: Path) -> Iterator[Post]:
    """Dev posts in which each entity that the model finds is of a type that was labelled there."""
    for name, source in SOURCES.items():
        file = root / f"{name}.dev.txt"
        posts: Sequence[Post] = list(data.read(file, format="twitter"))[FITTED] if file.is_file() else []
        for post, entities in zip(posts, find(posts), strict=True):
            if all(entity.label in source.types for entity in entities):
                yield post
