"""Our side of training: one epoch of the product's own loop; or, with "profile", where the time of a step goes."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from accelerate import Accelerator
from posts import base_config, training_posts
from repeat import Work, serve, threads
from torch.profiler import ProfilerActivity, profile

from mner import config as configs
from mner import encoders, tags
from mner.config import Config, ContextConfig, LossConfig, ModelConfig, TrainingConfig
from mner.contexts.artefact import read_contexts
from mner.models import build
from mner.runtime.torch import load_encoder
from mner.training.batches import Split, gold_ids
from mner.training.cpu_speed.prepare import can_pack, speed_up
from mner.training.loop import loop
from mner.training.optimizer import optimizer_of, schedule_of
from mner.views import Piece, Views, compose

PRODUCTS = re.compile(r"^aten::(mm|addmm|bmm|baddbmm|linear|matmul|mkldnn_linear|_?scaled_dot_product.*)$")
"""Matrix products and fused attention, forwards and backwards."""

CAPTION = Piece("captions", "made", "a man in a dark suit stands in front of a crowd of people holding signs")
"""Stands for a picture where the data set has no ready contexts."""


def config_of(job: Mapping[str, Any]) -> Config:
    """The configuration of a side: "text", "cva", or "tokens", the text model on the tokens of both views."""
    base = base_config()
    cva = job["kind"] == "cva"
    return base.model_copy(
        update={
            "model": ModelConfig(name="ita" if cva else "text", encoder=job["encoder"], case_shape=True),
            "loss": LossConfig(cva="posterior", temperature=4.0) if cva else LossConfig(views=("T",)),
            # Against peers no sub-token of a long word is cut, since none of theirs is.
            "context": ContextConfig() if job["kind"] == "text" else base.context,
            "training": TrainingConfig(
                epochs=1,
                posts_per_step=job["posts_per_step"] * (2 if job["kind"] == "tokens" else 1),
                device="cpu",
                precision=job["precision"],
            ),
        }
    )


def split_of(job: Mapping[str, Any], config: Config, views: Views) -> tuple[Split, tuple[str, ...]]:
    """The posts in the views that the side trains on, and their labels."""
    posts, _ = training_posts(job["posts"])
    labels = tags.bioes_labels({span.label for post in posts for span in post.spans or ()})
    gold = gold_ids(posts, labels)
    words = [post.words for post in posts]
    text = views.encode_many(words)
    if job["kind"] == "text":
        return Split(posts, {"T": text}, gold), labels
    if config.data.contexts:
        root = configs.root_folder(config.data, Path(__file__).resolve().parents[2] / "configs")
        contexts = read_contexts([root / file for file in config.data.contexts])
        known = [None if post.image is None else contexts.get(post.image) for post in posts]
        pieces = [() if each is None else compose(each, config.context) for each in known]
    else:
        pieces = [(CAPTION,)] * len(posts)
    both = views.encode_many(words, pieces)
    if job["kind"] == "tokens":
        plain = [replace(post, view="T") for post in both]  # as many tokens, in one view
        return Split(posts * 2, {"T": [*text, *plain]}, gold * 2), labels
    return Split(posts, {"T": text, "I+T": both}, gold), labels


def prepare(job: dict[str, Any]) -> tuple[Work, dict[str, Any]]:
    used = threads(job)
    config = config_of(job)
    files = encoders.find(config.model.encoder)
    views = Views(files, config.context)
    split, labels = split_of(job, config, views)
    accelerator = Accelerator(mixed_precision="bf16" if job["precision"] == "bf16" else "no", cpu=True)
    torch.manual_seed(1)
    model = build(config, labels, load_encoder(files.folder))
    speed_up(model, [split], config.training, pad_id=views.pad_id, device=accelerator.device)
    packed = can_pack(model, split, pad_id=views.pad_id)
    optimizer = optimizer_of(model.parameter_groups(), config.training)
    prepared, stepper = accelerator.prepare(model, optimizer)

    def epoch(most: int | None = None) -> dict[str, Any]:
        schedule = schedule_of(optimizer, config.training, steps=10**6)
        tokens = posts = 0
        taken = loop(prepared, split, stepper, schedule, accelerator, config=config, pad_id=views.pad_id, packed=packed)
        for number, step in enumerate(taken, 1):
            tokens, posts = tokens + step.tokens, posts + step.posts
            if number == most:
                break
        return {"tokens": tokens, "posts": posts}

    epoch(job["warmup_steps"])
    about: dict[str, Any] = {"threads": used, "packed": packed, "labels": len(labels)}
    if job.get("profile"):
        about["profile"] = _profile(lambda: epoch(job["profile"]), len(labels))
    return epoch, about


def _profile(work: Work, labels: int) -> dict[str, Any]:
    """Seconds in matrix products of the encoder and in all operations, of some steps.

    Products with a side as long as the label set are the emission layer's and the CRF's, not the encoder's.
    """
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
        work()
    products = total = 0.0
    outside: dict[str, float] = {}
    for event in profiler.key_averages(group_by_input_shape=True):
        seconds = event.self_cpu_time_total / 1e6
        total += seconds
        sides = {side for shape in event.input_shapes for side in _sides(shape)}
        if PRODUCTS.match(event.key) and labels not in sides:
            products += seconds
        else:
            outside[event.key] = outside.get(event.key, 0.0) + seconds
    largest = sorted(outside.items(), key=lambda each: -each[1])[:8]
    return {
        "products_seconds": products,
        "profiled_seconds": total,
        "share_outside": 1 - products / total,
        "largest_outside": {name: seconds / total for name, seconds in largest},
    }


def _sides(shape: Any) -> list[int]:
    return [side for each in shape for side in (_sides(each) if isinstance(each, list | tuple) else [each])]


if __name__ == "__main__":
    serve(prepare, ("mner", "torch", "transformers", "accelerate"))
