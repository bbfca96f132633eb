"""Six posts, and a model of a few rules in place of a trained one, so that every number can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mner import config as configs
from mner import data, tags
from mner.analysis.parts.loaded_run import LoadedRun
from mner.decode import Chain
from mner.runs.experiments import Experiment, joined
from mner.runs.record import RunRecord
from mner.types import Caption, OcrText, Post, Span, ViewName, VisualContext
from mner.views import Array, Batch, Views

LABELS = tags.bioes_labels(["LOC", "PER"])
Rule = Callable[[set[str]], str]
RULES: dict[str, Rule] = {
    "kevin": lambda context: "S-PER",
    "paris": lambda context: "S-LOC" if "stadium" in context else "S-PER",
    "phoenix": lambda context: "S-LOC",
    "madrid": lambda context: "S-PER" if "band" in context else "S-LOC",
    "cleveland": lambda context: "S-LOC" if "city" in context else "S-PER",
}
"""Word -> its label given the words beside the post; any other word is O, so that "jordan" is always missed."""
SHOWN = ("team", "stadium", "poster", "band", "city")
"""What each picture shows in its one region of features, in the order of the posts that have one."""


class RuleRuntime:
    """Label scores by rules; word vectors (3 x pieces of context, or of regions, 4).

    With ``arrays`` the rules read a grid, each region of which is the number of a word in ``SHOWN``, not the pieces.
    """

    labels = LABELS
    pad_id = 0
    tokens_per_batch = 64

    def __init__(self, views: Views, rules: Mapping[str, Rule], arrays: Sequence[Array] = ()) -> None:
        self._views = views
        self._rules = rules
        self.arrays = arrays

    @property
    def chain(self) -> Chain:
        count = len(LABELS)
        return Chain(np.zeros((count, count)), np.zeros(count), np.zeros(count))

    def emissions(self, batch: Batch, view: ViewName) -> np.ndarray:
        scores = np.zeros((*batch.word_index.shape, len(LABELS)), np.float32)
        for row, tokens in enumerate(self._tokens(batch)):
            end = tokens.index("[SEP]")
            context = set(self._shown(batch, row)) if self.arrays else set(tokens[end:]) - {"[SEP]", "[PAD]"}
            for place, token in enumerate(tokens[1:end]):
                rule = self._rules.get(token)
                scores[row, place, LABELS.index("O" if rule is None else rule(context))] = 9.0
        return scores

    def half(self, tokens: int) -> None:
        return None

    def word_vectors(self, batch: Batch, view: ViewName) -> np.ndarray:
        vectors = np.zeros((*batch.word_index.shape, 2), np.float32)
        for row, tokens in enumerate(self._tokens(batch)):
            pieces = len(self._shown(batch, row)) if self.arrays else tokens.count("[SEP]") - 1
            vectors[row] = (3 * pieces, 4)
        return vectors

    def _shown(self, batch: Batch, row: int) -> list[str]:
        regions = batch.arrays["grid"][row][batch.arrays["grid_mask"][row] == 1]
        return [SHOWN[int(region)] for region in regions[:, 0]]

    def _tokens(self, batch: Batch) -> list[list[str]]:
        return [self._views.subwords.decode(ids) for ids in batch.input_ids]


def post(number: int, words: str, label: str, image: bool = True) -> Post:
    """A post whose first word is an entity; every word is one sub-token of the tiny encoder."""
    split = tuple(words.split())
    ends = np.cumsum([len(word) + 1 for word in split])
    offsets = tuple((int(end) - 1 - len(word), int(end) - 1) for word, end in zip(split, ends, strict=True))
    return Post(f"p{number}", words, split, offsets, (Span(0, 1, label),), f"{number}.jpg" if image else None)


@pytest.fixture
def posts() -> list[Post]:
    return [
        post(1, "kevin won", "PER"),
        post(2, "paris won", "LOC"),
        post(3, "phoenix", "LOC"),
        post(4, "jordan unreal", "PER", image=False),
        post(5, "madrid won", "LOC"),
        post(6, "cleveland won", "LOC"),
    ]


@pytest.fixture
def contexts() -> list[VisualContext | None]:
    def context(number: int, relation: float, *captions: tuple[str, str], ocr: str | None = None) -> VisualContext:
        read = () if ocr is None else (OcrText(ocr, source="x"),)
        shown = tuple(Caption(text, source=source) for source, text in captions)
        return VisualContext(f"{number}.jpg", captions=shown, ocr=read, extra={"relation": {"made": relation}})

    return [
        context(1, 0.9, ("a", "photo team"), ("b", "people dog"), ocr="KEVIN LOVE 12"),
        context(2, 0.8, ("b", "stadium"), ("a", "map"), ocr=" "),
        context(3, 0.1, ("a", "poster")),
        None,
        context(5, 0.2, ("a", "band")),
        context(6, 0.5, ("a", "city")),
    ]


@pytest.fixture
def opened(tiny_encoder: Path, posts: list[Post], contexts: list[VisualContext | None]) -> Callable[..., LoadedRun]:
    """A function that opens the rules as a row; ``rules`` replace some, keywords are sections of its configuration."""

    def make(name: str = "ita", *, rules: Mapping[str, Rule] | None = None, **sections: Any) -> LoadedRun:
        table = {"context": {"order": ["captions"], "captions": ["a", "b"]}, **sections}
        config = configs.check({"name": name, "data": {"name": "made"}, **table})
        views = Views(tiny_encoder / "tokenizer.json", config.context)
        return LoadedRun(
            row=f"made/{name}",
            config=config,
            runtime=RuleRuntime(views, {**RULES, **(rules or {})}),
            views=views,
            posts=posts,
            contexts=contexts,
            data=f"made/dev@{data.stamp(posts).fingerprint[:6]}",
        )

    return make


@pytest.fixture
def opened_pictured(opened: Callable[..., LoadedRun], posts: list[Post]) -> Callable[..., LoadedRun]:
    """A function that opens the rules as a row that reads features: alone, or beside captions."""

    def make(name: str = "grid", *, captions: bool = False) -> LoadedRun:
        run = opened(name)
        numbers = iter(range(len(SHOWN)))
        arrays = [{"grid": np.full((1, 1), next(numbers), np.float32)} if post.image else {} for post in posts]
        runtime = RuleRuntime(run.views, RULES, (Array("grid", ("post", "region", 1)),))
        contexts = run.contexts if captions else [None] * len(posts)
        return replace(run, runtime=runtime, arrays=arrays, contexts=contexts)

    return make


def record(row: str = "text", seed: int = 1, **changes: Any) -> dict[str, Any]:
    """A run record of one label and a half: LOC in both views, PER in T alone."""

    def scores(view: str, loc: tuple[float, float, float], per: tuple[float, float, float]) -> dict[str, Any]:
        names = ("precision", "recall", "f1")
        none = {"correct": 0, "predicted": 0, "gold": 0}
        labels = {
            label: {**dict(zip(names, figures, strict=True)), **none} for label, figures in (("LOC", loc), ("PER", per))
        }
        return {"micro": labels["LOC"], "labels": labels, "signature": "", "fingerprint": "1", "mner": "0"}

    record = {
        "config_fingerprint": "c",
        "model": "m",
        "best_epoch": 1,
        "finished": "2026-01-01",
        "data": "d",
        "row": row,
        "seed": seed,
        "config": {"model": {"name": "text"}, "loss": {"views": ["T"]}},
        "splits": {"dev": {"fingerprint": "1"}},
        "dev": {"T": scores("T", (50, 40, 44), (80, 80, 80)), "I+T": scores("I+T", (60, 44, 50), (80, 80, 80))},
        "encoder": {"name": "tiny"},
        "parameters": 1000,
        "seconds": 60.0,
        "epochs": [{}, {}],
        "peak_memory_mib": 100.0,
        "precision": "fp32",
        "machine": {"cpu": "one", "flags": ["avx2"], "cores": 2},
    }
    return {**record, **changes}


@pytest.fixture
def simple_record() -> Callable[..., dict[str, Any]]:
    """A function that makes a run record without outcomes; keywords replace keys of it."""
    return record


@pytest.fixture
def row_of() -> Callable[..., Experiment]:
    """A function that makes a row of run records."""

    def make(*records: dict[str, Any]) -> Experiment:
        return joined(
            [(Path(f"{each['row']}/{each['seed']}.json"), RunRecord.model_validate(each)) for each in records]
        )

    return make
