"""mner report: run records -> a report, as Markdown and as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mner.cli.options import ForceOption, ResultsOption
from mner.cli.output import say
from mner.overwrite import PAGE, REPORT, check_file


def report(
    results: ResultsOption = Path("results"),
    out: Annotated[
        Path,
        typer.Option(
            help="Markdown file to write, with the page beside it as .html; or the page (.html), with the Markdown "
            "beside it as .md. - is stdout, no page."
        ),
    ] = Path("report.md"),
    baseline: Annotated[
        str | None,
        typer.Option(
            help="Experiment that the others are compared with, by the name in the tables; by default the one that "
            "reads the words alone.",
            show_default=False,
        ),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Write the tables of all run records, each figure with its signature, as Markdown and as one HTML page."""
    from mner.files import write_text
    from mner.show import tables
    from mner.show.report import ABOUT, TITLE, sections

    report = sections(results, baseline=baseline)
    text = tables.markdown(TITLE, ABOUT, report)
    if str(out) == "-":
        say(text, nl=False)
        return
    is_page = out.suffix.lower() in {".html", ".htm"}
    if is_page:
        markdown, page = out.with_suffix(".md"), out
    else:  # "v1" of report.v1 is no suffix
        named = out.with_suffix("") if out.suffix.lower() in {".md", ".markdown", ".txt"} else out
        markdown, page = out, named.with_name(f"{named.name}.html")
    check_file(markdown, REPORT, force=force)
    check_file(page, PAGE, force=force)
    for path, written in ((markdown, text), (page, tables.page(TITLE, ABOUT, report))):
        write_text(path, written)
        say(path)
