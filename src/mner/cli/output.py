"""Everything that a command prints: safe for a terminal, and never a traceback where it cannot be written."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mner.errors import MnerError
from mner.safe_text import for_terminal, shown

if TYPE_CHECKING:
    from rich.console import Console

    from mner.training import Event


def say(text: str | Path, *, err: bool = False, nl: bool = True) -> None:
    """Print a text or a path on stdout, or on stderr; what could steer a terminal is printed as an escape.

    A path for another program, on a stdout that is no terminal, is printed byte by byte as it is.

    Raises:
        MnerError: Stdout cannot be written. What stderr does not take is lost.
    """
    if isinstance(text, Path) and not err and not sys.stdout.isatty():
        _echo(os.fsencode(text), err=err, nl=nl)
    else:
        _echo(for_terminal(str(text)), err=err, nl=nl)


def record(line: str) -> None:
    """Print a line of JSON on stdout, in UTF-8 whatever the locale says.

    Raises:
        MnerError: Stdout cannot be written.
    """
    _echo((for_terminal(line) if sys.stdout.isatty() else line).encode())


def flush() -> None:
    """Flush stdout, so that a fault shows here and not while Python exits.

    Raises:
        MnerError: Stdout cannot be written.
    """
    with named():
        sys.stdout.flush()


@contextmanager
def named() -> Iterator[None]:
    """A block in which a fault of stdout becomes a message; that its reader left is not one."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise MnerError(
            f"standard output cannot be written: {error.strerror or error}; what was printed before that is not whole"
        ) from None


def discard(stream: Any) -> None:
    """Let a stream that cannot be written drop what it holds; Python would complain when it exits."""
    with suppress(OSError):  # a stream of a test has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def complain(sign: str, message: str, style: str) -> None:
    """Print a message on stderr, its first word in colour."""
    from rich.text import Text

    try:
        safe = Text.assemble((sign, style), " ", for_terminal(message))
        console(err=True).print(safe, soft_wrap=True)
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)


def console(*, err: bool = False) -> Console:
    """A rich console that takes text as it is, without markup, and lets none of it steer the terminal."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Safe(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=shown(segment.text))

    return Safe(stderr=err, markup=False, emoji=False, highlight=False)


@dataclass(frozen=True, slots=True)
class Working:
    """What a user sees on stderr while a command works.

    Attributes:
        show: Called with the current step, which only a terminal shows.
        note: Called with a line that stays.
    """

    show: Callable[[str], None]
    note: Callable[[str], None]


@contextmanager
def working(what: str) -> Iterator[Working]:
    """The display of a command at work; ``what`` is shown first."""
    from rich.text import Text

    screen = console(err=True)
    with screen.status(Text(for_terminal(what))) as status:
        yield Working(
            show=lambda text: status.update(Text(for_terminal(text))),
            note=lambda text: screen.print(for_terminal(text), soft_wrap=True),
        )


@contextmanager
def training_progress() -> Iterator[Callable[[Event], None]]:
    """A function that shows the events of training: a bar for steps on a terminal, a line for everything else."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    screen = console(err=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def watch(event: Event) -> None:
            if event.kind == "step" and event.losses is not None:
                losses = "  ".join(f"{name} {loss:.2f}" for name, loss in event.losses.items())
                bar.update(task, completed=event.step, total=event.steps, description=losses)
            elif event.kind in {"ready", "epoch", "trial", "seed", "teachers"}:
                screen.print(event.message, soft_wrap=True)
                if event.kind in {"ready", "epoch"}:
                    bar.update(task, completed=event.step, total=event.steps)

        yield watch


def _echo(content: str | bytes, *, err: bool = False, nl: bool = True) -> None:
    if not err:
        with named():
            typer.echo(content, nl=nl)
        return
    try:
        typer.echo(content, err=True, nl=nl)
    except OSError:
        discard(sys.stderr)
