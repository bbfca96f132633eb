"""Bidirectional LSTMs against PyTorch's own packed ones, and characters of words."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mner.models.parts.recurrent import BiLSTM, CharacterEncoder


def test_states_equal_those_of_a_packed_bidirectional_lstm() -> None:
    torch.manual_seed(0)
    ours, theirs = BiLSTM(3, 4, layers=2), nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True)
    for layer in range(2):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(theirs, f"{name}_l{layer}").data = getattr(ours.ahead[layer], f"{name}_l0").data
            getattr(theirs, f"{name}_l{layer}_reverse").data = getattr(ours.back[layer], f"{name}_l0").data
    steps, lengths = torch.randn(3, 5, 3), torch.tensor([5, 1, 3])
    packed = pack_padded_sequence(steps, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(theirs.eval()(packed)[0], batch_first=True, total_length=5)
    torch.testing.assert_close(ours.eval()(steps, lengths), expected)


def test_padding_and_empty_sequences_count_for_nothing() -> None:
    torch.manual_seed(0)
    layer = BiLSTM(2, 3).eval()
    steps, lengths = torch.randn(2, 4, 2), torch.tensor([2, 0])
    noisy = steps.clone()
    noisy[0, 2:] = noisy[1] = 9.0
    torch.testing.assert_close(layer(steps, lengths), layer(noisy, lengths))
    assert not layer(steps, lengths)[1].any()


def test_word_takes_the_last_state_of_both_directions() -> None:
    torch.manual_seed(0)
    encoder = CharacterEncoder(4, 6, known=128).eval()
    words = torch.tensor([[[97, 98, 0], [99, 0, 0]], [[9786, 98, 99], [0, 0, 0]]])
    vectors = encoder(words)
    assert vectors.shape == (2, 2, 6)
    states = encoder.lstm(encoder.embedding(torch.tensor([[97, 98]])), torch.tensor([2]))[0]
    torch.testing.assert_close(vectors[0, 0], torch.cat([states[1, :3], states[0, 3:]]))
    torch.testing.assert_close(encoder(words[:1, 1:, :1])[0, 0], vectors[0, 1])
    other = encoder(torch.tensor([[[128512, 98, 99]]]))[0, 0]
    torch.testing.assert_close(other, vectors[1, 0], msg="rare characters share an embedding")
