"""Records of searches -> how many trials stand behind a row's settings, and what each search cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mner.errors import DataError
from mner.evaluation.records import Row
from mner.show.naming import TUNED
from mner.show.tables import Part, Table

Search = Mapping[str, Any]
KEYS = ("data", "row", "space", "config", "trials", "trials_asked", "trials_done", "best", "seconds", "judged_on")


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
    """The trials of the search whose best settings a row was trained with; 0 where no search is known to have them."""
    config = row.records[0]["config"]
    for search in searches:
        if search["row"] != row.name.removesuffix(TUNED) or search["best"] is None:
            continue
        best = search["trials"][search["best"] - 1]["settings"]
        wanted = {key: best.get(key, _at(search["config"], key)) for key in search["space"]}
        if all(_at(config, key) == value for key, value in wanted.items()):
            return int(search["trials_done"])
    return 0


def tuning(searches: Sequence[Search], data: str) -> Iterator[Part]:
    """One part for the searches of a data set; none if there are none."""
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
        for search in searches
        if search["data"] == data
    )
    if lines:
        heads = ("row", "encoder", "judged on", "trials", "best dev F1", "as configured", "minutes")
        about = (
            "Searches of settings by `mner tune`, whose records are in `results/tune/`. Dev was used for choosing, "
            "so these scores are no results."
        )
        yield Part("Tuning", about, Table(heads, lines, texts=3))


def _at(config: Mapping[str, Any], dotted: str) -> Any:
    """The value at a dotted path; None where it is not set."""
    value: Any = config
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
