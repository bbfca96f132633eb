"""Records of searches -> how many trials stand behind a row's settings, and what each search cost."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mner.errors import DataError
from mner.evaluation.records import Row, settings_that_differ
from mner.show.naming import TUNED
from mner.show.tables import Part, Table

Search = Mapping[str, Any]
KEYS = ("data", "row", "encoder", "config", "trials", "trials_asked", "trials_done", "best", "seconds", "judged_on")


def read_searches(results: Path) -> list[Search]:
    """The searches on record, ``tune/<data>/<row>.json``, by data set and row.

    Raises:
        DataError: A record is damaged.
    """
    found = []
    for path in sorted((results / "tune").glob("*/*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            missing = [key for key in KEYS if key not in record]
        except (OSError, ValueError, TypeError) as error:
            raise DataError(f"{path}: not the record of a search ({error}); mner tune writes it anew") from None
        if missing:
            raise DataError(f"{path}: the record of a search without {', '.join(missing)}; mner tune writes it anew")
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


def tuning(searches: Sequence[Search], data: str) -> Iterator[Part]:
    """One part for the searches of a data set; none if there are none."""
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
        yield Part("Tuning", about, Table(heads, lines, texts=3), signatures=signatures)


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
        table[key] = value
    return changed
