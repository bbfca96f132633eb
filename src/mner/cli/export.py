"""mner export: a trained model -> a directory that runs without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mner.cli.options import THREADS, ForceOption, PluginsOption, bounded
from mner.cli.output import say, working


def export(
    model: Annotated[Path, typer.Argument(help="Model or run directory.")],
    onnx: Annotated[bool, typer.Option("--onnx", help="Write model.onnx, in fp32.")] = False,
    int8: Annotated[
        bool, typer.Option("--int8", help="Write model.int8.onnx: a quarter of the size, and faster.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for a copy of the model; by default the model itself is changed.", show_default=False
        ),
    ] = None,
    posts: Annotated[
        Path | None,
        typer.Option(help="File of posts to compare with torch on, words alone.", show_default=False),
    ] = None,
    dev_config: Annotated[
        Path | None,
        typer.Option(
            help="Configuration whose dev posts to compare on; by default the model's own.", show_default=False
        ),
    ] = None,
    no_encoder: Annotated[
        bool,
        typer.Option("--no-encoder", help="Leave the weights for torch out of the copy, which can then only predict."),
    ] = False,
    threads: Annotated[int, bounded(0, THREADS, help="Threads while comparing; 0 takes all cores.")] = 0,
    allow_plugins: PluginsOption = False,
    force: ForceOption = False,
) -> None:
    """Write a model as ONNX and print its folder; refused unless it finds what the model finds in torch."""
    if not (onnx or int8):
        raise typer.BadParameter("name what to write: --onnx, --int8 or both", param_hint="--onnx")
    if posts is not None and dev_config is not None:
        raise typer.BadParameter("name one of --posts and --dev-config", param_hint="--posts")

    from mner import data
    from mner.export import export as write

    with working("loading") as work:

        def watch(message: str) -> None:
            work.show(message)
            work.note(message)

        done = write(
            model,
            fp32=onnx,
            int8=int8,
            out=out,
            posts=None if posts is None else list(data.read(posts)),
            dev_config=dev_config,
            keep_encoder=not no_encoder,
            threads=threads,
            allow_plugins=allow_plugins,
            force=force,
            watch=watch,
        )
    say(done.folder)
