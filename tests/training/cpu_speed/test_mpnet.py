"""MPNet's attention for the CPU computes what transformers' own computes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from mner.training.cpu_speed.mpnet import Attention, replace_attention

MakeEncoder = Callable[[str], nn.Module]
IDS = torch.tensor([[4, 9, 7, 5, 6], [8, 3, 1, 1, 1]])
MASK = (IDS != 1).long()
BIAS = "encoder.relative_attention_bias.weight"


@pytest.fixture
def pair(small_encoder: MakeEncoder) -> tuple[Any, Any]:
    """MPNet as transformers has it, and a copy with the attention replaced, in which positions matter."""
    torch.manual_seed(0)
    theirs = small_encoder("MPNet").eval()
    nn.init.normal_(theirs.encoder.relative_attention_bias.weight)
    ours = copy.deepcopy(theirs)
    replace_attention(ours)
    return theirs, ours


def gradients(encoder: Any, mask: torch.Tensor) -> dict[str, torch.Tensor]:
    hidden = encoder(input_ids=IDS, attention_mask=mask).last_hidden_state
    hidden[MASK.bool()].square().sum().backward()
    return {name: each.grad for name, each in encoder.named_parameters() if each.grad is not None}


def segments() -> torch.Tensor:
    same = torch.tensor([[1, 1, 1, 2, 2], [1, 1, 0, 0, 0]])
    blocks = (same[:, :, None] == same[:, None, :])[:, None]
    return torch.zeros(blocks.shape).masked_fill(~blocks, torch.finfo(torch.float32).min)


@pytest.mark.parametrize("mask", [MASK, torch.ones_like(MASK), segments()], ids=["padded", "full", "packed"])
def test_vectors_and_all_gradients_are_the_same(pair: tuple[Any, Any], mask: torch.Tensor) -> None:
    theirs, ours = (gradients(encoder, mask) for encoder in pair)
    assert theirs.keys() == ours.keys() and float(theirs[BIAS].abs().max()) > 0
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours[name], gradient, rtol=1e-4, atol=1e-5)


def test_vectors_without_gradients_are_the_same(pair: tuple[Any, Any]) -> None:
    with torch.inference_mode():
        theirs, ours = (each(input_ids=IDS, attention_mask=MASK).last_hidden_state for each in pair)
    torch.testing.assert_close(ours[MASK.bool()], theirs[MASK.bool()], rtol=1e-4, atol=1e-5)


def test_positions_follow_the_copy_that_is_trained(pair: tuple[Any, Any]) -> None:
    _, first = pair
    second = copy.deepcopy(first)
    nn.init.zeros_(second.encoder.relative_attention_bias.weight)
    with torch.inference_mode():
        one, two = (each(input_ids=IDS).last_hidden_state for each in (first, second))
    assert not torch.allclose(one, two)


def test_in_bfloat16_scores_are_not_copied_to_float32(pair: tuple[Any, Any]) -> None:
    theirs, ours = pair
    seen: set[torch.dtype] = set()

    def note(saved: torch.Tensor) -> torch.Tensor:
        if saved.is_floating_point() and saved.shape[-2:] == (5, 5):
            seen.add(saved.dtype)
        return saved

    with torch.autocast("cpu", torch.bfloat16), torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
        mine = ours(input_ids=IDS, attention_mask=MASK).last_hidden_state
    assert seen == {torch.bfloat16}
    exact = theirs(input_ids=IDS, attention_mask=MASK).last_hidden_state
    torch.testing.assert_close(mine.float()[MASK.bool()], exact[MASK.bool()], rtol=0, atol=0.05)


def test_weights_are_dropped_in_training_alone(pair: tuple[Any, Any]) -> None:
    _, ours = pair
    for module in ours.modules():
        if isinstance(module, Attention):
            module.dropout.p = 0.5
    torch.manual_seed(0)
    vectors = []
    for training in (True, True, False, False):
        ours.train(training)
        for module in ours.modules():  # all other dropout is off
            if isinstance(module, nn.Dropout):
                module.train(False)
        vectors.append(ours(input_ids=IDS).last_hidden_state)
    assert not torch.allclose(vectors[0], vectors[1])
    assert torch.equal(vectors[2], vectors[3])


def test_names_of_parameters_stay_and_a_second_call_changes_nothing(pair: tuple[Any, Any]) -> None:
    theirs, ours = pair
    before = ours.encoder.layer[0].attention.attn
    replace_attention(ours)
    assert ours.encoder.layer[0].attention.attn is before
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_other_encoders_stay(small_encoder: MakeEncoder) -> None:
    encoder: Any = small_encoder("Bert")
    before = encoder.encoder.layer[0].attention
    replace_attention(encoder)
    assert encoder.encoder.layer[0].attention is before
