"""The training loop, a generator: it yields what each step did; saving and logging are the caller's business."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from accelerate import Accelerator
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from mner.config import Config
from mner.models import Model, ignored
from mner.runtime.torch import view_tensors
from mner.training.batches import Split, gather, micro_batches, plan, steps
from mner.training.optimizer import diverged
from mner.training.teachers import UNLABELLED, taught
from mner.views import NER, Task


@dataclass(frozen=True, slots=True)
class Step:
    """What one optimizer step did; ``losses`` are means over its posts."""

    epoch: int
    step: int  # of the whole run, from 1
    last: bool  # of its epoch
    task: str = NER
    losses: dict[str, float] = field(default_factory=dict)
    posts: int = 0
    tokens: int = 0  # padded sub-tokens that went through the encoder
    seconds: float = 0.0
    cpu_seconds: float = 0.0  # of all threads


def loop(
    model: nn.Module,
    split: Split,
    optimizer: Any,
    schedule: LambdaLR,
    accelerator: Accelerator,
    *,
    config: Config,
    pad_id: int,
    packed: bool = False,
    done: int = 0,
    further: Mapping[Task, Split] | None = None,
) -> Iterator[Step]:
    """Train, and yield after each optimizer step.

    An optimizer step is ``posts_per_step`` posts however they are cut into micro-batches: each micro-batch's
    summed loss is divided by the step's real number of posts, so a shorter last step is averaged over its own
    size. Each step seeds torch from the run's seed and its own number, so a resumed run repeats what an
    unbroken one would have done. Steps of further tasks are counted, ordered and seeded in the same way. A model whose
    losses depend on all posts of a step ignores ``tokens_per_batch``, and its steps are not cut.

    Args:
        model: As ``accelerator.prepare`` returned it, like ``optimizer``.
        split: The training split.
        optimizer: Of all groups of parameters.
        schedule: Its rates, for each optimizer step.
        accelerator: Device, precision and processes.
        config: The resolved configuration.
        pad_id: The encoder's padding id.
        packed: Whether posts share rows of the token matrix (``cpu_speed.prepare.can_pack`` says whether it may).
        done: Optimizer steps that an earlier, interrupted run has taken.
        further: The posts of the model's further tasks, in the order in which they are trained.

    Raises:
        DivergedError: The loss is not finite.
    """
    settings = config.training
    views = cast(Model, accelerator.unwrap_model(model)).views
    tokens_at_once = math.inf if "training.tokens_per_batch" in ignored(config) else settings.tokens_per_batch
    planned = [(part, place) for part in plan(split, further or {}, settings) for place in range(part.steps)]
    for number, (part, place) in enumerate(planned[done:], done):
        split, task = part.split, part.task
        if number == done or place == 0:
            order = list(steps(len(split), posts_per_step=settings.posts_per_step, seed=config.seed, epoch=part.turn))
        started, worked = time.perf_counter(), time.process_time()
        torch.manual_seed(config.seed * 1_000_003 + number * accelerator.num_processes + accelerator.process_index)
        members = order[place]
        mine = members[accelerator.process_index :: accelerator.num_processes]
        share = accelerator.num_processes / len(members)
        if not len(mine):  # a process without a post still takes part in the exchange of gradients
            mine, share = members[:1], 0.0
        share *= 1.0 if task is None else task.weight
        unlabelled = task == UNLABELLED
        # A model without further tasks, or one that is not taught, need not expect their arguments.
        named = {} if task is None or unlabelled else {"task": task.name}
        groups = list(micro_batches(split, mine.tolist(), tokens=tokens_at_once))
        sums: dict[str, float] = {}
        tokens = 0
        model.train()
        for position, group in enumerate(groups):
            batch, gold = gather(split, group, views, pad_id=pad_id, packed=packed and task is None)
            arrays = view_tensors(batch, accelerator.unwrap_model(model))
            tokens += sum({id(view["input_ids"]): view["input_ids"].numel() for view in arrays.values()}.values())
            with accelerator.no_sync(model) if position < len(groups) - 1 else nullcontext():
                target = None if unlabelled else torch.from_numpy(gold).to(accelerator.device)
                losses = model(arrays, target, **named, **taught(split, group, views, accelerator.device))
                # Gradients are averaged over processes, hence num_processes in the share of a post.
                accelerator.backward(losses["loss"].sum() * share)
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + float(loss.detach().sum())
        means = {name: value / len(mine) for name, value in sums.items()}
        if not all(abs(value) < float("inf") for value in means.values()):
            what = f"step {number + 1}: the loss is {means['loss']}"
            raise diverged(what, cast(Model, accelerator.unwrap_model(model)), settings, accelerator.mixed_precision)
        accelerator.clip_grad_norm_(model.parameters(), settings.clip_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        yield Step(
            epoch=part.epoch,
            step=number + 1,
            last=part.last and place == part.steps - 1,
            task=NER if task is None else task.name,
            losses=means,
            posts=len(members),
            tokens=tokens,
            seconds=time.perf_counter() - started,
            cpu_seconds=time.process_time() - worked,
        )
