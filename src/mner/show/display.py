"""How entities, statuses and verdicts are called and coloured; what may be shown of foreign text."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from mner.evidence import Verdict
from mner.safe_text import shown as shown
from mner.types import ImageStatus

COLOURS = 8
"""Colours that set labels apart."""

_KNOWN = {"PER": 0, "PERSON": 0, "LOC": 1, "LOCATION": 1, "GPE": 1, "ORG": 2, "ORGANIZATION": 2, "MISC": 3, "OTHER": 3}

_MEANING = {
    "PER": "person",
    "LOC": "location",
    "ORG": "organisation",
    "GPE": "country, state or city",
    "MISC": "any other name",
    "OTHER": "any other name",
}
"""What the short ones of the usual labels stand for."""

STATUS: dict[ImageStatus, str] = {
    "used": "picture used",
    "none": "no picture",
    "empty": "nothing read from the picture",
    "placeholder": "placeholder picture",
    "unreadable": "unreadable picture",
    "missing": "picture missing",
    "too_large": "picture too large",
    "timeout": "picture took too long",
    "disabled": "pictures turned off",
}

TONE: dict[Verdict, str] = {
    "same": "plain",
    "raised": "good",
    "lowered": "bad",
    "label changed": "new",
    "only with the picture": "good",
    "lost with the picture": "bad",
    "no picture": "plain",
}
"""How a verdict is coloured. Whether a change is right is not known here: good means more probable, bad less."""


def colour(label: str) -> int:
    """The number of a label's colour, 0 to 7: the usual types have their own, others one by their name.

    >>> colour("PER"), colour("LOC"), colour("product") == colour("product")
    (0, 1, True)
    """
    if label.upper() in _KNOWN:
        return _KNOWN[label.upper()]
    return len(set(_KNOWN.values())) + zlib.crc32(label.encode("utf-8", "replace")) % 4


def legend(labels: Iterable[str]) -> list[tuple[str, str, int]]:
    """Each different label with what it means, "" where that is not known, and the number of its colour.

    >>> legend(["PER", "product", "PER"])
    [('PER', 'person', 0), ('product', '', 5)]
    """
    return [(label, _MEANING.get(label.upper(), ""), colour(label)) for label in sorted(set(labels))]


def change(verdict: Verdict, with_image: float, without_image: float) -> tuple[str, str]:
    """What the picture did for an entity, and by how many points of the two probabilities as they are shown.

    >>> change("raised", 0.91, 0.62), change("lowered", 0.2, 0.51)
    (('raised', 'by 29 points'), ('lowered', 'by 31 points'))
    >>> change("same", 0.951, 0.944), change("same", 0.944, 0.941), change("label changed", 0.63, 0.01)
    (('hardly changed', '+1 point'), ('unchanged', ''), ('label changed', '+62 points'))
    """
    points = round(100 * with_image) - round(100 * without_image)
    amount = f"{abs(points)} point{'s' * (abs(points) != 1)}"
    if verdict in {"raised", "lowered"}:
        return verdict, f"by {amount}"
    sign = "\u2212" if points < 0 else "+"
    if verdict == "same":
        return ("hardly changed", sign + amount) if points else ("unchanged", "")
    return verdict, sign + amount if points else ""


def number(score: float) -> str:
    """A probability with two decimals.

    >>> number(0.876), number(1.0)
    ('0.88', '1.00')
    """
    return f"{score:.2f}"


def signed(value: float | None) -> str:
    """A difference with its sign, which zero has not; a dash for none.

    >>> signed(1.234), signed(-0.5), signed(0.001), signed(None)
    ('+1.23', '\u22120.50', '0.00', '-')
    """
    if value is None:
        return "-"
    return f"{value:+.2f}".replace("-", "\u2212") if round(value, 2) else "0.00"
