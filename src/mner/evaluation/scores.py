"""Exact-match scores of entities over words, micro, macro and by label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mner.errors import DataError
from mner.types import Post, Span, ViewName


@dataclass(frozen=True, slots=True)
class PRF:
    """Precision, recall and F1 as percentages (0 to 100), and the counts of entities behind them.

    >>> score([[Span(0, 2, "PER")]], [[]]).micro
    PRF(precision=0.0, recall=0.0, f1=0.0, correct=0, predicted=0, gold=1)
    """

    precision: float
    recall: float
    f1: float
    correct: int
    predicted: int
    gold: int


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one set of predictions.

    Attributes:
        micro: Over all entities; this is the field's "F1".
        macro: Unweighted mean over ``labels``; its counts are those of ``micro``.
        labels: By label, sorted; every label of gold or prediction, whether training knew it or not.
        posts: The number of posts scored.

    >>> scores = score([[Span(0, 2, "PER")]], [[Span(0, 2, "PER"), Span(3, 4, "LOC")]])
    >>> scores.labels["PER"].f1, scores.macro.f1
    (100.0, 50.0)
    >>> scores.to_dict()["micro"]["predicted"]
    2
    """

    micro: PRF
    macro: PRF
    labels: Mapping[str, PRF]
    posts: int

    def rows(self) -> Iterator[tuple[str, PRF]]:
        """The lines of a table: each label, then "micro" and "macro".

        >>> [name for name, _ in score([[Span(0, 2, "PER")]], [[]]).rows()]
        ['PER', 'micro', 'macro']
        """
        yield from self.labels.items()
        yield "micro", self.micro
        yield "macro", self.macro

    def to_dict(self, signature: str | None = None) -> dict[str, Any]:
        """The scores as a JSON object: micro, macro, labels, posts, and the signature if there is one."""
        row: dict[str, Any] = {
            "micro": asdict(self.micro),
            "macro": asdict(self.macro),
            "labels": {label: asdict(prf) for label, prf in self.labels.items()},
            "posts": self.posts,
        }
        return row if signature is None else {**row, "signature": signature}


def score(gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]) -> Scores:
    """The scores of predicted entities: one is correct if start, end and label all agree with a gold one.

    The same entity given twice for a post counts once. A ratio over nothing is 0, as in conlleval.

    Args:
        gold: Gold entities of each post.
        predicted: Predicted entities of each post, in the same order of posts.

    Raises:
        DataError: The numbers of posts differ.

    >>> scores = score([[Span(0, 2, "PER")]], [[Span(0, 2, "PER"), Span(3, 4, "LOC")]])
    >>> scores.micro
    PRF(precision=50.0, recall=100.0, f1=66.66666666666667, correct=1, predicted=2, gold=1)
    """
    if len(gold) != len(predicted):
        raise DataError(
            f"{len(predicted)} posts were predicted and {len(gold)} have gold entities; they must be the same"
        )
    correct: Counter[str] = Counter()
    guessed: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    for gold_spans, predicted_spans in zip(gold, predicted, strict=True):
        truth, guess = set(gold_spans), set(predicted_spans)
        wanted.update(span.label for span in truth)
        guessed.update(span.label for span in guess)
        correct.update(span.label for span in truth & guess)
    labels = {label: prf(correct[label], guessed[label], wanted[label]) for label in sorted(guessed | wanted)}
    micro = prf(correct.total(), guessed.total(), wanted.total())
    each = list(labels.values()) or [micro]
    macro = PRF(
        precision=sum(prf.precision for prf in each) / len(each),
        recall=sum(prf.recall for prf in each) / len(each),
        f1=sum(prf.f1 for prf in each) / len(each),
        correct=micro.correct,
        predicted=micro.predicted,
        gold=micro.gold,
    )
    return Scores(micro, macro, labels, len(gold))


def evaluate_views(
    posts: Sequence[Post], predicted: Mapping[ViewName, Sequence[Sequence[Span]]]
) -> dict[ViewName, Scores]:
    """The scores of each view's entities on the same gold posts.

    Raises:
        DataError: A post carries no gold labels, or the numbers of posts differ.
    """
    gold: list[tuple[Span, ...]] = []
    for post in posts:
        if post.spans is None:
            raise DataError(f'{post.where or "posts"}: post "{post.id}" has no gold labels to score against')
        gold.append(post.spans)
    return {view: score(gold, of_view) for view, of_view in predicted.items()}


def prf(correct: int, predicted: int, gold: int) -> PRF:
    """The ratios of these counts; one over nothing is 0.

    >>> prf(1, 2, 2)
    PRF(precision=50.0, recall=50.0, f1=50.0, correct=1, predicted=2, gold=2)
    """
    precision = 100 * correct / predicted if predicted else 0.0
    recall = 100 * correct / gold if gold else 0.0
    f1 = 200 * correct / (predicted + gold) if predicted + gold else 0.0
    return PRF(precision, recall, f1, correct, predicted, gold)
