"""A plain transformers loop: token classification with a softmax over labels, batches padded to their longest post.

Tokenized beforehand, so that only training is timed; sub-tokens after a word's first carry no label.
"""

from __future__ import annotations

from typing import Any

import torch
from repeat import Work, serve, threads
from transformers import AutoModelForTokenClassification, AutoTokenizer, DataCollatorForTokenClassification


def prepare(job: dict[str, Any]) -> tuple[Work, dict[str, Any]]:
    used = threads(job)
    tokenizer = AutoTokenizer.from_pretrained(job["folder"])
    index = {label: number for number, label in enumerate(job["labels"])}
    torch.manual_seed(1)
    model = AutoModelForTokenClassification.from_pretrained(job["folder"], num_labels=len(index)).train()
    features = []
    for words, tags in zip(job["words"], job["tags"], strict=True):
        coded = tokenizer(words, is_split_into_words=True, truncation=True)
        seen, labels = None, []
        for word in coded.word_ids():
            labels.append(-100 if word is None or word == seen else index[tags[word]])
            seen = word
        features.append({**{key: coded[key] for key in ("input_ids", "attention_mask")}, "labels": labels})
    collate = DataCollatorForTokenClassification(tokenizer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, fused=True)

    def epoch(most: int | None = None) -> dict[str, Any]:
        tokens = posts = 0
        for members in job["batches"][:most]:
            batch = collate([features[post] for post in members])
            tokens, posts = tokens + batch["input_ids"].numel(), posts + len(members)
            with torch.autocast("cpu", torch.bfloat16, enabled=job["precision"] == "bf16"):
                loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            optimizer.zero_grad()
            loss.item()
        return {"tokens": tokens, "posts": posts}

    epoch(job["warmup_steps"])
    return epoch, {"threads": used}


if __name__ == "__main__":
    serve(prepare, ("torch", "transformers"))
