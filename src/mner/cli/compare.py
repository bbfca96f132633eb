"""mner compare: two experiments -> how they differ, and how sure that is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mner.cli.options import SEED, JsonOption, ResultsOption, bounded
from mner.cli.output import console, say
from mner.runs.record import ScoredSplit
from mner.types import ViewName


def compare(
    a: Annotated[
        str,
        typer.Argument(
            help="Run directory, folder of an experiment's runs, or a name in --results, such as mine/text."
        ),
    ],
    b: Annotated[str, typer.Argument(help="The same for the experiment that A is compared with.")],
    split: Annotated[
        ScoredSplit | None, typer.Option(help="Which scores; by default test where all runs have it, else dev.")
    ] = None,
    view: Annotated[ViewName | None, typer.Option(help="View of A; by default each that A was trained on.")] = None,
    against: Annotated[
        ViewName | None,
        typer.Option(help="View of B; by default A's if B was trained on it, else the one that B was trained on."),
    ] = None,
    resamples: Annotated[int, bounded(1000, 1_000_000, help="Resamples of the bootstrap over posts.")] = 2_000,
    results: ResultsOption = Path("results"),
    seed: Annotated[int, bounded(0, SEED, help="Seed of the bootstrap's generator.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Print how the F1 of two experiments differs, by label: mean and sample deviation over seeds, and two tests.

    Student's t-test asks whether other seeds would show the difference, too: two-sided, unpaired, equal variances.
    The paired bootstrap asks whether other posts would: all runs are scored on the same posts, drawn with
    replacement. Runs on different data, or scored in different ways, are refused.
    """
    from mner.runs import read_experiment
    from mner.runs.compare import compare as compared

    first, second = read_experiment(a, results=results), read_experiment(b, results=results)
    comparisons = compared(
        first,
        second,
        split=split,
        view=view,
        against=against,
        resamples=resamples,
        seed=seed,
    )
    if first.records == second.records and any(each.view_a == each.view_b for each in comparisons):
        say(f"{a} and {b} are the same runs, so there is nothing to compare: every difference is 0", err=True)
    if as_json:
        say(json.dumps([each.to_dict() for each in comparisons], indent=1, ensure_ascii=False))
        return

    from mner.show import comparison

    screen = console()
    for number, each in enumerate(comparisons):
        if number:
            say("")
        if not screen.is_terminal:
            for line in comparison.plain(each):
                say(line)
            continue
        screen.print(comparison.table(each))
        for line in comparison.below(each):
            screen.print(line, style="dim", soft_wrap=True)
