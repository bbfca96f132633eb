"""What a model makes of languages it was not trained on: python -m lab.ready.other_languages MODEL.

lab/ready/languages/ holds 20 posts of ours (CC0) in each of German, Spanish, French, Portuguese and Japanese, with gold
entities under docs/reference/labels.md. Japanese is cut into words, since mner does not segment it. Twenty posts show
whether a model reads a language at all, and no more: the interval of an F1 over 25 names is some 20 points wide.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.ready.probe import Probe, print_measure
from mner import data
from mner.evaluation.scores import Scores, score

FOLDER = Path(__file__).with_name("languages")
LANGUAGES = {"de": "German", "es": "Spanish", "fr": "French", "pt": "Portuguese", "ja": "Japanese"}


def score_languages(folder: Path) -> dict[str, Scores]:
    """The scores of a saved model by language, from the words alone."""
    probe = Probe(folder)
    scores = {}
    for code, language in LANGUAGES.items():
        posts = list(data.read(FOLDER / f"{code}.jsonl"))
        predicted = [[entity.span for entity in entities] for entities in probe.entities(posts)]
        scores[language] = score([post.spans or () for post in posts], predicted)
    return scores


def table(scores: dict[str, Scores]) -> list[str]:
    """Markdown: one row for each language."""
    lines = ["| language | names | correct | false | precision | recall | F1 |", "|---|---|---|---|---|---|---|"]
    for language, row in scores.items():
        micro = row.micro
        percent = " | ".join(f"{value:.0f}" for value in (micro.precision, micro.recall, micro.f1))
        false = micro.predicted - micro.correct
        lines.append(f"| {language} | {micro.gold} | {micro.correct} | {false} | {percent} |")
    return lines


def _rows(scores: dict[str, Scores]) -> dict[str, Any]:
    return {language: row.to_dict() for language, row in scores.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the table is printed."""
    return print_measure(argv, __doc__, score_languages, table, _rows)


if __name__ == "__main__":
    sys.exit(main())
