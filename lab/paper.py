"""docs/paper-tables.md: each row of the paper's tables and figures beside our figure, or why there is none."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.contexts import is_of, remark_on, whole
from lab.picture_share import BASELINE, against_text
from lab.published import PaperExhibit, PaperRow, published
from mner import analysis
from mner.analysis.cost import cost
from mner.analysis.labels import labels
from mner.analysis.parts.analysis_record import AnalysisRecord, read_analyses
from mner.errors import DataError
from mner.runs import Experiment, read_experiments
from mner.runs.pairing import only, scored
from mner.runs.record import ScoredSplit
from mner.runs.searches import Search, read_searches
from mner.show.analysis import parts
from mner.show.appendix import provenance
from mner.show.baseline_gains import SPLITS, tried
from mner.show.comparison import bounds, mean_sd
from mner.show.display import signed
from mner.show.tables import Part, Section, TextTable
from mner.show.tuning import trials_behind

TITLE = "The paper's tables and figures"
DATA = ("twitter15", "twitter17")
HEADS = ("row", "view", "encoder", "Twitter-15", "Twitter-17", "SNAP", "over text, Twitter-15", "remark")
PAPERS = re.compile(r"\bbert-base|xlm-roberta-large")
"""What the names of the paper's encoders hold."""

CONFIGS = Path(__file__).resolve().parents[1] / "configs" / "rows"

NO_RECORD, NO_DATA = "no record", "no data"

Known = Mapping[str, Mapping[str, Experiment]]
"""Rows by data set and name."""


def sections(results: Path) -> list[Section]:
    """A section for each table and figure, made from paper.toml and a folder of results alone.

    Raises:
        DataError: There are no run records, or a record is damaged.
    """
    known, searches, recorded = _known(results), read_searches(results), read_analyses(results)
    return [
        Section(
            f"{exhibit.name}: {exhibit.title}",
            tuple(_analysis(exhibit, known, recorded) if exhibit.analysis else _table(exhibit, known, searches)),
        )
        for exhibit in published().exhibit
    ]


def about(results: Path) -> tuple[str, ...]:
    """What must be known before the tables: how to read them, on which encoders they stand, how they are run.

    Raises:
        DataError: There are no run records, or a record is damaged.
    """
    encoders = sorted({row.encoder for rows in _known(results).values() for row in rows.values()})
    sources = "; ".join(f"{letter}: {source}" for letter, source in published().sources.items())
    return (
        "Written by `python -m lab.report` from the records in `lab/results/` and the published numbers in "
        "`lab/paper.toml`; do not edit. Wang et al., ITA: Image-Text Alignments for Multi-Modal Named "
        "Entity Recognition, NAACL 2022.",
        "F1 in percent. Published: on test, the source in brackets; - where we have no copy of the number. Here: "
        "mean ± sample deviation; in brackets the split, the number of seeds, and, where the settings are the best of "
        "the row's own search, its trials. We have no test split of Twitter-17, so its figures are of dev, and no "
        "SNAP. Over text: the difference from the row `text` on the same encoder, of a tuned row from tuned text, on "
        "the seeds that both have, with the 95 % interval of the paired bootstrap.",
        "The paper's encoders are BERT base and XLM-R large. The records here stand on "
        f"{', '.join(encoders) or 'none'}: compare differences, not levels. BERT and XLM-R need weights from the "
        "Hugging Face hub and are run by `--base configs/twitter15-bert-base-cased.toml` and `--base "
        "configs/twitter15-xlm-roberta-large.toml`.",
        "Each command below trains on Twitter-15, and on Twitter-17 with `--base configs/twitter17.toml`; a command "
        "that has a base takes the one with 17 in its name instead. `mner evaluate runs/twitter15/ROW --final "
        "--results lab/results` scores test, and `python -m lab.report` writes this page. A tuned row is trained from "
        "`lab/tuned/twitter15/ROW.toml`, without `--base`.",
        f"Sources. {sources}.",
        "Controls, robustness and slices, which the paper does not have, stand in "
        "[results-tables.md](results-tables.md).",
    )


def of_the_paper(results: Path) -> bool:
    """Whether a folder of results holds runs on the paper's data sets."""
    return any(_known(results).values())


def _known(results: Path) -> dict[str, dict[str, Experiment]]:
    rows = read_experiments(results)
    return {data: whole(rows, data) for data in DATA}


def _table(exhibit: PaperExhibit, known: Known, searches: Sequence[Search]) -> Iterator[Part]:
    lines: list[tuple[str, ...]] = []
    signatures: list[tuple[str, str]] = []
    commands: dict[str, str] = {}
    for row in exhibit.row:
        lines += _published(row)
        measured = list(_measured(row, known, searches))
        lines += measured or [(_ours(row), row.view, "here", *("-",) * 4, _absent(row))]
        signatures += _signatures(row, known)
        commands.setdefault(command(row), _ours(row))
    notes = [f"{name}: `{command}`" for command, name in commands.items()]
    yield Part(
        "",
        exhibit.about,
        TextTable(HEADS, tuple(lines), texts=len(HEADS)),
        notes=tuple(notes),
        signatures=tuple(dict.fromkeys(signatures)),
    )


def _ours(row: PaperRow) -> str:
    """What our runs of a row are called."""
    return f"{row.name} ({row.ours})" if row.ours else row.name


def command(row: PaperRow) -> str:
    """What trains a row's seeds and records them."""
    trained = published().trained.get(row.row, f"{row.row}.toml")
    return f"mner train configs/rows/{trained} --seeds 5 --results lab/results"


def _absent(of: PaperRow | PaperExhibit) -> str:
    """Why a row or an analysis has no figure of ours."""
    return f"needs {of.needs}" if of.needs else f"not run: {NO_RECORD}"


def _published(row: PaperRow) -> Iterator[tuple[str, ...]]:
    """A line for each published figure; what the paper says stands in the first, or alone."""
    if row.says and not row.published:
        yield (row.name, row.view, "published", *("-",) * 4, row.says)
    for number, figure in enumerate(row.published):
        figures = [f"{f1} [{figure.source}]" if f1 else "-" for f1 in (figure.twitter15, figure.twitter17, figure.snap)]
        says = row.says if row.says and not number else "-"
        yield (row.name, row.view, f"{figure.encoder}, published", *figures, "-", says)


def _measured(row: PaperRow, known: Known, searches: Sequence[Search]) -> Iterator[tuple[str, ...]]:
    """A line for each row on record, so that encoders, and tuned and untuned, stand apart."""
    names = {name: each for data in DATA for name, each in known[data].items() if _fits(each, row.row)}
    for name, each in names.items():
        cells = [_cell(row, known[data].get(name), searches) for data in DATA]
        over = _over(row, known[DATA[0]], name)
        said = (
            name,
            None if PAPERS.search(each.encoder) else "not the paper's encoder",
            remark_on(each, row.row),
            _reads_less(each, row),
            _trains_less(each, row),
        )
        remark = "; ".join(filter(None, said))
        yield (_ours(row), row.view, f"{each.encoder}, here", *cells, NO_DATA, over, remark)


def _reads_less(experiment: Experiment, row: PaperRow) -> str | None:
    """What must be said of a row that does not read all kinds of context that the paper's does; else None."""
    order = experiment.records[0].config.get("context", {}).get("order", row.contexts)
    return None if set(row.contexts) <= set(order) else f"of {', '.join(order)} alone"


def _trains_less(experiment: Experiment, row: PaperRow) -> str | None:
    """What must be said of a row with fewer epochs than the published ones, which its own file states; else None."""
    path = CONFIGS / f"{row.row}.toml"
    published = tomllib.loads(path.read_text(encoding="utf-8")).get("training", {}).get("epochs", 0) if row.row else 0
    epochs = experiment.records[0].config["training"]["epochs"]
    return f"{epochs} epochs of {published}" if epochs < published else None


def _fits(experiment: Experiment, name: str) -> bool:
    return is_of(experiment, name) or remark_on(experiment, name) is not None


def _cell(row: PaperRow, experiment: Experiment | None, searches: Sequence[Search]) -> str:
    if experiment is None:
        return NO_RECORD
    split, trials = _split(experiment), trials_behind(experiment, searches)
    f1 = experiment.f1(split, row.view)
    score = f"best {max(f1):.2f}" if row.best else mean_sd(f1)
    return f"{score} ({split}, {len(f1)}{f', {trials} trials' if trials else ''})"


def _split(row: Experiment) -> ScoredSplit:
    """Test where any run was scored on it, else dev."""
    return "test" if row.f1("test", "T") else "dev"


def _over(row: PaperRow, rows: Mapping[str, Experiment], name: str) -> str:
    experiment = rows.get(name)
    text = None if experiment is None else against_text(experiment, rows)
    if row.best or experiment is None or text is None or experiment.identity.experiment == BASELINE:
        return "-"  # of the best of some seeds there is no fair difference
    if experiment.identity.tuned and not text.identity.tuned:
        return "-"  # there is no tuned text yet, and a gain over another would be the tuning's as well
    for each in tried(experiment, text, _split(experiment), [], view=row.view):
        line = each.lines[0]
        sure = "" if line.interval is None else f" ({bounds(line.interval)})"
        return f"{signed(line.difference)}{sure}"
    return "-"


def _signatures(row: PaperRow, known: Known) -> Iterator[tuple[str, str]]:
    for data in DATA:
        for name, experiment in known[data].items():
            if _fits(experiment, row.row):
                split = _split(experiment)
                if row.best:
                    runs = scored(experiment, split)
                    f1 = dict(zip(runs.seeds, runs.f1(split, row.view), strict=True))
                    best = max(f1, key=lambda seed: f1[seed])
                    experiment, name = only(runs, {best}), f"{name}, best seed {best}"
                yield f"{name} {row.view}, {data} {split}", str(experiment.signature(split, row.view))


def _analysis(exhibit: PaperExhibit, known: Known, recorded: Sequence[AnalysisRecord]) -> Iterator[Part]:
    chosen = [row for data in DATA for row in known[data].values() if any(_fits(row, name) for name in exhibit.of)]
    notes = [exhibit.why] if exhibit.why else []
    remarks = {row.name: said for row in chosen for name in exhibit.of if (said := remark_on(row, name))}
    notes += [f"{name}: {said}" for name, said in remarks.items()]
    results: list[Any] = []
    if exhibit.analysis == "labels":
        for row in chosen:
            for result, command in _labels(row, known[row.data]):
                results.append(result)
                notes.append(command)
    elif exhibit.analysis == "cost":
        results = [cost(chosen)] if chosen else []
        notes.append(f"`{exhibit.runs}`")
    else:
        rows = {(row.data, row.name): row for row in chosen}
        records = [each for each in recorded if each.analysis == exhibit.analysis and (each.data, each.row) in rows]
        results = [each.result for each in records]
        notes += [note for each in records for note in provenance(each, known[each.data], results="lab/results")]
    if not results:
        notes += [f"`{exhibit.runs}`", _absent(exhibit)]
    yield Part("", exhibit.about, None, notes=tuple(notes))
    if results:
        yield from parts(analysis.report(exhibit.analysis, results))


def _labels(row: Experiment, rows: Mapping[str, Experiment]) -> Iterator[tuple[Any, str]]:
    """The comparison by label with the words alone, and the command that prints it."""
    text = against_text(row, rows)
    if text is None:
        return
    for split in SPLITS:
        ours, theirs = scored(row, split), scored(text, split)
        if not ours.records or not theirs.records:
            continue
        with suppress(DataError):  # named where the rows are compared
            command = (
                f"`mner analyze labels {row.full_name} --baseline {theirs.full_name} --split {split} "
                "--results lab/results`"
            )
            yield labels(theirs, ours, split=split), command
        return
