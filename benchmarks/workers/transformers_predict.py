"""transformers' token-classification pipeline, spans joined by its "simple" strategy, with our emission layer."""

from __future__ import annotations

from typing import Any

import torch
from batch_sizes import fastest
from repeat import Work, serve, threads
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline


def prepare(job: dict[str, Any]) -> tuple[Work, dict[str, Any]]:
    used = threads(job)
    tokenizer = AutoTokenizer.from_pretrained(job["folder"])
    names = dict(enumerate(job["labels"]))
    model = AutoModelForTokenClassification.from_pretrained(
        job["folder"], id2label=names, label2id={label: number for number, label in names.items()}
    ).eval()
    with torch.no_grad():
        model.classifier.weight.copy_(torch.tensor(job["head"]["weight"]))
        model.classifier.bias.copy_(torch.tensor(job["head"]["bias"]))
    tag = pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="simple", device=-1)
    texts = [" ".join(words) for words in job["words"]]

    def predict(size: int, posts: int) -> int:
        return sum(len(entities) for entities in tag(texts[:posts], batch_size=size))

    best, speeds = fastest(predict, len(texts))
    about = {"threads": used, "batch_size": best, "posts_per_second_by_batch_size": speeds}
    return lambda: {"posts": len(texts), "entities": predict(best, len(texts))}, about


if __name__ == "__main__":
    serve(prepare, ("torch", "transformers"))
