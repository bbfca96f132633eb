"""mner model: fetch saved models."""

from __future__ import annotations

from typing import Annotated

import typer

from mner.cli.output import say, working


def fetch(
    name: Annotated[str, typer.Argument(help="hub:owner/name, perhaps with @revision behind it.")],
) -> None:
    """Fetch a model from the Hugging Face Hub into its local cache and print its folder.

    From then on --model hub:owner/name takes it, without a network.
    """
    from mner.runtime import read_model
    from mner.tagger import hub

    with working(f"fetching {name}"):
        folder = hub.fetch(name)
        read_model(folder, allow_plugins=True)  # which runs nothing, and checks every file
    say(folder)
