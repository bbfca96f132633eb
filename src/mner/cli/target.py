"""Where commands write to: the option that lets them replace what mner did not write, and which names are files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ForceOption = Annotated[bool, typer.Option("--force", help="Write over what mner did not write.")]

ROWS = {".jsonl", ".ndjson", ".json"}
"""Ends of names that make a file of rows."""

_OTHERS = {".csv", ".tsv", ".txt", ".parquet", ".html", ".md", ".conll", ".toml", ".gz"}


def is_file(out: Path, param_hint: str = "--out") -> bool:
    """Whether rows go into a file of that name, or into shards in a folder; a folder that is there stays one.

    Raises:
        BadParameter: The name is that of a file of another kind.
    """
    if out.is_dir():
        return False
    if out.suffix.lower() in _OTHERS:
        raise typer.BadParameter(
            f"{out}: rows are written as JSON lines; name a file that ends in .jsonl, or a folder",
            param_hint=param_hint,
        )
    return out.suffix.lower() in ROWS or (out.exists() and not out.is_dir())
