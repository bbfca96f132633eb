"""Run directories, folders of them and committed results -> the runs of one experiment, its seeds joined."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mner.errors import DataError
from mner.evaluation.signature import Signature
from mner.runs.record import Identity, RunRecord, ScoredSplit, read_record
from mner.runs.searches import SEARCHES
from mner.runs.settings import settings_that_differ
from mner.types import ViewName

IDENTITIES = "experiments.toml"
"""File in a folder of results that says which experiment each older record, which does not say so itself, is of."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """The runs of one experiment on one data set, which differ in their seed.

    Attributes:
        name: The name of its configuration and folder.
        data: The data set's name.
        records: The run records, seeds in order.
        paths: The file of each record.
        identity: Which experiment it is, on what, tuned or not.
        unfinished: Run directories that have no record.
    """

    name: str
    data: str
    records: tuple[RunRecord, ...]
    paths: tuple[Path, ...]
    identity: Identity
    unfinished: tuple[Path, ...] = ()

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, in order."""
        return tuple(record.seed for record in self.records)

    @property
    def encoder(self) -> str:
        """The encoder's name."""
        return self.records[0].encoder.name

    @property
    def full_name(self) -> str:
        """Data set and name, as "mine/text"."""
        return f"{self.data}/{self.name}"

    @property
    def trained(self) -> tuple[ViewName, ...]:
        """The views that the model was trained on."""
        return self.records[0].settings.loss.views

    @property
    def whole(self) -> bool:
        """Whether it was trained on all posts, not on some of them (``data.train_posts``)."""
        return not self.records[0].settings.data.train_posts

    def f1(self, split: ScoredSplit, view: ViewName, label: str = "micro") -> list[float]:
        """F1 of each run that has the split's scores; a label that a run's scores lack counts as 0."""
        scores = [scored[view] for record in self.records if (scored := record.scores(split)) is not None]
        if label == "micro":
            return [each.micro.f1 for each in scores]
        return [each.labels[label].f1 if label in each.labels else 0.0 for each in scores]

    def signature(self, split: ScoredSplit, view: ViewName) -> Signature:
        """The signature of all runs that have the split's scores."""
        first = next(record for record in self.records if record.scores(split) is not None)
        return first.signature(split, view).over(self.f1(split, view))


def seed_folders(folder: Path) -> list[Path]:
    """The run directories in an experiment's folder, finished or not, by seed."""
    numbered = [path for path in folder.glob("*") if path.name.isdigit() and path.is_dir()]
    begun = [path for path in numbered if (path / "record.json").exists() or (path / "config.toml").exists()]
    return sorted(begun, key=lambda path: int(path.name))


def read_experiment(place: str | Path, *, results: Path | None = None) -> Experiment:
    """The experiment that a place holds: a run directory, a folder of them, or the same in a folder of results.

    Args:
        place: ``runs/mine/text/1``, ``runs/mine/text``, ``results/mine/text`` or one record's file;
            with ``results`` also the experiment's name in there, ``mine/text``.
        results: Folder of run records, ``<data>/<name>/<seed>.json``, in which a place that is no path is looked up.

    Raises:
        DataError: There is no record, one is damaged, there are several experiments, or the seeds do not belong
            together.

    >>> text = read_experiment("mine/text", results=Path("results"))
    >>> text.seeds, text.f1("dev", "T")
    ((1, 2), [75.0, 75.0])
    """
    place = Path(place)
    if results is not None and not place.exists() and (results / place).exists():
        place = results / place
    folders = seed_folders(place)
    unfinished = tuple(path for path in folders if not (path / "record.json").is_file())
    if place.is_file():
        paths = [place]
    elif (place / "record.json").is_file():
        paths = [place / "record.json"]
    else:
        paths = [path / "record.json" for path in folders if path not in unfinished] or _numbered(place, "*.json")
    if not paths:
        several = sorted(
            {path.parent for path in _numbered(place, "*/*.json")} | {path.parent for path in _runs(place)}
        )
        if several:
            raise DataError(f"{place}: holds several experiments; name one: {', '.join(map(str, several))}")
        if (place / "model.json").exists():
            raise DataError(f"{place}: a saved model, not a run: it has no record of its scores; name its run")
        if unfinished or (place / "config.toml").exists():
            raise DataError(f"{place}: no finished run yet; continue it: mner train CONFIG")
        known = "" if results is None else f"; experiments in {results}: {', '.join(_names(results)) or 'none'}"
        raise DataError(
            f"{place}: no run record here; expected a run directory, a folder of runs, or results/DATA/NAME{known}"
        )
    records = sorted(((path, read_record(path)) for path in paths), key=lambda pair: pair[1].seed)
    identities = {} if results is None else read_identities(results)
    return replace(joined(records, identities=identities), unfinished=unfinished)


def read_experiments(results: Path) -> dict[tuple[str, str], Experiment]:
    """The experiments of a folder of committed results, by data set and name; their paths are relative to it.

    Raises:
        DataError: There are none, one is damaged, or the seeds of one experiment do not belong together.
    """
    groups: dict[tuple[str, str], list[tuple[Path, RunRecord]]] = {}
    for path in _committed(results):
        record = read_record(path)
        groups.setdefault((record.data, record.name), []).append((path, record))
    if not groups:
        raise DataError(f"{results}: holds no run records (<data>/<name>/<seed>.json); train with --results {results}")
    identities = read_identities(results)
    experiments = {}
    for key, records in sorted(groups.items()):
        experiment = joined(sorted(records, key=lambda pair: pair[1].seed), identities=identities)
        paths = tuple(path.relative_to(results) for path in experiment.paths)
        experiments[key] = replace(experiment, paths=paths)
    return experiments


def read_identities(results: Path) -> dict[tuple[str, str], Identity]:
    """What ``experiments.toml`` in a folder of results says, by data set and name; nothing if there is no such file.

    Raises:
        DataError: The file is damaged.
    """
    path = results / IDENTITIES
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return {
            (data, name): Identity.model_validate(identity)
            for data, names in table.items()
            for name, identity in names.items()
        }
    except (OSError, ValueError, AttributeError) as error:
        why = " ".join(str(error).split())
        raise DataError(f'{path}: expected tables [DATA.NAME] with experiment = "..." ({why})') from None


def joined(
    records: Sequence[tuple[Path, RunRecord]], *, identities: Mapping[tuple[str, str], Identity] | None = None
) -> Experiment:
    """The experiment of its records; of records that do not say which it is, ``identities`` does.

    Raises:
        DataError: They are of two experiments, one seed is there twice, data or settings differ, or the same split was
            scored on different posts or in different ways.
    """
    (first_path, first), *others = records
    for path, record in others:
        here = f"{first_path} and {path}"
        if (record.data, record.name) != (first.data, first.name):
            raise DataError(
                f"{here}: runs of two experiments, {first.data}/{first.name} and {record.data}/{record.name}"
            )
        for split, facts in first.splits.items():
            theirs = record.splits.get(split)
            if theirs is None or theirs.fingerprint != facts.fingerprint:
                raise DataError(
                    f"{here}: seeds of one experiment saw different data: {split}@{facts.fingerprint}, "
                    f"{split}@{theirs.fingerprint if theirs else None}"
                )
            read = {each.contexts_fingerprint for each in (facts, theirs)} - {None}
            if len(read) > 1:  # records of earlier versions have none
                raise DataError(
                    f"{here}: seeds of one experiment read different contexts of {split}: "
                    f"{facts.contexts_fingerprint} and {theirs.contexts_fingerprint}; train them on one file of "
                    "contexts, or give one of them another name (--set name=...)"
                )
        changed = settings_that_differ(first.config, record.config)
        models = (("model.init", first.init, record.init), ("teachers.models", first.teachers, record.teachers))
        changed += [f"weights of {key} = {a} and {b}" for key, a, b in models if a and b and a != b]
        if changed:
            raise DataError(
                f"{here}: seeds of one experiment have different settings: {'; '.join(changed)}; train them alike"
            )
    if len({record.seed for _, record in records}) < len(records):
        raise DataError(f"{first_path.parent}: two records of one seed")
    check_alike(records)
    known = (identities or {}).get((first.data, first.name))
    return Experiment(
        name=first.name,
        data=first.data,
        records=tuple(record for _, record in records),
        paths=tuple(path for path, _ in records),
        identity=first.identity or known or Identity(experiment=first.name),
    )


def check_alike(records: Sequence[tuple[Path, RunRecord]]) -> None:
    """Refuse seeds whose scores cannot be averaged; each record with the place it comes from.

    Raises:
        DataError: The signatures of two differ in data, scheme, match or decoding.
    """
    splits: tuple[ScoredSplit, ...] = ("dev", "test")
    for split in splits:
        scored = [(path, record, scores) for path, record in records if (scores := record.scores(split)) is not None]
        for path, record, scores in scored[1:]:
            first_path, first, first_scores = scored[0]
            for view in first_scores.keys() & scores.keys():
                if changed := first.signature(split, view).differences(record.signature(split, view)):
                    raise DataError(
                        f"{first_path} and {path}: seeds of one experiment were scored differently: "
                        f"{'; '.join(changed)}. They cannot be averaged; compare them separately"
                    )


def _numbered(folder: Path, pattern: str) -> list[Path]:
    """Records are named by their seed; other files may lie beside them."""
    return sorted(
        (path for path in folder.glob(pattern) if path.stem.isdigit()), key=lambda path: (path.parent, int(path.stem))
    )


def _committed(results: Path) -> list[Path]:
    """The run records of a folder of results; those of searches, whose experiment may be called 2024, lie beside."""
    return [path for path in _numbered(results, "*/*/*.json") if path.parents[1].name != SEARCHES]


def _names(results: Path) -> list[str]:
    """The experiments that have records, as "mine/text"."""
    return sorted({path.parent.relative_to(results).as_posix() for path in _committed(results)})


def _runs(place: Path) -> list[Path]:
    return [path.parent for path in place.glob("*/*/record.json")]
