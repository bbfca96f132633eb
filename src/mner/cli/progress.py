"""What a user sees on stderr while models train."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mner.cli.output import console

if TYPE_CHECKING:
    from mner.training import Event


@contextmanager
def training_progress() -> Iterator[Callable[[Event], None]]:
    """A function that shows the events of training: a bar for steps on a terminal, a line for all else."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    screen = console(err=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def watch(event: Event) -> None:
            if event.kind == "step" and event.losses is not None:
                shown = "  ".join(f"{name} {loss:.2f}" for name, loss in event.losses.items())
                bar.update(task, completed=event.step, total=event.steps, description=shown)
            elif event.kind in {"trial", "seed"}:
                screen.print(event.message, soft_wrap=True)
            elif event.kind in {"ready", "epoch"}:
                screen.print(event.message, soft_wrap=True)
                bar.update(task, completed=event.step, total=event.steps)

        yield watch
