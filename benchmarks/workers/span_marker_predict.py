"""SpanMarker on the same encoder, its own head untrained: the time does not depend on what it finds."""

from __future__ import annotations

from typing import Any

import torch
from batch_sizes import fastest
from repeat import Work, serve, threads
from span_marker import SpanMarkerModel


def prepare(job: dict[str, Any]) -> tuple[Work, dict[str, Any]]:
    used = threads(job)
    torch.manual_seed(1)
    types = sorted({label[2:] for label in job["labels"] if label != "O"})
    model = SpanMarkerModel.from_pretrained(
        job["folder"], labels=["O", *types], model_max_length=256, entity_max_length=8
    ).eval()
    with torch.no_grad():
        model.classifier.bias[0] += 10.0  # untrained it would find something in every span
    words = [list(of_post) for of_post in job["words"]]

    def predict(size: int, posts: int) -> int:
        return sum(len(entities) for entities in model.predict(words[:posts], batch_size=size))

    best, speeds = fastest(predict, len(words), sizes=(1, 8, 32))
    about = {"threads": used, "batch_size": best, "posts_per_second_by_batch_size": speeds}
    return lambda: {"posts": len(words), "entities": predict(best, len(words))}, about


if __name__ == "__main__":
    serve(prepare, ("span-marker", "torch", "transformers"))
