"""What quoted text of real pictures does to a model: python -m lab.ready.quoted MODEL.

Of the dev posts of Twitter-15 and -17, which no model learned from, those are read from whose picture a large captioner
quoted text, a stand-in for OCR. Their names and other words are counted by whether the text repeats them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lab.ready.constructed import context_of, percent
from lab.ready.overlap import content, quotations, repeated
from lab.ready.probe import Contexts, Probe, print_measure
from mner.types import Post


def quoted_effect(folder: Path, source: Path) -> dict[str, Any]:
    """By view, mean probabilities in percent and counts of entities, of the dev posts under ``source``.

    Keys: ``repeated names`` and ``other names`` are the probabilities of gold entities of which the text repeats a
    word, and of the others; ``repeated words`` that a word outside them, which the text repeats, is within an entity;
    ``found`` and ``false`` count decoded entities.
    """
    read = list(quotations(source, "dev"))
    posts = [post for post, _ in read]
    marks = [_marks(post, lines) for post, lines in read]
    probe = Probe(folder)
    views: dict[str, Contexts | None] = {"T": None, "I+T": [context_of(lines) for _, lines in read]}
    effect = {view: _measure(probe, posts, marks, contexts) for view, contexts in views.items()}
    named = sum(len(post.spans or ()) for post in posts)
    return {"posts": len(posts), "names": named, "views": effect}


def _marks(post: Post, lines: Sequence[str]) -> np.ndarray:
    """Whether the text repeats each word (word,); small words, links and handles do not count."""
    read = content(word for line in lines for word in line.split())
    joined = "".join(read)
    plain = ("".join(content([word])) for word in post.words)
    return np.array([bool(word and repeated(word, read, joined)) for word in plain], bool)


def _measure(
    probe: Probe, posts: Sequence[Post], marks: Sequence[np.ndarray], contexts: Contexts | None
) -> dict[str, float]:
    gold = [post.spans or () for post in posts]
    names = probe.spans(posts, gold, contexts)
    within = [np.sum(list(types.values()), 0) for types in probe.types(posts, contexts)]
    decoded = [{entity.span for entity in entities} for entities in probe.entities(posts, contexts)]
    seen: list[float] = []
    unseen: list[float] = []
    words: list[float] = []
    for spans, chances, inside, mark in zip(gold, names, within, marks, strict=True):
        outside = mark.copy()
        for span, chance in zip(spans, chances, strict=True):
            (seen if mark[span.start : span.end].any() else unseen).append(chance)
            outside[span.start : span.end] = False
        words += inside[outside].tolist()
    right = [len(spans & set(of_post)) for spans, of_post in zip(decoded, gold, strict=True)]
    return {
        "repeated names": percent(np.array(seen)),
        "other names": percent(np.array(unseen)),
        "repeated words": percent(np.array(words)),
        "found": sum(right),
        "false": sum(map(len, decoded)) - sum(right),
        "of repeated names": len(seen),
        "of repeated words": len(words),
    }


def table(effect: dict[str, Any]) -> list[str]:
    """Markdown: one row for each view."""
    first = effect["views"]["T"]
    lines = [
        f"| view | found (of {effect['names']}) | false | repeated names ({first['of repeated names']}) | other names "
        f"| repeated words ({first['of repeated words']}) |",
        "|---|---|---|---|---|---|",
    ]
    for view, row in effect["views"].items():
        means = " | ".join(f"{row[key]:.1f}" for key in ("repeated names", "other names", "repeated words"))
        lines.append(f"| {view} | {row['found']} | {row['false']} | {means} |")
    return lines


def sentence(effect: dict[str, Any]) -> str:
    """The figures in words, as they stand in docs/reference/labels.md."""
    alone, seen = effect["views"]["T"], effect["views"]["I+T"]
    return (
        f"the packaged model finds {seen['found']} of {effect['names']} names with that text and {alone['found']} by "
        f"the words alone, and makes {seen['false']} errors instead of {alone['false']}. The "
        f"{alone['of repeated names']} names that the text repeats go from {alone['repeated names']:.1f} to "
        f"{seen['repeated names']:.1f} %, and the {alone['of repeated words']} other words that it repeats from "
        f"{alone['repeated words']:.1f} to {seen['repeated words']:.1f} %."
    )


def _data() -> Path:
    """The folder of the posts.

    Raises:
        SystemExit: No variable names it.
    """
    if not os.environ.get("MNER_DATA"):
        raise SystemExit("error: set MNER_DATA to the folder that holds twitter2015/, twitter2017/ and contexts/")
    return Path(os.environ["MNER_DATA"])


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the measure is printed."""
    return print_measure(argv, __doc__, lambda model: quoted_effect(model, _data()), table)


if __name__ == "__main__":
    sys.exit(main())
