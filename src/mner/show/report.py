"""Run records -> a report of one's own runs; every figure with its signature, nothing typed by hand."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mner.analysis.cost import cost
from mner.analysis.parts.analysis_record import read_analyses
from mner.errors import DataError
from mner.runs import Experiment, read_experiments
from mner.runs.record import NO_ENTITIES, RunId, Score, ScoredSplit
from mner.runs.searches import Search, read_searches
from mner.show.appendix import appendix
from mner.show.baseline_gains import gains, text_only
from mner.show.comparison import mean_sd
from mner.show.tables import Part, Section, TextTable
from mner.show.tuning import settings_from, tuning
from mner.types import ViewName

TITLE = "Results"
ABOUT = (
    "Written by `mner report` from run records; do not edit.",
    "Exact-match F1 over words, in percent: micro over all labels, mean ± sample deviation over seeds. Dev was used "
    "for choosing settings, and in each run the epoch that is kept, so its figures are somewhat too high. Test was "
    "scored once for each frozen run; every use is counted below.",
)
VIEWS: tuple[ViewName, ...] = ("T", "I+T")
SPLITS: tuple[ScoredSplit, ...] = ("dev", "test")

Remarks = Callable[[Experiment], str | None]
"""What must be said of an experiment beside its scores; None where nothing."""


def sections(results: Path, *, baseline: str | None = None) -> list[Section]:
    """The report of a folder of results, made from that folder alone: a section for each data set, then uses of test.

    Args:
        results: Folder of run records.
        baseline: The experiment that all others are compared with, by its name or its identity; None takes the one
            that reads the words alone, where there is one such.

    Raises:
        DataError: There are no run records, one is damaged, the seeds of an experiment saw different data or settings,
            or no experiment is called ``baseline``.
    """
    experiments, searches, recorded = read_experiments(results), read_searches(results), read_analyses(results)
    names = sorted({each.name for each in experiments.values()})
    if baseline not in (None, *names, *(each.identity.experiment for each in experiments.values())):
        raise DataError(f'{results}: no experiment "{baseline}"; experiments: {", ".join(names)}')
    report = []
    for data, of_data in by_data(experiments).items():
        analyses = [each for each in recorded if each.data == data]
        parts = (
            *scores(of_data, searches),
            *gains(of_data, baseline or text_only(of_data)),
            *by_label(of_data),
            *calibrated(of_data),
            *tuning(searches, data, of_data),
            *appendix(of_data, analyses, results=str(results)),
            *costs_and_runs(of_data),
        )
        report.append(Section(data, parts))
    return [*report, *uses_of_test(results)]


def by_data(experiments: Mapping[tuple[str, str], Experiment]) -> dict[str, dict[str, Experiment]]:
    """The experiments of each data set by name, those that read the words alone first."""
    groups: dict[str, dict[str, Experiment]] = {}
    for (data, name), experiment in experiments.items():
        groups.setdefault(data, {})[name] = experiment
    return {
        data: dict(sorted(group.items(), key=lambda pair: (pair[1].trained != ("T",), pair[0])))
        for data, group in groups.items()
    }


def scores(
    experiments: Mapping[str, Experiment], searches: Sequence[Search], *, remarks: Remarks = lambda experiment: None
) -> Iterator[Part]:
    """The table of scores of a data set; none where no experiment was trained on all of its posts."""
    whole = {name: each for name, each in experiments.items() if each.whole}
    if not whole:
        return
    said = (f"{name}: {remark}" for name, each in whole.items() if (remark := remarks(each)))
    yield Part(
        "Scores",
        "In brackets: a view that the experiment was not trained on. Settings: the search on dev that they are "
        "the best of.",
        _scores(whole, searches),
        notes=(*said, *_cut_captions(whole), *_formats(whole)),
        signatures=tuple(_signatures(whole)),
    )


def by_label(experiments: Mapping[str, Experiment]) -> Iterator[Part]:
    """One table by label for each split that has scores."""
    whole = {name: each for name, each in experiments.items() if each.whole}
    for split in reversed(SPLITS):
        if table := _labels(whole, split):
            yield Part(f"By label, {split}", "Precision / recall / F1, means over seeds.", table)


def calibrated(experiments: Mapping[str, Experiment]) -> Iterator[Part]:
    """A table of calibration for each split whose records have it."""
    for split in reversed(SPLITS):
        rows = []
        for name, each in experiments.items():
            for view in VIEWS:
                tables = [(record.scores(split) or {}).get(view) for record in each.records]
                whole = [table.calibration["micro"] for table in tables if table is not None and table.calibration]
                if whole and len(whole) == len(tables):
                    ece, brier = ([part[key] for part in whole] for key in ("ece", "brier"))
                    rows.append((name, view, mean_sd(ece), f"{statistics.fmean(brier):.4f}"))
        if rows:
            about = (
                "How far probabilities are from the share of right entities: ECE in points, over ten bins of equally "
                "many entities; Brier, mean squared error. mner analyze calibration draws it."
            )
            yield Part(
                f"Calibration, {split}", about, TextTable(("experiment", "view", "ECE", "Brier"), tuple(rows), texts=2)
            )


def costs_and_runs(experiments: Mapping[str, Experiment]) -> Iterator[Part]:
    """What each experiment cost, and all its runs."""
    yield Part(
        "Cost",
        "Of one run: parameters, time of training (core-minutes: processor time of all threads), "
        "the process's peak memory.",
        _cost(experiments),
    )
    yield Part("Runs", "", _runs(experiments))


def uses_of_test(results: Path) -> list[Section]:
    """One section with every scoring of a test split; none where there is no such.

    Raises:
        DataError: ``test-uses.jsonl`` is damaged.
    """
    table = _uses(results)
    about = "Each line of `results/test-uses.jsonl` is one scoring of a test split."
    return [Section("Uses of the test splits", (Part("", about, table),))] if table else []


def _scores(experiments: Mapping[str, Experiment], searches: Sequence[Search]) -> TextTable:
    heads = [f"{split} {view}" for split in SPLITS for view in VIEWS]
    return TextTable(
        ("experiment", "encoder", "settings", "seeds", *heads),
        tuple(
            (
                name,
                each.encoder,
                settings_from(each, searches),
                str(len(each.seeds)),
                *(_score(each, split, view) for split in SPLITS for view in VIEWS),
            )
            for name, each in experiments.items()
        ),
        texts=3,
    )


def _cut_captions(experiments: Mapping[str, Experiment]) -> Iterator[str]:
    """What the budget of sub-tokens, or without one the length of an input, cut of the captions."""
    cut: dict[tuple[int | None, str], list[str]] = {}
    for name, each in experiments.items():
        dev = each.records[0].splits["dev"]
        lost = dev.context_subtokens_cut.get("captions", 0) / max(dev.posts, 1)
        if "I+T" in each.trained and lost >= 0.05:
            budget = each.records[0].settings.context.budget.get("captions")
            cut.setdefault((budget, f"{lost:.1f}"), []).append(name)
    for (budget, mean), names in cut.items():
        cuts = f"a budget of {budget} sub-tokens cuts {mean}"
        if budget is None:
            cuts = f"the length of an input cuts {mean} sub-tokens"
        yield f"{', '.join(names)}: {cuts} of a dev post's captions on average"


def _score(experiment: Experiment, split: ScoredSplit, view: ViewName) -> str:
    f1 = experiment.f1(split, view)
    mean = mean_sd(f1)
    if f1 and len(f1) < len(experiment.seeds):
        mean += f", {len(f1)} seed{'s' * (len(f1) > 1)}"
    return mean if view in experiment.trained or not f1 else f"({mean})"


def _formats(experiments: Mapping[str, Experiment]) -> Iterator[str]:
    """Which runs were computed in another number format than most; nothing where all are alike."""
    counts = Counter(record.number_format for each in experiments.values() for record in each.records)
    most = max(counts, key=lambda name: counts[name])
    for other in sorted(counts.keys() - {most}):
        names = []
        for name, each in experiments.items():
            seeds = [str(record.seed) for record in each.records if record.number_format == other]
            if seeds:
                names.append(name if len(seeds) == len(each.seeds) else f"{name} (seeds {', '.join(seeds)})")
        yield f"Computed in {other}, all others in {most}: {', '.join(names)}"


def _signatures(experiments: Mapping[str, Experiment]) -> Iterator[tuple[str, str]]:
    for name, each in experiments.items():
        for split in SPLITS:
            for view in VIEWS:
                if each.f1(split, view):
                    yield f"{name}, {split}", str(each.signature(split, view))


def _labels(experiments: Mapping[str, Experiment], split: ScoredSplit) -> TextTable | None:
    scored = {
        name: [scores for record in each.records if (scores := record.scores(split)) is not None]
        for name, each in experiments.items()
    }
    scored = {name: runs for name, runs in scored.items() if runs}
    labels = sorted({label for runs in scored.values() for run in runs for view in VIEWS for label in run[view].labels})
    rows = [
        (name, view, *(_prf([run[view].labels.get(label, NO_ENTITIES) for run in runs]) for label in labels))
        for name, runs in scored.items()
        for view in VIEWS
        if view in experiments[name].trained
    ]
    return TextTable(("experiment", "view", *labels), tuple(rows), texts=2) if rows else None


def _prf(scores: Sequence[Score]) -> str:
    columns: Iterable[list[float]] = ([s.precision for s in scores], [s.recall for s in scores], [s.f1 for s in scores])
    return " / ".join(f"{statistics.fmean(column):.1f}" for column in columns)


def _cost(experiments: Mapping[str, Experiment]) -> TextTable:
    heads = ("experiment", "machine", "million parameters", "epochs", "minutes", "core-minutes", "MiB")
    rows = [
        (
            name,
            f"{each.machine}, {each.precision}",
            f"{each.parameters / 1e6:.1f}",
            f"{each.epochs:g}",
            f"{each.seconds / 60:.1f}",
            "-" if each.cpu_seconds is None else f"{each.cpu_seconds / 60:.1f}",
            f"{each.peak_mib:.0f}",
        )
        for name, each in zip(experiments, cost(experiments.values()).rows, strict=True)
    ]
    return TextTable(heads, tuple(rows), texts=2)


def _runs(experiments: Mapping[str, Experiment]) -> TextTable:
    return TextTable(
        ("experiment", "seed", "config", "model", "finished", "best epoch"),
        tuple(
            (
                name,
                str(record.seed),
                record.config_fingerprint,
                record.model,
                record.finished,
                f"{record.best_epoch} of {record.settings.training.epochs}",
            )
            for name, each in experiments.items()
            for record in each.records
        ),
        texts=5,
    )


def _uses(results: Path) -> TextTable | None:
    path = results / "test-uses.jsonl"
    uses: Counter[str] = Counter()
    models: dict[str, set[RunId]] = {}
    last: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not the uses of test splits ({error}); restore the file") from None
    for number, line in enumerate(lines, start=1):
        try:
            use = json.loads(line)
            run = RunId.parse(use["run"])._replace(model=use["model"])
            last[run.experiment] = max(last.get(run.experiment, ""), use["date"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path}:{number}: not a use of a test split ({error}); restore the file") from None
        models.setdefault(run.experiment, set()).add(run)
        uses[run.experiment] += 1
    rows = [(name, last[name], str(len(models[name])), str(count)) for name, count in sorted(uses.items())]
    return TextTable(("experiment", "last", "models", "uses"), tuple(rows), texts=2) if rows else None
