"""The files that the ready model is trained on and chosen by: posts without leaks, copies, simulated contexts."""

from __future__ import annotations

import random
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab.ready.augment import SEPARATOR, copies, named
from lab.ready.name_lists import read_names
from lab.ready.ocr import read_rates, writer
from lab.ready.sources import SOURCES, posts_of
from lab.ready.unlabelled import RECIPE, left_out
from lab.simulate import simulate
from mner import config as configs
from mner import data
from mner.config import Config
from mner.contexts.artefact import iter_contexts, write_contexts
from mner.preflight import check
from mner.types import Post, VisualContext

PICTURED = ("twitter2015", "twitter2017")
"""Data sets whose posts have pictures, and captions of them."""
CAPTIONS = ("catr", "cimodel", "blip2")  # there for all splits; the other sources cover train alone
EARLIER, ALL = "twitter.train.txt", "social.train.txt"
"""Training posts of the earlier recipe, the two pictured data sets; of this one."""
PLAIN, OVERLAP, DEV_CONTEXTS = "plain.jsonl", "overlap.jsonl", "dev.jsonl"
CHOOSING = "social.dev.txt"
"""Every second dev post of every data set: chooses the epoch."""
QUICK = 48  # posts of each split in a smoke test

Say = Callable[[str], None]


def prepare(source: Path, folder: Path, *, quick: bool, say: Say) -> dict[str, dict[str, int]]:
    """Write posts and contexts into ``folder``; by data set, the number of training posts and of those left out.

    A training post is left out if a dev or test split of any data set has the same text, letters' case, links, signs
    and blanks aside, or if it may hold an entity of a type that its data set does not label.
    """
    recipe = tomllib.loads(RECIPE.read_text(encoding="utf-8"))
    most = QUICK if quick else None
    scored = {letters(post) for name in SOURCES for split in ("dev", "test") for post in posts_of(source, name, split)}
    training: dict[str, list[Post]] = {}
    counts: dict[str, dict[str, int]] = {}
    choosing: list[Post] = []
    for name in SOURCES:
        posts, unlabelled = posts_of(source, name, "train"), left_out(name)
        unseen = [post for post in posts if letters(post) not in scored]
        labelled = [post for n, post in enumerate(posts) if n not in unlabelled and letters(post) not in scored]
        training[name] = list(_named(name, labelled[:most], recipe))
        counts[name] = {
            "posts": len(training[name]),
            "same text as a scored post": len(posts) - len(unseen),
            "a type is not labelled": len(unseen) - len(labelled),
        }
        dev = posts_of(source, name, "dev")[:most]
        if dev:
            _write(dev, folder / f"{name}.dev.txt")
        choosing += dev[::2]
        test = posts_of(source, name, "test")[:most] if name in PICTURED else []
        if test:
            _write(test, folder / f"{name}.test.txt")
        say(f"{name}: {counts[name]}, {len(dev)} dev posts")
    earlier = [post for name in PICTURED for post in training[name]]
    posts = [post for of_source in training.values() for post in of_source]
    posts += list(copies(posts, recipe["copies"], read_names(), seed=recipe["seed"]))
    counts["copies"] = dict(Counter(post.id.partition(SEPARATOR)[2] for post in posts if SEPARATOR in post.id))
    say(f"copies: {counts['copies']}; {len(posts)} training posts in all")
    _write(earlier, folder / EARLIER)
    _write(posts, folder / ALL)
    _write(choosing, folder / CHOOSING)
    _write_contexts(source, folder, earlier, posts, recipe["seed"])
    return counts


def _write(posts: Sequence[Post], path: Path) -> None:
    """Write posts; of those without a picture the format cannot hold the id, and nobody needs it."""
    data.write(posts, path, format="twitter", losses=Counter())


def _named(name: str, posts: Sequence[Post], recipe: Mapping[str, Any]) -> Iterator[Post]:
    """Posts with ids of their own; where they have no pictures, some get the name of one."""
    dice = random.Random(f"{recipe['seed']}:{name}")  # noqa: S311  (chance, no secret)
    for number, post in enumerate(posts):
        if name in PICTURED:
            yield post
        else:
            yield named(post, f"{name}-{number}", pictured=dice.random() < recipe["pictured"])


def _write_contexts(source: Path, folder: Path, earlier: Sequence[Post], posts: Sequence[Post], seed: int) -> None:
    """Simulated contexts: of the earlier recipe's training pictures, of this one's, and of all other pictures.

    Only those of this recipe's training posts know the post. A post without a picture of its own gets what captions say
    of a training picture drawn by chance.
    """
    rows = {row.image: row for name in PICTURED for row in iter_contexts(source / "contexts" / f"{name}.jsonl")}
    trained = {post.image for post in earlier}
    shown = [row for image, row in rows.items() if image in trained]
    own = {post.image: post for post in posts if post.image is not None}
    dice = random.Random(seed)  # noqa: S311  (chance, no secret)
    given = []
    for image in own:
        origin = rows.get(re.sub(rf"{SEPARATOR}\w+\.jpg$", ".jpg", image))
        given.append(replace(origin or dice.choice(shown), image=image))
    write_contexts(simulate(shown, captions=CAPTIONS), folder / PLAIN)
    write_contexts(simulate(given, captions=CAPTIONS, written=writer(own, read_rates())), folder / OVERLAP)
    write_contexts(_plain(rows.values(), trained), folder / DEV_CONTEXTS)


def _plain(rows: Iterable[VisualContext], trained: set[str | None]) -> Iterator[VisualContext]:
    return simulate((row for row in rows if row.image not in trained), captions=CAPTIONS)


def refuse_leaks(root: Path, *, say: Say) -> None:
    """What ``mner data check`` counts across splits, after the posts above were left out.

    Raises:
        SystemExit: A dev split shares a text or a picture with the training posts.
    """
    shared: dict[str, int] = {}
    for name in SOURCES:
        file = root / f"{name}.dev.txt"
        if not file.is_file():
            continue
        counts = check([root / ALL, file], format="twitter").counts
        across = {kind: count for kind, count in counts.items() if kind.endswith("train/dev")}
        say(f"data check, training posts against {file.name}: {across or 'nothing shared'}")
        shared |= {f"{file.name}: {kind}": count for kind, count in across.items()}
    if shared:
        raise SystemExit(f"error: a dev split shares posts or pictures with the training posts: {shared}")


def letters(post: Post) -> str:
    """A post's text for comparing: letters and digits alone, case folded, links left out."""
    return re.sub(r"\W|_", "", "".join(word for word in post.words if not word.startswith("http"))).casefold()


def originals(source: Path, split: str) -> Iterator[tuple[str, Post]]:
    """Data set and post, of all posts of one split, under the annotation policy."""
    for name in SOURCES:
        for post in posts_of(source, name, split):
            yield name, post


def settings(path: Path, *, quick: bool, changes: Sequence[str] = ()) -> Config:
    """The committed configuration; where its files lie is said to whoever reads them."""
    extra = ["training.epochs=1", "training.threads=1", "teachers.models=[]"] if quick else []
    config = configs.load(path, set_values=[*changes, *extra])
    return config.model_copy(update={"data": config.data.model_copy(update={"root": "."})})
