"""How far the text in a picture repeats its post: python -m lab.ready.overlap writes lab/ready/overlap.json.

Two readings of training posts are counted, and no word of them is kept: what a large captioner quoted from the picture
(a stand-in for OCR: one post in ten, at times invented), and what the embedded OCR reads in the few real pictures. The
simulated OCR of ``lab.ready.ocr`` takes its rates from there.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.ready.sources import posts_of
from mner.config import VisionConfig
from mner.contexts.artefact import iter_contexts
from mner.data.pictures import place_of
from mner.files import write_json
from mner.types import Post

FILE = Path(__file__).with_name("overlap.json")
PICTURED = ("twitter2015", "twitter2017")
_SMALL = (
    "the and for you your are was with that this from have has not but all can will our out who what when how its his "
    "her they she him them into just like get got one new now via amp rt"
)
STOP = frozenset(_SMALL.split())
SHORT, GLUED = 3, 5
"""Letters of a word that counts; of one that is also looked for inside of longer ones, where OCR drops blanks."""

Reading = tuple[Post, Sequence[str]]


def content(words: Iterable[str]) -> list[str]:
    """The words that can be recognised in a picture: letters and digits only, case folded, no link, handle, small word.

    >>> content(["The", "#ChicagoCubs", "won", "!", "@bob", "http://a.b"])
    ['chicagocubs', 'won']
    """
    plain = [re.sub(r"\W|_", "", word).casefold() for word in words if not word.startswith(("http", "@"))]
    return [word for word in plain if len(word) >= SHORT and word not in STOP]


def measure(readings: Iterable[Reading]) -> dict[str, Any]:
    """Counts over posts and the lines that were read in their pictures."""
    counts: Counter[str] = Counter()
    lines_a_picture, words_a_line = Counter[int](), Counter[int]()
    for post, lines in readings:
        seen = content(word for line in lines for word in line.split())
        joined = "".join(seen)
        spans = post.spans or ()
        inside = {number for span in spans for number in range(span.start, span.end)}
        names = [content(post.words[span.start : span.end]) for span in spans]
        entity_words = {word for name in names for word in name}
        other_words = set(content(word for n, word in enumerate(post.words) if n not in inside)) - entity_words
        counts["pictures"] += 1
        lines_a_picture[min(len(lines), 20)] += 1
        for name in filter(None, names):
            hits = [repeated(word, seen, joined) for word in name]
            counts["entities"] += 1
            counts["entities repeated"] += all(hits)
            counts["entities repeated in part"] += any(hits) and not all(hits)
        counts["pictures that repeat an entity"] += any(repeated(word, seen, joined) for word in entity_words)
        counts["other words"] += len(other_words)
        counts["other words repeated"] += sum(bool(repeated(word, seen, joined)) for word in other_words)
        for word in seen:
            kind = "entity" if word in entity_words else "other" if word in other_words else "neither"
            counts[f"read words: {kind}"] += 1
        for word in entity_words | other_words:
            if len(word) >= GLUED:
                how = repeated(word, seen, joined)
                if how or any(_near(word, other) for other in seen):
                    counts[f"repeats: {how or 'garbled'}"] += 1
        for line in lines:
            words_a_line[min(len(line.split()), 12)] += 1
            counts[f"case: {_case(line)}"] += 1
    return {
        **dict(sorted(counts.items())),
        "lines a picture": {str(number): count for number, count in sorted(lines_a_picture.items())},
        "words a line": {str(number): count for number, count in sorted(words_a_line.items())},
    }


def rates(counted: Mapping[str, Any]) -> dict[str, float]:
    """The chances that simulation needs, of counts that ``measure`` made."""

    def share(part: str, whole: str) -> float:
        return float(round(counted.get(part, 0) / max(counted.get(whole, 0), 1), 3))

    whole, glued, garbled = (counted.get(f"repeats: {how}", 0) for how in ("whole", "glued", "garbled"))
    repeats = max(whole + glued + garbled, 1)
    lines = max(sum(counted["lines a picture"].values()), 1)
    cases = {case: counted.get(f"case: {case}", 0) for case in ("upper", "title", "lower", "mixed")}
    return {
        "entity": share("entities repeated", "entities"),
        "entity_in_part": share("entities repeated in part", "entities"),
        "other": share("other words repeated", "other words"),
        "glued": round(glued / repeats, 3),
        "garbled": round(garbled / repeats, 3),
        "upper": round(cases["upper"] / max(sum(cases.values()), 1), 3),
        "lines": round(sum(int(n) * count for n, count in counted["lines a picture"].items()) / lines, 2),
    }


def repeated(word: str, seen: Sequence[str], joined: str) -> str:
    """How the word is repeated: "whole", "glued" to others, or not at all, ""."""
    return "whole" if word in seen else "glued" if len(word) >= GLUED and word in joined else ""


def _near(word: str, other: str) -> bool:
    """Whether one letter put in, left out or exchanged makes one word the other."""
    if abs(len(word) - len(other)) > 1 or word == other:
        return False
    short, long = sorted((word, other), key=len)
    at = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]


def _case(line: str) -> str:
    letters = [letter for letter in line if letter.isalpha()]
    if not letters:
        return "none"
    if all(map(str.isupper, letters)):
        return "upper"
    return "lower" if all(map(str.islower, letters)) else "title" if line.istitle() else "mixed"


def quotations(source: Path, split: str = "train") -> Iterator[Reading]:
    """Posts of a split with what was quoted from their pictures."""
    for name in PICTURED:
        quoted = {row.image: row for row in iter_contexts(source / "contexts" / f"{name}.jsonl") if row.ocr}
        for post in posts_of(source, name, split):
            row = quoted.get(post.image or "")
            if row is not None:
                yield post, [entry.text for entry in row.ocr]


def pictures(source: Path) -> Iterator[Reading]:
    """Training posts whose picture is there and holds text, with what the embedded OCR reads in it."""
    from mner.vision.extract import Extractor

    extractor = Extractor(VisionConfig(detector="", captioner=""))
    for name in PICTURED:
        for post in posts_of(source, name, "train"):
            place = None if post.image is None else place_of(source / "images", post.image)
            if isinstance(place, Path) and place.is_file():
                (row,) = extractor.stream([(str(post.image), place)])
                if row.ocr:
                    yield post, [entry.text for entry in row.ocr]


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the file stands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FILE)
    arguments = parser.parse_args(argv)
    if not os.environ.get("MNER_DATA"):
        parser.error("set MNER_DATA to the folder that holds twitter2015/, twitter2017/, contexts/ and images/")
    source = Path(os.environ["MNER_DATA"])
    counted = {"quotations": measure(quotations(source)), "pictures": measure(pictures(source))}
    write_json(arguments.out, {name: {"counts": row, "rates": rates(row)} for name, row in counted.items()})
    print(arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
