"""How true the packaged model's probabilities are, before and after scaling, and whether its thresholds keep promises.

``python -m lab.calibration`` reads the dev splits that MNER_DATA holds and writes ``lab/calibration.json``; nothing is
typed by hand. The docs hold the tables of that file (``tables``).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mner.analysis.parts.f1_summary import unscored
from mner.decode import Scaling
from mner.evaluation.calibration import Graded, by_label, calibration
from mner.evaluation.guarantee import Target, reachable, threshold_for
from mner.evaluation.scaling import TEMPERATURES, held_out, platt_fit, temperature_fit, temperature_of
from mner.evaluation.views import decoder_of
from mner.files import write_json
from mner.runs.posts import posts_to_score, views_of
from mner.runs.view_scores import view_emissions
from mner.runtime import SavedModel, open_model, read_model
from mner.tagger import packaged
from mner.tags import entity_types
from mner.views.split import read_split

RECORD = Path(__file__).with_suffix(".json")
SPLITS = {"twitter15": "twitter2015/valid.txt", "twitter17": "twitter2017/valid.txt"}
PROMISES: tuple[tuple[Target, float], ...] = (
    ("precision", 0.8),
    ("precision", 0.85),
    ("precision", 0.9),
    ("precision", 0.95),
    ("recall", 0.6),
    ("recall", 0.7),
    ("recall", 0.8),
)
DELTA = 0.1
HALVINGS = 100
"""Times that the posts are halved: thresholds are found on one half, and what they keep is counted on the other."""


def measure(root: Path) -> dict[str, Any]:
    """All figures, by data set."""
    saved = read_model(packaged())
    return {name: _of_split(saved, root / file, name) for name, file in SPLITS.items()}


def _of_split(saved: SavedModel, file: Path, name: str) -> dict[str, Any]:
    config, posts = posts_to_score(saved, file, (), None, None, allow_plugins=False)
    split = read_split(config, file.parent, "dev", views_of(saved, config), saved.needs)
    runtime = open_model(saved)
    words = view_emissions(runtime, split)["T"]

    def predicted(scaling: Scaling | None) -> Graded:
        return words.predicted(decoder_of(config, saved.labels, runtime.chain, scaling))

    exact = predicted(None)
    by_temperature = np.stack([predicted(Scaling(temperature)).score for temperature in TEMPERATURES])
    fits = {
        "exact": exact,
        "temperature": held_out(exact, temperature_fit(by_temperature, exact.correct)),
        "platt": held_out(exact, platt_fit(exact, entity_types(saved.labels))),
    }
    data = f"{name}/dev@{split.stamp.fingerprint[:6]}"
    gold = words.gold_graded(decoder_of(config, saved.labels, runtime.chain))
    return {
        "signature": unscored(view="T", model=saved.fingerprint, delta=f"{DELTA:g}", data=data),
        "posts": len(posts),
        "temperature": TEMPERATURES[temperature_of(by_temperature, exact.correct)],
        "calibration": {fit: _calibration(graded) for fit, graded in fits.items()},
        "promises": [_promise(exact, gold, target, least) for target, least in PROMISES],
    }


def _calibration(graded: Graded) -> dict[str, dict[str, float]]:
    """ECE, Brier score, number, and share of right entities by label and of all."""
    tables = {**by_label(graded), "all": calibration(graded)}
    return {
        label: {
            "ece": round(each.ece, 2),
            "brier": round(each.brier, 4),
            "entities": each.entities,
            "right": round(100 * each.correct, 2),
        }
        for label, each in tables.items()
        if each is not None
    }


def _promise(exact: Graded, gold: Graded, target: Target, least: float) -> dict[str, Any]:
    """A promise on halves of the posts: how often it is made, and how often it is then kept on the other half."""
    graded = exact if target == "precision" else gold
    generator = np.random.default_rng(1)
    promised, means, pooled, levels = 0, [], [], []
    halves = [generator.permutation(graded.posts) % 2 == 0 for _ in range(HALVINGS)]
    for half in halves:
        threshold = threshold_for(graded.within(half), target, least=least, delta=DELTA)
        if threshold is None:
            continue
        promised += 1
        mean, all_together = _realised(graded.within(~half), target, threshold.threshold)
        levels.append(threshold.threshold)
        means.append(mean)
        pooled.append(all_together)
    row: dict[str, Any] = {"target": target, "least": least, "made": promised}
    if not promised:
        return row | {"reachable": max(reachable(graded.within(half), target, delta=DELTA) for half in halves)}
    return row | {
        "threshold": round(float(np.median(levels)), 4),
        "kept": sum(mean >= least for mean in means),
        "mean": round(100 * float(np.mean(means)), 2),
        "lowest": round(100 * min(means), 2),
        "pooled": round(100 * float(np.mean(pooled)), 2),
        "recall": round(100 * _recall(exact, gold, target, float(np.median(levels))), 2),
    }


def _realised(graded: Graded, target: Target, level: float) -> tuple[float, float]:
    """The mean over posts, and over all entities together, of what was promised."""
    returned = graded.score >= level
    good = graded.correct[returned] if target == "precision" else returned
    post = graded.post[returned] if target == "precision" else graded.post
    counts, right = np.bincount(post, minlength=graded.posts), np.bincount(post[good], minlength=graded.posts)
    return float((right[counts > 0] / counts[counts > 0]).mean()), float(good.mean())


def _recall(exact: Graded, gold: Graded, target: Target, level: float) -> float:
    """The share of all gold entities that a threshold returns."""
    if target == "recall":
        return float((gold.score >= level).mean())
    return float((exact.correct & (exact.score >= level)).sum() / len(gold))


def tables(record: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the tables in the docs."""
    names = ("ECE", "by temperature", "by curves", "Brier", "by temperature", "by curves")
    yield f"| data | label | entities | right % | {' | '.join(names)} |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    for name, figures in record.items():
        fits = figures["calibration"]
        for label, each in fits["exact"].items():
            parts = [fits[fit][label] for fit in ("exact", "temperature", "platt")]
            cells = [f"{part['ece']:.2f}" for part in parts] + [f"{part['brier']:.3f}" for part in parts]
            yield f"| {name} | {label} | {each['entities']} | {each['right']:.1f} | {' | '.join(cells)} |"
    yield ""
    yield "| data | promise | made | kept | threshold | mean of a post % | lowest % | all entities % | recall % |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    for name, figures in record.items():
        for row in figures["promises"]:
            promise = f"| {name} | {row['target']} {row['least']:g} | {row['made']} of {HALVINGS} |"
            if row["made"]:
                rest = " | ".join(f"{row[key]:.2f}" for key in ("mean", "lowest", "pooled", "recall"))
                yield f"{promise} {row['kept']} of {row['made']} | {row['threshold']:.3f} | {rest} |"
            else:
                yield f"{promise} refused, {row['reachable']:.2f} is the most | | | | | |"
    yield ""
    for figures in record.values():
        yield f"- `{figures['signature']}`, temperature {figures['temperature']:g}"


def main() -> None:
    """Measure, write the record, print the tables."""
    if "MNER_DATA" not in os.environ:
        sys.exit("error: set MNER_DATA to the folder that holds twitter2015/ and twitter2017/")
    record = measure(Path(os.environ["MNER_DATA"]))
    write_json(RECORD, record)
    sys.stdout.write("\n".join(tables(json.loads(RECORD.read_text(encoding="utf-8")))) + "\n")


if __name__ == "__main__":
    main()
