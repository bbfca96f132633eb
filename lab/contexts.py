"""Which experiments read contexts of another kind than the paper's, seen from what they read."""

from __future__ import annotations

from collections.abc import Mapping

from mner.runs import Experiment
from mner.runs.searches import setting

NAMING = "blip2"
"""A captioner that at times names who is seen."""

CAPTIONS_ONLY = "contexts/twitter"
"""How the files of contexts begin that hold captions of real captioners, and no tags or OCR of the paper's kind."""

STAND_INS = {"tags": "object names taken from captions for tags", "ocr": "texts quoted by a language model for OCR"}
"""What these files hold in the place of other kinds of context."""


def remark(experiment: Experiment) -> str | None:
    """What must be said of an experiment on contexts of another kind; None of any other."""
    config = experiment.records[0].config
    if "I+T" not in experiment.trained:
        return None
    if NAMING in (setting(config, "context.captions") or ()):
        return "the captions of a third captioner come first, which at times name who is seen"
    read = [kind for kind in STAND_INS if kind in (setting(config, "context.order") or ())]
    if read and any(name.startswith(CAPTIONS_ONLY) for name in setting(config, "data.contexts") or ()):
        return f"stand-ins: {', '.join(STAND_INS[kind] for kind in read)}"
    return None


def is_of(experiment: Experiment, name: str) -> bool:
    """Whether an experiment is the one of this name on contexts of the paper's kind; tuned or not, on any encoder."""
    return experiment.identity.experiment == name and remark(experiment) is None


def remark_on(experiment: Experiment, name: str) -> str | None:
    """What must be said of the experiment of this name if it is on contexts of another kind; None of any other."""
    return remark(experiment) if experiment.identity.experiment == name else None


def whole(experiments: Mapping[tuple[str, str], Experiment], data: str) -> dict[str, Experiment]:
    """The experiments of a data set that were trained on all of its posts, by name."""
    return {name: each for (where, name), each in experiments.items() if where == data and each.whole}
