"""Score the regions of the ready model on posts with gold boxes, beside controls that look at nothing or guess.

The posts are those of MNER_DATA/gmner, of all its splits, whose pictures are in MNER_DATA/images: a handful, so these
figures say how the parts work together and where they fail, and rank nothing. A picture without boxes on file shows
none of its entities, as in the published release. Every way of finding regions is scored on the model's entities and on
the gold entities, which leave the regions alone to be right or wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mner
from mner import data
from mner.data.pictures import place_of
from mner.data.reading import rename
from mner.errors import DataError
from mner.evaluation import GroundedScores, Signature, score_grounded
from mner.evaluation.predictions import of_gold, of_prediction
from mner.files import write_json
from mner.grounding import GroundingSettings, ground
from mner.runtime import read_model
from mner.tagger.opening import model_folder
from mner.types import Entity, Post, VisualContext

SPLITS = ("train", "dev", "test")
OUT = Path(__file__).with_name("grounding.json")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "howto" / "score-grounding.md"
BEGIN, END = "<!-- written by python -m lab.grounding -->", "<!-- end of what it writes -->"

Find = Callable[[Sequence[Entity], VisualContext | None], Iterable[Entity]]
"""Gives entities their regions."""


def _within(*sources: str, choice: str = "only") -> Find:
    settings = GroundingSettings.model_validate({"sources": sources, "choice": choice})
    return lambda entities, context: ground(entities, context, settings)


def _none(entities: Sequence[Entity], context: VisualContext | None) -> Iterable[Entity]:
    return [replace(entity, regions=()) for entity in entities]


WAYS: dict[str, Find] = {
    "no boxes": _none,
    "text in the picture": _within("text"),
    "the only person": _within("objects"),
    "both (default)": _within("text", "objects"),
    "a person for each PER": _within("objects", choice="surest"),
    "text, a person for each PER": _within("text", "objects", choice="surest"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the figures are written, 1 when there are no posts to score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MNER_DATA", "data")))
    parser.add_argument("--model", default="social-en")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(argv)
    posts = posts_of(options.data / "gmner", options.data / "images")
    if not posts:
        print(f"{options.data}: no post of gmner has its picture in images", file=sys.stderr)
        return 1
    record = measured(options.model, posts, options.data / "gmner" / "boxes.v2.jsonl", options.data / "images")
    write_json(options.out, record)
    if options.page.is_file():
        options.page.write_text(inserted(options.page.read_text("utf-8"), table(record)), encoding="utf-8")
    print(table(record))
    return 0


def posts_of(folder: Path, images: Path) -> list[Post]:
    """The posts of all splits whose pictures are there."""
    files = [folder / f"{split}.txt" for split in SPLITS if (folder / f"{split}.txt").is_file()]
    return [post for file in files for post in data.read(file) if post.image and _there(images, post.image)]


def _there(images: Path, name: str) -> bool:
    place = place_of(images, name)
    return isinstance(place, Path) and place.is_file()


def measured(model: str, posts: Sequence[Post], boxes: Path, images: Path) -> dict[str, Any]:
    """The record: each way of finding regions, on the model's entities and on the gold ones."""
    tagger = mner.load(model, images=images, threads=1, grounding=False)
    types = tagger.config.data.rename
    posts = [rename(post, types) for post in posts]
    gold = data.read_boxes(boxes, posts, unlisted="no-box")
    truth = [of_gold(post, shown) for post, shown in zip(posts, gold.posts, strict=True)]
    predictions = tagger.batch(posts)
    own = [prediction.entities for prediction in predictions]
    given = [[post.entity(span, 1.0) for span in post.spans or ()] for post in posts]
    stamp = data.stamp(posts).fingerprint[:6]
    rows = []
    for source, entities in (("model", own), ("gold", given)):
        for name, find in WAYS.items():
            grounded = [
                replace(prediction, entities=tuple(find(each, prediction.context)))
                for prediction, each in zip(predictions, entities, strict=True)
            ]
            scores = score_grounded(truth, [of_prediction(each) for each in grounded])
            rows.append({"entities": source, "regions": name, **_figures(scores, f"gmner/pictures@{stamp}")})
    return {
        "format": 1,
        "about": " ".join((__doc__ or "").split()),
        "mner": mner.__version__,
        "model": Path(model).name,
        "model_fingerprint": read_model(model_folder(model)).fingerprint,
        "posts": len(posts),
        "pictures_with_boxes": sum(any(shown) for shown in gold.posts),
        "gold": sum(map(len, truth)),
        "gold_in_picture": sum(bool(shown) for post in truth for _, shown in post),
        "notes": dict(gold.faults),
        "rows": rows,
    }


def _figures(scores: GroundedScores, place: str) -> dict[str, Any]:
    tasks = {"gmner": scores.gmner, "mner": scores.mner, "eeg": scores.eeg}
    parts = {**tasks, "in_picture": scores.boxed, "not_in_picture": scores.unboxed}
    signatures = {
        task: str(Signature(f1=(tasks[task].f1,), view="I+T", data=place, match=match))
        for task, match in scores.matches().items()
    }
    figures = {
        name: {"f1": round(prf.f1, 2), "correct": prf.correct, "predicted": prf.predicted, "gold": prf.gold}
        for name, prf in parts.items()
    }
    return {**figures, "signatures": signatures}


def table(record: dict[str, Any]) -> str:
    """The record as Markdown."""
    lines = [
        f"{record['posts']} posts, {record['pictures_with_boxes']} of them with boxes; {record['gold']} entities, "
        f"{record['gold_in_picture']} of them in the picture. F1; the last column counts entities with a box that are "
        "wholly right, of those predicted with one and of those that have one.",
        "",
        "| entities | regions | GMNER | MNER | EEG | with a box: right / predicted / gold |",
        "|---|---|---|---|---|---|",
    ]
    for row in record["rows"]:
        scores = " | ".join(f"{row[task]['f1']:.2f}" for task in ("gmner", "mner", "eeg"))
        boxed = " / ".join(str(row["in_picture"][count]) for count in ("correct", "predicted", "gold"))
        lines.append(f"| {row['entities']} | {row['regions']} | {scores} | {boxed} |")
    default = next(row for row in record["rows"] if row["regions"] == "both (default)")
    return "\n".join([*lines, "", f"`{default['signatures']['gmner']}`"])


def inserted(page: str, text: str) -> str:
    """The page with a text between its marks.

    Raises:
        DataError: It lacks them.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise DataError(f"{PAGE}: expected the lines {BEGIN} and {END}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


if __name__ == "__main__":
    sys.exit(main())
