"""mner train: a configuration -> a trained, scored, recorded model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[Path, typer.Argument(help="Configuration (TOML); configs/rows/ holds the paper's rows.")],
    base: Annotated[
        Path | None, typer.Option(help="Data set's file to use instead of the one CONFIG builds on.")
    ] = None,
    set_values: Annotated[
        list[str] | None, typer.Option("--set", metavar="a.b=c", help="Override one value; may be repeated.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    results: Annotated[
        Path | None, typer.Option(help="Folder that also receives the run's record, as <data>/<row>/<seed>.json.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Fail unless there is an interrupted run.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Throw an earlier run away.")] = False,
) -> None:
    """Train one model. The same command continues an interrupted run; a finished one is left as it is."""
    from mner import config as configs
    from mner.cli.progress import training_progress
    from mner.training import train as run

    checked = configs.load(config, base=base, set_values=set_values or ())
    with training_progress() as watch:
        folder = run(
            checked,
            root=configs.root_folder(checked.data, config.parent),
            out=out,
            resume=resume,
            restart=restart,
            watch=watch,
        )
    if results is not None:
        target = results / checked.data.name / checked.name / f"{checked.seed}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "record.json", target)
    typer.echo(folder)
