"""flair's SequenceTagger, fine-tuned by what its trainer runs for each batch, without its files and scores."""

from __future__ import annotations

from typing import Any

import torch
from flair.data import Sentence
from flair.training_utils import store_embeddings
from flair_tagger import sequence_tagger
from repeat import Work, serve, threads


def prepare(job: dict[str, Any]) -> tuple[Work, dict[str, Any]]:
    used = threads(job)
    tagger = sequence_tagger(job["folder"], job["labels"]).train()
    sentences = []
    for words, spans in zip(job["words"], job["spans"], strict=True):
        sentence = Sentence(list(words))
        for start, end, label in spans:
            sentence[start:end].add_label("ner", label)
        sentences.append(sentence)
    optimizer = torch.optim.AdamW(tagger.parameters(), lr=5e-5, fused=True)

    def epoch(most: int | None = None) -> dict[str, Any]:
        posts = 0
        for members in job["batches"][:most]:
            batch = [sentences[post] for post in members]
            loss, count = tagger.forward_loss(batch)
            (loss / count).backward()
            torch.nn.utils.clip_grad_norm_(tagger.parameters(), 5.0)
            optimizer.step()
            optimizer.zero_grad()
            loss.item()
            store_embeddings(batch, "none")
            posts += len(members)
        return {"posts": posts}

    epoch(job["warmup_steps"])
    return epoch, {"threads": used}


if __name__ == "__main__":
    serve(prepare, ("flair", "torch", "transformers"))
