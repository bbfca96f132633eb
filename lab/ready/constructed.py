"""What text in a picture does to a model, on posts written for it: python -m lab.ready.constructed MODEL.

lab/ready/constructed.jsonl holds 60 posts of ours (CC0), each with one name, a word of it that is no name, and four
readings of a picture: text that repeats the name, text that repeats the word, text that does neither, and another name.
A model that uses pictures as it should gives the name a higher probability where it is repeated, and gives the word,
and all else that is no name, no higher one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from lab.ready.probe import Contexts, Probe, print_measure
from mner.types import OcrText, Post, Span, VisualContext
from mner.vision.captioners import template

FILE = Path(__file__).with_name("constructed.jsonl")
READS = ("the name", "the word", "neither", "another name")


class Constructed(NamedTuple):
    """One post of ours, the place of its word that is no name, and what is read in four pictures."""

    post: Post
    word: int
    reads: dict[str, list[str]]


def read_constructed(file: Path = FILE) -> list[Constructed]:
    """The posts of the constructed set.

    Raises:
        SystemExit: A line lacks something, its name does not begin and end with words, or its word is not in the post;
            the message gives file and line.
    """
    rows = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            post = Post(row["text"])
            starts = {start: place for place, (start, _) in enumerate(post.offsets)}
            ends = {end: place + 1 for place, (_, end) in enumerate(post.offsets)}
            spans = tuple(Span(starts[e["start"]], ends[e["end"]], e["label"]) for e in row["entities"])
            words = [word.casefold() for word in post.words]
            reads = {name: list(row["reads"][name]) for name in READS}
            rows.append(
                Constructed(
                    Post(str(number), post.text, post.words, post.offsets, spans), words.index(row["word"]), reads
                )
            )
        except (KeyError, ValueError, TypeError) as error:
            raise SystemExit(f"error: {file}:{number}: expected text, entities, word and reads; {error!r}") from error
    return rows


def overlap_effect(folder: Path, rows: Sequence[Constructed] | None = None) -> dict[str, Any]:
    """By what the picture reads, compared with the words alone (mean probabilities in percent).

    Keys: ``name`` is the probability of the name as labelled, ``word`` that the word is within an entity of any type,
    ``others`` the same of all words outside the name; ``found`` counts names decoded, ``false`` other entities decoded.
    """
    rows = read_constructed() if rows is None else rows
    probe = Probe(folder)
    effect = {"words alone": _measure(probe, rows, None)}
    for reads in READS:
        effect[reads] = _measure(probe, rows, [context_of(row.reads[reads]) for row in rows])
    return {"posts": len(rows), "readings": effect}


def _measure(probe: Probe, rows: Sequence[Constructed], contexts: Contexts | None) -> dict[str, float]:
    posts = [row.post for row in rows]
    names = probe.spans(posts, [post.spans or () for post in posts], contexts)
    within = [np.sum(list(types.values()), 0) for types in probe.types(posts, contexts)]
    decoded = [{entity.span for entity in entities} for entities in probe.entities(posts, contexts)]
    outside = []
    for post, inside in zip(posts, within, strict=True):
        mask = np.ones(len(post.words), bool)
        for span in post.spans or ():
            mask[span.start : span.end] = False
        outside.append(inside[mask])
    return {
        "name": percent(np.concatenate(names)),
        "word": percent(np.array([inside[row.word] for row, inside in zip(rows, within, strict=True)])),
        "others": percent(np.concatenate(outside)),
        "found": sum(len(spans & set(post.spans or ())) for post, spans in zip(posts, decoded, strict=True)),
        "false": sum(len(spans - set(post.spans or ())) for post, spans in zip(posts, decoded, strict=True)),
    }


def context_of(lines: Sequence[str]) -> VisualContext:
    """What the embedded backends would hand on: the lines, and the template's sentence about writing."""
    ocr = tuple(OcrText(line, 0.97, source="rapid") for line in lines)
    captioner = template.Captioner(template.Options())
    captions = captioner(Image.new("RGB", (1, 1)), [], scenes=[], ocr=list(ocr))
    return VisualContext("constructed.jpg", captions=tuple(captions), ocr=ocr)


def percent(values: np.ndarray) -> float:
    """The mean in percent, to two digits."""
    return round(100 * float(values.mean()), 2)


def table(effect: dict[str, Any]) -> list[str]:
    """Markdown: one row for each reading."""
    lines = [
        f"| text in the picture | names found (of {effect['posts']}) | false | name | word | all words outside |",
        "|---|---|---|---|---|---|",
    ]
    for reads, row in effect["readings"].items():
        means = " | ".join(f"{row[key]:.1f}" for key in ("name", "word", "others"))
        lines.append(f"| {reads} | {row['found']} | {row['false']} | {means} |")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the measure is printed."""
    return print_measure(argv, __doc__, overlap_effect, table)


if __name__ == "__main__":
    sys.exit(main())
