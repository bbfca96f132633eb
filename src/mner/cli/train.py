"""mner train: a configuration -> a trained, scored, recorded model, or one for each seed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mner.cli.options import BaseOption, ForceOption, SetOption
from mner.cli.output import say, training_progress


def train(
    config: Annotated[Path, typer.Argument(help="Configuration (TOML); configs/rows/ holds the paper's experiments.")],
    base: BaseOption = None,
    set_values: SetOption = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            help='How many seeds, from 1 ("5"), or which ("3,7"); one after the other. By default CONFIG\'s seed.'
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    results: Annotated[
        Path | None,
        typer.Option(help="Folder that also receives the run's record, as <data>/<experiment>/<seed>.json."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Fail unless there is an interrupted run to continue.")
    ] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Discard an earlier run.")] = False,
    force: ForceOption = False,
) -> None:
    """Train a model, or one for each seed. The same command continues an interrupted run; what is finished stays."""
    from mner import config as configs
    from mner.training.seeds import parse_seeds, train_seeds

    checked = configs.load(config, base=base, set_values=set_values or ())
    chosen = (checked.seed,) if seeds is None else parse_seeds(seeds)
    with training_progress() as watch:
        folders = train_seeds(
            checked,
            chosen,
            root=configs.root_folder(checked.data, config.parent),
            out=out,
            results=results,
            resume=resume,
            restart=restart,
            force=force,
            watch=watch,
        )
    for folder in folders:
        say(folder)
