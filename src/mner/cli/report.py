"""mner report: run records -> docs/results.md."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    results: Annotated[Path, typer.Option(help="Folder of run records.")] = Path("results"),
    out: Annotated[Path | None, typer.Option(help="File to write; without it, stdout.")] = None,
) -> None:
    """Write the tables of all run records, each figure with its signature."""
    from mner.atomic import write_text
    from mner.show.report import report as write

    text = write(results)
    if out is None:
        typer.echo(text, nl=False)
        return
    write_text(out, text)
    typer.echo(out)
