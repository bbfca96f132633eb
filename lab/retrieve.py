"""Training posts that share the rarest words with each post, as texts for MoRe's row where no encyclopedia is at hand.

MoRe searches Wikipedia. What is found here are words of other posts, without their labels: a row that reads them says
"training posts" beside its score.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from mner.contexts.artefact import write_contexts
from mner.data import read
from mner.errors import DataError, MnerError
from mner.types import ContextText, Post, VisualContext
from mner.words import LINK

K1, B = 1.2, 0.75
"""Saturation of a word's count, and how much a post's length counts (Robertson and Zaragoza, 2009, section 3.2)."""
AT_ONCE = 512
SOURCE = "posts"
WORD = re.compile(r"\w+")


def terms(post: Post) -> list[str]:
    """The words a post is searched by: in lower case, without links and handles.

    >>> terms(Post("RT @ESPN: Kevin Love's back http://t.co/x"))
    ['rt', 'kevin', 'love', 's', 'back']
    """
    own = (LINK.sub(" ", word).lower() for word in post.words if not word.startswith("@"))
    return [term for word in own for term in WORD.findall(word)]


def weights(posts: Sequence[Sequence[str]], known: dict[str, int]) -> csr_array:
    """BM25's weight of each word in each post.

    Args:
        posts: Words of each post, in number P.
        known: Numbers of words; receives those that are new.

    Returns:
        P x words.
    """
    counts = [Counter(words) for words in posts]
    for words in counts:
        for word in words:
            known.setdefault(word, len(known))
    rows = np.repeat(np.arange(len(posts)), [len(words) for words in counts])
    columns = np.array([known[word] for words in counts for word in words], dtype=np.int64)
    count = np.array([number for words in counts for number in words.values()], dtype=np.float64)
    lengths = np.array([len(words) for words in posts], dtype=np.float64)
    often = np.bincount(columns, minlength=len(known))
    rarity = np.log1p((len(posts) - often + 0.5) / (often + 0.5))
    damped = count + K1 * (1 - B + B * (lengths / max(lengths.mean(), 1.0))[rows])
    return csr_array((rarity[columns] * count * (K1 + 1) / damped, (rows, columns)), shape=(len(posts), len(known)))


def nearest(posts: Sequence[Post], searched: Sequence[Post], *, best: int) -> Iterator[list[int]]:
    """The places in ``searched`` of the posts that share most with each post, the nearest first.

    A post finds neither itself nor its own words again, and none that shares no word with it.
    """
    known: dict[str, int] = {}
    held = [terms(post) for post in searched]
    index = weights(held, known).T.tocsr()
    for start in range(0, len(posts), AT_ONCE):
        queries = [terms(post) for post in posts[start : start + AT_ONCE]]
        pairs = [(row, known[word]) for row, words in enumerate(queries) for word in set(words) if word in known]
        rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        wanted = csr_array((np.ones(len(pairs)), (rows, columns)), shape=(len(queries), len(known)))
        scores = (wanted @ index).toarray()
        for words, score in zip(queries, scores, strict=True):
            order = (int(place) for place in np.argsort(-score, kind="stable") if held[place] != words)
            yield [place for place in islice(order, best) if score[place] > 0]


def contexts(posts: Sequence[Post], searched: Sequence[Post], *, best: int) -> Iterator[VisualContext]:
    """A context for the picture of each post, whose texts belong to that post alone."""
    for post, places in zip(posts, nearest(posts, searched, best=best), strict=True):
        if post.image is not None:
            texts = (" ".join(LINK.sub("", searched[place].text).split()) for place in places)
            yield VisualContext(post.image, texts=tuple(ContextText(text, SOURCE, {"post": post.id}) for text in texts))


def main(argv: Sequence[str] | None = None) -> int:
    """0; 2 when a file cannot be used."""
    parser = argparse.ArgumentParser(description="Write the nearest training posts of each post as texts beside it.")
    parser.add_argument("train", type=Path, help="posts that are searched, and that get texts themselves")
    parser.add_argument("posts", type=Path, nargs="*", help="further posts that get texts")
    parser.add_argument("--out", type=Path, required=True, help="file of contexts (.jsonl or .parquet) to write")
    parser.add_argument("--best", type=int, default=3, help="texts for each post, 1 or more")
    options = parser.parse_args(argv)
    if options.best < 1:
        parser.error(f"--best: expected 1 or more, found {options.best}")
    try:
        searched = list(read(options.train))
        if not searched:
            raise DataError(f"{options.train}: holds no post to search")
        posts = [*searched, *(post for path in options.posts for post in read(path))]
        count = write_contexts(contexts(posts, searched, best=options.best), options.out)
    except MnerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{count} contexts, of {len(posts)} posts, from {len(searched)} posts searched", file=sys.stderr)
    print(options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
