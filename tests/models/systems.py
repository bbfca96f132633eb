"""Small instances of the published systems, with batches whose pictures are random numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from derivation import randomized
from safetensors.numpy import load_file

import mner
from mner import config as configs
from mner import encoders, models, tags
from mner.config import Config
from mner.decode import Decoder
from mner.evaluation import score
from mner.export import export
from mner.models import build
from mner.runtime.torch import TorchRuntime, load_encoder, view_tensors
from mner.training.run import Event, train
from mner.types import Post, Span, ViewName
from mner.views import Batch, Piece, Views, collate

LABELS = tags.bioes_labels(["LOC", "PER"])
WORDS = [["kevin", "love", "is", "back"], ["phoenix"], ["jordan", "won", "last", "night"]]
GOLD = torch.tensor([[0, 1, 0, 0], [2, 0, 0, 0], [0, 3, 0, 0]])
LONG = [
    "clevelandish teams won the museumlike jordanian stadium in yorkshire with parisians".split(),
    ["phoenix"],
    WORDS[0],
]
"""Posts of which the first takes several windows of ``NARROW``; some of its words have several sub-tokens."""

TAGS = [["red car"], ["two people", "dog"], []]
"""Object tags of the pictures of such posts."""

NARROW = {"max_tokens": 32, "overlap": 8}
WIDTH = 8
ARRAYS: dict[str, tuple[str, ...]] = {
    "imgfeat": ("grid",),
    "umt": ("grid",),
    "umgf": ("crops",),
    "rpbert": ("grid",),
    "riva": ("grid",),
    "vinvl": ("regions", "boxes"),
    "bert_vinvl": ("regions", "boxes"),
}
SYSTEMS = sorted(ARRAYS)
UNORDERED = ["bert_vinvl", "riva", "umgf", "umt", "vinvl"]
"""Systems whose regions have no order; those of imgfeat and rpbert have positions."""

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "imgfeat": {"regions": 4},
    "umt": {"regions": 4},
    "rpbert": {"regions": 4, "hidden": 8},
    "riva": {"regions": 4, "relation_hidden": 4, "language_hidden": 8, "hidden": 8, "character_hidden": 4},
    "umgf": {"nodes": 16, "layers": 2, "heads": 2, "inner": 16},
}

TRAINING: Mapping[str, Any] = {
    "epochs": 3,
    "posts_per_step": 2,
    "encoder_lr": 0.01,
    "crf_lr": 0.1,
    "feature_lr": 0.03,
    "schedule": "constant",
    "device": "cpu",
    "threads": 1,
}
"""Enough to find entities in the album's posts."""


def settings(name: str, encoder: Path, *, context: Mapping[str, Any] | None = None, **options: Any) -> Config:
    own = {"width": WIDTH, **OPTIONS.get(name, {}), **options}
    if "vinvl" in name:
        own = {"start": "random", **own}
    if name == "bert_vinvl":
        own["vinvl"] = str(encoder)
    return configs.check(
        {
            "model": {
                "name": name, "encoder": str(encoder), "case_shape": True, "word_dropout": 0.0, "options": own,
            },
            "context": {"max_tokens": 448, **(context or {})},
            "loss": {"views": ["I+T"]},
        }
    )  # fmt: skip


def built(config: Config, seed: int = 0) -> tuple[Any, Views]:
    torch.manual_seed(seed)
    names = models.needs(config).encoders
    model: Any = build(config, LABELS, *(load_encoder(Path(name)) for name in names))
    for parameter in model.parameters():
        if not parameter.any():  # what starts from zero would hide what it does
            torch.nn.init.normal_(parameter, std=0.02)
    return model.eval(), Views(encoders.find(config.model.encoder), config.context)


def picture(name: str, seed: int, regions: int = 4) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(seed)
    sizes = {"boxes": 6}
    return {array: noise.normal(size=(regions, sizes.get(array, WIDTH))).astype(np.float32) for array in ARRAYS[name]}


def batch_of(
    views: Views,
    config: Config,
    pictures: list[dict[str, np.ndarray]],
    words: list[list[str]] = WORDS,
    tags: Sequence[Sequence[str]] = (),
) -> dict[ViewName, Batch]:
    arrays = models.needs(config).arrays
    pieces = [[Piece("tags", "test", tag) for tag in post] for post in tags] or None
    both = {"T": views.encode_many(words), "I+T": views.encode_many(words, pieces, pictures)}
    return {view: collate(posts, pad_id=views.pad_id, arrays=arrays) for view, posts in both.items()}  # type: ignore


def scores(model: Any, batch: dict[ViewName, Batch], view: ViewName = "I+T") -> torch.Tensor:
    with torch.inference_mode():
        return model.emissions(view_tensors(batch, model), view)  # type: ignore[no-any-return]


def three(name: str, *seeds: int) -> list[dict[str, np.ndarray]]:
    return [picture(name, seeds[0]), picture(name, seeds[1], 2), {}]


def windowed(
    name: str, encoder: Path, tags: Sequence[Sequence[str]] = (), **options: Any
) -> tuple[Any, dict[str, torch.Tensor]]:
    """A model whose weights are all random, and the I+T view of ``LONG`` with two pictures, the third post without."""
    config = settings(name, encoder, context=NARROW, **options)
    model, views = built(config)
    batch = batch_of(views, config, three(name, 1, 2), LONG, tags)
    arrays = dict(view_tensors(batch, model)["I+T"])
    assert arrays["window_post"].tolist().count(0) > 1
    return randomized(model), arrays


def assert_scores(model: Any, arrays: Mapping[str, torch.Tensor], expected: Sequence[np.ndarray]) -> None:
    """The model's label scores of each post are the expected ones (word, label)."""
    with torch.inference_mode():
        computed = model.emissions({"I+T": arrays}, "I+T")
    assert len(computed) == len(expected)
    for of_post, words in zip(computed, expected, strict=True):
        np.testing.assert_allclose(of_post[: len(words)], words, atol=2e-5, rtol=2e-5)


def overfits(model: Any, batch: dict[ViewName, Batch], most: int = 250) -> bool:
    """Whether training on eight posts of two words, the first an entity of one of two types, comes to an F1 of 1.0.

    Args:
        model: It is trained, without dropout.
        batch: The posts; only the pictures of those with a location differ from those with a person.
        most: Steps.
    """
    spans = [(Span(0, 1, "LOC" if number % 2 else "PER"),) for number in range(8)]
    gold = torch.tensor([[LABELS.index(f"S-{span.label}"), 0] for (span,) in spans])
    rates = {"encoder": 3e-3, "fusion": 3e-3, "relation": 3e-3, "language": 3e-3, "feature": 1e-3}
    groups = [{"params": p, "lr": rates.get(name, 1e-2)} for name, p in model.parameter_groups().items() if p]
    optimizer = torch.optim.AdamW(groups)
    runtime, tensors = TorchRuntime(model, LABELS, 0), view_tensors(batch, model)
    for step in range(1, most + 1):
        optimizer.zero_grad()
        model.losses(tensors, gold)["loss"].mean().backward()
        optimizer.step()
        if step % 25 == 0:
            decoded = Decoder(LABELS, runtime.chain).decode(runtime.emissions(batch["I+T"], "I+T"), [2] * 8)
            if score(spans, [[entity.span for entity in post] for post in decoded]).micro.f1 == 100:
                return True
    return False


class _StopError(Exception):
    pass


def check_run(
    config: Config, album: Path, out: Path, given: Mapping[str, Any], source: str, *, int8: bool = False
) -> Path:
    """Train a model, resume it bit-equal, predict and explain with it, and export it; the run's folder.

    Args:
        config: Whose training and dev posts are those of ``album``.
        album: The folder of the data.
        out: For everything that is written.
        given: What the tagger gets beside a post.
        source: What of it the explanation leaves out.
        int8: Whether the weights are exported in eight bits, too.
    """

    def stop(event: Event) -> None:
        if event.kind == "epoch":
            raise _StopError

    whole = train(config, root=album, out=out / "whole")
    with pytest.raises(_StopError):
        train(config, root=album, out=out / "cut", watch=stop)
    cut = train(config, root=album, out=out / "cut", resume=True)
    parts = [Path(file).parent.name for file in (whole / "model").glob("*/model.safetensors")]
    assert len(parts) == len(models.needs(config).encoders)
    for file in ("head.safetensors", *(f"{part}/model.safetensors" for part in parts)):
        first, second = (load_file(run / "model" / file) for run in (whole, cut))
        assert first.keys() == second.keys() and all((first[key] == second[key]).all() for key in first)
        if file != "head.safetensors":
            start = load_file(encoders.find(config.model.encoder).folder / "model.safetensors")
            assert any((first[key] != start[key]).any() for key in first), f"{file} has not learned"

    tagger = mner.load(whole)
    post = Post("Kevin Love is back in Cleveland")
    seen, alone = tagger(post, **given), tagger(post)
    assert (seen.view, seen.image_status) == ("I+T", "used") and (alone.view, alone.image_status) == ("T", "none")
    explained = tagger.explain(post, **given)
    assert explained.evidence and all(source in evidence.without_source for evidence in explained.evidence)

    exported = export(whole, int8=int8, out=out / "onnx", dev_config=whole / "config.toml", threads=1)
    assert exported.figures["model.onnx"].differing == 0 and (exported.folder / "model.int8.onnx").is_file() == int8
    small = mner.load(out / "onnx", backend="onnx")
    for ours, theirs in ((seen, small(post, **given)), (alone, small(post))):
        assert ours.entities and [e.text for e in theirs.entities] == [e.text for e in ours.entities]
    return whole
