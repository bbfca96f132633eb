"""mner evaluate: a run, or all seeds of an experiment -> scores on both views."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mner.cli.options import ContextsOption, FormatOption, JsonOption, PluginsOption
from mner.cli.output import say

if TYPE_CHECKING:
    from mner.runs.posts import Evaluation


def evaluate(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="Run directory that mner train finished, or folder of an experiment's runs; with POSTS any model.",
        ),
    ],
    posts: Annotated[
        Path | None,
        typer.Argument(
            help="File of labelled posts to score, in any format; by default the run's dev posts.", show_default=False
        ),
    ] = None,
    contexts: ContextsOption = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures of POSTS, to be read.", show_default=False)
    ] = None,
    format: FormatOption = None,
    final: Annotated[
        bool, typer.Option("--final", help="Score test instead of dev: once, on the frozen run, and counted.")
    ] = False,
    dev: Annotated[
        str | None, typer.Option(help="Other dev posts to score: a file, relative to the folder of the data.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of run records and of test-uses.jsonl.")] = Path("results"),
    allow_plugins: PluginsOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print precision, recall and F1 of both views, by label, each with its signature.

    For a folder of runs, such as runs/mine/text, every seed is scored and the mean is printed. With POSTS any model
    is scored on any file; its pictures are read if --contexts or --images is given, else the words alone.
    """
    if posts is not None and (final or dev is not None):
        raise typer.BadParameter("names the posts to score; leave out --final and --dev", param_hint="POSTS")
    if posts is None and (contexts or images is not None or format is not None):
        raise typer.BadParameter("goes with a file of posts: mner evaluate MODEL POSTS", param_hint="--contexts")
    if posts is not None:
        from mner.runs.posts import evaluate_posts

        scored = evaluate_posts(
            run,
            posts,
            contexts=contexts or (),
            images=images,
            format=format,
            allow_plugins=allow_plugins,
            watch=lambda message: say(message, err=True),
        )
        _print(scored, as_json)
        return
    if final and dev is not None:
        raise typer.BadParameter("--final scores test; leave one of them out", param_hint="--dev")
    from mner.runs.evaluate import evaluate as score_run
    from mner.runs.evaluate import evaluate_seeds, mean_signatures
    from mner.runs.experiments import seed_folders

    if (run / "record.json").exists() or not seed_folders(run):
        scored = score_run(run, final=final, dev=dev, results=results, allow_plugins=allow_plugins)
        _print(scored, as_json)
        return
    by_seed = evaluate_seeds(
        run,
        final=final,
        dev=dev,
        results=results,
        allow_plugins=allow_plugins,
        watch=lambda path: say(f"scoring {path}", err=True),
    )
    means = mean_signatures(list(by_seed.values()))
    if as_json:
        seeds = {seed: scored.to_dict() for seed, scored in by_seed.items()}
        lines = {view: str(signature) for view, signature in means.items()}
        say(json.dumps({"seeds": seeds, "means": lines}, indent=1, ensure_ascii=False))
        return
    for seed, scored in by_seed.items():
        say(f"seed {seed}")
        _print(scored, as_json)
    for signature in means.values():
        say(str(signature))


def _print(scored: Evaluation, as_json: bool) -> None:
    if as_json:
        say(json.dumps(scored.to_dict(), indent=1, ensure_ascii=False))
        return
    for view, scores in scored.scores.items():
        say(f"{'view ' + view:<14}{'P':>8}{'R':>8}{'F1':>8}{'gold':>8}")
        for label, each in [*sorted(scores.labels.items()), ("micro", scores.micro)]:
            say(f"  {label:<12}{each.precision:8.2f}{each.recall:8.2f}{each.f1:8.2f}{each.gold:8d}")
        say(f"  {scores.signature}\n")
