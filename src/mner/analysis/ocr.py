"""What OCR read in the pictures (Table 6, appendix A.2), and what the picture gains with and without such text."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mner.analysis import About
from mner.analysis.parts.both_views import (
    INTERVALS,
    BothViews,
    Slices,
    by_posts,
    gains_chart,
    gains_signatures,
    gains_table,
    read_both,
)
from mner.analysis.parts.f1_summary import unscored
from mner.analysis.parts.inputs import Baseline, Inputs, RunSplit
from mner.analysis.parts.report import Report, Table, columns
from mner.config import Section
from mner.contexts.artefact import digest, iter_contexts
from mner.types import VisualContext
from mner.views import Subwords

ARTEFACTS = (".jsonl", ".json", ".parquet")


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
        subtokens: Mean sub-tokens of the same; None without a tokenizer.
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
    """Statistics of each artefact or split, and each experiment's F1 on posts with and without OCR text."""

    statistics: tuple[OcrStatistics, ...]
    gains: tuple[Slices, ...]

    @property
    def row(self) -> str:
        """Data set and experiment of the first one that was read."""
        return self.gains[0].row


ABOUT = About(
    "OCR texts of an artefact or a split, and the gain with and without them (Table 6)",
    reads="runs or artefacts",
    result=Ocr,
)


class Options(Section):
    """What the I+T view is compared with, and where."""

    split: RunSplit = "dev"
    baseline: Baseline = None


def analyze(inputs: Inputs, options: Options) -> Report:
    """All artefacts and experiments named, together."""
    statistics, gains = [], []
    for row in inputs.rows:
        path = Path(row)
        if path.is_file() or (path.is_dir() and path.suffix.lower() in ARTEFACTS):  # a file, or a folder of shards
            statistics.append(artefact_statistics(path))
            continue
        baseline = None if options.baseline is None else inputs.runs(options.baseline, options.split)
        read = read_both(inputs.runs(row, options.split), baseline=baseline, own_pictures="ocr")
        known = [context for context in read.contexts if context is not None]
        sources = read.configs[1].context.ocr
        statistics.append(
            ocr_statistics(known, name=read.data, data=read.data, sources=sources, subwords=read.subwords)
        )
        gains.append(ocr_gain(read))
    return report([Ocr(tuple(statistics), tuple(gains))])


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
    texts: list[list[str]] = []
    by_source: Counter[str] = Counter()
    pictures = read = 0
    for context in contexts:
        pictures += 1
        read += context.status == "ok"
        if words := text_words(context, sources):
            texts.append(words)
            by_source.update(
                {text.source for text in context.ocr if text.text.split() and _counts(text.source, sources)}
            )
    tokens = None
    if subwords is not None:
        counts = [sum(len(coded.ids) for coded in subwords.encode_words(words)) for words in texts]
        tokens = statistics.fmean(counts) if counts else 0.0
    return OcrStatistics(
        name=name,
        pictures=pictures,
        read=read,
        with_text=len(texts),
        share=100 * len(texts) / pictures if pictures else 0.0,
        words=statistics.fmean(map(len, texts)) if texts else 0.0,
        subtokens=tokens,
        sources=dict(sorted(by_source.items())),
        signature=unscored(data=data, measure="ocr"),
    )


def artefact_statistics(path: Path) -> OcrStatistics:
    """The statistics of an artefact, read record by record.

    Raises:
        DataError: The file is missing, or a line is not a context.
    """
    return ocr_statistics(iter_contexts(path), name=path.name, data=f"{path.name}@{digest(path)[:6]}")


def ocr_gain(read: BothViews) -> Slices:
    """F1 of both views on the posts with and without OCR text of the sources that the experiment's [context] names."""
    named = read.configs[1].context.ocr
    groups = [
        "with text" if context is not None and text_words(context, named) else "without text"
        for context in read.contexts
    ]
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


COLUMNS = columns(
    "contexts of",
    ("pictures", ",d"),
    ("read", ",d"),
    ("with text", ",d"),
    ("%", ".1f"),
    ("mean words", ".1f"),
    ("mean sub-tokens", ".1f"),
    "sources",
)


def report(results: Sequence[Ocr]) -> Report:
    """One table of texts, and for each experiment a table and a chart of both views."""
    texts = [counted for result in results for counted in result.statistics]
    gains = [gain for result in results for gain in result.gains]
    rows = tuple(
        (
            counted.name,
            counted.pictures,
            counted.read,
            counted.with_text,
            counted.share,
            counted.words,
            counted.subtokens,
            ", ".join(f"{source or 'no name'} {count}" for source, count in counted.sources.items()) or None,
        )
        for counted in texts
    )
    counts = Table("Text in pictures", COLUMNS, rows, "Means over the pictures with text.")
    return Report(
        name="ocr",
        title=ABOUT.title,
        about="Of an artefact its pictures are counted, of an experiment the posts of the split whose picture has a "
        f"context. Text counts whatever it says: who read it stands under sources. {INTERVALS}",
        results=tuple(results),
        tables=(counts, *map(gains_table, gains)),
        charts=tuple(map(gains_chart, gains)),
        signatures=(
            *((counted.name, counted.signature) for counted in texts),
            *(pair for gain in gains for pair in gains_signatures(gain)),
        ),
    )
