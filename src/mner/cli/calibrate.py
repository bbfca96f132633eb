"""mner calibrate: a model and labelled posts -> guaranteed thresholds and true probabilities, stored in the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mner.cli import options
from mner.cli.output import say

if TYPE_CHECKING:
    from mner.runs.calibrate import Calibrated
    from mner.runtime.calibration import Scale, Thresholds

DELTA = 0.1
"""Probability that a promise fails, where none is named."""


def calibrate(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Run or model directory, or social-en, the model of the package.")
    ],
    posts: Annotated[
        Path | None,
        typer.Argument(
            help="File of labelled posts, in any format; by default the dev posts of a run.", show_default=False
        ),
    ] = None,
    precision: Annotated[
        float | None, typer.Option(help="Find the loosest threshold with this precision, such as 0.95.")
    ] = None,
    recall: Annotated[
        float | None, typer.Option(help="Find the strictest threshold with this recall, such as 0.9.")
    ] = None,
    delta: Annotated[
        float | None, typer.Option(help="Probability that the promise fails.", show_default=f"{DELTA:g}")
    ] = None,
    per_label: Annotated[
        bool, typer.Option("--per-label", help="Make the promise of each label by itself, all at once.")
    ] = False,
    temperature: Annotated[
        bool, typer.Option("--temperature", help="Make probabilities true: by one temperature.")
    ] = False,
    platt: Annotated[bool, typer.Option("--platt", help="Make probabilities true: by a curve for each label.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Take all calibration out of the model.")] = False,
    contexts: options.ContextsOption = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures of POSTS, to be read.", show_default=False)
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            help="Folder of ready features of the pictures of POSTS, for a model that reads them.", show_default=False
        ),
    ] = None,
    format: options.FormatOption = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of a calibrated copy; by default the model is changed.", show_default=False),
    ] = None,
    allow_test: Annotated[
        bool, typer.Option("--allow-test", help="Take posts that are the test split of the model's run.")
    ] = False,
    allow_plugins: options.PluginsOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Calibrate a model on labelled posts that it was not trained on; the outcome is stored in its model.json.

    Thresholds are used by mner predict --min-score calibrated. With probability 1 - delta over the choice of POSTS, the
    precision or recall of a post like them is on average at least what was named. Scores that --temperature or --platt
    make true are given from then on; mner predict --raw-scores gives the exact ones.
    """
    _check_usage(precision, recall, delta, per_label=per_label, scales=temperature + platt, clear=clear, posts=posts)
    _check_goes_with(posts, contexts=contexts, images=images, features=features, format=format, allow_test=allow_test)
    from mner.runs.calibrate import calibrate as calibrated
    from mner.runs.promise import Promise

    promise = None
    if precision is not None:
        promise = Promise("precision", precision, delta or DELTA, per_label)
    if recall is not None:
        promise = Promise("recall", recall, delta or DELTA, per_label)
    done = calibrated(
        model,
        posts,
        promise=promise,
        scale="temperature" if temperature else "platt" if platt else None,
        clear=clear,
        contexts=contexts or (),
        images=images,
        features=features,
        format=format,
        out=out,
        allow_test=allow_test,
        allow_plugins=allow_plugins,
        watch=lambda message: say(message, err=True),
    )
    if as_json:
        say(json.dumps(done.calibration.model_dump(mode="json", exclude_none=True), indent=1, ensure_ascii=False))
        return
    _print(done)


def _check_usage(
    precision: float | None,
    recall: float | None,
    delta: float | None,
    *,
    per_label: bool,
    scales: int,
    clear: bool,
    posts: Path | None,
) -> None:
    """Refuse a command line that asks for nothing, for two things that exclude each other, or for what cannot be."""
    if clear:
        if any(value is not None for value in (precision, recall, delta, posts)) or per_label or scales:
            raise typer.BadParameter(
                "takes everything out; leave out POSTS and the other options", param_hint="--clear"
            )
        return
    if precision is not None and recall is not None:
        raise typer.BadParameter("name one of --precision and --recall", param_hint="--recall")
    if scales > 1:
        raise typer.BadParameter("name one of --temperature and --platt", param_hint="--platt")
    if precision is None and recall is None:
        if not scales:
            raise typer.BadParameter(
                "nothing to do; name what is promised, such as --precision 0.95 or --recall 0.9, or --temperature or "
                "--platt for true probabilities",
                param_hint="--precision",
            )
        if per_label or delta is not None:
            name = "--per-label" if per_label else "--delta"
            raise typer.BadParameter("goes with --precision or --recall", param_hint=name)
    for value, name in ((precision, "--precision"), (recall, "--recall"), (delta, "--delta")):
        if value is not None and not 0 < value < 1:
            raise typer.BadParameter(f"expected a number between 0 and 1, found {value:g}", param_hint=name)


def _check_goes_with(posts: Path | None, **options: object) -> None:
    """Refuse options that say how POSTS are read where there are none: a run's dev posts are read as in training."""
    for name, value in options.items():
        if posts is None and value:
            raise typer.BadParameter(
                "goes with a file of posts: mner calibrate MODEL POSTS", param_hint=f"--{name.replace('_', '-')}"
            )


def _print(done: Calibrated) -> None:
    if done.calibration.scale is not None:
        _print_scale(done.calibration.scale)
    if done.calibration.thresholds is not None:
        _print_thresholds(done.calibration.thresholds)
    say(done.folder)


def _print_scale(scale: Scale) -> None:
    basis = scale.basis
    name = f"temperature {scale.temperature:g}" if scale.method == "temperature" else "curves by label"
    say(f"{name}, fitted on {basis.entities} entities of {basis.posts} posts ({basis.data}@{basis.fingerprint[:6]})")
    for view, (before, after) in scale.ece.items():
        brier = scale.brier[view]
        say(f"  view {view}: ECE {before:.2f} -> {after:.2f}, Brier {brier[0]:.4f} -> {brier[1]:.4f} on held-out posts")


def _print_thresholds(thresholds: Thresholds) -> None:
    each = " of each label" if thresholds.by_label else ""
    say(f"{thresholds.target}{each} of {thresholds.least:g} or more, with confidence {1 - thresholds.delta:g}")
    for view, of_view in thresholds.views.items():
        basis = of_view.basis
        different = sorted(set(of_view.thresholds.values()))
        levels = (
            f"{different[0]:.4f}"
            if len(different) == 1 and not thresholds.by_label
            else ", ".join(f"{label} {value:.4f}" for label, value in of_view.thresholds.items())
        )
        say(f"  view {view}: min_score {levels}")
        say(
            f"    on these {basis.posts} posts: {thresholds.target} {of_view.mean:.3f} a post; over all entities "
            f"precision {of_view.precision:.3f}, recall {of_view.recall:.3f} ({basis.data}@{basis.fingerprint[:6]})"
        )
