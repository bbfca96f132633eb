"""Runs, contexts and records -> the numbers of one figure or table of the paper, one a file. Nothing here draws."""

from __future__ import annotations

ANALYSES: dict[str, str] = {
    "captions": "F1 against the number of captions (Figure 2)",
    "distance": "L2 distance between the two views' word vectors (Figure 3)",
    "labels": "precision, recall and F1 by label of a row against a baseline (Table 5)",
    "ocr": "OCR texts of an artefact or a split, and the gain with and without them (Table 6)",
    "cases": "posts that the picture helped or misled, and those that alignment rescued (Figures 4, 5)",
    "robustness": "F1 with the true, a shuffled and a blank context",
    "slices": "both views by seen and unseen entities, text-image relation, number of captions",
    "oracle": "F1 if the better of two readings were known for each post: what a choice could bring at most",
    "learning": "F1 against the number of training posts, of rows that differ in that alone",
    "noise": "gold labels that all runs of two rows contradict, and training labels that contradict each other",
    "cost": "parameters, minutes and peak memory of rows (appendix A.1)",
}
"""Name of an analysis, which is also its file and its function -> what it tells."""
