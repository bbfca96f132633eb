"""Run records -> what docs/results.md and its page say; every figure with its signature, nothing typed by hand."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mner.analysis.cost import cost
from mner.analysis.recorded import read_recorded
from mner.errors import DataError
from mner.evaluation.pairing import Split
from mner.evaluation.records import Row, read_rows
from mner.show.against import gains, share
from mner.show.behind import behind
from mner.show.comparison import mean_sd
from mner.show.naming import contexts_of, trained_on_all
from mner.show.tables import Part, Section, Table
from mner.show.targets import targets
from mner.show.tuning import Search, read_searches, settings_from, tuning
from mner.types import ViewName

TITLE = "Results"
ABOUT = (
    "Written by `mner report` from the run records in `results/`; do not edit.",
    "Exact-match F1 over words, in percent: micro over all labels, mean ± sample deviation over seeds. Dev was used "
    "for choosing settings, and in each run the epoch that is kept, so its figures are somewhat too high. Test was "
    "scored once for each frozen run; every use is counted below. What each row is: `docs/howto/rows.md`.",
)
VIEWS: tuple[ViewName, ...] = ("T", "I+T")
SPLITS: tuple[Split, ...] = ("dev", "test")


def sections(results: Path) -> list[Section]:
    """The report of a folder of results, made from that folder alone: goals, a section a data set, uses of test.

    Raises:
        DataError: There are no run records, one is damaged, or the seeds of a row saw different data or settings.
    """
    rows, searches, recorded = read_rows(results), read_searches(results), read_recorded(results)
    made = [*targets(rows, searches, recorded)]
    for data in dict.fromkeys(data for data, _ in rows):
        of_data = {name: row for (where, name), row in rows.items() if where == data}
        ordered = dict(sorted(of_data.items(), key=lambda pair: (pair[1].trained != ("T",), pair[0])))
        analyses = [one for one in recorded if one.data == data]
        parts = (
            *_parts(ordered, searches),
            *tuning(searches, data, ordered),
            *behind(ordered, analyses),
            *_ends(ordered),
        )
        made.append(Section(data, parts))
    uses = Part("", "Each line of `results/test-uses.jsonl` is one scoring of a test split.", _uses(results))
    return [*made, Section("Uses of the test splits", (uses,))] if uses.table else made


def _parts(rows: Mapping[str, Row], searches: Sequence[Search]) -> Iterator[Part]:
    whole = {name: row for name, row in rows.items() if trained_on_all(row)}
    yield Part(
        "Scores",
        "In brackets: a view that the row was not trained on. Settings: the search on dev that they are the best of.",
        _scores(whole, searches),
        notes=(*_contexts(whole), *_formats(whole)),
        signatures=tuple(_signatures(whole)),
    )
    yield from gains(rows)
    yield from share(rows)
    for split in reversed(SPLITS):
        if table := _labels(whole, split):
            yield Part(f"By label, {split}", "Precision / recall / F1, means over seeds.", table)


def _ends(rows: Mapping[str, Row]) -> Iterator[Part]:
    yield Part(
        "Cost",
        "Of one run: parameters, time of training (core-minutes: processor time of all threads), "
        "the process's peak memory.",
        _cost(rows),
    )
    yield Part("Runs", "", _runs(rows))


def _scores(rows: Mapping[str, Row], searches: Sequence[Search]) -> Table:
    heads = [f"{split} {view}" for split in SPLITS for view in VIEWS]
    return Table(
        ("row", "encoder", "settings", "seeds", *heads),
        tuple(
            (
                name,
                row.encoder,
                settings_from(row, searches),
                str(len(row.seeds)),
                *(_score(row, split, view) for split in SPLITS for view in VIEWS),
            )
            for name, row in rows.items()
        ),
        texts=3,
    )


def _contexts(rows: Mapping[str, Row]) -> Iterator[str]:
    """Which rows read contexts of another kind, and what the budget of sub-tokens cut of the captions."""
    yield from (f"{name}: {told}" for name, row in rows.items() if (told := contexts_of(row)))
    cut: dict[tuple[int, str], list[str]] = {}
    for name, row in rows.items():
        dev = row.records[0]["splits"]["dev"]
        lost = dev.get("context_subtokens_cut", {}).get("captions", 0) / max(dev.get("posts", 0), 1)
        if "I+T" in row.trained and lost >= 0.05:
            budget = row.records[0]["config"]["context"]["budget"]["captions"]
            cut.setdefault((budget, f"{lost:.1f}"), []).append(name)
    for (budget, lost), names in cut.items():
        yield f"{', '.join(names)}: a budget of {budget} sub-tokens cuts {lost} of a dev post's captions on average"


def _score(row: Row, split: Split, view: ViewName) -> str:
    f1 = row.f1(split, view)
    told = mean_sd(f1)
    if f1 and len(f1) < len(row.seeds):
        told += f", {len(f1)} seed{'s' * (len(f1) > 1)}"
    return told if view in row.trained or not f1 else f"({told})"


def _formats(rows: Mapping[str, Row]) -> Iterator[str]:
    """Which runs were computed in another number format than most; nothing where all are alike."""
    counts = Counter(one for row in rows.values() for one in row.formats)
    most = max(counts, key=lambda one: counts[one])
    for other in sorted(counts.keys() - {most}):
        told = []
        for name, row in rows.items():
            seeds = [str(seed) for seed, one in zip(row.seeds, row.formats, strict=True) if one == other]
            told += [name if len(seeds) == len(row.seeds) else f"{name} (seeds {', '.join(seeds)})"] if seeds else []
        yield f"Computed in {other}, all others in {most}: {', '.join(told)}"


def _signatures(rows: Mapping[str, Row]) -> Iterator[tuple[str, str]]:
    for name, row in rows.items():
        for split in SPLITS:
            for view in VIEWS:
                if row.f1(split, view):
                    yield f"{name}, {split}", row.signature(split, view)


def _labels(rows: Mapping[str, Row], split: Split) -> Table | None:
    scored = {name: [one[split] for one in row.records if split in one] for name, row in rows.items()}
    scored = {name: found for name, found in scored.items() if found}
    labels = sorted(
        {label for found in scored.values() for one in found for view in VIEWS for label in one[view]["labels"]}
    )
    lines = [
        (name, view, *(_prf([one[view]["labels"].get(label, {}) for one in found]) for label in labels))
        for name, found in scored.items()
        for view in VIEWS
        if view in rows[name].trained
    ]
    return Table(("row", "view", *labels), tuple(lines), texts=2) if lines else None


def _prf(scores: Sequence[Mapping[str, float]]) -> str:
    parts = ("precision", "recall", "f1")
    return " / ".join(f"{statistics.fmean(one.get(part, 0.0) for one in scores):.1f}" for part in parts)


def _cost(rows: Mapping[str, Row]) -> Table:
    heads = ("row", "machine", "million parameters", "epochs", "minutes", "core-minutes", "MiB")
    lines = [
        (
            name,
            f"{one.machine}, {one.precision}",
            f"{one.parameters / 1e6:.1f}",
            f"{one.epochs:g}",
            f"{one.seconds / 60:.1f}",
            "-" if one.cpu_seconds is None else f"{one.cpu_seconds / 60:.1f}",
            f"{one.peak_mib:.0f}",
        )
        for name, one in zip(rows, cost(rows.values()).rows, strict=True)
    ]
    return Table(heads, tuple(lines), texts=2)


def _runs(rows: Mapping[str, Row]) -> Table:
    return Table(
        ("row", "seed", "config", "model", "finished", "best epoch"),
        tuple(
            (
                name,
                str(one["seed"]),
                one["config_fingerprint"],
                one["model"],
                one["finished"],
                f"{one['best_epoch']} of {one['config']['training']['epochs']}",
            )
            for name, row in rows.items()
            for one in row.records
        ),
        texts=5,
    )


def _uses(results: Path) -> Table | None:
    path = results / "test-uses.jsonl"
    uses: Counter[str] = Counter()
    runs: dict[str, set[str]] = {}
    last: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else (), start=1):
        try:
            use = json.loads(line)
            row, _, _ = use["run"].rpartition("/")
            last[row] = max(last.get(row, ""), use["date"])
            runs.setdefault(row, set()).add(f"{use['run']}@{use['model']}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path}:{number}: not a use of a test split ({error}); restore the file") from None
        uses[row] += 1
    lines = [(row, last[row], str(len(runs[row])), str(count)) for row, count in sorted(uses.items())]
    return Table(("row", "last", "models", "uses"), tuple(lines), texts=2) if lines else None
