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
    """Write what stdout holds back, so that a fault shows here and not while Python ends.

    Raises:
        MnerError: Stdout cannot be written.
    """
    with named():
        sys.stdout.flush()


@contextmanager
def named() -> Iterator[None]:
    """A block in which a fault of stdout becomes a message; that its reader left is no fault of it."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise MnerError(
            f"standard output cannot be written: {error.strerror or error}; what was printed before that is not whole"
        ) from None


def discard(stream: Any) -> None:
    """Have a stream that cannot be written swallow what it holds; Python would complain of it at its end."""
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
        show: Called with what it is at, for a terminal alone.
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


def _echo(content: str | bytes, *, err: bool = False, nl: bool = True) -> None:
    if not err:
        with named():
            typer.echo(content, nl=nl)
        return
    try:
        typer.echo(content, err=True, nl=nl)
    except OSError:
        discard(sys.stderr)
