"""Rows of results -> each against its baseline on the same encoder, and the picture's share in the best of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mner.errors import DataError
from mner.evaluation.compare import Comparison, Line, compare
from mner.evaluation.pairing import Split, only, opposite
from mner.evaluation.records import Row, settings_that_differ
from mner.show.comparison import cells
from mner.show.plain import signed
from mner.show.tables import Part, Table
from mner.types import ViewName

BASELINE = "text"
WHOLE = "ita-ga-cva"
CONTROLS = {
    "text-double-steps": (BASELINE, "training.passes"),
    "ita-ga-cva-empty": (WHOLE, "context.substitute"),
    "ita-ga-cva-shuffled": (WHOLE, "context.substitute"),
}
"""Rows that gain without the picture: more steps, alignment without a context, alignment with another picture's.

Each with the row whose settings it must have, and the one setting in which it differs from that.
"""

SPLITS: tuple[Split, ...] = ("test", "dev")
TESTS = ("difference", "95 % interval", "p bootstrap", "p t-test")


def variant(row: Row, rows: Mapping[str, Row]) -> str | None:
    """What the row's name has behind it when it stands on another encoder, such as "-mpnet"; None without a baseline.

    A baseline is a row ``text`` or ``text-<encoder>`` on the same encoder and the same training posts.
    """
    ends = [
        name.removeprefix(BASELINE)
        for name, one in rows.items()
        if name.startswith(BASELINE) and _alike(one, row) and row.name.endswith(name.removeprefix(BASELINE))
    ]
    return max((end for end in ends if BASELINE + end != row.name), key=len, default=None)


def _alike(a: Row, b: Row) -> bool:
    first, second = (one.records[0]["splits"].get("train", {}).get("fingerprint") for one in (a, b))
    return a.encoder == b.encoder and bool(first == second)


def gains(rows: Mapping[str, Row]) -> Iterator[Part]:
    """One part for all rows that have a baseline; none if there is no such row."""
    found: list[Comparison] = []
    notes: list[str] = []
    for row in rows.values():
        end = variant(row, rows)
        if end is None:
            continue
        for split in SPLITS:
            found += tried(row, rows[BASELINE + end], split, notes)
    if found or notes:
        yield Part(
            "Against the text alone",
            "Difference in F1 points, on the seeds that both rows have. Student's t-test: over seeds, two-sided, "
            "unpaired, equal variances. Interval and p: paired bootstrap over posts, the seeds as they are. Of twenty "
            "tests where there is no difference, one has p below 0.05 all the same.",
            _table(("row", "view", "against", "split", "seeds"), [(_lead(one), one.lines[0]) for one in found]),
            notes=tuple(dict.fromkeys((*notes, *_notes(found)))),
            signatures=tuple(_signed(found)),
        )


def shares(rows: Mapping[str, Row], splits: Sequence[Split] = SPLITS) -> tuple[list[Comparison], list[str]]:
    """The whole method against the best row without the post's own picture, and what must be known of that.

    All rows are read on the seeds that all of them have, and a control counts only with the settings of the row whose
    control it is.
    """
    found: list[Comparison] = []
    notes: list[str] = []
    for name, row in rows.items():
        end = name.removeprefix(WHOLE)
        if not name.startswith(WHOLE) or variant(row, rows) != end:
            continue
        controls = list(_controls(rows, end, notes))
        if not controls:
            continue
        if absent := [one + end for one in CONTROLS if one + end not in {control.name for control in controls}]:
            notes.append(f"{name}: no records yet of {', '.join(absent)}; the share may shrink")
        for split in splits:
            whole, *others = _on_shared_seeds((row, rows[BASELINE + end], *controls), split, notes)
            if not whole.records:
                continue
            for view in row.trained:
                best = max(others, key=lambda one: _mean(one.f1(split, opposite(view, one))))
                found += tried(whole, best, split, notes, view=view)
                gain = _mean(whole.f1(split, view)) - _mean(others[0].f1(split, opposite(view, others[0])))
                notes.append(f"{name} {view}, {split}: over {others[0].name}, {signed(gain)} on these seeds")
    return found, notes


def _controls(rows: Mapping[str, Row], end: str, notes: list[str]) -> Iterator[Row]:
    for name, (of, free) in CONTROLS.items():
        control, row = rows.get(name + end), rows.get(of + end)
        if control is None or row is None:
            continue
        first, second = (one.records[0]["config"] for one in (control, row))
        if differing := settings_that_differ(first, second, but={"name", free}):
            notes.append(f"{control.name}: no control of {row.name}, its settings are others: {'; '.join(differing)}")
        else:
            yield control


def _on_shared_seeds(rows: Sequence[Row], split: Split, notes: list[str]) -> list[Row]:
    """The rows on the seeds of which all have the split's scores; without any such seed rows of no run."""
    runs = [scored(row, split) for row in rows]
    shared = set.intersection(*(set(row.seeds) for row in runs))
    if not shared and all(row.records for row in runs):
        notes.append(
            f"{', '.join(row.name for row in rows)}: no seed of {split} is common to all, so there is no share"
        )
    for row in runs if shared else ():
        if alone := [str(seed) for seed in row.seeds if seed not in shared]:
            notes.append(f"{row.name}, {split}: {' '.join(alone)} left out, seeds that not all rows of the share have")
    return [only(row, shared) for row in runs]


def share(rows: Mapping[str, Row]) -> Iterator[Part]:
    """What of the gain is the picture's: the whole method minus the best row without the post's own picture."""
    found, notes = shares(rows)
    if found or notes:
        yield Part(
            "The picture's share",
            f"{WHOLE} minus the best of {', '.join((BASELINE, *CONTROLS))}: what is left when more steps and alignment "
            "alone are taken off. All are read on the seeds that all of them have. The best is picked by the same "
            "split's mean, which can only make the share smaller.",
            _table(
                ("row", "view", "best of the others", "split", "seeds"), [(_lead(one), one.lines[0]) for one in found]
            ),
            notes=tuple(dict.fromkeys((*notes, *_notes(found)))),
            signatures=tuple(_signed(found)),
        )


def tried(a: Row, b: Row, split: Split, notes: list[str], *, view: ViewName | None = None) -> list[Comparison]:
    """The comparison of two rows on the runs that have the split's scores; what prevents it goes into ``notes``."""
    a, b = scored(a, split), scored(b, split)
    if not a.records or not b.records:
        return []
    try:
        return compare(a, b, split=split, view=view)
    except DataError as error:
        notes.append(str(error))
        return []


def scored(row: Row, split: Split) -> Row:
    """The row on the runs that have the split's scores."""
    return only(row, {record["seed"] for record in row.records if split in record})


def _lead(one: Comparison) -> tuple[str, ...]:
    seeds = " ".join(map(str, one.seeds_a))
    if one.seeds_a != one.seeds_b:
        seeds += f" / {' '.join(map(str, one.seeds_b))}"
    return one.a, one.view_a, f"{one.b} {one.view_b}", one.split, seeds


def _table(leading: tuple[str, ...], rows: Sequence[tuple[tuple[str, ...], Line]]) -> Table | None:
    told = tuple((*lead, *cells(line)[3:]) for lead, line in rows)
    return Table((*leading, *TESTS), told, texts=len(leading)) if told else None


def _notes(found: Sequence[Comparison]) -> Iterator[str]:
    for one in found:
        yield from (f"{one.a} against {one.b}: {note}" for note in one.notes)


def _signed(found: Sequence[Comparison]) -> Iterator[tuple[str, str]]:
    for one in found:
        yield f"{one.a} {one.view_a} against {one.b} {one.view_b}, {one.split}", one.signatures[2]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
