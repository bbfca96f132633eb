"""How many gold entities a language model's texts name: python -m lab.leak writes lab/leak.json.

Such a text was written from the post's words, so one that names an entity and its type is a guess at the label. Labels
and texts alone are read; no model is scored, and no word of them is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import mner
from mner.contexts.artefact import key
from mner.contexts.published.sentences import sentences
from mner.data import read
from mner.errors import MnerError
from mner.files import write_json
from mner.types import Post

FILE = Path(__file__).with_name("leak.json")
TEXTS = "contexts/twitter2015.knowledge.jsonl"
SPLITS = {split: f"twitter2015/{file}.txt" for split, file in (("train", "train"), ("dev", "valid"), ("test", "test"))}


def count(posts: Iterable[Post], texts: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Entities of posts, those that the texts of their pictures name, and those named with something in brackets.

    A text names an entity if it holds the entity's words, whole and in this order, in whatever case.

    >>> post = Post("Kevin Love won in Ohio", image="1.jpg", spans=(mner.types.Span(0, 2, "PER"),))
    >>> count([post], {"1.jpg": ["Named entities: 1. Kevin love (person)"]})
    {'posts': 1, 'entities': 1, 'named': 1, 'typed': 1}
    """
    counts = dict.fromkeys(("posts", "entities", "named", "typed"), 0)
    for post in posts:
        text = "\n".join(texts.get(key(post.image), ()) if post.image else ()).casefold()
        counts["posts"] += 1
        for span in post.spans or ():
            surface = re.escape(" ".join(post.words[span.start : span.end]).casefold())
            counts["entities"] += 1
            counts["named"] += bool(re.search(rf"(?<!\w){surface}(?!\w)", text))
            counts["typed"] += bool(re.search(rf"(?<!\w){surface}\W{{0,3}}\(", text))
    return counts


def shares(record: Path = FILE) -> tuple[float, float]:
    """Percent of all gold entities of the record that the texts name, and that they name with a type."""
    splits = json.loads(record.read_text(encoding="utf-8"))["splits"].values()
    entities, named, typed = (sum(split[each] for split in splits) for each in ("entities", "named", "typed"))
    return 100 * named / entities, 100 * typed / entities


def main(argv: Sequence[str] | None = None) -> int:
    """0; 2 when a file cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args(argv)
    if not os.environ.get("MNER_DATA"):
        parser.error(f"set MNER_DATA to the folder that holds twitter2015/ and {TEXTS}")
    source = Path(os.environ["MNER_DATA"])
    texts: dict[str, list[str]] = {}
    try:
        for sentence in sentences(source / TEXTS):
            texts.setdefault(key(sentence.name), []).append(sentence.text)
        splits = {split: count(read(source / file), texts) for split, file in SPLITS.items()}
    except MnerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    about = " ".join((__doc__ or "").split())
    write_json(options.out, {"format": 1, "about": about, "mner": mner.__version__, "texts": TEXTS, "splits": splits})
    print(options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
