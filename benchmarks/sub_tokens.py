"""Sub-tokens of a post by kind of word, under each setting that shortens words: links, handles, numbers and others."""

from __future__ import annotations

import argparse
import itertools
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from posts import CONFIGS
from record import Cell, Table, arguments, write

from mner import config as configs
from mner import data, encoders
from mner.config import ContextConfig
from mner.types import Post
from mner.views import Views
from mner.views.split import read_posts
from mner.words import LINK

ABOUT = """Counted on the training and dev posts; nothing is timed. A link is what `context.links = "fold"` takes for
one; a handle begins with @, a hashtag with #; a number has digits and no letter, a long one at least five characters.
Every other word is of the last kind. `word_pieces` is the most sub-tokens of a word, the rest cut. The two special
sub-tokens of each post, and the context of its picture, come on top."""

KINDS = ("link", "handle", "hashtag", "long number", "number", "other")
LONG = 5
SETTINGS: tuple[tuple[str, dict[str, object]], ...] = (
    ("as written", {}),
    ("word_pieces 6", {"word_pieces": 6}),
    ("fold", {"links": "fold"}),
    ("fold, word_pieces 6", {"links": "fold", "word_pieces": 6}),
    ("fold, word_pieces 4", {"links": "fold", "word_pieces": 4}),
    ("fold, word_pieces 2", {"links": "fold", "word_pieces": 2}),
)


def kind_of(word: str) -> str:
    """The kind of a word, one of ``KINDS``."""
    if LINK.search(word):
        return "link"
    if re.match(r"[@＠]\w", word):
        return "handle"
    if re.match(r"[#＃]\w", word):
        return "hashtag"
    if any(sign.isdigit() for sign in word) and not any(sign.isalpha() for sign in word):
        return "long number" if len(word) >= LONG else "number"
    return "other"


def data_sets(names: Sequence[str]) -> Iterator[tuple[str, str, list[Post]]]:
    """Of each configuration the data set's name, its signature, and its training and dev posts."""
    for name in names:
        config = configs.load(CONFIGS / f"{name}.toml")
        root = configs.root_folder(config.data, CONFIGS)
        posts, prints = [], []
        for split in ("train", "dev"):
            read = read_posts(config, root, split)
            prints.append(f"{config.data.name}/{split}@{data.stamp(read).fingerprint[:6]}")
            posts += read
        yield config.data.name, f"measure=sub-tokens data={'+'.join(prints)}", posts


def counted(posts: Sequence[Post], views: Views) -> Counter[str]:
    """Sub-tokens of all posts by kind of word."""
    counts: Counter[str] = Counter()
    for post, encoded in zip(posts, views.encode_many([post.words for post in posts]), strict=True):
        for word, pieces in zip(post.words, encoded.pieces.tolist(), strict=True):
            counts[kind_of(word)] += pieces
    return counts


def words(name: str, posts: Sequence[Post]) -> Iterator[list[Cell]]:
    """A row for each kind: words of it in a post, and how many of them stand in an entity."""
    number: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    for post in posts:
        gold = {place for span in post.spans or () for place in range(span.start, span.end)}
        for place, word in enumerate(post.words):
            number[kind_of(word)] += 1
            inside[kind_of(word)] += place in gold
    for kind in KINDS:
        share = 100 * inside[kind] / number[kind] if number[kind] else None
        yield [name, kind, number[kind] / len(posts), inside[kind], share]


def main(argv: Sequence[str] | None = None) -> int:
    """Count and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = ["twitter15", "twitter17"] if os.environ.get("MNER_DATA") else ["sample"]
    parser.add_argument("--configs", nargs="+", default=known, help="names of files in configs/")
    parser.add_argument("--encoders", nargs="+", default=["embedded:minilm"], help="encoders that are on this machine")
    settings = arguments(parser, argv)
    pieces = Table(
        "Sub-tokens of a post", ("data", "encoder", "setting", *KINDS, "all"), note="Means over posts, in the T view."
    )
    kinds = Table(
        "Words of each kind",
        ("data", "kind", "words a post", "in an entity", "% of them"),
        note="Words in a gold entity: what shortening a kind might lose.",
    )
    ratios, signatures = {}, []
    sets = list(data_sets(settings.configs))
    for name, _, posts in sets:
        kinds.rows += words(name, posts)
    for (name, signature, posts), encoder in itertools.product(sets, settings.encoders):
        folder = encoders.find(encoder)
        total: dict[str, float] = {}
        for setting, options in SETTINGS:
            counts = counted(posts, Views(folder, ContextConfig.model_validate(options)))
            total[setting] = counts.total() / len(posts)
            pieces.rows.append(
                [name, folder.name, setting, *(counts[kind] / len(posts) for kind in KINDS), total[setting]]
            )
        ratios[f"{name}, {folder.name}: word_pieces 6 / fold, word_pieces 6"] = (
            total["word_pieces 6"] / total["fold, word_pieces 6"]
        )
        signatures.append(f"{signature} encoder={folder.name} posts={len(posts)} mner={version('mner')}")
    pieces.note += f" {'; '.join(f'`{signature}`' for signature in signatures)}."
    write("sub_tokens", ABOUT, [pieces, kinds], settings=settings, seconds={}, ratios=ratios)
    return 0


if __name__ == "__main__":
    sys.exit(main())
