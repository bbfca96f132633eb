"""mner report: run records -> docs/results.md and docs/results.html."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mner.cli.output import say
from mner.cli.target import ForceOption
from mner.overwrite import PAGE, REPORT, check_file


def report(
    results: Annotated[Path, typer.Option(help="Folder of run records.")] = Path("results"),
    out: Annotated[
        Path, typer.Option(help="Markdown file to write; the page goes beside it, as .html. - is stdout, no page.")
    ] = Path("docs/results.md"),
    force: ForceOption = False,
) -> None:
    """Write the tables of all run records, each figure with its signature, as Markdown and as one HTML page.

    Where there are records on the paper's data sets, paper.md is written beside them: the paper's tables and figures in
    order, published numbers beside ours.
    """
    from mner.atomic import write_text
    from mner.show import paper, tables
    from mner.show.report import ABOUT, TITLE, sections

    found = sections(results)
    text = tables.markdown(TITLE, ABOUT, found)
    if str(out) == "-":
        say(text, nl=False)
        return
    pages = {out: text, out.with_suffix(".html"): tables.page(TITLE, ABOUT, found)}
    if paper.of_the_paper(results):
        pages[out.with_name("paper.md")] = tables.markdown(paper.TITLE, paper.about(results), paper.sections(results))
    for path in pages:
        check_file(path, PAGE if path.suffix == ".html" else REPORT, force=force)
    for path, written in pages.items():
        write_text(path, written)
        say(path)
