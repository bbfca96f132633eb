"""Write docs/performance.md from benchmarks/results; ``--check`` only says whether it is current."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mner.atomic import write_text
from mner.errors import MnerError
from mner.show.performance import performance

ROOT = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """0; 1 when the page was not current and ``--check`` was given; 2 when there are no usable records."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if the page is not current")
    options = parser.parse_args(argv)
    try:
        text = performance(options.results)
    except MnerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.page.exists() and options.page.read_text(encoding="utf-8") == text:
        return 0
    if options.check:
        print(f"{options.page}: not current; run: tools/write_performance.py", file=sys.stderr)
        return 1
    write_text(options.page, text)
    print(options.page, file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
