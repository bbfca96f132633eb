"""Records of searches -> how many trials stand behind a row's settings, and what each search cost."""

from __future__ import annotations

import copy
import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from mner.errors import DataError
from mner.evaluation.records import Row, settings_that_differ
from mner.evaluation.shape import Count, Number, Settings, Text, fault
from mner.show.naming import TUNED
from mner.show.tables import Part, Table
from mner.types import ViewName

Search = Mapping[str, Any]


class _Encoder(TypedDict):
    name: Text


class _Judged(TypedDict):
    views: Annotated[list[ViewName], Field(min_length=1)]


class _Scored(TypedDict):
    signature: Text


class _Trial(TypedDict):
    score: Number | None
    settings: dict[str, Any]
    dev: NotRequired[dict[ViewName, _Scored]]


def _whole(search: dict[str, Any]) -> dict[str, Any]:
    if search["best"] is not None and not 1 <= search["best"] <= len(search["trials"]):
        raise ValueError(f"best: there is no trial {search['best']}")
    for trial in search["trials"]:
        _with(search["config"], trial["settings"])
    return search


class _Search(TypedDict):
    """What reports read of a search's record."""

    data: Text
    row: Text
    encoder: _Encoder
    config: Settings
    trials: list[_Trial]
    trials_asked: Count
    trials_done: Count
    best: Count | None
    seconds: Number
    judged_on: _Judged


def read_searches(results: Path) -> list[Search]:
    """The searches on record, ``tune/<data>/<row>.json``, by data set and row.

    Raises:
        DataError: A record is damaged.
    """
    found = []
    for path in sorted((results / "tune").glob("*/*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            why: object = fault(record, Annotated[_Search, AfterValidator(_whole)])
        except (OSError, ValueError, RecursionError) as error:
            why = error
        if why is not None:
            raise DataError(f"{path}: not the record of a search ({why}); mner tune writes it again")
        found.append(record)
    return found


def trials_behind(row: Row, searches: Sequence[Search]) -> int:
    """The trials of the row's own search, if it was trained with the best settings of that; else 0.

    Its own is the search of this row on these data; the row may differ from the best trial in nothing but its name.
    """
    own = (row.data, row.name.removesuffix(TUNED))
    for search in searches:
        if (search["data"], search["row"]) != own or search["best"] is None:
            continue
        best = _with(search["config"], search["trials"][search["best"] - 1]["settings"])
        if not settings_that_differ(best, row.records[0]["config"], but={"name"}):
            return int(search["trials_done"])
    return 0


def settings_from(row: Row, searches: Sequence[Search]) -> str:
    """Where a row's settings are from, in words: its own search, another row's, or nowhere but its configuration.

    A tuned row may keep some settings of its own; these are named.
    """
    if trials := trials_behind(row, searches):
        return f"own search, {trials} trials"
    found: list[tuple[int, str]] = []
    for search in searches:
        if search["best"] is None:
            continue
        settings: Mapping[str, Any] = search["trials"][search["best"] - 1]["settings"]
        config = row.records[0]["config"]
        kept = [key for key, value in settings.items() if _at(config, key) not in (value, None)]
        whose = search["row"] if search["data"] == row.data else f"{search['data']}/{search['row']}"
        but = f" except {', '.join(kept)}" if kept else ""
        if not kept or (row.name.endswith(TUNED) and 2 * len(kept) < len(settings)):
            found.append((len(kept), f"search of {whose}{but}"))
    return min(found, default=(0, "as configured"))[1]


def _at(config: Mapping[str, Any], dotted: str) -> Any:
    """What a configuration has under a dotted key; None where it has nothing."""
    found: Any = config
    for key in dotted.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def tuning(searches: Sequence[Search], data: str, rows: Mapping[str, Row]) -> Iterator[Part]:
    """One part for the searches of a data set; none if there are none. ``rows`` are those of the data set."""
    chosen = [search for search in searches if search["data"] == data]
    lines = tuple(
        (
            search["row"],
            search["encoder"]["name"],
            " and ".join(search["judged_on"]["views"]),
            f"{search['trials_done']} of {search['trials_asked']}",
            "-" if search["best"] is None else f"{search['trials'][search['best'] - 1]['score']:.2f}",
            f"{search['trials'][0]['score']:.2f}" if search["trials"] and search["trials"][0]["score"] else "-",
            f"{search['seconds'] / 60:.0f}",
        )
        for search in chosen
    )
    if lines:
        heads = ("row", "encoder", "judged on", "trials", "best dev F1", "as configured", "minutes")
        about = (
            "Searches of settings by `mner tune`, whose records are in `results/tune/`. Dev was used for choosing, "
            "so these scores are no results."
        )
        signatures = tuple(pair for search in chosen for pair in _signatures(search))
        notes = tuple(note for search in chosen for note in _anew(search, rows.values()))
        yield Part("Tuning", about, Table(heads, lines, texts=3), notes=notes, signatures=signatures)


def _anew(search: Search, rows: Iterable[Row]) -> Iterator[str]:
    """What the first and the best trial scored when their settings and seed were trained once more, outside the search.

    Machines, number formats and the order of sums differ: such a difference is no gain.
    """
    views = search["judged_on"]["views"]
    for number, what in {1: "as configured", search["best"]: "best"}.items():
        if number is None or number > len(search["trials"]):
            continue
        trial = search["trials"][number - 1]
        config = _with(search["config"], trial["settings"])
        for row in rows:
            for record in row.records:
                if record["seed"] == config.get("seed") and not settings_that_differ(
                    config, record["config"], but={"name"}
                ):
                    f1 = statistics.fmean(record["dev"][view]["micro"]["f1"] for view in views)
                    yield (
                        f"{search['row']}, {what}: {trial['score']:.2f} in the search, {f1:.2f} as {row.name}, seed "
                        f"{record['seed']}, trained again with the same settings"
                    )


def _signatures(search: Search) -> Iterator[tuple[str, str]]:
    """Of the scores that are told: those of the best trial, then of the first, which is the configuration as it is."""
    for number in dict.fromkeys(number for number in (search["best"], 1) if number and search["trials"]):
        dev = search["trials"][number - 1].get("dev", {})
        for view in search["judged_on"]["views"]:
            if view in dev:
                yield f"{search['row']}, trial {number}", dev[view]["signature"]


def _with(config: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with some keys (dotted) set."""
    changed = copy.deepcopy(dict(config))
    for dotted, value in settings.items():
        *sections, key = dotted.split(".")
        table = changed
        for section in sections:
            table = table.setdefault(section, {})
            if not isinstance(table, dict):
                raise ValueError(f"settings: {dotted}: {section} is a value, not a section")
        table[key] = value
    return changed
