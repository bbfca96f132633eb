"""The ``mner`` command: a table of commands whose modules are imported only when one runs.

Data goes to stdout, everything else to stderr. Exit codes: 0 fine, 1 a finding, 2 a fault of the call
(usage, configuration, files), 130 interrupted.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from mner.cli import output
from mner.cli.commands import ADVANCED, COMMANDS, CONTINUED, EXTRAS, GROUPS
from mner.errors import MnerError, MnerWarning
from mner.interrupt import EXIT_CODE, in_command


class _Plain:
    """Help in which a flag does not say that it is a truth value, and faults of usage that name their command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments that the options leave; an error in them is reported as this command's."""
        try:
            return list(super().parse_args(ctx, args))  # type: ignore[misc]
        except Exception as error:
            if getattr(error, "ctx", ctx) is None:
                error.ctx = ctx  # type: ignore[attr-defined]
            raise

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters of a command, ``--help`` included."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in params:
            if getattr(parameter, "is_flag", False) or parameter.name == "help":
                parameter.metavar = ""
        return params


class LazyCommand(_Plain, TyperCommand):
    """One command."""


class LazyGroup(_Plain, TyperGroup):
    """A group that shows the table's lines as help and imports a command's module when that command runs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The name, command and remaining arguments; the command is the real one instead of its line of help."""
        name, command, rest = super().resolve_command(ctx, args)
        path = str(name) if ctx.parent is None else f"{self.name} {name}"
        if command is not None and path in COMMANDS:
            command = load(path)
        return name, command, rest

    def main(
        self, args: Any = None, prog_name: str | None = None, *rest: Any, standalone_mode: bool = True, **extra: Any
    ) -> Any:
        """Run the command line; a fault of usage is one message like any other."""
        run = functools.partial(super().main, args, prog_name, *rest, **{**extra, "standalone_mode": False})
        if not standalone_mode:
            return run()
        try:
            with reported(), output.named():
                code = run()
        except typer.Exit as leaving:
            sys.exit(leaving.exit_code)
        except typer.Abort:
            sys.exit(EXIT_CODE)
        except Exception as error:
            if not hasattr(error, "format_message"):  # click's own exceptions, from wherever typer imports them
                raise
            sys.exit(_usage(error))
        sys.exit(code if isinstance(code, int) else 0)


def _version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        output.say(f"mner {version('mner')}")
        raise typer.Exit


def _root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Named entity recognition for text with pictures."""


def build() -> typer.Typer:
    """The command tree, from names and help lines alone."""
    names = {"help_option_names": ["-h", "--help"]}
    shape: dict[str, Any] = {"cls": LazyGroup, "no_args_is_help": True, "pretty_exceptions_enable": False}
    root = typer.Typer(name="mner", callback=_root, context_settings=names, **shape)
    groups = {"": root}
    for name, line in GROUPS.items():
        groups[name] = typer.Typer(name=name, help=line, add_completion=False, context_settings=names, **shape)
    for path, (_, line) in COMMANDS.items():
        group, _, name = path.rpartition(" ")
        groups[group].command(name, help=line)(_root)
    for name in GROUPS:
        root.add_typer(groups[name], name=name, rich_help_panel="Advanced" if name in ADVANCED else None)
    return root


def load(path: str) -> Any:
    """The command at a path of the table, its module imported."""
    module, _, function = COMMANDS[path][0].partition(":")
    with reported():
        code = importlib.import_module(module)
        call: Callable[..., Any] = getattr(code, function)
        shape = getattr(code, "Command", LazyCommand)  # a module's own, where plug-ins bring options

    @functools.wraps(call)
    def run(**given: Any) -> None:
        with in_command(), warnings.catch_warnings(), reported(path, given):
            warnings.showwarning = _note(warnings.showwarning)
            call(**given)

    shell = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    settings = {"help_option_names": ["-h", "--help"]}
    shell.command(path.rpartition(" ")[2], cls=shape, context_settings=settings)(run)
    with reported():
        return typer.main.get_command(shell)


@contextmanager
def reported(path: str = "", given: Mapping[str, Any] | None = None) -> Iterator[None]:
    """A block whose faults end the command with one message and an exit code, never with a traceback.

    An exception that mner did not raise on purpose is a defect and keeps its traceback; a fault of the system, such as
    a full disk, is reported like a user's mistake.

    Args:
        path: The command in the table.
        given: Its arguments and options.
    """
    try:
        try:
            yield
        finally:
            output.flush()  # here, so that a reader who left is noticed below
    except MnerError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        output.complain("interrupted:", _what_remains(path, given or {}), "bold yellow")
        raise _stopped(EXIT_CODE) from None
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        _fail(f'{error.name} is not installed: pip install "mner[{extra}]"')
    except BrokenPipeError:  # The reader of stdout left, as `head` does.
        raise _stopped(0) from None
    except OSError as error:
        if error.errno is None:
            raise
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        _fail(f"{where}{error.strerror}")
    except MemoryError:
        _fail("not enough memory")


def _fail(message: str) -> NoReturn:
    output.complain("error:", message, "bold red")
    raise _stopped(2) from None


def _note(show: Callable[..., None]) -> Callable[..., None]:
    """A function that shows warnings: mner's own as notes, others as ``show`` does."""

    def note(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, MnerWarning):
            output.complain("note:", str(message), "bold yellow")
        else:
            show(message, category, *place, **more)

    return note


def _stopped(code: int) -> typer.Exit:
    """The end of a command; what stdout still holds and cannot write is dropped."""
    try:
        sys.stdout.flush()
    except OSError:
        output.discard(sys.stdout)
    return typer.Exit(code)


def _what_remains(path: str, given: Mapping[str, Any]) -> str:
    option = CONTINUED.get(path)
    if option is None:
        return "the same command starts over."
    value = given.get(option)
    if not option or (value is not None and not _is_file(value)):
        without = " without --restart" if given.get("restart") else ""
        return f"what was finished is kept; the same command{without} continues."
    result = "only what was printed is kept" if value is None else "nothing is kept"
    if given.get("to") is not None or given.get("text") is not None:  # neither goes with a folder
        return f"{result}; the same command starts over."
    return f"{result}; with --{option} FOLDER the same command could continue."


def _is_file(out: Any) -> bool:
    from mner.cli.options import is_file

    return is_file(Path(out))


def _usage(error: Any) -> int:
    """Print what is wrong with a command line and how to get help; gives the exit code."""
    path = getattr(getattr(error, "ctx", None), "command_path", None) or "mner"
    message = error.format_message().replace("Value error, ", "")
    if message:  # empty where a group is called alone, whose help has been printed
        output.complain("error:", message, "bold red")
        output.complain("usage:", f"{path} --help", "bold")
    return int(error.exit_code)


app = build()
