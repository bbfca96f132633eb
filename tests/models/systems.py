"""Small instances of the published systems, with batches whose pictures are random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mner import config as configs
from mner import encoders, models, tags
from mner.config import Config
from mner.models import build
from mner.runtime.torch import load_encoder, view_tensors
from mner.types import ViewName
from mner.views import Batch, Views, collate

LABELS = tags.bioes_labels(["LOC", "PER"])
WORDS = [["kevin", "love", "is", "back"], ["phoenix"], ["jordan", "won", "last", "night"]]
GOLD = torch.tensor([[0, 1, 0, 0], [2, 0, 0, 0], [0, 3, 0, 0]])
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


def settings(name: str, encoder: Path, **options: Any) -> Config:
    own = {"width": WIDTH, **OPTIONS.get(name, {}), **options}
    if "vinvl" in name:
        own = {"start": "random", **own}
    if name == "bert_vinvl":
        own["vinvl"] = str(encoder)
    return configs.check(
        {
            "model": {"name": name, "encoder": str(encoder), "case_shape": True, "options": own},
            "context": {"max_tokens": 448},
            "loss": {"views": ["I+T"]},
        }
    )


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
    views: Views, config: Config, pictures: list[dict[str, np.ndarray]], words: list[list[str]] = WORDS
) -> dict[ViewName, Batch]:
    arrays = models.needs(config).arrays
    both = {"T": views.encode_many(words), "I+T": views.encode_many(words, None, pictures)}
    return {view: collate(posts, pad_id=views.pad_id, arrays=arrays) for view, posts in both.items()}  # type: ignore


def scores(model: Any, batch: dict[ViewName, Batch], view: ViewName = "I+T") -> torch.Tensor:
    with torch.inference_mode():
        return model.emissions(view_tensors(batch, model), view)  # type: ignore[no-any-return]


def three(name: str, *seeds: int) -> list[dict[str, np.ndarray]]:
    return [picture(name, seeds[0]), picture(name, seeds[1], 2), {}]
