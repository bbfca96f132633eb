"""An artefact -> how much was read: pictures by status, and of each kind its share of pictures, sources and lengths.

The shares and lengths of OCR are those of ITA, table 6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mner.config import Source
from mner.contexts.edit import MARK
from mner.contexts.entry_text import KINDS, entries, words_of
from mner.types import VisualContext


@dataclass(slots=True)
class KindStatistics:
    """One kind of entry.

    Attributes:
        pictures: Pictures that have any.
        entries: All of them.
        words: Words in them, split at blanks.
        characters: Characters in them.
        longest: Words of the longest entry.
        sources: Entries by source; "" for those without.
    """

    pictures: int = 0
    entries: int = 0
    words: int = 0
    characters: int = 0
    longest: int = 0
    sources: Counter[str] = field(default_factory=Counter)

    @property
    def words_a_picture(self) -> float:
        """Mean number of words, over the pictures that have any."""
        return self.words / self.pictures if self.pictures else 0.0


@dataclass(slots=True)
class Statistics:
    """A whole artefact.

    Attributes:
        pictures: Rows.
        statuses: Rows by status.
        empty: Rows that are ok, and yet nothing was read.
        edited: Rows that were changed by hand.
        failed: Rows that are ok, but a backend failed on them.
        extractors: Rows by extractor, "name version fingerprint"; "" for those that name none.
        kinds: By kind, in rows that are ok.
    """

    pictures: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    empty: int = 0
    edited: int = 0
    failed: int = 0
    extractors: Counter[str] = field(default_factory=Counter)
    kinds: dict[Source, KindStatistics] = field(default_factory=lambda: {kind: KindStatistics() for kind in KINDS})

    def to_dict(self) -> dict[str, Any]:
        """The counts as a JSON object."""
        plain = {name: getattr(self, name) for name in ("pictures", "empty", "edited", "failed")}
        kinds = {
            kind: {
                "pictures": one.pictures,
                "share": round(self.share(kind), 4),
                "entries": one.entries,
                "words": one.words,
                "words_a_picture": round(one.words_a_picture, 2),
                "characters": one.characters,
                "longest": one.longest,
                "sources": dict(one.sources.most_common()),
            }
            for kind, one in self.kinds.items()
        }
        told = {"statuses": dict(self.statuses.most_common()), "extractors": dict(self.extractors.most_common())}
        return {**plain, **told, "kinds": kinds}

    def share(self, kind: Source) -> float:
        """The share of all pictures that have entries of a kind."""
        return self.kinds[kind].pictures / self.pictures if self.pictures else 0.0


def statistics(rows: Iterable[VisualContext]) -> Statistics:
    """The counts of some rows, read once.

    >>> from mner.types import OcrText
    >>> found = statistics([VisualContext("1.jpg", ocr=(OcrText("ON TOUR"),)), VisualContext("2.jpg")])
    >>> found.share("ocr"), found.kinds["ocr"].words, found.empty
    (0.5, 2, 1)
    """
    found = Statistics()
    for row in rows:
        found.pictures += 1
        found.statuses[row.status] += 1
        found.edited += bool(row.extra.get(MARK))
        told = row.extractor or {}
        found.extractors[" ".join(str(told[name]) for name in ("name", "version", "fingerprint") if name in told)] += 1
        if row.status != "ok":
            continue
        found.empty += row.empty
        found.failed += row.reason is not None
        for kind, counts in found.kinds.items():
            _add(counts, row, kind)
    return found


def _add(counts: KindStatistics, row: VisualContext, kind: Source) -> None:
    counts.pictures += bool(entries(row, kind))
    for entry in entries(row, kind):
        text = words_of(entry)
        words = len(text.split())
        counts.entries += 1
        counts.words += words
        counts.characters += len(text)
        counts.longest = max(counts.longest, words)
        counts.sources[entry.source] += 1
