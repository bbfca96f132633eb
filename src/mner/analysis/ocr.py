"""What OCR found in the pictures (Table 6, appendix A.2), and what the picture gains with and without such text."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mner.analysis.measured import unscored
from mner.analysis.slices import Read, Slices, by_posts
from mner.contexts.artefact import digest, iter_contexts
from mner.types import VisualContext
from mner.views import Subwords


@dataclass(frozen=True, slots=True)
class OcrStatistics:
    """The OCR texts of some pictures.

    Attributes:
        name: The artefact's file, or the split whose posts they are.
        pictures: Contexts in all; of a split its posts with a known context.
        read: Those that were read: status ok.
        with_text: Those of them with text that is not blank.
        share: ``with_text`` in percent of ``pictures``.
        words: Mean words, parted by blanks, of those with text; 0 without any.
        subtokens: Mean sub-tokens of the same; None where no tokenizer was asked.
        sources: Contexts with text by source.
        signature: What exactly was measured.
    """

    name: str
    pictures: int
    read: int
    with_text: int
    share: float
    words: float
    subtokens: float | None
    sources: Mapping[str, int]
    signature: str


@dataclass(frozen=True, slots=True)
class Ocr:
    """Statistics of each artefact or split, and each row's F1 on posts with and without OCR text."""

    statistics: tuple[OcrStatistics, ...]
    gains: tuple[Slices, ...]


def ocr_statistics(
    contexts: Iterable[VisualContext],
    *,
    name: str,
    data: str,
    sources: Sequence[str] | None = None,
    subwords: Subwords | None = None,
) -> OcrStatistics:
    """The share of pictures with OCR text, and how much text that is.

    Args:
        contexts: The contexts to count.
        name: What they are called.
        data: What they are, for the signature.
        sources: OCR sources to count; None counts all.
        subwords: Tokenizer that counts sub-tokens.
    """
    found: list[list[str]] = []
    by_source: Counter[str] = Counter()
    pictures = read = 0
    for one in contexts:
        pictures += 1
        read += one.status == "ok"
        words = text_words(one, sources)
        if words:
            found.append(words)
            by_source.update({text.source for text in one.ocr if text.text.split() and _counts(text.source, sources)})
    tokens = None
    if subwords is not None:
        counts = [sum(len(coded.ids) for coded in subwords.encode_words(words)) for words in found]
        tokens = statistics.fmean(counts) if counts else 0.0
    return OcrStatistics(
        name=name,
        pictures=pictures,
        read=read,
        with_text=len(found),
        share=100 * len(found) / pictures if pictures else 0.0,
        words=statistics.fmean(map(len, found)) if found else 0.0,
        subtokens=tokens,
        sources=dict(sorted(by_source.items())),
        signature=unscored(data=data, measure="ocr"),
    )


def artefact_statistics(path: Path) -> OcrStatistics:
    """The statistics of an artefact's file, row by row.

    Raises:
        DataError: The file is missing, or a line is no context.
    """
    return ocr_statistics(iter_contexts(path), name=path.name, data=f"{path.name}@{digest(path)[:6]}")


def ocr_gain(read: Read) -> Slices:
    """F1 of both views on the posts with and without OCR text of the sources that the row's [context] names."""
    named = read.configs[1].context.ocr
    groups = ["with text" if one is not None and text_words(one, named) else "without text" for one in read.contexts]
    return Slices(read.row, read.baseline, tuple(by_posts(read, groups, by="ocr")))


def text_words(context: VisualContext, sources: Sequence[str] | None = None) -> list[str]:
    """The words, parted by blanks, that OCR read in a picture; none where its status is not ok.

    >>> from mner.types import OcrText
    >>> text_words(VisualContext("1.jpg", ocr=(OcrText("GATE 12"), OcrText(" "))))
    ['GATE', '12']
    """
    if context.status != "ok":
        return []
    return [word for text in context.ocr if _counts(text.source, sources) for word in text.text.split()]


def _counts(source: str, sources: Sequence[str] | None) -> bool:
    return sources is None or source in sources
