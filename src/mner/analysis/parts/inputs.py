"""What an analysis is called with: the names of runs, records and artefacts, opened or read when it asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mner.analysis.parts.loaded_run import LoadedRun, Runs, check_split, open_runs, row_runs
from mner.runs import Experiment, read_experiment, read_experiments
from mner.runs.record import RunId
from mner.runtime import Backend

RunSplit = Annotated[str, AfterValidator(check_split), Field(description="Posts to read, dev or train.")]
"""The option of an analysis that opens runs."""

RecordSplit = Annotated[Literal["dev", "test"], Field(description="Scores to read, those of dev or test.")]
"""The option of an analysis that reads records."""

Baseline = Annotated[str | None, Field(description="Experiment whose T view to compare with.")]
NeededBaseline = Annotated[str, Field(description="Experiment to compare with.")]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is analyzed.

    Attributes:
        rows: Runs, models, folders of runs, names of records, artefacts: what the analysis takes.
        results: Folder of run records.
        allow_plugins: Run code outside mner that a run's configuration names.
        on_open: Called with each path before it is opened.
        opened: Filled with the runs that were opened, by the place in which they were.
    """

    rows: Sequence[str] = ()
    results: Path = Path("results")
    allow_plugins: bool = False
    on_open: Callable[[str], None] = lambda path: None
    opened: dict[str, list[RunId]] = field(default_factory=dict)

    def runs(self, row: str, split: str, *, backend: Backend = "auto", most: int | None = None) -> Runs:
        """The runs of an experiment, ``most`` of them at most; each is opened when the one before is done with."""
        paths = row_runs(Path(row))[:most]
        for run in open_runs(
            paths, split=split, backend=backend, allow_plugins=self.allow_plugins, on_open=self.on_open
        ):
            self.opened.setdefault(row, []).append(run.run)
            yield run

    def first_run(self, row: str, split: str) -> LoadedRun:
        """The first run of an experiment."""
        return next(iter(self.runs(row, split, most=1)))

    def record(self, name: str) -> Experiment:
        """The records of an experiment."""
        return read_experiment(name, results=self.results)

    def records(self) -> list[Experiment]:
        """The records of every experiment named; of all in ``results`` where none is."""
        return [self.record(row) for row in self.rows] or [*read_experiments(self.results).values()]
