"""The goals of docs/performance.md beside what the benchmark records say of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that was set out for before it was measured.

    Attributes:
        what: In words.
        benchmark: Name of the record.
        read: From the record to the figure.
        bound: The goal; with ``least`` the figure must reach it, else it must not exceed it.
        stretch: A further goal, or None.
        why: What stands in the way, said where the goal is missed.
    """

    what: str
    benchmark: str
    read: Callable[[Record], float]
    bound: float
    stretch: float | None = None
    least: bool = False
    unit: str = "x"
    why: str = ""


def ratio(key: str) -> Callable[[Record], float]:
    """Reads one ratio of a record."""
    return lambda record: float(record["ratios"][key])


def times(slow: str, fast: str) -> Callable[[Record], float]:
    """Reads how many times as long one side of a record took as another, by their medians."""
    return lambda record: statistics.median(record["seconds"][slow]) / statistics.median(record["seconds"][fast])


def worst(*keys: str) -> Callable[[Record], float]:
    """Reads the largest of the ratios whose names begin with one of ``keys``."""
    return lambda record: max(
        float(value) for name, value in record["ratios"].items() if any(name.startswith(key) for key in keys)
    )


def cell(title: str, row: str | int, column: str) -> Callable[[Record], float]:
    """Reads one cell of a record's table."""

    def read(record: Record) -> float:
        table = next(entry for entry in record["tables"] if entry["title"].startswith(title))
        line = next(entry for entry in table["rows"] if entry[0] == row)
        return float(line[table["columns"].index(column)])

    return read


def verdict(figure: float, bound: float, *, least: bool = False) -> str:
    """Whether a figure reaches its goal; with ``least`` it must not be below, else not above it.

    >>> verdict(2.0, 2.0, least=True), verdict(2.1, 2.0)
    ('met', 'MISSED')
    """
    return "met" if (figure >= bound if least else figure <= bound) else "MISSED"


def held(record: Record) -> float:
    """Most memory of a long build of contexts over the most within its first 500 pictures.

    Single samples differ by a seventh with the pictures that are at hand, so highs are compared with highs.
    """
    samples: list[tuple[int, float]] = record["seconds"]["memory"]
    return max(mib for _, mib in samples) / max(mib for count, mib in samples if count <= 500)


def slowest_filter(record: Record) -> float:
    """Median seconds of the filter of a gallery that takes longest."""
    filters = [times for what, times in record["seconds"].items() if what.startswith("filter")]
    return float(max(map(statistics.median, filters)))


WITHOUT_NUMBA = "without numba each word of a post costs a handful of calls into torch or numpy"
BROWSER = "Seconds in Chromium"
STARTS, MEMORY = "Seconds of a fresh process", "Memory after the first post"
ENCODER = (
    "nearly all the time is the encoder's own, see Whole prediction over the encoder alone; its products reach half of "
    "the CPU's peak (see Int8 peak)"
)
GOALS = (
    Goal(
        "predict, T view, int8 against flair",
        "predict_throughput",
        ratio("flair / mner onnx int8"),
        6,
        8,
        True,
        why=ENCODER,
    ),
    Goal(
        "predict, T view, int8 against the transformers pipeline at its best batch size",
        "predict_throughput",
        ratio("transformers / mner onnx int8"),
        6,
        None,
        True,
        why=ENCODER,
    ),
    Goal(
        "predict, T view, int8 against flair, one known word for each link on both sides",
        "predict_throughput_folded",
        ratio("flair / mner onnx int8"),
        8,
        None,
        True,
        why=f"both sides read the same sub-tokens then; {ENCODER}",
    ),
    Goal(
        "whole prediction over the bare encoder, int8",
        "predict_throughput",
        ratio("whole / encoder alone, onnx int8 (1 is best)"),
        1.1,
        None,
        why="the faster the encoder, the larger the share of tokenising, offsets and probabilities",
    ),
    Goal(
        "whole prediction over the bare encoder, onnx fp32",
        "predict_throughput",
        ratio("whole / encoder alone, onnx fp32 (1 is best)"),
        1.1,
        None,
    ),
    Goal(
        "training, T view, against flair, both in fp32",
        "train_throughput",
        ratio("flair / mner"),
        2.2,
        3,
        True,
        why="in fp32 three quarters of a step are the encoder's own products, which both sides compute alike",
    ),
    Goal(
        "training, T view, against flair, ours in bf16 where the CPU supports it; flair has fp32 alone on CPU",
        "train_throughput",
        times("flair", "mner text bf16"),
        2,
        3,
        True,
    ),
    Goal(
        "OCR of real pictures against rapidocr's own engine on the same models",
        "ocr",
        ratio("rapidocr / first look, all"),
        2,
        least=True,
    ),
    Goal(
        "the same, pictures without legible text",
        "ocr",
        ratio("rapidocr / first look, without"),
        4,
        least=True,
    ),
    Goal(
        "share of rapidocr's characters that OCR with a first look reads, too",
        "ocr",
        ratio("first look: characters kept (1 is best)"),
        0.99,
        least=True,
        unit="",
    ),
    Goal(
        "CVA step over a text step on the same tokens",
        "train_throughput",
        ratio("CVA / text on the same tokens (1 is best)"),
        1.15,
        1.05,
    ),
    Goal(
        "share of a step outside the encoder's products",
        "train_throughput",
        worst("mner text: share outside", "mner ITA + CVA: share outside"),
        0.2,
        unit="",
        why="see Inside a step: dropout's random numbers, activations, layer norms and the optimizer remain; "
        "torch.compile was tried and "
        "made steps slower",
    ),
    Goal(
        "CRF log-likelihood with gradients and posteriors, with the extra fast, against pytorch-crf's log-likelihood "
        "alone, median of sizes",
        "crf",
        ratio("NLL + posteriors against pytorch-crf's NLL alone: median"),
        2,
        3,
        True,
        why=WITHOUT_NUMBA,
    ),
    Goal(
        "Viterbi, with the extra fast, against pytorch-crf, median of sizes",
        "crf",
        ratio("Viterbi: median"),
        8,
        10,
        True,
        why=WITHOUT_NUMBA,
    ),
    Goal("import mner", "cold_start", cell(STARTS, "import mner", "median"), 0.15, unit=" s"),
    Goal("mner --help", "cold_start", cell(STARTS, "mner --help", "median"), 0.5, unit=" s"),
    Goal("first post, no picture", "cold_start", cell(STARTS, "first post, words alone", "median"), 1.0, unit=" s"),
    Goal(
        "first post with its picture", "cold_start", cell(STARTS, "first post with its picture", "median"), 1.2,
        unit=" s", why="detector, captioner and text recognition are loaded one after the other",
    ),
    Goal("memory, words alone", "cold_start", cell(MEMORY, "first post, words alone", "resident"), 350, unit=" MiB"),
    Goal(
        "memory, with vision", "cold_start", cell(MEMORY, "first post with its picture", "resident"), 900,
        unit=" MiB",
    ),
    Goal(
        "memory of a stream of posts, most over that after 10,000",
        "memory_stream",
        lambda record: max(float(value) for value in record["ratios"].values()),
        1.1,
    ),
    Goal(
        "context build, one core, over its models alone", "context_build", ratio("build / models alone (1 is best)"),
        1.1,
    ),
    Goal(
        "context build, two workers against one", "context_build", ratio("one worker / two workers"), 1.8, least=True,
        why="not known; two actors of Ray gain no more (see Context build below)",
    ),
    Goal(
        "context build, second run over the same pictures against the first", "context_build",
        ratio("one worker / second run"), 50, least=True,
    ),
    Goal("context build, Ray against two workers", "context_build", ratio("Ray / two workers (1 is best)"), 1.15),
    Goal("memory of 5,000 pictures' contexts, most over most within 500", "context_memory", held, 1.1),
    Goal("the same without OCR", "context_build", held, 1.1),
    Goal(
        "gallery of 5,000 posts and pictures, open in Chromium", "gallery", cell(BROWSER, "open", "median"), 2,
        unit=" s",
    ),
    Goal("its slowest filter", "gallery", slowest_filter, 0.1, unit=" s"),
    Goal(
        "service, batched over unbatched requests, 32 clients", "serve",
        ratio("batched / unbatched requests a second, 32 clients"), 3, least=True,
        why="one post by itself already keeps both cores at work, so there is less to gain: the tagger alone, without "
        "HTTP, gains no more from calls of 32 posts (see Serve below)",
    ),
    Goal(
        "service over tagger.pipe, posts a second", "serve", ratio("service / tagger.pipe, posts a second"), 0.8,
        least=True,
    ),
    Goal(
        "service, p99 over p50 of words alone while pictures are read", "serve",
        ratio("p99 / p50 of words alone while pictures are read"), 5,
    ),
    Goal(
        "service, a further post with a new picture, one client", "serve",
        lambda record: cell("With new pictures", 1, "p50, ms")(record) / 1000, 0.25, unit=" s",
    ),
    Goal(
        "service, first answer of a fresh process", "serve",
        cell("Seconds of a fresh process until its first answer", "first answer", "median"), 3, unit=" s",
    ),
    Goal(
        "service, first answer with a picture of a fresh process", "serve",
        cell("Seconds of a fresh process until its first answer", "first answer with a picture", "median"), 3,
        unit=" s",
    ),
)  # fmt: skip


def goals(records: Sequence[Record]) -> Iterator[str]:
    """The lines of a table of goals, met and missed; a goal whose record is absent is called not measured."""
    known = {str(record["benchmark"]): record for record in records}
    missed: list[str] = []
    yield "| what | goal | stretch | measured | |"
    yield "|---|---|---|---|---|"
    for goal in GOALS:
        sign = "at least " if goal.least else "at most "
        stretch = "" if goal.stretch is None else f"{goal.stretch:g}{goal.unit}"
        try:
            figure = goal.read(known[goal.benchmark])
        except (KeyError, StopIteration, ValueError, TypeError):
            yield f"| {goal.what} | {sign}{goal.bound:g}{goal.unit} | {stretch} | not measured | |"
            continue
        judged = verdict(figure, goal.bound, least=goal.least)
        yield f"| {goal.what} | {sign}{goal.bound:g}{goal.unit} | {stretch} | {figure:.3g}{goal.unit} | {judged} |"
        if judged != "met":
            missed.append(f"- {goal.what}: {goal.why or 'not looked into'}.")
    if missed:
        yield from ("", "What stands in the way of those that were missed:", "", *missed)
