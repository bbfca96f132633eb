"""The first pages of the results: the claim, the controls and one chart; the tables stand behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lab import leak
from lab.chosen import (
    CONTROLS,
    ENCODERS,
    LAYERS,
    METHOD,
    METHOD_E5,
    METHOD_MPNET,
    OCSGA,
    OTHERS_PICTURE,
    ROWS,
    TEXT,
    TEXT_E5,
    TEXT_MPNET,
    TEXTS,
)
from lab.goals import E5, MINILM, MPNET, T15, T17
from lab.picture_share import shares
from mner.analysis.parts.report import Bars
from mner.runs import Experiment, read_experiments
from mner.runs.compare import Comparison, Line
from mner.runs.record import ScoredSplit
from mner.show.baseline_gains import tried
from mner.show.charts import svg_file
from mner.show.comparison import bounds, mean_sd, p_value, sure
from mner.show.display import signed
from mner.show.tables import Part, Section, TextTable, markdown
from mner.types import ViewName

HEADS = ("what", "over the words alone", "view", "F1", "difference", "95 % interval", "p t-test", "seeds", "both tests")
WRITTEN = "Written by `python -m lab.report` from the run records in `lab/results/`; do not edit."
TESTED = (
    "A difference counts as a gain where both tests hold: the paired bootstrap's 95 % interval above 0, and p of "
    "Student's t-test over seeds below 0.05. It counts as a loss where the interval is below 0 and p is below 0.05."
)
CHART = "F1 points over the tuned words alone, Twitter-15 test; blue: T view, green: I+T view"
Rows = Mapping[tuple[str, str], Experiment]


def gains(
    rows: Rows, chosen: Sequence[tuple[str, str, str]], *, data: str = T15, split: ScoredSplit = "test"
) -> list[tuple[str, Experiment, dict[ViewName, Comparison]]]:
    """Each experiment that has records, by what a reader calls it, compared with its words alone in each view."""
    compared = []
    for name, base, called in chosen:
        experiment, text = rows.get((data, name)), rows.get((data, base))
        if experiment is None or text is None:
            continue
        views = {view: each for view in experiment.trained for each in tried(experiment, text, split, [], view=view)}
        if views:
            compared.append((called, experiment, views))
    return compared


def table(compared: Sequence[tuple[str, Experiment, dict[ViewName, Comparison]]], split: ScoredSplit) -> TextTable:
    """A line for each experiment and view."""

    def lines() -> Iterator[tuple[str, ...]]:
        for called, experiment, views in compared:
            for view, comparison in views.items():
                line = comparison.lines[0]
                yield (
                    called,
                    experiment.name,
                    view,
                    mean_sd(line.a),
                    signed(line.difference),
                    "-" if line.interval is None else bounds(line.interval),
                    "-" if line.t_test is None else p_value(line.t_test.p),
                    str(min(len(comparison.seeds_a), len(comparison.seeds_b))),
                    verdict(line) if sure(line) else "no",
                )

    return TextTable(("what", "row", *HEADS[2:]), tuple(lines()), texts=3)


def chart(compared: Sequence[tuple[str, Experiment, dict[ViewName, Comparison]]]) -> str:
    """The differences as bars, in an SVG of its own."""
    views: tuple[ViewName, ...] = ("T", "I+T")
    groups = [
        (called, tuple(of[view].lines[0].difference if view in of else None for view in views))
        for called, _, of in compared
    ]
    return svg_file([Bars(CHART, "points of F1", ("T: words alone read", "I+T: with the picture"), tuple(groups))])


def sentence(comparison: Comparison) -> str:
    """One difference in words, with the means of the seeds that are compared."""
    line = comparison.lines[0]
    interval = "no interval" if line.interval is None else f"95 % interval {bounds(line.interval)}"
    said = f"both tests call it a {verdict(line)}" if sure(line) else f"no {verdict(line)} by both tests"
    means = f"{mean_sd(line.a)} against {mean_sd(line.b)}"
    seeds = min(len(comparison.seeds_a), len(comparison.seeds_b))
    return f"{signed(line.difference)} ({means}; {interval}, {seeds} seed{'s' * (seeds > 1)}): {said}."


def verdict(line: Line) -> str:
    """What a difference is if both tests hold: a gain or a loss."""
    return "loss" if line.difference < 0 else "gain"


def _held(comparison: Comparison) -> str:
    line = comparison.lines[0]
    return verdict(line) if sure(line) else "no"


def caveats(rows: Rows, chosen: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """What must be said below a table of test: versions of mner that differ, and verdicts that dev does not share."""
    compared = {experiment.name: views for _, experiment, views in gains(rows, chosen)}
    on_dev = {experiment.name: views for _, experiment, views in gains(rows, chosen, split="dev")}
    bases = {name: base for name, base, _ in chosen if name in compared}
    versions: dict[str, list[str]] = {}
    for name in dict.fromkeys([*bases.values(), *compared]):
        trained = sorted({record.versions.get("mner", "?") for record in rows[T15, name].records})
        versions.setdefault(" and ".join(trained), []).append(name)
    if len(versions) > 1:
        yield "Trained by mner " + "; by ".join(f"{version}: {', '.join(of)}" for version, of in versions.items()) + "."
    for name, views in compared.items():
        for view, comparison in views.items():
            dev = on_dev.get(name, {}).get(view)
            if dev is not None and _held(dev) != _held(comparison):
                yield f"On dev, {name} {view} over {bases[name]}: {sentence(dev)}"


def results(records: Path) -> dict[str, str]:
    """The first page of the results and its chart, by their names under ``docs/``.

    Raises:
        DataError: There are no run records, or one is damaged.
    """
    rows = read_experiments(records)
    controls = gains(rows, CONTROLS)
    shared, _ = shares({name: each for (data, name), each in rows.items() if data == T15}, ["test"])
    parts = [
        Part(
            "What is claimed",
            TESTED,
            notes=tuple(_claims(rows)),
        ),
        Part(
            "What the controls say",
            "Part of a gain may come from longer training, from aligning two views, or from any context at all. Each "
            "row is compared with the tuned words alone on the same encoder, on the seeds that both have; a control "
            "has the settings of the row that it controls. T: the view that reads the words alone. Rows are on "
            f"{MINILM} where no other encoder is named.",
            table(controls, "test"),
        ),
        Part(
            "The picture's share",
            "What is left of the gain over the best row without the post's own picture, on the seeds that all have.",
            notes=(
                *(
                    f"{each.view_a} view of {each.a} over {each.b}: " + sentence(each)
                    for each in shared
                    if each.a in (METHOD, METHOD_E5)
                ),
                *(
                    f"{view} view of {experiment.name} over the same with another's picture: {sentence(comparison)}"
                    for _, experiment, views in gains(rows, OTHERS_PICTURE)
                    for view, comparison in views.items()
                ),
            ),
        ),
        Part(
            "Other encoders",
            "Each row over the same on MiniLM (22.7 M parameters, uncased): e5 has 117.5 M, 21 M of them outside its "
            "vectors of pieces, twice MiniLM's layers, and is cased; MPNet has 109 M. Searches had 12 trials for "
            "MiniLM, 8 for e5, and two for MPNet.",
            table(gains(rows, ENCODERS), "test"),
            notes=tuple(caveats(rows, ENCODERS)),
        ),
        Part(
            "What to make of it",
            "The method makes a better model of the same size, and most of that comes from training two views against "
            "each other. With captions as they are here, the picture itself adds little on this data.",
        ),
    ]
    about = (
        WRITTEN,
        "All tables, with a signature for each number, are in [results-tables.md](results-tables.md); the paper's "
        "findings beside ours in [paper.md](paper.md).",
        f"![{CHART}](images/results.svg)",
    )
    parts = [part for part in parts if part.table is None or part.table.rows]
    return {
        "results.md": _page("Results", about, parts),
        "images/results.svg": chart(controls),
    }


def paper(records: Path) -> dict[str, str]:
    """The first page on the paper's tables and its chart, by their names under ``docs/``.

    Raises:
        DataError: There are no run records, or one is damaged.
    """
    rows = read_experiments(records)
    compared = gains(rows, ROWS)
    named, typed = leak.shares()
    parts = [
        Part(
            "What was published, and what is here",
            "The paper (Wang et al., NAACL 2022) trains BERT base and XLM-R large on three data sets, with contexts of "
            "VinVL. Here stand MiniLM (22.7 M parameters), e5 (118 M, four fifths of them vectors of pieces) and MPNet "
            "(109 M) on Twitter-15, and MiniLM on the dev posts of Twitter-17. Levels cannot be compared, and no "
            "published number is repeated as ours. What can be compared is the direction of each finding.",
        ),
        Part(
            "Where ours stands",
            "Each row over the tuned words alone on the same encoder, on the seeds that both have. " + TESTED,
            table(compared, "test"),
            notes=tuple(caveats(rows, ROWS)),
        ),
        Part(
            "The controls",
            "The paper has one, contexts of a random picture (table 4). Ours go further, and explain most of the gain "
            "without the picture. Stand-in tags are object names taken from captions, stand-in text what a language "
            "model quoted: not the paper's contexts.",
        ),
        Part(
            "The systems it compares with, without a picture",
            "Published multimodal systems add layers behind the encoder, and some label further sub-tokens, too. With "
            "zeros in the place of the picture only that is left of them. Each system had a search of 8 trials. The "
            "words alone had 12, of which the best is among the first 8; rows with PAD labels have the settings of "
            "those without. "
            "No row here saw a picture, so none reproduces a system or shows what a picture is worth to it.",
            table(gains(rows, LAYERS), "test"),
            notes=tuple(caveats(rows, LAYERS)),
        ),
        Part(
            "OCSGA on captions' nouns",
            "OCSGA reads words and the labels of detected objects through word vectors, here GloVe 6B of 50 dimensions "
            "in place of the paper's 200 from Twitter. Nouns of two captions of the picture stand in for its labels. "
            "The row beside it is OCSGA without labels, on settings of its own search. Both had 8 trials, and 15 "
            "epochs of the published 200, so both may have learned too little.",
            table(gains(rows, OCSGA), "test"),
            notes=tuple(caveats(rows, OCSGA)),
        ),
        Part(
            "Text found or written for the post",
            "ITA-GA + CVA on MPNet with other text beside the words, at the settings of the row with captions but for "
            "a longer warm-up: a first run of MoRe's without it learned nothing, was given up in its second epoch, and "
            "is not on record. MoRe searches Wikipedia; here it is the training posts, without their labels. PGIM asks "
            "a language model; its "
            f"public file was written from the words and names {named:.0f} % of the gold entities, {typed:.0f} % with "
            "something in brackets, mostly a type. So its gain is another model's knowledge, or a leak, and no "
            "picture's. That text alone stands on MiniLM, at the settings of its GA + CVA. These rows count nowhere "
            "else.",
            table(gains(rows, TEXTS), "test"),
            notes=tuple(caveats(rows, TEXTS)),
        ),
    ]
    about = (
        WRITTEN,
        "Every table and figure of the paper, row by row, with the command that runs it, is in "
        "[paper-tables.md](paper-tables.md); our controls are in [results.md](results.md).",
        f"![{CHART}](images/paper.svg)",
    )
    parts = [part for part in parts if part.table is None or part.table.rows]
    return {"paper.md": _page("The paper's findings, and ours", about, parts), "images/paper.svg": chart(compared)}


def _claims(rows: Rows) -> Iterator[str]:
    of: tuple[tuple[str, str, ScoredSplit, str, str, str], ...] = (
        ("Twitter-15 test", T15, "test", METHOD, TEXT, MINILM),
        ("Twitter-15 test", T15, "test", METHOD_E5, TEXT_E5, E5),
        ("Twitter-15 test", T15, "test", METHOD_MPNET, TEXT_MPNET, MPNET),
        ("Twitter-17 dev", T17, "dev", METHOD, TEXT, MINILM),
    )
    for where, data, split, name, base, encoder in of:
        for _, _, views in gains(rows, [(name, base, "")], data=data, split=split):
            if "I+T" in views:
                said = sentence(views["I+T"])
                yield f"{where}, {encoder}: ITA-GA + CVA with the picture, over the tuned words alone: {said}"


def _page(title: str, about: Sequence[str], parts: Sequence[Part]) -> str:
    return markdown(
        title, about, [Section(part.title, (Part("", part.about, part.table, part.notes),)) for part in parts]
    )
