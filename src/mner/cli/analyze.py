"""mner analyze: a figure or table of the paper from trained runs or their records."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mner.cli.bounded import COUNT, bounded
from mner.cli.output import say, working
from mner.cli.source import PluginsOption, check_folder
from mner.cli.target import ForceOption
from mner.overwrite import PAGE, check_file

if TYPE_CHECKING:
    from mner.runs.record import RunId


def analyze(
    name: Annotated[str, typer.Argument(help="Which one: see above.", show_default=False)],
    rows: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL_OR_ROW",
            help="Runs, models, or folders of one row's runs; for labels, oracle, learning and cost also rows of "
            "--results, such as mine/text; for ocr also artefacts.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(help="dev or train; of analyses that read records dev or test, where it was scored.")
    ] = "dev",
    baseline: Annotated[
        str | None,
        typer.Option(
            help="Row whose T view to compare with: labels and noise (needed), cases, slices, ocr, oracle.",
            show_default=False,
        ),
    ] = None,
    unaligned: Annotated[
        str | None, typer.Option(help="The row without cross-view alignment: cases.", show_default=False)
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(
            help="Sources of captions in the order to take them, a comma between: captions.", show_default=False
        ),
    ] = None,
    most: Annotated[int, bounded(1, COUNT, help="Posts of each kind: cases, noise.")] = 12,
    shuffles: Annotated[int, bounded(1, 1000, help="Draws of shuffled contexts: robustness.")] = 1,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the posts' pictures, for the page: cases.", show_default=False)
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of run records.")] = Path("results"),
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="HTML page to write; without it, text.", show_default=False)
    ] = None,
    record: Annotated[
        bool,
        typer.Option("--record", help="Also write the numbers to --results, as analysis/<data>/<row>/<name>.json."),
    ] = False,
    allow_plugins: PluginsOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    force: ForceOption = False,
) -> None:
    """Print the numbers of one figure or table, each with its signature. Test is never opened.

    \b
    - captions: F1 against the number of captions (Figure 2)
    - distance: L2 distance between the two views' word vectors (Figure 3)
    - labels: precision, recall and F1 by label of a row against a baseline (Table 5)
    - ocr: OCR texts of an artefact or a split, and the gain with and without them (Table 6)
    - cases: posts that the picture helped or misled, and those that alignment rescued (Figures 4, 5)
    - robustness: F1 with the true, a shuffled and a blank context
    - slices: both views by seen and unseen entities, text-image relation, number of captions
    - oracle: F1 if the better of two readings were known for each post: what a choice could bring at most
    - learning: F1 against the number of training posts, of rows that differ in that alone
    - noise: gold labels that all runs of two rows contradict, and training labels that contradict each other
    - cost: parameters, minutes and peak memory of rows (appendix A.1)
    """  # noqa: D301 (\b keeps the list's lines)
    from mner.analysis.analyze import Asked
    from mner.analysis.analyze import analyze as run
    from mner.analysis.recorded import check_recordable, write_record

    if images is not None:
        check_folder(images, "--images")
    if out is not None:
        check_file(out, PAGE, force=force)
    runs: list[RunId] = []
    if record:
        check_recordable(name, rows or (), split)
    with working("reading") as work:
        asked = Asked(
            rows or (),
            split=split,
            results=results,
            baseline=baseline,
            unaligned=unaligned,
            order=None if order is None else [source.strip() for source in order.split(",")],
            most=most,
            shuffles=shuffles,
            allow_plugins=allow_plugins,
            watch=lambda path: work.show(f"reading {path}"),
            seen=runs.append,
        )
        found = run(name, asked)
    if record:
        told = write_record(name, found[0], split=split, runs=runs, results=results)
        say(f"recorded: {told}", err=True)
    if as_json:
        say(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
        return
    from mner.show.exhibits import exhibit

    if out is None:
        from mner.show.exhibit import text

        say(text(exhibit(name, found)))
        return
    from mner.files import write_text
    from mner.show.analysis import page

    write_text(out, page(exhibit(name, found), images=images))
    say(out)
