"""ONNX copies of a model, one precision in each, and the tiny random model that memory is measured with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from mner import config as configs
from mner import encoders, tags
from mner.errors import ModelError
from mner.export import export
from mner.models import build
from mner.runtime.torch import save
from mner.types import Post
from mner.views import Views


def onnx_copy(model: Path, out: Path, posts: Sequence[Post], *, int8: bool) -> Path | None:
    """A copy of a model with that one ONNX file; None where the file would not stand for the model."""
    plain = [Post(post.id, post.text, post.words, post.offsets) for post in posts]
    try:
        return export(model, fp32=not int8, int8=int8, out=out, posts=plain, keep_encoder=False).folder
    except ModelError as error:
        print(f"  {error}", file=sys.stderr)
        return None


def tiny_model(folder: Path, encoder: str) -> Path:
    """A random model of two layers, 32 wide, with the tokenizer of ``encoder``, in ``folder``."""
    files = encoders.find(encoder)
    config = configs.check({"name": "tiny", "model": {"encoder": encoder, "case_shape": True}})
    pad_id = Views(files, config.context).pad_id
    torch.manual_seed(1)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    vocabulary = Tokenizer.from_file(str(files.tokenizer)).get_vocab_size()
    trunk = BertModel(BertConfig(vocab_size=vocabulary, pad_token_id=pad_id, **shape), add_pooling_layer=False)
    labels = tags.bioes_labels(["PER", "LOC", "ORG", "MISC"])
    model = build(config, labels, trunk)
    torch.nn.init.normal_(model.tagger.emission.weight, std=0.5)
    save(
        model,
        folder,
        config=config,
        labels=labels,
        tokenizer=files.tokenizer,
        encoder={"name": "tiny", "max_tokens": 512, "pad_id": pad_id},
        card="# tiny\n\nA random model for measuring memory.\n",
    )
    return folder
