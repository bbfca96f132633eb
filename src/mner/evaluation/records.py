"""Run directories, folders of them and committed results -> the run records of one row."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from mner.config import RETIRED, Config
from mner.errors import DataError
from mner.evaluation.shape import fault
from mner.evaluation.signature import conditions_that_differ, joint
from mner.types import ViewName

Record = Mapping[str, Any]

EXECUTION = {"training": {"tokens_per_batch", "packing", "gradient_checkpointing", "precision", "device", "threads"}}
"""Settings that say how a run was computed, not what; seeds of one row may differ in them."""


@dataclass(frozen=True, slots=True)
class Row:
    """The runs of one row on one data set.

    Attributes:
        name: The row's name.
        data: The data set's name.
        records: The run records, seeds in order.
        paths: The file of each record.
        unfinished: Run directories of the row that have no record.
    """

    name: str
    data: str
    records: tuple[Record, ...]
    paths: tuple[Path, ...]
    unfinished: tuple[Path, ...] = ()

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, in order."""
        return tuple(record["seed"] for record in self.records)

    @property
    def encoder(self) -> str:
        """The encoder's name."""
        return str(self.records[0]["encoder"]["name"])

    @property
    def full_name(self) -> str:
        """Data set and row, as "twitter15/text"."""
        return f"{self.data}/{self.name}"

    @property
    def trained(self) -> tuple[ViewName, ...]:
        """The views that the row's model was trained on."""
        config = self.records[0]["config"]
        return tuple(config["loss"]["views"])

    @property
    def formats(self) -> tuple[str, ...]:
        """The number format that each run was computed in: "bf16", or "fp32", which accelerate calls "no"."""
        return tuple("fp32" if one["precision"] == "no" else str(one["precision"]) for one in self.records)

    def f1(self, split: str, view: str, label: str = "micro") -> list[float]:
        """F1 of each run that has the split's scores; a label that a run's scores lack counts as 0."""
        scores = [record[split][view] for record in self.records if split in record]
        if label == "micro":
            return [float(one["micro"]["f1"]) for one in scores]
        return [float(one["labels"].get(label, {"f1": 0.0})["f1"]) for one in scores]

    def signature(self, split: str, view: str) -> str:
        """One signature for the runs that have the split's scores: mean and deviation over seeds, their number."""
        told = next(record[split][view]["signature"] for record in self.records if split in record)
        return joint(told, self.f1(split, view))


def seed_folders(row: Path) -> list[Path]:
    """The run directories in a row's folder, finished or not, by seed."""
    found = [path for path in row.glob("*") if path.name.isdigit() and path.is_dir()]
    begun = [path for path in found if (path / "record.json").exists() or (path / "config.toml").exists()]
    return sorted(begun, key=lambda path: int(path.name))


def read_row(place: str | Path, *, results: Path | None = None) -> Row:
    """The row that a place holds: a run directory, a folder of them, or the same in a folder of results.

    Args:
        place: ``runs/twitter15/text/1``, ``runs/twitter15/text``, ``results/twitter15/text`` or one record's file;
            with ``results`` also the row's name in there, ``twitter15/text``.
        results: Folder of run records, ``<data>/<row>/<seed>.json``, in which a place that is no path is looked up.

    Raises:
        DataError: There is no record, one is damaged, there are several rows, or the seeds do not belong together.
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
        rows = sorted({path.parent for path in _numbered(place, "*/*.json")} | {path.parent for path in _runs(place)})
        if rows:
            raise DataError(f"{place}: holds several rows; name one: {', '.join(map(str, rows))}")
        if unfinished or (place / "config.toml").exists():
            raise DataError(f"{place}: no finished run yet; continue it: mner train CONFIG")
        known = "" if results is None else f"; rows in {results}: {', '.join(_names(results)) or 'none'}"
        raise DataError(
            f"{place}: no run record here; expected a run directory, a row's folder, or results/DATA/ROW{known}"
        )
    row = joined(sorted(((path, read_record(path)) for path in paths), key=lambda one: int(one[1]["seed"])))
    return Row(row.name, row.data, row.records, row.paths, unfinished)


def read_rows(results: Path) -> dict[tuple[str, str], Row]:
    """The rows of a folder of committed results, by data set and row; their paths are relative to it.

    Raises:
        DataError: There are none, one is damaged, or the seeds of one row do not belong together.
    """
    rows: dict[tuple[str, str], list[tuple[Path, Record]]] = {}
    for path in _numbered(results, "*/*/*.json"):
        record = read_record(path)
        rows.setdefault((record["data"], record["row"]), []).append((path, record))
    if not rows:
        raise DataError(f"{results}: holds no run records (<data>/<row>/<seed>.json); train with --results {results}")
    whole = {key: joined(sorted(found, key=lambda one: int(one[1]["seed"]))) for key, found in sorted(rows.items())}
    return {
        key: replace(row, paths=tuple(path.relative_to(results) for path in row.paths)) for key, row in whole.items()
    }


def read_record(path: Path) -> Record:
    """One run record.

    Raises:
        DataError: The file is none.
    """
    try:
        record: Record = json.loads(path.read_text(encoding="utf-8"))
        why: object = fault(record)
    except (OSError, ValueError, RecursionError) as error:
        why = error
    if why is not None:
        remedy = (
            "copy it from the folder of results, or train the run again: mner train CONFIG --restart"
            if path.name == "record.json"
            else "copy it again from its run directory"
        )
        raise DataError(f"{path}: not a run record ({why}); {remedy}")
    return record


def joined(found: Sequence[tuple[Path, Record]]) -> Row:
    """The row of its records.

    Raises:
        DataError: They are of two rows, one seed is there twice, data or settings differ, or the same split was
            scored on different posts or in different ways.
    """
    (first_path, first), *others = found
    for path, record in others:
        here = f"{first_path} and {path}"
        if (record["data"], record["row"]) != (first["data"], first["row"]):
            raise DataError(
                f"{here}: runs of two rows, {first['data']}/{first['row']} and {record['data']}/{record['row']}"
            )
        for split, told in first["splits"].items():
            theirs = record["splits"].get(split, {})
            if theirs.get("fingerprint") != told["fingerprint"]:
                raise DataError(
                    f"{here}: seeds of one row saw different data: {split}@{told['fingerprint']}, "
                    f"{split}@{theirs.get('fingerprint')}"
                )
            read = [one["contexts_fingerprint"] for one in (told, theirs) if "contexts_fingerprint" in one]
            if len(set(read)) > 1:  # records of earlier versions have none
                raise DataError(
                    f"{here}: seeds of one row read different contexts of {split}: {' and '.join(read)}; train them on "
                    "one file of contexts, or give one of them another name (--set name=...)"
                )
        changed = settings_that_differ(first["config"], record["config"])
        if changed:
            raise DataError(f"{here}: seeds of one row have different settings: {'; '.join(changed)}; train them alike")
    if len({record["seed"] for _, record in found}) < len(found):
        raise DataError(f"{first_path.parent}: two records of one seed")
    for split in ("dev", "test"):
        check_alike([(path, record[split]) for path, record in found if split in record])
    return Row(first["row"], first["data"], tuple(record for _, record in found), tuple(path for path, _ in found))


def check_alike(scored: Sequence[tuple[Path, Mapping[str, Any]]]) -> None:
    """Refuse scores that have no mean; each is what a record tells of a split, with the place it comes from.

    Raises:
        DataError: The signatures of two differ in data, scheme, match or decoding.
    """
    for path, scores in scored[1:]:
        first_path, first = scored[0]
        for view in (view for view in first if view in scores):
            if changed := conditions_that_differ(first[view]["signature"], scores[view]["signature"]):
                raise DataError(
                    f"{first_path} and {path}: seeds of one row were scored otherwise: {'; '.join(changed)}; "
                    "there is no mean of them, take those apart that differ"
                )


def settings_that_differ(ours: Mapping[str, Any], theirs: Mapping[str, Any], *, but: Collection[str] = ()) -> list[str]:
    """What two configurations say otherwise, "training.epochs = 3 and 4"; seed and execution left out.

    Where one of them lacks a setting, which came later than its record or is None, the default stands there. Those of
    ``but`` are not asked about.
    """
    return list(_changed(ours, theirs, _defaults(), {"seed", "data.root", *but}))


def _changed(
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    defaults: Mapping[str, Any],
    but: Collection[str],
    section: str = "",
) -> Iterator[str]:
    for key in sorted((ours.keys() | theirs.keys()) - EXECUTION.get(section, set())):
        dotted = f"{section}.{key}" if section else key
        default = defaults.get(key)
        one, other = ours.get(key, default), theirs.get(key, default)
        if dotted in but:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _changed(one, other, default if isinstance(default, dict) else {}, but, dotted)
        elif one != other:
            yield f"{dotted} = {one} and {other}"


@cache
def _defaults() -> Mapping[str, Any]:
    known = Config().model_dump(mode="json")
    return known | {section: known[section] | settings for section, settings in RETIRED.items()}


def _numbered(folder: Path, pattern: str) -> list[Path]:
    """Records are named by their seed; other files may lie beside them."""
    return sorted(
        (path for path in folder.glob(pattern) if path.stem.isdigit()), key=lambda path: (path.parent, int(path.stem))
    )


def _names(results: Path) -> list[str]:
    """The rows that have records, as "twitter15/text"."""
    return sorted({path.parent.relative_to(results).as_posix() for path in _numbered(results, "*/*/*.json")})


def _runs(place: Path) -> list[Path]:
    return [path.parent for path in place.glob("*/*/record.json")]
