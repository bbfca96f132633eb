"""Write docs/scale.md from benchmarks/results/context_build.json; ``--check`` only says whether it is current."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from mner.atomic import write_text
from mner.show.scale import page

ROOT = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """0; 1 when the page was not current and ``--check`` was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", type=Path, default=ROOT / "benchmarks" / "results" / "context_build.json")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "scale.md")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if the page is not current")
    options = parser.parse_args(argv)
    text = page(json.loads(options.record.read_text(encoding="utf-8")))
    if options.page.exists() and options.page.read_text(encoding="utf-8") == text:
        return 0
    if options.check:
        print(f"{options.page}: not current; run: tools/write_scale.py", file=sys.stderr)
        return 1
    write_text(options.page, text)
    print(options.page, file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
