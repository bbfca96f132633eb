"""mner backends: what can read pictures, and whether it can run here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mner.cli.options import JsonOption
from mner.cli.output import say

if TYPE_CHECKING:
    from mner.vision.listing import Backend


def backends(
    name: Annotated[list[str] | None, typer.Argument(help="Only these, by name or a module's dotted name.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration whose vision.options name their files.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the backends that read pictures: what each needs, and whether it can run here.

    With names, also print what each downloads, its licence, its speed and models that fit it. Exit code 1 if one of
    them cannot run.
    """
    from mner import config as configs
    from mner.errors import PluginError
    from mner.vision.listing import backends as listed

    chosen = configs.load(config).vision if config is not None else configs.VisionConfig()
    names = name or []
    listing = listed(chosen, outside=[each for each in names if "." in each])
    shown = [backend for backend in listing if not names or backend.name in names]
    if unknown := set(names) - {backend.name for backend in shown}:
        raise PluginError(f"no backend {', '.join(sorted(unknown))}; to see all: mner backends")
    if as_json:
        say(json.dumps([backend.to_dict() for backend in shown], indent=2))
    for backend in () if as_json else shown:
        say(f"{backend.kind:<10} {backend.name:<12} {'ready' if backend.ready else 'not here':<9} {backend.summary}")
        for line in _details(backend) if names else ():
            say(f"    {line}")
        for missing in backend.missing:
            say("    missing: " + missing.replace("\n", "\n        "))
    raise typer.Exit(1 if names and not all(backend.ready for backend in shown) else 0)


def _details(backend: Backend) -> Iterator[str]:
    for fact, text in backend.facts.items():
        yield f"{fact.lower()}: {text}"
    if backend.needs:
        yield f"needs: {', '.join(backend.needs)}"
    for model in backend.models:
        yield f"model: {model.name}, {model.size}, {model.licence}, {model.seconds} (estimate, one core)"
