"""The ``mner`` command: a table of commands whose modules are imported only when one runs.

Data goes to stdout, everything else to stderr. Exit codes: 0 fine, 1 a finding, 2 a fault in what was asked
(usage, configuration, files), 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mner.errors import MnerError

COMMANDS: dict[str, tuple[str, str]] = {
    "train": ("mner.cli.train:train", "Train a model from a configuration; never opens the test split."),
    "tune": ("mner.cli.tune:tune", "Search a configuration's settings on dev; never opens the test split."),
    "evaluate": ("mner.cli.evaluate:evaluate", "Score a trained run on both views."),
    "predict": ("mner.cli.predict:predict", "Tag posts, or one text with its picture."),
    "analyze": ("mner.cli.analyze:analyze", "Print or draw one figure or table of the paper."),
    "explain": ("mner.cli.explain:explain", "Show what the picture did for each entity."),
    "export": ("mner.cli.export:export", "Write a model as ONNX, for machines without torch."),
    "compare": ("mner.cli.compare:compare", "Compare two rows of runs: means, t-test, bootstrap over posts."),
    "report": ("mner.cli.report:report", "Write the tables of all run records."),
    "data check": ("mner.cli.data:check", "Check files of posts; list every fault with its line."),
    "data stats": ("mner.cli.data:stats", "Count posts, words and entities; print the fingerprint."),
    "data convert": ("mner.cli.data:convert", "Rewrite posts in another format."),
    "context build": ("mner.cli.context:build", "Read pictures into an artefact of visual contexts."),
    "context simulate": ("mner.cli.context:simulate", "Write simulated contexts from captions, without pictures."),
    "context nouns": ("mner.cli.context:nouns", "Write the objects that captions name as tags, without pictures."),
    "context show": ("mner.cli.context:show", "Show what was read from one picture."),
    "context stats": ("mner.cli.artefact:stats", "Count what was read: shares, words, sources."),
    "context diff": ("mner.cli.artefact:diff", "Show what two files of contexts say otherwise."),
    "context edit": ("mner.cli.artefact:edit", "Change what is said of one picture."),
    "context sheet": ("mner.cli.artefact:sheet", "Write a page with pictures, boxes and what was read."),
    "context import": ("mner.cli.artefact:import_", "Make contexts of published objects, captions or texts."),
    "context convert": ("mner.cli.artefact:convert", "Rewrite contexts as Parquet or JSON lines."),
    "backends": ("mner.cli.backends:backends", "List what reads pictures, and whether it can run here."),
    "store export": ("mner.cli.store:export", "Write all that the store keeps into a file."),
    "store import": ("mner.cli.store:import_", "Put contexts that were read elsewhere into the store."),
    "config new": ("mner.cli.config:new", "Write a configuration for your own files."),
    "config show": ("mner.cli.config:show", "Print a configuration with every default filled in."),
    "encoder fetch": ("mner.cli.encoder:fetch", "Fetch a pretrained encoder into the cache."),
    "encoder list": ("mner.cli.encoder:list_", "List the encoders and where they are."),
}
"""Command path -> its function as "module:name", and its one line of help."""

GROUPS: dict[str, str] = {
    "data": "Files of posts.",
    "context": "What was read from pictures.",
    "store": "The store of contexts, which context build looks into.",
    "config": "Configurations.",
    "encoder": "Pretrained encoders.",
}

EXTRAS: dict[str, str] = {
    "torch": "train",
    "transformers": "train",
    "accelerate": "train",
    "scipy": "train",
    "pytesseract": "tesseract",
    "onnx": "export",
    "optuna": "search",
    "pyarrow": "parquet",
    "ray": "ray",
}
"""Package that may be absent -> the extra that brings it."""


class LazyGroup(TyperGroup):
    """A group that shows the table's lines as help and imports a command's module when that command runs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The name, command and remaining arguments; the command is the real one instead of its line of help."""
        name, command, rest = super().resolve_command(ctx, args)
        path = str(name) if ctx.parent is None else f"{self.name} {name}"
        if command is not None and path in COMMANDS:
            command = load(path)
        return name, command, rest


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"mner {version('mner')}")
        raise typer.Exit


def _root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Named entity recognition for text with pictures."""


def build() -> typer.Typer:
    """The command tree, made of names and help lines alone."""
    shape: dict[str, Any] = {"cls": LazyGroup, "no_args_is_help": True, "pretty_exceptions_enable": False}
    root = typer.Typer(name="mner", callback=_root, **shape)
    groups = {"": root}
    for name, line in GROUPS.items():
        groups[name] = typer.Typer(name=name, help=line, add_completion=False, **shape)
    for path, (_, line) in COMMANDS.items():
        group, _, name = path.rpartition(" ")
        groups[group].command(name, help=line)(_root)
    for name in GROUPS:
        root.add_typer(groups[name], name=name)
    return root


def load(path: str) -> Any:
    """The command at a path of the table, its module imported."""
    module, _, function = COMMANDS[path][0].partition(":")
    with reported():
        call: Callable[..., Any] = getattr(importlib.import_module(module), function)
    shell = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    shell.command(path.rpartition(" ")[2])(reported()(call))
    return typer.main.get_command(shell)


@contextmanager
def reported() -> Iterator[None]:
    """A block whose faults end the command with one message and an exit code, never with a traceback.

    An exception that mner did not raise on purpose is a defect and keeps its traceback.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # here, so that a reader who left is noticed below
    except MnerError as error:
        _say("error:", str(error), "bold red")
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        _say("interrupted:", "what was finished is kept; the same command continues.", "bold yellow")
        raise typer.Exit(130) from None
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        _say("error:", f'{error.name} is not installed: pip install "mner[{extra}]"', "bold red")
        raise typer.Exit(2) from None
    except BrokenPipeError:
        # The reader of stdout left (as `head` does); Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def _say(sign: str, message: str, style: str) -> None:
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, soft_wrap=True).print(Text.assemble((sign, style), " ", message), highlight=False)


app = build()
