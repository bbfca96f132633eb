"""mner config: write a configuration for one's own data, or print one in full."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mner.cli.options import BaseOption, SetOption
from mner.cli.output import say
from mner.overwrite import CONFIG, check_file


def new(
    train: Annotated[Path, typer.Option(help="Training posts with labels, in any format.")],
    dev: Annotated[Path | None, typer.Option(help="Dev posts; without them a tenth of TRAIN is set aside.")] = None,
    test: Annotated[Path | None, typer.Option(help="Test posts; only mner evaluate --final scores them.")] = None,
    contexts: Annotated[
        list[Path] | None, typer.Option(help="Visual contexts (.jsonl, .parquet or a folder); may be repeated.")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the posts' pictures.")] = None,
    encoder: Annotated[
        str, typer.Option(help="Encoder: embedded:minilm, a local folder, or a hub name.")
    ] = "embedded:minilm",
    name: Annotated[str | None, typer.Option(help="Name of the run; by default that of TRAIN.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; by default NAME.toml here.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """Write a configuration for your own posts and print its path."""
    from mner.config.names import file_name
    from mner.files import write_text
    from mner.training.new import new_config

    name = name or train.stem
    try:
        file_name(name)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--name") from None
    path = out or Path(f"{name}.toml")
    check_file(path, CONFIG, force=force)
    text = new_config(
        path,
        name=name,
        train=train,
        dev=dev,
        test=test,
        contexts=contexts or (),
        images=images,
        encoder=encoder,
        replace=force,
    )
    write_text(path, text)
    say(path)


def show(
    config: Annotated[Path, typer.Argument(help="Configuration (TOML).")],
    base: BaseOption = None,
    set_values: SetOption = None,
) -> None:
    """Print a configuration in full: bases merged, defaults written out."""
    from mner import config as configs

    say(configs.dumps(configs.load(config, base=base, set_values=set_values or ())), nl=False)
