"""What a row's name says: which row of ``configs/rows`` it is, on which encoder, tuned or not."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mner.evaluation.records import Row

TUNED = "-tuned"
"""What ``mner tune`` puts behind the name of the row that it writes."""

WARM = "-warm"
"""What stands behind the encoder's name where a row has a warm-up and a rate that its first settings had not."""

CONTEXTS: Mapping[str, str] = {
    "-blip2": "the captions of a third captioner come first, which at times name who is seen",
    "-standin": "stand-ins: object names taken from captions for tags, texts quoted by a language model for OCR",
}
"""What a row's name has behind it when it reads other contexts than the paper's kind, and what must be said of it."""


def stands_for(row: Row, name: str) -> bool:
    """Whether a row is the one of this name, perhaps on another encoder, whose ``variant`` it bears, perhaps tuned."""
    rest = row.name.removeprefix(name).removesuffix(TUNED).removesuffix(WARM)
    return row.name.startswith(name) and rest in {"", _variant(row)}


def plain(row: Row) -> str:
    """The name of a row without what says that it is tuned and on which encoder."""
    return row.name.removesuffix(TUNED).removesuffix(WARM).removesuffix(_variant(row))


def _variant(row: Row) -> str:
    return "-" + re.split("[:/]", row.encoder)[-1]


def on_other_contexts(row: Row, name: str) -> str | None:
    """What must be said of a row that is the one of this name on contexts of another kind; None of any other row."""
    return next((told for end, told in CONTEXTS.items() if stands_for(row, name + end)), None)


def contexts_of(row: Row) -> str | None:
    """What must be said of a row on contexts of another kind, whichever row it is; None of any other."""
    return next((told for end, told in CONTEXTS.items() if f"{end}-" in f"{row.name}-"), None)


def whole(rows: Mapping[tuple[str, str], Row], data: str) -> dict[str, Row]:
    """The rows of a data set that were trained on all of its posts, by name."""
    return {name: row for (where, name), row in rows.items() if where == data and trained_on_all(row)}


def trained_on_all(row: Row) -> bool:
    """Whether a row was trained on all posts, not on some of them (``data.train_posts``)."""
    return not row.records[0]["config"].get("data", {}).get("train_posts")
