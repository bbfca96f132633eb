"""What stands behind the scores of a data set: analyses of records, and records of analyses, as parts of a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mner.analysis import ANALYSES
from mner.analysis.cases import Cases, turned
from mner.analysis.learning import belong, learning
from mner.analysis.oracle import Oracle, oracle
from mner.analysis.recorded import Recorded
from mner.errors import DataError
from mner.evaluation.pairing import Split
from mner.evaluation.records import Row
from mner.show.against import BASELINE, WHOLE, variant
from mner.show.exhibit import Exhibit, reads_from_left
from mner.show.exhibits import exhibit
from mner.show.naming import trained_on_all
from mner.show.tables import Part, Table

SPLITS: tuple[Split, ...] = ("test", "dev")


def behind(rows: Mapping[str, Row], recorded: Sequence[Recorded]) -> Iterator[Part]:
    """The oracle, the learning curves, then each analysis on record, as far as there are any."""
    if choices := oracles(rows):
        yield from parts(exhibit("oracle", choices))
    yield from _curves(rows)
    for name in ANALYSES:
        chosen = [one for one in recorded if one.analysis == name]
        if chosen:
            notes = [note for one in chosen for note in provenance(one, rows)]
            yield from parts(exhibit(name, [one.result for one in chosen]), notes=notes)


def oracles(rows: Mapping[str, Row]) -> list[Oracle]:
    """The oracle of the whole method against the words alone, on each encoder whose records keep outcomes of posts."""
    found = []
    for name, row in rows.items():
        end = name.removeprefix(WHOLE)
        if not name.startswith(WHOLE) or variant(row, rows) != end or not trained_on_all(row):
            continue
        for split in SPLITS:
            try:
                found.append(oracle(row, baseline=rows[BASELINE + end], split=split))
            except DataError:
                continue  # runs without outcomes are told where the rows are compared
            break
    return found


def parts(shown: Exhibit, *, notes: Iterable[str] = ()) -> Iterator[Part]:
    """An exhibit as parts of a report, one for each table; how to read it stands before the first."""
    last = len(shown.tables) - 1
    for number, one in enumerate(shown.tables):
        texts = next((at for at in range(len(one.columns)) if not reads_from_left(one, at)), len(one.columns))
        yield Part(
            one.title if one.title.lower().startswith(shown.name) else f"{shown.name.capitalize()}: {one.title}",
            "" if number else shown.about,
            Table(one.columns, one.rows, texts=texts),
            notes=(*([one.note] if one.note else []), *(notes if number == last else ())),
            signatures=shown.signatures if number == last else (),
        )


def provenance(one: Recorded, rows: Mapping[str, Row]) -> Iterator[str]:
    """The command behind a record of an analysis, its runs, and whether they are those whose scores are on record.

    ``rows`` are all of the data set. Cases have the counts of other readings beside them.
    """
    own, options = f"{one.data}/{one.row}", ("--baseline", "--unaligned")
    others = [row for row in dict.fromkeys(run.rpartition("/")[0] for run in one.runs) if row != own]
    told = "".join(f" {option} runs/{row}" for option, row in zip(options, others, strict=False))
    yield f"`mner analyze {one.analysis} runs/{own}{told} --record`, {one.split}: {', '.join(one.runs)}"
    row = rows.get(one.row)
    known = () if row is None else {f"{row.full_name}/{record['seed']}@{record['model']}" for record in row.records}
    of_row = {run for run in one.runs if run.startswith(f"{one.data}/{one.row}/")}
    if not of_row <= set(known):
        yield f"{one.analysis} of {one.data}/{one.row}: not of the runs whose scores stand here; analyze these"
    elif row is not None and isinstance(one.result, Cases):
        yield from _other_readings(row, rows, one)


def _other_readings(row: Row, rows: Mapping[str, Row], one: Recorded) -> Iterator[str]:
    """Posts that turn between a run's own two views, and between two seeds of what it is held against."""
    seed, (first, *_) = one.result.seed, one.result.readings
    (run,) = (record for record in row.records if record["seed"] == seed)
    told = {f"{row.full_name} T to its own I+T": turned(run, "T", run, "I+T", split=one.split)}
    without = rows.get(first.rpartition(" ")[0].rpartition("/")[2])
    if without is not None and without.name != row.name and len(without.records) > 1:
        a, b = without.records[:2]
        between = f"{first}, seed {a['seed']} to seed {b['seed']}"
        told[between] = turned(a, without.trained[0], b, without.trained[0], split=one.split)
    for what, found in told.items():
        if found is not None:
            yield f"beside these cases, {what}: wrong to right {found[0]} posts, right to wrong {found[1]}"


def _curves(rows: Mapping[str, Row]) -> Iterator[Part]:
    """The learning curves of each split, where rows were trained on some of the posts."""
    some = [row for row in rows.values() if not trained_on_all(row)]
    chosen = [row for row in rows.values() if any(belong(row, one) for one in some)]
    found, notes = [], []
    for split in SPLITS:
        if not any(row.f1(split, "T") for row in chosen):
            continue
        try:
            told = learning(chosen, split=split)
        except DataError as error:
            notes.append(str(error))
            continue
        curves = tuple(curve for curve in told.curves if len(curve.points) > 1)
        found += [replace(told, curves=curves)] if curves else []
    if found:
        yield from parts(exhibit("learning", found), notes=notes)
    elif notes:
        yield Part("Learning", notes=tuple(notes))
