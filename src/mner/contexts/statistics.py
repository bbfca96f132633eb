"""An artefact -> how much was read: pictures by status, and of each kind its share of pictures, sources and lengths.

The shares and lengths of OCR are those of ITA, table 6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
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
        pictures: Records.
        statuses: Records by status.
        empty: Records with the status ok and no entry.
        edited: Records that were changed by hand.
        failed: Records with the status ok, although a backend failed on the picture.
        extractors: Records by extractor, "name version fingerprint"; "" for those that name none.
        kinds: By kind, in records with the status ok.
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
        statuses, extractors = dict(self.statuses.most_common()), dict(self.extractors.most_common())
        kinds = {
            kind: {
                **asdict(counts),
                "sources": dict(counts.sources.most_common()),
                "share": round(self.share(kind), 4),
                "words_a_picture": round(counts.words_a_picture, 2),
            }
            for kind, counts in self.kinds.items()
        }
        return {**plain, "statuses": statuses, "extractors": extractors, "kinds": kinds}

    def share(self, kind: Source) -> float:
        """The share of all pictures that have entries of a kind."""
        return self.kinds[kind].pictures / self.pictures if self.pictures else 0.0


def statistics(rows: Iterable[VisualContext]) -> Statistics:
    """The counts of records, read once.

    >>> from mner.types import OcrText
    >>> counts = statistics([VisualContext("1.jpg", ocr=(OcrText("ON TOUR"),)), VisualContext("2.jpg")])
    >>> counts.share("ocr"), counts.kinds["ocr"].words, counts.empty
    (0.5, 2, 1)
    """
    total = Statistics()
    for row in rows:
        total.pictures += 1
        total.statuses[row.status] += 1
        total.edited += bool(row.extra.get(MARK))
        by = row.extractor or {}
        total.extractors[" ".join(str(by[name]) for name in ("name", "version", "fingerprint") if name in by)] += 1
        if row.status != "ok":
            continue
        total.empty += row.empty
        total.failed += row.reason is not None
        for kind, counts in total.kinds.items():
            counts.pictures += bool(entries(row, kind))
            for entry in entries(row, kind):
                text = words_of(entry)
                words = len(text.split())
                counts.entries += 1
                counts.words += words
                counts.characters += len(text)
                counts.longest = max(counts.longest, words)
                counts.sources[entry.source] += 1
    return total
