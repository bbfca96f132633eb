"""Only the used word embeddings are trained; the whole table is saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from mner.training.used_embeddings import UsedEmbeddings, train_used_embeddings

MakeEncoder = Callable[[str], nn.Module]


def test_used_embeddings_alone_are_trained_and_the_whole_table_is_saved(
    small_encoder: MakeEncoder, tmp_path: Path
) -> None:
    encoder = small_encoder("Bert")
    whole = encoder.get_input_embeddings().weight.detach().clone()  # type: ignore[operator]
    train_used_embeddings(encoder, np.array([7, 3, 7]))
    table = encoder.get_input_embeddings()  # type: ignore[operator]
    assert isinstance(table, UsedEmbeddings)
    assert table.vectors.shape == (2, 32)
    encoder.train()
    assert torch.equal(table(torch.tensor([[3, 7]])), whole[[3, 7]][None])
    with torch.no_grad():
        table.vectors += 1
    encoder.save_pretrained(tmp_path)  # type: ignore[operator]
    saved = load_file(tmp_path / "model.safetensors")
    assert not [name for name in saved if name.endswith("vectors")]
    whole[[3, 7]] += 1
    assert torch.equal(saved["embeddings.word_embeddings.weight"], whole)
    assert torch.equal(table.eval()(torch.arange(300)), whole)


def test_used_embeddings_refuse_others_in_training() -> None:
    table = UsedEmbeddings(nn.Embedding(10, 4), torch.tensor([1, 2]))
    with pytest.raises(IndexError):
        table(torch.tensor([[5]]))


def test_used_embeddings_load_a_saved_state() -> None:
    source = nn.Embedding(10, 4)
    table = UsedEmbeddings(nn.Embedding(10, 4), torch.tensor([1, 2]))
    table.load_state_dict(source.state_dict())
    assert torch.equal(table(torch.tensor([1, 2])), source.weight[[1, 2]])
    assert torch.equal(table.eval()(torch.arange(10)), source.weight)
