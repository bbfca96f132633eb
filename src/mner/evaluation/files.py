"""Tags, or files of posts with tags -> scores: what conlleval does, on any format that mner reads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from mner import data
from mner.errors import DataError
from mner.evaluation.scores import Scores, score
from mner.tags import Reading, Scheme, to_spans
from mner.types import Post, Span


def score_tags(
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    *,
    scheme: Scheme = "IOB2",
    labels: Reading = "repair",
) -> Scores:
    """The scores of predicted tag sequences against gold ones.

    With labels = "repair" an I- after O or after another type begins an entity, as in conlleval and in seqeval's
    default mode; with "strict" it is O, as in seqeval's strict mode.

    Raises:
        DataError: The numbers of posts, or of tags of a post, differ; or a tag is not valid in the scheme.

    >>> score_tags([["B-PER", "I-PER", "O"]], [["I-PER", "I-PER", "O"]]).micro.f1
    100.0
    """
    for number, (truth, guess) in enumerate(zip(gold, predicted, strict=False)):
        if len(truth) != len(guess):
            raise DataError(f"post {number}: {len(guess)} predicted tags for {len(truth)} words")
    read = [[to_spans(tags, scheme=scheme, labels=labels) for tags in side] for side in (gold, predicted)]
    return score(read[0], read[1])


def score_files(
    gold: str | Path, predicted: str | Path, *, format: str | None = None, labels: Reading = "repair"
) -> Scores:
    """The scores of a file of predictions against a gold file, post by post in the order of the files.

    Posts must have as many words in both files; how the words are spelled is not compared, since published
    outputs often had theirs rewritten.

    Args:
        gold: A file of posts with labels.
        predicted: A file of the same posts with the predicted labels.
        format: The format of both; None tells each by its name and first lines.
        labels: How an I- that continues nothing is read, in both.

    Raises:
        DataError: A file cannot be read, or the two do not hold the same posts.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gold, guess = Path(folder) / "gold.conll", Path(folder) / "guess.conll"
    ...     written = gold.write_text("Kevin B-PER"), guess.write_text("Kevin B-ORG")
    ...     score_files(gold, guess).micro.f1
    0.0
    """
    truth: list[tuple[Span, ...]] = []
    guess: list[tuple[Span, ...]] = []
    pairs = zip_longest(
        data.read(gold, format=format, labels=labels), data.read(predicted, format=format, labels=labels)
    )
    for ours, theirs in pairs:
        if ours is None or theirs is None:
            longer, extra = (gold, ours) if theirs is None else (predicted, theirs)
            raise DataError(f"{_where(extra, longer)}: the other file ends before this post, after {len(truth)}")
        if len(ours.words) != len(theirs.words):
            raise DataError(
                f"{_where(theirs, predicted)}: {len(theirs.words)} of the {len(ours.words)} words that "
                f"{_where(ours, gold)} has. Predict on the gold file's own words"
            )
        truth.append(_spans(ours, gold))
        guess.append(_spans(theirs, predicted))
    return score(truth, guess)


def _spans(post: Post, path: str | Path) -> tuple[Span, ...]:
    if post.spans is None:
        raise DataError(f'{_where(post, path)}: post "{post.id}" has no labels')
    return post.spans


def _where(post: Post | None, path: str | Path) -> str:
    return (post.where if post else "") or str(path)
