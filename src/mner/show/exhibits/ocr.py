"""Table 6: OCR texts, and the gain with and without them."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.ocr import Ocr
from mner.show.exhibit import Exhibit, Table
from mner.show.exhibits.slices import COLUMNS, INTERVALS, gains, heading, row, signatures


def exhibit(results: Sequence[Ocr]) -> Exhibit:
    """One table of texts, and for each row a table and a chart of both views."""
    statistics = [each for one in results for each in one.statistics]
    gained = [each for one in results for each in one.gains]
    lines = [
        (
            each.name,
            f"{each.pictures:,}",
            f"{each.read:,}",
            f"{each.with_text:,}",
            f"{each.share:.1f}",
            f"{each.words:.1f}",
            "-" if each.subtokens is None else f"{each.subtokens:.1f}",
            ", ".join(f"{source or 'no name'} {count}" for source, count in each.sources.items()) or "-",
        )
        for each in statistics
    ]
    told = Table(
        "Text in pictures",
        ("contexts of", "pictures", "read", "with text", "%", "mean words", "mean sub-tokens", "sources"),
        tuple(lines),
        "Means over the pictures with text.",
    )
    return Exhibit(
        name="ocr",
        title=ANALYSES["ocr"],
        about="Of an artefact its pictures are counted, of a row the posts of the split whose picture has a context. "
        f"Text counts whatever it says: who read it stands under sources. {INTERVALS}",
        tables=(told, *(Table(heading(each), COLUMNS, tuple(map(row, each.slices))) for each in gained)),
        charts=tuple(gains(each) for each in gained),
        signatures=(
            *((each.name, each.signature) for each in statistics),
            *(pair for each in gained for pair in signatures(each)),
        ),
    )
