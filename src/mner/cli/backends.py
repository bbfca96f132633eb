"""mner backends: what can read pictures, and whether it can run here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mner.cli.output import say

if TYPE_CHECKING:
    from mner.vision.listing import Backend


def backends(
    name: Annotated[list[str] | None, typer.Argument(help="Only these, by name or a module's dotted name.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration whose vision.options name their files.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List all that reads pictures: what each backend needs, and whether it can run here.

    With names, tell also what each downloads, its licence, its speed and models that fit it. Exit code 1 when one of
    them cannot run.
    """
    from mner import config as configs
    from mner.errors import PluginError
    from mner.vision.listing import backends as listed

    chosen = configs.load(config).vision if config is not None else configs.VisionConfig()
    outside = [one for one in name or () if "." in one]
    found = [one for one in listed(chosen, outside=outside) if not name or one.name in name]
    unknown = [one for one in name or () if one not in {backend.name for backend in found}]
    if unknown:
        raise PluginError(f"no backend {', '.join(unknown)}; to see all: mner backends")
    if as_json:
        say(json.dumps([one.to_dict() for one in found], indent=2))
    for one in () if as_json else found:
        say(f"{one.kind:<10} {one.name:<12} {'ready' if one.ready else 'not here':<9} {one.summary}")
        for line in _details(one) if name else ():
            say(f"    {line}")
        for missing in one.missing:
            say("    missing: " + missing.replace("\n", "\n        "))
    raise typer.Exit(1 if name and not all(one.ready for one in found) else 0)


def _details(one: Backend) -> Iterator[str]:
    for fact, text in one.facts.items():
        yield f"{fact.lower()}: {text}"
    if one.needs:
        yield f"needs: {', '.join(one.needs)}"
    for model in one.models:
        yield f"model: {model.name}, {model.size}, {model.licence}, {model.seconds} (estimate, one core)"
