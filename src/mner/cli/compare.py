"""mner compare: two rows of runs -> how they differ, and how sure that is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from mner.cli.bounded import SEED, bounded
from mner.cli.output import console, say
from mner.types import ViewName

SPLITS: dict[str, Literal["dev", "test"]] = {"dev": "dev", "test": "test"}
VIEWS: dict[str, ViewName] = {"T": "T", "I+T": "I+T"}


def compare(
    a: Annotated[
        str,
        typer.Argument(help="Run directory, folder of a row's runs, or a row of --results, such as mine/text."),
    ],
    b: Annotated[str, typer.Argument(help="The same of the row that A is measured against.")],
    split: Annotated[
        str | None, typer.Option(help="dev or test. Without it: test where all runs have it, else dev.")
    ] = None,
    view: Annotated[
        str | None, typer.Option(help="View of A, T or I+T. Without it: each that A was trained on.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="View of B. Without it: the same as A's if B was trained on it, else the one it was."),
    ] = None,
    resamples: Annotated[int, bounded(1000, 1_000_000, help="Resamples of the bootstrap over posts.")] = 2_000,
    results: Annotated[Path, typer.Option(help="Folder of run records.")] = Path("results"),
    seed: Annotated[int, bounded(0, SEED, help="Seed of the bootstrap's generator.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Print the difference of two rows' F1 by label: mean and sample deviation over seeds, and two tests.

    Student's t-test asks whether another seed would bring the difference too: two-sided, unpaired, equal variances.
    The paired bootstrap asks whether other posts would: all runs are scored on the same posts, drawn with
    replacement. Runs on different data, or scored in different ways, are refused.
    """
    from mner.runs import read_experiment
    from mner.runs.compare import compare as compared

    for name, value, choice in (("--split", split, SPLITS), ("--view", view, VIEWS), ("--against", against, VIEWS)):
        if value is not None and value not in choice:
            raise typer.BadParameter(f'expected {" or ".join(choice)}, found "{value}"', param_hint=name)
    first, second = read_experiment(a, results=results), read_experiment(b, results=results)
    comparisons = compared(
        first,
        second,
        split=SPLITS.get(split or ""),
        view=VIEWS.get(view or ""),
        against=VIEWS.get(against or ""),
        resamples=resamples,
        seed=seed,
    )
    if first.records == second.records and any(one.view_a == one.view_b for one in comparisons):
        say(f"{a} and {b} are the same runs, so there is nothing to compare: every difference is 0", err=True)
    if as_json:
        say(json.dumps([one.to_dict() for one in comparisons], indent=1, ensure_ascii=False))
        return

    from mner.show import comparison

    screen = console()
    for number, one in enumerate(comparisons):
        if number:
            say("")
        if not screen.is_terminal:
            for line in comparison.plain(one):
                say(line)
            continue
        screen.print(comparison.table(one))
        for line in comparison.below(one):
            screen.print(line, style="dim", soft_wrap=True)
