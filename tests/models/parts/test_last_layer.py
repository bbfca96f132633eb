"""The last layer at words alone: the same vectors and gradients as a whole pass, for every kind of encoder."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel

from mner.models.parts.encoder import WordEncoder, pool
from mner.models.parts.last_layer import STEPS
from mner.training.cpu_speed import prepare

WORDS = [torch.tensor([[1, 3, -1, 4], [8, 9, -1, -1]]), torch.tensor([[16, 17, -1, 19], [25, -1, -1, -1]])]
"""Of two views (post, word), in windows of seven tokens: words without sub-tokens, and posts of unequal lengths."""


def network(kind: str) -> Any:
    """A tiny random encoder."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16, "num_hidden_layers": 2}
    if kind == "distilbert":
        sizes = {"dim": 8, "n_heads": 2, "hidden_dim": 16, "n_layers": 2}
    return AutoModel.from_config(AutoConfig.for_model(kind, vocab_size=30, **sizes))


def arrays(words: Tensor) -> dict[str, Tensor]:
    """Four windows of seven tokens, the last tokens of some being padding."""
    ids = torch.arange(28).view(4, 7) % 30
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    return {"input_ids": ids, "attention_mask": mask, "shapes": ids % 3, "word_index": words}


@pytest.mark.parametrize("kind", [*STEPS, "distilbert"])
def test_equals_a_whole_pass_in_values_and_gradients(kind: str) -> None:
    words = WordEncoder(network(kind), word_dropout=0.0, case_shape=True).eval()
    first, second = arrays(WORDS[0]), arrays(WORDS[1])
    whole = words.hidden(first)
    expected = [pool(whole, index) for index in WORDS]
    sum((vectors**3).sum() for vectors in expected).backward()  # type: ignore[union-attr]
    gradients = {name: value.grad for name, value in words.named_parameters()}
    words.zero_grad(set_to_none=True)
    got = words.of_views([first, second])
    sum((vectors**3).sum() for vectors in got).backward()  # type: ignore[union-attr]
    for mine, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(mine, theirs)
    torch.testing.assert_close(words(second), expected[1])
    torch.testing.assert_close(words.hidden(first), whole)  # whole again, outside
    for name, value in words.named_parameters():
        if gradients[name] is not None:
            torch.testing.assert_close(value.grad, gradients[name], msg=name)


@pytest.mark.parametrize("kind", STEPS)
def test_the_last_layer_computes_no_more_than_the_words(kind: str) -> None:
    encoder = network(kind)
    words = WordEncoder(encoder, word_dropout=0.0, case_shape=False)
    sizes: list[tuple[int, ...]] = []
    for layer in encoder.encoder.layer:
        layer.output.register_forward_hook(lambda module, given, result: sizes.append(tuple(result.shape)))
    words(arrays(WORDS[0]))
    assert sizes == [(4, 7, 8), (1, 6, 8)]  # five words and one place that keeps it from being empty


def test_posts_whose_words_have_no_sub_token() -> None:
    words = WordEncoder(network("bert"), word_dropout=0.0, case_shape=False)
    assert words(arrays(torch.full((2, 3), -1))).tolist() == torch.zeros(2, 3, 8).tolist()


def test_two_word_encoders_around_one_encoder_choose_once() -> None:
    encoder = network("bert").eval()
    first, second = (WordEncoder(encoder, word_dropout=0.0, case_shape=False) for _ in range(2))
    torch.testing.assert_close(first(arrays(WORDS[0])), second(arrays(WORDS[0])))


def test_recomputed_layers_are_whole() -> None:
    """A layer that is computed again in the backward pass would not know the words."""
    encoder = network("bert")
    encoder.config._attn_implementation = "eager"
    words = WordEncoder(encoder, word_dropout=0.0, case_shape=False)
    encoder.eval()
    expected = words(arrays(WORDS[0]))
    prepare._keep_less(encoder)
    words.train()
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    got = words(arrays(WORDS[0]))
    torch.testing.assert_close(got, expected)
    got.sum().backward()
