"""A RUN'S RECORD, TYPED: read, write, join seeds, compare; and the only door to a test split."""

from mner.runs.experiments import Experiment, read_experiment, read_experiments
from mner.runs.record import Identity, RunRecord, read_record

__all__ = ["Experiment", "Identity", "RunRecord", "read_experiment", "read_experiments", "read_record"]
