"""Write this project's own pages from its records; ``--check`` only says whether they are current."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from lab import goals, paper, performance, scale, summary
from lab.contexts import remark
from lab.picture_share import BASELINE, oracles, share
from mner import analysis
from mner.analysis.parts.analysis_record import read_analyses
from mner.errors import MnerError
from mner.files import write_text
from mner.runs import read_experiments
from mner.runs.searches import read_searches
from mner.show import report, tables
from mner.show.analysis import parts
from mner.show.appendix import appendix
from mner.show.baseline_gains import gains
from mner.show.tuning import tuning

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
ABOUT = ("Written by `python -m lab.report` from the run records in `lab/results/`; do not edit.", report.ABOUT[1])


def sections(results: Path) -> list[tables.Section]:
    """The goals, a section for each data set, and the uses of test, made from a folder of results alone.

    Raises:
        DataError: There are no run records, one is damaged, or the seeds of an experiment saw different data or
            settings.
    """
    experiments, searches, recorded = read_experiments(results), read_searches(results), read_analyses(results)
    written = [*goals.targets(experiments, searches, recorded)]
    for data, of_data in report.by_data(experiments).items():
        choices = oracles(of_data)
        chapters = (
            *report.scores(of_data, searches, remarks=remark),
            *gains(of_data, BASELINE),
            *share(of_data),
            *report.by_label(of_data),
            *tuning(searches, data, of_data),
            *(parts(analysis.report("oracle", choices)) if choices else ()),
            *appendix(of_data, [each for each in recorded if each.data == data], results="lab/results"),
            *report.costs_and_runs(of_data),
        )
        written.append(tables.Section(data, chapters))
    return [*written, *report.uses_of_test(results)]


def pages(results: Path = RESULTS, benchmarks: Path = ROOT / "benchmarks" / "results") -> dict[str, str]:
    """Each page and chart under ``docs/`` by its name.

    Raises:
        DataError: A record is damaged, or there are none.
    """
    costs = json.loads((benchmarks / "context_build.json").read_text(encoding="utf-8"))
    return {
        **summary.results(results),
        **summary.paper(results),
        "results-tables.md": tables.markdown(report.TITLE, ABOUT, sections(results)),
        "paper-tables.md": tables.markdown(paper.TITLE, paper.about(results), paper.sections(results)),
        "performance.md": performance.performance(benchmarks),
        "scale.md": scale.page(costs),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """0; 1 when a page was not current and ``--check`` was given; 2 when a record cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a page is not current")
    options = parser.parse_args(argv)
    try:
        written = pages()
    except MnerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    stale = [
        name
        for name, text in written.items()
        if not (options.docs / name).is_file() or (options.docs / name).read_text(encoding="utf-8") != text
    ]
    for name in stale:
        if options.check:
            print(f"{options.docs / name}: not current; run: python -m lab.report", file=sys.stderr)
        else:
            write_text(options.docs / name, written[name])
            print(options.docs / name, file=sys.stderr)
    return int(options.check and bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
