"""What thresholds are to keep, and the posts of one view -> the thresholds, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mner.decode import Decoder
from mner.errors import DataError
from mner.evaluation.calibration import Graded
from mner.evaluation.guarantee import Target, Threshold, check_promise, least_posts, reachable, threshold_for
from mner.runs.view_scores import ViewEmissions
from mner.runtime.calibration import Basis, ViewThresholds
from mner.tags import entity_types


@dataclass(frozen=True, slots=True)
class Promise:
    """What thresholds are to keep: with probability 1 - ``delta`` a mean ``target`` of ``least`` or more.

    ``by_label`` promises it of each label by itself, all at once: each is tested at ``delta`` over their number.
    """

    target: Target
    least: float
    delta: float = 0.1
    by_label: bool = False

    def __post_init__(self) -> None:
        check_promise(self.least, self.delta)


def thresholds_of(view: ViewEmissions, decoder: Decoder, promise: Promise, name: str, basis: Basis) -> ViewThresholds:
    """The thresholds of one view.

    Raises:
        DataError: There are too few posts, or no threshold keeps the promise.
    """
    every = promise.target == "recall"
    predicted = view.predicted(decoder, every=every)
    graded = view.gold_graded(decoder) if every else predicted
    known = entity_types(decoder.labels)
    groups = [(label, graded.of(label)) for label in known] if promise.by_label else [("", graded)]
    delta = promise.delta / len(groups)
    passed: dict[str, Threshold] = {}
    faults: list[str] = []
    for label, group in groups:
        threshold = threshold_for(group, promise.target, least=promise.least, delta=delta)
        if threshold is None:
            faults.append(_fault(group, promise, delta, label))
        else:
            passed[label] = threshold
    if faults:
        raise DataError(f"{name}: " + "; ".join(faults))
    by_label = {label: passed[label if promise.by_label else ""].threshold for label in known}
    returned = predicted.score >= np.array([by_label.get(label, 1.0) for label in predicted.label.tolist()])
    correct = int((predicted.correct & returned).sum())
    gold = sum(len(set(spans)) for spans in view.gold)
    return ViewThresholds(
        thresholds=by_label,
        mean=round(min(threshold.mean for threshold in passed.values()), 6),
        precision=round(correct / max(1, int(returned.sum())), 6),
        recall=round(correct / max(1, gold), 6),
        basis=basis.model_copy(update={"posts": len(view.numbers), "entities": len(graded)}),
    )


def _fault(graded: Graded, promise: Promise, delta: float, label: str) -> str:
    """Why there is no threshold, and what would help."""
    of_label = f" of {label}" if label else ""
    posts = len(np.unique(graded.post))
    least = least_posts(promise.target, promise.least, delta)
    what = "a gold entity" if promise.target == "recall" else "a predicted entity"
    promised = f"a {promise.target}{of_label} of {promise.least:g} with confidence {1 - promise.delta:g}"
    split = "; without --per-label all labels share one threshold" if label else ""
    if posts < least:
        worse = "and more where some are wrong" if promise.target == "precision" else "and more where some are missed"
        return f"{posts} posts hold {what}{of_label}; {promised} needs at least {least}, {worse}{split}"
    highest = reachable(graded, promise.target, delta=delta)
    instead = f"the highest that one keeps is {highest:.2f}" if highest else "there is none for a lower one, either"
    return (
        f"no threshold keeps {promised} on {posts} posts with {what}; {instead}; more posts or a larger --delta allow "
        f"more{split}"
    )
