"""A tiny data set with contexts, and the configuration that trains on it in a second."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mner import config as configs
from mner import encoders, tags
from mner.config import Config
from mner.training.batches import Split, gold_ids
from mner.types import Post, Span
from mner.views import Piece, Views

TEXTS = ["Kevin Love is back in Cleveland", "Phoenix", "the city is open today and now we are going to see it", "! ?"]


@pytest.fixture
def corpus(tmp_path: Path, posts_file: Path) -> Path:
    """A folder with train.txt, dev.txt, test.txt and contexts.jsonl."""
    text = posts_file.read_text(encoding="utf-8")
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("train", "dev", "test"):
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    rows = [
        {"image": f"{number}.jpg", "captions": [{"text": "a team won a game" if number % 2 else "two people"}]}
        for number in range(1, 13)
    ]
    (folder / "contexts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.fixture
def tiny_config(tiny_encoder: Path) -> Callable[..., Config]:
    """A function that makes a configuration for the corpus; keywords are whole sections, merged over it."""

    def make(**sections: Any) -> Config:
        table: dict[str, Any] = {
            "name": "tiny",
            "data": {
                "name": "corpus",
                "train": "train.txt",
                "dev": "dev.txt",
                "test": "test.txt",
                "contexts": ["contexts.jsonl"],
            },
            "model": {"encoder": str(tiny_encoder), "case_shape": True},
            "loss": {"cva": "posterior"},
            "training": {"epochs": 2, "posts_per_step": 5, "encoder_lr": 1e-3, "device": "cpu", "threads": 1},
        }
        for name, section in sections.items():
            table[name] = {**table.get(name, {}), **section} if isinstance(section, dict) else section
        return configs.check(table)

    return make


@pytest.fixture
def split(tiny_encoder: Path) -> Split:
    """Eight posts in both views."""
    views = Views(encoders.find(str(tiny_encoder)))
    posts = [
        Post(str(n), text, tuple(text.split()), (), spans=(Span(0, 1, "PER"),)) for n, text in enumerate(TEXTS * 2)
    ]
    words = [post.words for post in posts]
    pieces = [[Piece("captions", "x", "two people and a dog " * (n % 3 + 1))] for n in range(len(posts))]
    encoded: dict[Any, Any] = {"T": views.encode_many(words), "I+T": views.encode_many(words, pieces)}
    return Split(posts, encoded, gold_ids(posts, tags.bioes_labels(["PER"])))


@pytest.fixture
def small_encoder() -> Callable[[str], nn.Module]:
    """A function that makes a random encoder without dropout from the name of its transformers class."""
    import transformers

    def make(name: str) -> nn.Module:
        torch.manual_seed(0)
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
        off = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        config = getattr(transformers, f"{name}Config")(vocab_size=300, max_position_embeddings=514, **sizes, **off)
        return getattr(transformers, f"{name}Model")(config, add_pooling_layer=False)  # type: ignore[no-any-return]

    return make
