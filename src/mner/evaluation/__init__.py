"""Entities -> scores: exact-match precision, recall and F1, each number with a signature."""

from mner.evaluation.files import score_files, score_tags
from mner.evaluation.grounding import GroundedScores, score_grounded
from mner.evaluation.scores import PRF, Scores, evaluate_views, score
from mner.evaluation.signature import Signature

__all__ = [
    "PRF",
    "GroundedScores",
    "Scores",
    "Signature",
    "evaluate_views",
    "score",
    "score_files",
    "score_grounded",
    "score_tags",
]
