"""mner evaluate: a run -> its scores on both views."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run directory that mner train finished.")],
    final: Annotated[
        bool, typer.Option("--final", help="Score test: once, on the frozen run, and counted. Without it: dev.")
    ] = False,
    dev: Annotated[
        str | None, typer.Option(help="Other dev posts to score: a file, relative to the folder of the data.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of run records and of test-uses.jsonl.")] = Path("results"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Print precision, recall and F1 of both views, by label, each with its signature."""
    if final and dev is not None:
        raise typer.BadParameter("--final scores test; leave one of the two out", param_hint="--dev")
    from mner.evaluation.run import evaluate as score_run

    scores = score_run(run, final=final, dev=dev, results=results)
    if as_json:
        typer.echo(json.dumps(scores, indent=1, ensure_ascii=False))
        return
    for view, one in scores.items():
        typer.echo(f"{'view ' + view:<14}{'P':>8}{'R':>8}{'F1':>8}{'gold':>8}")
        for label, row in [*sorted(one["labels"].items()), ("micro", one["micro"])]:
            typer.echo(f"  {label:<12}{row['precision']:8.2f}{row['recall']:8.2f}{row['f1']:8.2f}{row['gold']:8d}")
        typer.echo(f"  {one['signature']}\n")
