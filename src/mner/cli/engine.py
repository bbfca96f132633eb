"""Who does the work of a command: this process, several, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from mner.cli.bounded import COUNT, THREADS, bounded


class Engine(StrEnum):
    """What --engine takes."""

    local = "local"
    ray = "ray"


PANEL = "Workers and clusters"
"""The heading that help puts these under, after all else."""

EngineOption = Annotated[
    Engine, typer.Option(help="Who works: processes of this machine, or Ray.", rich_help_panel=PANEL)
]
WorkersOption = Annotated[
    int,
    bounded(1, THREADS, help="Processes, or Ray actors, that work at the same time.", rich_help_panel=PANEL),
]
GpusOption = Annotated[
    float, bounded(0.0, THREADS, help="GPUs of each Ray actor; 0.25 puts four on one GPU.", rich_help_panel=PANEL)
]
BatchOption = Annotated[
    int | None,
    bounded(
        1,
        COUNT,
        help="What a worker is handed at once; by default what suits.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        help="Ray cluster to join, or auto; by default this machine alone.", show_default=False, rich_help_panel=PANEL
    ),
]


def hire(engine: Engine, *, workers: int, gpus: float, address: str | None) -> Callable[[Any], Any] | None:
    """What makes the workers; None where the work is done in this process."""
    if engine is Engine.ray:
        from mner.engines.ray import Actors

        return partial(Actors, workers=workers, gpus=gpus, address=address)
    for given, name in ((gpus, "--gpus"), (address, "--address")):
        if given:
            raise typer.BadParameter("goes with --engine ray", param_hint=name)
    if workers == 1:
        return None
    from mner.engines.processes import Processes

    return partial(Processes, workers=workers)
