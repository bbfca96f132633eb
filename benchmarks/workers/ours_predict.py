"""Our side of prediction: whole predictions of the T view; or, with "bare", the encoder alone on the same tokens."""

from __future__ import annotations

import itertools
import sys
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from contextlib import nullcontext

from posts import training_posts
from repeat import Work, serve

import mner
from mner import encoders
from mner.runtime import open_model, read_model
from mner.views import Batch, Views, collate

TIMES = 3


def prepare(job: dict[str, Any]) -> tuple[Work, dict[str, Any]]:
    posts, _ = training_posts(job["posts"], links=job["links"])
    half: Any = nullcontext
    if job["backend"] == "torch":
        import torch

        half = lambda: torch.autocast("cpu", torch.bfloat16, enabled=job["precision"] == "bf16")  # noqa: E731
    work = _bare(job, posts) if job["bare"] else _whole(job, posts)

    def run() -> dict[str, Any]:
        with half():
            return work()

    return run, run()  # the first run warms up


def _whole(job: dict[str, Any], posts: list[Any]) -> Any:
    tagger = mner.load(job["model"], backend=job["backend"], threads=job["threads"], use_images=False)

    def work() -> dict[str, Any]:
        predictions = list(tagger.pipe(posts))
        return {"posts": len(predictions), "entities": sum(len(each.entities) for each in predictions)}

    return work


def _bare(job: dict[str, Any], posts: list[Any]) -> Any:
    """Forward passes over windows of equal length, no padding, as many tokens in each as the product puts there.

    Each post goes in TIMES times, or there would be too few of a length to fill a batch.
    """
    saved = read_model(job["model"])
    runtime = open_model(saved, backend=job["backend"], threads=job["threads"])
    views = Views.of(encoders.of_model(saved.folder, saved.manifest["encoder"]), saved.config)
    encoded = sorted(views.encode_many([post.words for post in posts] * TIMES), key=lambda each: each.tokens)
    batches: list[Batch] = []
    for tokens, group in itertools.groupby(
        (each for each in encoded if len(each.windows) == 1), key=lambda each: each.tokens
    ):
        members = list(group)
        most = max(1, runtime.tokens_per_batch // tokens)
        batches += [collate(members[at : at + most], pad_id=views.pad_id) for at in range(0, len(members), most)]
    tokens = sum(batch.input_ids.size for batch in batches)
    if job["backend"] == "onnx":
        forward: Any = partial(
            runtime.emissions, view="T"
        )  # the graph holds the emission layer too, a thousandth of the work
    else:
        import torch

        from mner.runtime.torch import view_tensors

        model: Any = runtime.model  # type: ignore[attr-defined]

        def forward(batch: Batch) -> Any:
            with torch.inference_mode():
                return model.tagger.words.hidden(view_tensors({"T": batch}, model)["T"])

    def work() -> dict[str, Any]:
        for batch in batches:
            forward(batch)
        return {"posts": len(posts) * TIMES, "tokens": tokens}

    return work


if __name__ == "__main__":
    serve(prepare, ("mner", "torch", "transformers", "onnxruntime"))
