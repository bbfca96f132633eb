"""A row of configs/rows: one epoch of the product's own loop, then a prediction of its posts; pictures are random."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from accelerate import Accelerator
from posts import CONFIGS, base_config, training_posts
from repeat import Work, serve, threads

from mner import config as configs
from mner import encoders, models, tags
from mner.config import Config
from mner.evaluation.views import decoder_of
from mner.models import build
from mner.runtime import predict
from mner.runtime.torch import TorchRuntime, load_encoder
from mner.training.batches import Split, gold_ids
from mner.training.cpu_speed.prepare import can_pack, speed_up
from mner.training.loop import loop
from mner.training.optimizer import optimizer_of, schedule_of
from mner.training.records import peak_memory_mib, size
from mner.views import Array, Piece, Views

CAPTION = Piece("captions", "made", "a man in a dark suit stands in front of a crowd of people holding signs")
OBJECTS = tuple(Piece("tags", "made", label) for label in ("man", "dark suit", "crowd", "sign"))
REGIONS = {"grid": 49, "crops": 4, "regions": 36, "boxes": 36}
PICTURES = 8
"""Different pictures; posts take turns with them."""


def config_of(job: dict[str, Any]) -> Config:
    """The row on the encoder named; no vision-and-language weights are needed."""
    table = configs.load(CONFIGS / "rows" / f"{job['row']}.toml").model_dump()
    table["data"] = base_config().data.model_dump()
    table["model"]["encoder"] = job["encoder"]
    if "vinvl" in job["row"]:
        table["model"]["options"] = {"start": "random"}
    table["training"] |= {"epochs": 1, "posts_per_step": job["posts_per_step"], "device": "cpu", "precision": "fp32"}
    return configs.check(table)


def pictures(arrays: tuple[Array, ...]) -> list[dict[str, np.ndarray]]:
    """Random arrays in the sizes that a model declares."""
    random = np.random.default_rng(1)
    return [
        {array.name: random.normal(size=(REGIONS[array.name], array.axes[2])).astype(np.float32) for array in arrays}
        for _ in range(PICTURES)
    ]


def prepare(job: dict[str, Any]) -> tuple[Work, dict[str, Any]]:
    used = threads(job)
    config = config_of(job)
    needs = models.needs(config)
    files = encoders.find(config.model.encoder)
    views = Views(files, config.context)
    posts, _ = training_posts(job["posts"])
    labels = tags.bioes_labels({span.label for post in posts for span in post.spans or ()})
    words = [post.words for post in posts]
    pieces = (OBJECTS if "tags" in config.context.order else (CAPTION,)) if needs.context else ()
    looks = pictures(needs.pictured)
    arrays = [looks[number % PICTURES] for number in range(len(posts))]
    encoded = {"T": views.encode_many(words), "I+T": views.encode_many(words, [pieces] * len(posts), arrays)}
    torch.manual_seed(1)
    model: Any = build(config, labels, *(load_encoder(encoders.find(name).folder) for name in needs.encoders))
    split = Split(posts, encoded, gold_ids(posts, labels), needs.arrays)
    accelerator = Accelerator(cpu=True)
    parameters = size(model)  # before embeddings are copied for the sub-tokens that occur
    speed_up(model, [split], config.training, pad_id=views.pad_id, device=accelerator.device)
    packed = can_pack(model, split, pad_id=views.pad_id)
    optimizer = optimizer_of(model.parameter_groups(), config.training)
    prepared, stepper = accelerator.prepare(model, optimizer)
    runtime = TorchRuntime(model, labels, views.pad_id, needs.arrays)
    view = "I+T" if "I+T" in model.views else "T"

    def work() -> dict[str, Any]:
        begun = time.perf_counter()
        schedule = schedule_of(optimizer, config.training, steps=10**6)
        steps = loop(prepared, split, stepper, schedule, accelerator, config=config, pad_id=views.pad_id, packed=packed)
        for _ in steps:
            pass
        trained = time.perf_counter()
        predict.spans(runtime, encoded[view], decoder_of(config, labels, runtime.chain))
        done = time.perf_counter()
        return {"training": trained - begun, "prediction": done - trained, "peak_mib": peak_memory_mib()}

    work()
    return work, {"threads": used, "packed": packed, "parameters": parameters}


if __name__ == "__main__":
    serve(prepare, ("mner", "torch", "transformers", "accelerate"))
