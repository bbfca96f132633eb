"""Posts of several splits -> what is repeated, lacks words or labels, or is not read: sub-tokens that are cut."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mner.data.lines import clipped
from mner.picture_files import short_name
from mner.preflight.report import Findings, Split
from mner.several import MOST_PICTURES
from mner.tags import Reading, similar_types
from mner.types import LINKS, Post

if TYPE_CHECKING:
    from mner.contexts.artefact import Contexts
    from mner.views import Encoded, Views


class Posts:
    """What was met in the splits read so far; a text takes 12 bytes, however long it is."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._ids: dict[tuple[str, str], str] = {}
        self._texts: dict[bytes, dict[str, str]] = {}
        self._images: dict[str, dict[str, str]] = {}

    def examine(self, split: str, posts: Sequence[Post]) -> None:
        """Report what is wrong with some posts of a split, seen beside all before them."""
        for post in posts:
            if not post.words:
                self._findings.add("warning", "no words", post.where, f'post "{post.id}" has no words')
                continue
            before = self._ids.setdefault((split, post.id), post.where)
            if before != post.where:
                self._findings.add(
                    "warning", "repeated id", post.where, f'the id "{post.id}" is already in {split}, at {before}'
                )
            digest = hashlib.blake2b(" ".join(post.words).encode(errors="surrogatepass"), digest_size=12).digest()
            self._across(self._texts.setdefault(digest, {}), split, post, "text", clipped(post.text, 60))
            for image in post.images:
                self._across(self._images.setdefault(image, {}), split, post, "picture", short_name(image))
            if len(post.images) > MOST_PICTURES:
                self._findings.add(
                    "warning",
                    "too many pictures",
                    post.where,
                    f"{len(post.images)} pictures; mner predict takes {MOST_PICTURES} unless --max-pictures says more",
                )

    def _across(self, places: dict[str, str], split: str, post: Post, what: str, shown: str) -> None:
        """Report a text or picture the first time it is met in one split after another."""
        if split not in places:
            for other, where in places.items():
                self._findings.add(
                    "warning", f"same {what}: {other}/{split}", post.where, f'"{shown}" is also in {other}, at {where}'
                )
            places[split] = post.where


def compare(findings: Findings, splits: dict[str, Split], *, labels: Reading) -> None:
    """Report what the numbers of the splits show: no posts, no labels, types that train lacks, repaired labels."""
    trains = [split.statistics for name, split in splits.items() if is_train(name)]
    known = {label for numbers in trains for label in numbers.stamp.labels}
    if not known and any(numbers.labelled for numbers in trains) and "bad line" not in findings.counts:
        first = next(split.path for name, split in splits.items() if is_train(name))
        findings.add("error", "no entities", first, "no training post has an entity; nothing can be learned")
    everywhere = sum((Counter(split.statistics.stamp.labels) for split in splits.values()), Counter[str]())
    for message in similar_types(everywhere):
        findings.add("warning", "similar types", next(iter(splits.values())).path, message)
    for name, split in splits.items():
        numbers = split.statistics
        if not numbers.stamp.posts:
            findings.add("error", "no posts", split.path, "the file holds no post")
        elif without := numbers.stamp.posts - numbers.labelled:
            _unlabelled(findings, name, split, without, learns=any(train.labelled for train in trains))
        if any(train.labelled for train in trains) and not is_train(name):
            for label, count in numbers.stamp.labels.items():
                if label not in known:
                    findings.add(
                        "warning",
                        "label not in train",
                        split.path,
                        f"{count} entities are {label}, a type that train lacks: it can never be predicted",
                    )
        if labels == "repair" and numbers.strict is not None and numbers.strict != numbers.stamp.entities:
            findings.add(
                "note",
                "repaired labels",
                split.path,
                f"{numbers.stamp.entities} entities, as an I- that continues nothing begins one; "
                f'{numbers.strict} if only a B- does (data.labels = "strict")',
            )


def _unlabelled(findings: Findings, name: str, split: Split, without: int, *, learns: bool) -> None:
    """Report posts whose entities are not known, unless the file is one of posts to be tagged.

    ``learns`` says whether any training post has labels.
    """
    labelled = split.statistics.labelled
    if name in ("dev", "test"):
        message = f"{without} of {labelled + without} posts have no labels; {name} posts are scored, so all need labels"
        findings.add("error", "no labels", split.path, message, times=without)
    elif is_train(name) and not learns:
        findings.add("error", "no labels", split.path, "no post has labels; nothing can be learned", times=without)
    elif labelled or is_train(name):
        what = "training leaves them out" if is_train(name) else "their entities are not known"
        findings.add("warning", "no labels", split.path, f"{without} posts have no labels; {what}", times=without)


def is_train(name: str) -> bool:
    """Whether a split is "train", or "train 2" and so on: further files of training posts."""
    first, _, number = name.partition(" ")
    return first == "train" and (not number or number.isdigit())


def examine_tokens(findings: Findings, views: Views, contexts: Contexts | None, posts: Sequence[Post]) -> None:
    """Report what the encoder's tokenizer makes of some posts; contexts may be None: then of their words alone."""
    from mner.views import compose
    from mner.views.contexts import context_of

    beside = []
    for post in posts:
        context = None if contexts is None else context_of(post, contexts)
        beside.append(() if context is None else compose(context, views.options))
    for post, encoded in zip(posts, views.encode_many([post.words for post in posts], beside), strict=True):
        _examine(findings, views, post, encoded)


def _examine(findings: Findings, views: Views, post: Post, encoded: Encoded) -> None:
    lost = [word for word, (window, _) in zip(post.words, encoded.first.tolist(), strict=True) if window < 0]
    if lost:
        shown = ", ".join(f'"{word}"' for word in lost[:5])
        findings.add(
            "note",
            "no sub-token",
            post.where,
            f"the tokenizer yields nothing for {shown}; the word keeps its place with a zero vector",
            times=len(lost),
        )
    if len(encoded.windows) > 1:
        findings.add(
            "note",
            "several windows",
            post.where,
            f"over {views.max_tokens} sub-tokens: read in {len(encoded.windows)} windows that overlap",
        )
    for kind, count in encoded.cut.items():
        if kind == LINKS:
            continue
        if kind == "words":
            message = f"{count} sub-tokens of words over context.word_pieces, or longer than a window, are not read"
        else:
            message = f"{count} sub-tokens of {kind} are over the budget (context.budget.{kind}) and left out"
        findings.add("warning", f"cut {kind}", post.where, message, times=count)
