"""GLiNER on the same encoder, untrained, asked for the same types: the time does not depend on what it finds."""

from __future__ import annotations

from typing import Any

import torch
from batch_sizes import fastest
from gliner import GLiNER, GLiNERConfig
from repeat import Work, serve, threads


def prepare(job: dict[str, Any]) -> tuple[Work, dict[str, Any]]:
    used = threads(job)
    torch.manual_seed(1)
    types = sorted({label[2:] for label in job["labels"] if label != "O"})
    config = GLiNERConfig(model_name=job["folder"], max_width=8, hidden_size=256, max_len=256)
    model = GLiNER.from_config(config)
    model.eval()
    texts = [" ".join(words) for words in job["words"]]

    def predict(size: int, posts: int) -> int:
        entities = model.inference(texts[:posts], types, batch_size=size, threshold=0.9999)
        return sum(len(of_text) for of_text in entities)

    best, speeds = fastest(predict, len(texts), sizes=(1, 8, 32))
    about = {"threads": used, "batch_size": best, "posts_per_second_by_batch_size": speeds}
    return lambda: {"posts": len(texts), "entities": predict(best, len(texts))}, about


if __name__ == "__main__":
    serve(prepare, ("gliner", "torch", "transformers"))
