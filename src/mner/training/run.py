"""A configuration -> a trained model: epochs run, the best dev score kept, all of it recorded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import Accelerator
from torch import nn

from mner import config as configs
from mner import encoders
from mner.config import Config, TrainingConfig
from mner.errors import MnerError, ModelError
from mner.evaluation import calibration, evaluate_views
from mner.evaluation.outcomes import outcomes
from mner.evaluation.views import decoder_of, scored_in_views, spans_of
from mner.files import write_text
from mner.models import Model, build, ignored
from mner.runtime.device import find_device, torch_threads
from mner.runtime.saved import read_model
from mner.runtime.torch import TorchRuntime, load_encoder, save
from mner.tagger.opening import EXPORTED
from mner.training import checkpoint
from mner.training.batches import plan
from mner.training.card import model_card
from mner.training.checkpoint import Progress
from mner.training.cpu_speed.prepare import can_pack, speed_up
from mner.training.folder import (
    CHECKPOINT,
    METRICS,
    MODEL,
    RECORD,
    SETTINGS,
    alone,
    belongs,
    check_model,
    is_finished,
    make_room,
    refuse_other,
    run_folder,
    seen_from,
)
from mner.training.initial import continue_from, keep_layers, start_layers
from mner.training.interrupts import deferred
from mner.training.job import Job, beliefs_of, prepare, task_splits, training_split
from mner.training.loop import Step, loop
from mner.training.optimizer import accelerator_on, diverged, optimizer_of, schedule_of
from mner.training.records import run_record, size
from mner.training.teachers import FOLDER as TEACHERS

CHECKPOINT_SECONDS = 300.0
"""A run saves its state at each epoch's end, when it is interrupted, and after this much training."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something to show while a run goes on: ``kind`` is teachers, ready, step, epoch or finished.

    ``epochs`` holds the records of past epochs, as in metrics.jsonl, for ready and epoch only.

    >>> Event("step", 3, 60, losses={"I+T": 0.5})
    Event(kind='step', step=3, steps=60, message='', losses={'I+T': 0.5}, epochs=())
    """

    kind: str
    step: int
    steps: int
    message: str = ""
    losses: Mapping[str, float] | None = None
    epochs: Sequence[Mapping[str, Any]] = ()


Watch = Callable[[Event], None]


def train(
    config: Config,
    *,
    root: Path,
    out: Path,
    resume: bool = False,
    restart: bool = False,
    set_aside: bool = False,
    watch: Watch = lambda event: None,
    announce: Callable[[str], None] = lambda message: None,
) -> Path:
    """Train one model; the run's directory, which holds model/, record.json, metrics.jsonl and config.toml.

    The same call continues a run that was interrupted, bit for bit on CPU, and returns at once for one that
    is finished. Test splits are never opened, but for the words that posts without labels must not have.

    Args:
        config: The resolved configuration.
        root: Folder that the paths of [data] are relative to (``config.root_folder``).
        out: Folder of runs; this run is in ``out/<data.name>/<name>/<seed>``.
        resume: Fail unless there is a run to continue.
        restart: Delete an earlier run, once all that training needs has been loaded.
        set_aside: Move a run with other settings or data to ``earlier/`` beside the new one instead of refusing.
        watch: Called with each event; an exception it raises ends the run, which the same call continues.
        announce: Called once with what becomes of the run's directory, in words.

    Raises:
        DataError: A split or the record of a finished run is missing or faulty, or no post has a visual context
            though I+T is trained; or another process trains into the folder.
        ConfigError: This machine does not have the device.
        ModelError: The encoder is missing, or an earlier run there has another number format.
        DivergedError: The loss is not finite.
        MnerError: ``resume`` without a run or with ``restart``; a run there has other settings, or a damaged model.

    >>> from mner import config as configs
    >>> sample = {"name": "sample", "root": "mner:sample", "train": "train.jsonl", "dev": "dev.jsonl"}
    >>> config = configs.check({"name": "first", "data": {**sample, "images": "images"}})
    >>> root = configs.root_folder(config.data, Path())
    >>> train(config, root=root, out=Path("runs"), watch=print)  # doctest: +SKIP
    PosixPath('runs/sample/first/1')
    """
    folder = run_folder(config, out)
    if resume and restart:
        raise MnerError("--resume continues a run and --restart discards it; pass one of them")
    if resume and not ((folder / CHECKPOINT).exists() or (folder / RECORD).exists()):
        raise MnerError(f"{folder}: no run to resume; start it without --resume")
    with alone(folder):
        finished = not restart and is_finished(folder)
        job = prepare(config, root)
        if restart or belongs(folder, job):
            if finished:
                (folder / CHECKPOINT).unlink(missing_ok=True)  # left over where the run was killed at its very end
                announce(f"{folder} is finished, skipped")
                watch(Event("finished", 0, 0, f"{folder}: already finished"))
                return folder
        elif resume or not set_aside:
            refuse_other(folder, job)
        with torch_threads(config.training.threads):
            _go(job, folder, root, watch, announce, restart=restart)
    return folder


def _go(job: Job, folder: Path, root: Path, watch: Watch, announce: Callable[[str], None], *, restart: bool) -> None:
    """Train; an earlier run in the folder is replaced only when all that training needs has been loaded."""
    config, settings, state = job.config, job.config.training, folder / CHECKPOINT
    device = find_device(settings.device)
    accelerator = accelerator_on(device, settings, several_tasks=bool(job.needs.tasks))
    torch.manual_seed(config.seed)
    networks = [load_encoder(encoders.find(name).folder) for name in job.needs.encoders]
    if config.model.layers and "model.layers" not in ignored(config):
        keep_layers(networks[0], config.model.layers)
    model = build(config, job.labels, *networks)
    start_layers(model, job.needs.start, [encoders.find(name).folder for name in job.needs.encoders])
    if job.init is not None:
        continue_from(model, job.labels, job.init)
    posts, further = training_split(job), task_splits(job)
    if job.teachers:
        with accelerator.main_process_first():  # the others read what it kept
            cache, views = folder.parent / TEACHERS, cast(Model, model).views
            bf16, say = accelerator.mixed_precision == "bf16", lambda message: watch(Event("teachers", 0, 0, message))
            taught = beliefs_of(job, root, cache, views, say, device=str(accelerator.device), bf16=bf16)
            posts = replace(posts, taught=taught["train"])
            further = {task: replace(part, taught=taught.get(task.name, {})) for task, part in further.items()}
    speed_up(model, [posts, *further.values()], settings, pad_id=job.views.pad_id, device=accelerator.device)
    passes = plan(posts, further, settings)
    steps, before = sum(part.steps for part in passes), sum(part.steps for part in passes if part.epoch == 0)
    optimizer = optimizer_of(cast(Model, model).parameter_groups(), settings)
    precision = accelerator.mixed_precision
    progress = Progress(job.fingerprint, precision=precision)
    if accelerator.is_main_process:
        announce(make_room(folder, job, restart=restart))
    accelerator.wait_for_everyone()
    if state.exists():
        progress = checkpoint.load(state, model, optimizer, precision=precision)
        progress = replace(progress, fingerprint=job.fingerprint)  # it may have begun on another device
        if progress.best_epoch:  # no later epoch may be better, and then the run ends with it
            check_model(folder, "would go on from its checkpoint")
    schedule = schedule_of(optimizer, settings, steps=steps, before=before, done=progress.step)
    if accelerator.is_main_process:
        write_text(folder / SETTINGS, configs.dumps(seen_from(folder, config, root)))
    resumed = f", continuing after step {progress.step}" if progress.step else ""
    watch(Event("ready", progress.step, steps, f"{_summary(job, model, accelerator)}{resumed}", epochs=progress.epochs))
    prepared, stepper = accelerator.prepare(model, optimizer)
    taken = loop(
        prepared,
        posts,
        stepper,
        schedule,
        accelerator,
        config=config,
        pad_id=job.views.pad_id,
        packed=settings.packing and can_pack(model, posts, pad_id=job.views.pad_id),
        done=progress.step,
        further=further,
    )
    since = 0.0
    with deferred() as interrupted:
        while not _over(progress, settings) and (step := next(taken, None)) is not None:
            progress = progress.after(step)
            since += step.seconds
            watch(Event("step", step.step, steps, losses=step.losses))
            if step.last:
                progress = _end_epoch(job, model, folder, progress, step, accelerator)
            stop = interrupted()
            if accelerator.is_main_process and (step.last or stop or since > CHECKPOINT_SECONDS):
                checkpoint.save(state, model, optimizer, progress)
                since = 0.0
            if stop:
                raise KeyboardInterrupt
            if step.last:  # after the checkpoint, so that a watcher that ends the run loses nothing
                watch(Event("epoch", step.step, steps, _epoch_line(progress), epochs=progress.epochs))
    if accelerator.is_main_process:
        saved = read_model(folder / MODEL, allow_plugins=True).fingerprint
        record = run_record(job, progress, model, saved=saved, steps=steps, precision=precision, device=str(device))
        record.write(folder / RECORD)
        state.unlink(missing_ok=True)
    watch(Event("finished", progress.step, steps, str(folder)))


def _over(progress: Progress, settings: TrainingConfig) -> bool:
    """Whether the last ``patience`` epochs have not improved the best dev score."""
    return bool(settings.patience) and len(progress.epochs) - progress.best_epoch >= settings.patience


def _end_epoch(
    job: Job, model: nn.Module, folder: Path, progress: Progress, step: Step, accelerator: Accelerator
) -> Progress:
    """The progress after scoring dev on both views; a better model than before is saved."""
    runtime = TorchRuntime(model, job.labels, job.views.pad_id, job.needs.arrays)
    dev = job.splits["dev"]
    try:
        scored = scored_in_views(runtime, dev, decoder_of(job.config, job.labels, runtime.chain))
    except ModelError:  # the loss of the last step was a number, but that step went too far
        what = f"epoch {step.epoch}: the model's label scores are not numbers"
        raise diverged(what, cast(Model, model), job.config.training, accelerator.mixed_precision) from None
    predicted = spans_of(scored)
    gold = [post.spans or () for post in dev.posts]
    scores = evaluate_views(dev.posts, predicted)
    trained = cast(Model, model).views
    selected = sum(scores[view].micro.f1 for view in trained) / len(trained)
    better = progress.best is None or selected > progress.best
    epoch = {
        "epoch": step.epoch,
        "losses": progress.means,
        "dev": {
            view: {**of_view.to_dict(), "calibration": calibration.table(calibration.grade(gold, scored[view]))}
            for view, of_view in scores.items()
        },
        "selected": round(selected, 4),
        "tokens": progress.tokens,
        "seconds": round(progress.seconds, 1),
    }
    after = replace(
        progress,
        best=selected if better else progress.best,
        best_epoch=step.epoch if better else progress.best_epoch,
        sums={},
        posts=0,
        tokens=0,
        counts={},
        epochs=(*progress.epochs, epoch),
        outcomes=outcomes(dev.posts, predicted, dev.stamp) if better else progress.outcomes,
    )
    if accelerator.is_main_process and better:
        shutil.rmtree(folder / EXPORTED, ignore_errors=True)  # exported from the previous model
        save(
            model,
            folder / MODEL,
            config=job.config,
            labels=job.labels,
            tokenizer=job.files.tokenizer,
            encoder={"name": job.files.name, "max_tokens": job.files.max_tokens, "pad_id": job.views.pad_id},
            card=model_card(job, epoch),
            features=job.splits["train"].features,
        )
    if accelerator.is_main_process:
        write_text(folder / METRICS, "".join(json.dumps(row) + "\n" for row in after.epochs))
    return after


def _epoch_line(progress: Progress) -> str:
    epoch = progress.epochs[-1]
    scores = "  ".join(f"{view} {score['micro']['f1']:.2f}" for view, score in epoch["dev"].items())
    best = " (best so far)" if progress.best_epoch == epoch["epoch"] else ""
    return f"epoch {epoch['epoch']}: loss {epoch['losses']['loss']:.3f}, dev F1 {scores}{best}"


def _summary(job: Job, model: nn.Module, accelerator: Accelerator) -> str:
    train, dev = job.splits["train"], job.splits["dev"]
    pictured = ""
    if "I+T" in cast(Model, model).views:
        kinds = ", ".join(f"{kind} {count}" for kind, count in train.kinds.items())
        used = [split.coverage.get("used", 0) for split in (train, dev)]
        pictured = f", {used[0]} and {used[1]} of them with a visual context ({kinds})"
    return (
        f"{len(train.posts)} training and {len(dev.posts)} dev posts{pictured}; "
        f"{job.files.name}, {size(model) / 1e6:.1f} M parameters, {accelerator.device}, "
        f"{'fp32' if accelerator.mixed_precision == 'no' else accelerator.mixed_precision}"
    )
