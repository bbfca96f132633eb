"""Scores of a model on the dev split of every data set: python -m lab.ready.report MODEL.

By data set, by type, and of the names by whether they are in the training posts, how they are written and whether they
are hashtags; and how far the probabilities of what was found are from the share that is right (calibration error, ECE),
on those dev posts that neither chose an epoch nor fitted a calibration.
A type that a data set does not label is left out of what the model found there.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lab.ready.augment import SEPARATOR
from lab.ready.calibrated import HELD_OUT
from lab.ready.data import ALL, settings
from lab.ready.probe import Probe
from lab.ready.sources import SOURCES
from mner import data
from mner.config import Config
from mner.decode import Decoder, ScoredSpan
from mner.evaluation.calibration import Graded, calibration, grade
from mner.evaluation.scores import evaluate_views
from mner.evaluation.views import signed_scores
from mner.files import write_json
from mner.runtime import predict
from mner.types import Post, Span, ViewName
from mner.views.split import ViewSplit, read_split

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Path(__file__).with_name("social-en.toml")
SLICES = ("seen", "unseen", "lower case", "upper case", "hashtag")
Scored = dict[str, Any]


def score_model(folder: Path, root: Path, config: Config) -> dict[str, dict[str, Scored]]:
    """By dev split and view: scores with their signature, ``slices``, the recall of names of a kind, ``ece`` and
    ``ece_if_true``, what true probabilities would show by chance.

    Args:
        folder: A saved model.
        root: Folder of the prepared files.
        config: The ready model's configuration, which names contexts and format.
    """
    probe, known = Probe(folder), names_in(root / ALL)
    return {
        f"{name}.dev": score_split(probe, root, config, name, known)
        for name in SOURCES
        if (root / f"{name}.dev.txt").is_file()
    }


def score_split(probe: Probe, root: Path, config: Config, name: str, known: frozenset[str]) -> dict[str, Scored]:
    """The scores of both views on the dev split of one data set."""
    own = config.data.model_copy(update={"dev": f"{name}.dev.txt"})
    config = probe.saved.config.model_copy(update={"data": own})
    part = read_split(config, root, "dev", probe.views)
    entities = _entities(probe, probe.decoder, name, part)
    uncalibrated = _entities(probe, probe.uncalibrated, name, part) if probe.calibrated else {}
    spans = {view: [[entity.span for entity in post] for post in of_view] for view, of_view in entities.items()}
    rows: dict[str, Scored] = {}
    for view, scores in evaluate_views(part.posts, spans).items():
        rows[view] = signed_scores(config, f"{name}.dev", view, scores.to_dict(), part.stamp)
        held_out = _held_out(part.posts, entities[view])
        rows[view]["ece"] = _ece(held_out)
        rows[view]["ece_if_true"] = ece_if_true(held_out)
        without = _held_out(part.posts, uncalibrated[view]) if view in uncalibrated else None
        rows[view]["ece_uncalibrated"] = None if without is None else _ece(without)
        rows[view]["slices"] = slices(part.posts, spans[view], known)
    return rows


def _entities(probe: Probe, decoder: Decoder, name: str, part: ViewSplit) -> dict[ViewName, list[list[ScoredSpan]]]:
    """By view, what the model finds of the types that the data set labels."""
    return {
        view: [
            [entity for entity in post if entity.label in SOURCES[name].types]
            for post in predict.spans(probe.runtime, encoded, decoder)
        ]
        for view, encoded in part.encoded.items()
    }


def _held_out(posts: Sequence[Post], entities: Sequence[Sequence[ScoredSpan]]) -> Graded:
    """The entities of the posts by which nothing was chosen or fitted."""
    return grade([post.spans or () for post in posts[HELD_OUT]], entities[HELD_OUT])


def _ece(graded: Graded) -> float | None:
    """The calibration error in percent."""
    measured = calibration(graded)
    return None if measured is None else round(measured.ece, 2)


def ece_if_true(graded: Graded, *, draws: int = 500) -> float | None:
    """The calibration error in percent that true probabilities would show by chance: the mean of draws.

    >>> graded = grade([[]] * 40, [[ScoredSpan(0, 1, "PER", 0.5)]] * 40)
    >>> 5 < ece_if_true(graded) < 8  # of one bin: the mean distance of 40 tosses of a coin from one half
    True
    """
    tosses = np.random.default_rng(1).random((draws, len(graded))) < graded.score
    errors = [_ece(replace(graded, correct=correct)) for correct in tosses]
    known = [error for error in errors if error is not None]
    return round(statistics.fmean(known), 2) if known else None


def slices(posts: Sequence[Post], predicted: Sequence[Iterable[Span]], known: frozenset[str]) -> dict[str, Any]:
    """By kind of name: how many there are and which percentage was found, type included."""
    wanted, correct = Counter[str](), Counter[str]()
    for post, of_post in zip(posts, predicted, strict=True):
        right = set(of_post)
        for span in post.spans or ():
            kinds = kinds_of(post, span, known)
            wanted.update(kinds)
            correct.update(kinds if span in right else ())
    return {
        kind: {"names": wanted[kind], "recall": round(100 * correct[kind] / wanted[kind], 2)}
        for kind in SLICES
        if wanted[kind]
    }


def kinds_of(post: Post, span: Span, known: frozenset[str]) -> list[str]:
    """The kinds that a name belongs to."""
    words = post.words[span.start : span.end]
    letters = [letter for word in words for letter in word if letter.isalpha()]
    before = post.words[span.start - 1] if span.start else ""
    kinds = ["seen" if surface(words) in known else "unseen"]
    if letters and all(map(str.islower, letters)):
        kinds.append("lower case")
    if len(letters) > 4 and all(map(str.isupper, letters)):  # shorter ones are often acronyms
        kinds.append("upper case")
    if before == "#" or words[0].startswith("#"):
        kinds.append("hashtag")
    return kinds


def names_in(path: Path) -> frozenset[str]:
    """The names labelled in training posts, copies with other names left out, so that both recipes know the same."""
    return frozenset(
        surface(post.words[span.start : span.end])
        for post in data.read(path, format="twitter")
        if SEPARATOR not in (post.image or "")
        for span in post.spans or ()
    )


def surface(words: Sequence[str]) -> str:
    """A name for comparing: case folded, without the sign of a hashtag."""
    return " ".join(words).lstrip("#").casefold()


def table(scored: Mapping[str, Mapping[str, Scored]]) -> list[str]:
    """Markdown: F1 by data set, view and type, calibration error, recall by kind of name."""
    kinds = sorted({kind for views in scored.values() for row in views.values() for kind in row["labels"]})
    lines = ["| split | view | F1 | ECE | ECE uncalibrated | " + " | ".join([*kinds, *SLICES]) + " |"]
    lines.append("|---|---|---|---|---|" + "---|" * (len(kinds) + len(SLICES)))
    for split, views in scored.items():
        for view, row in views.items():
            types = [f"{row['labels'][kind]['f1']:.1f}" if kind in row["labels"] else "" for kind in kinds]
            parts = [row["slices"].get(kind) for kind in SLICES]
            recalls = [f"{part['recall']:.1f} ({part['names']})" if part else "" for part in parts]
            calibrated = row.get("ece_uncalibrated") is not None
            figures = (row["ece"], row["ece_uncalibrated"]) if calibrated else (None, row["ece"])
            errors = ["" if figure is None else f"{figure:.1f}" for figure in figures]
            numbers = [f"{row['micro']['f1']:.2f}", *errors, *types, *recalls]
            lines.append(f"| {split} | {view} | {' | '.join(numbers)} |")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the report is written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a saved model")
    parser.add_argument("--data", type=Path, default=ROOT / "runs" / "social-en" / "data", help="prepared files")
    parser.add_argument("--out", type=Path, help="JSON file of all figures")
    arguments = parser.parse_args(argv)
    if not (arguments.data / ALL).is_file():
        parser.error(f"{arguments.data} holds no prepared files; python -m lab.ready.build --prepare makes them")
    scored = score_model(arguments.model, arguments.data, settings(CONFIG, quick=False))
    if arguments.out:
        write_json(arguments.out, scored)
    print("\n".join(table(scored)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
