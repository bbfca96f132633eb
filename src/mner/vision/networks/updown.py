"""The attention LSTM captioner of Bottom-Up and Top-Down attention, in the layout of Luo et al.'s self-critical code.

Source: Anderson et al. 2018, section 3.2; Luo et al. 2018; github.com/ruotianluo/self-critical.pytorch, "updown".
A folder holds ``model.safetensors`` with the published keys, ``cocotalk.json`` with the words, and perhaps
``config.json`` with options of the published code that differ from its updown.yml.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from mner.encoders._files import read_json
from mner.encoders._weights import read_weights
from mner.errors import ModelError
from mner.vision.networks.beam import Rules, search
from mner.vision.networks.checkpoint import fill
from mner.vision.networks.load import device_named

PUBLISHED = "the model zoo of github.com/ruotianluo/self-critical.pytorch (Topdown, bottom-up features; cocotalk.json)"
WORDS = "cocotalk.json"
RULES = Rules(spare=False, mean=False, cut=False)

_END = 0  # begins and ends a sentence


class Sizes(BaseModel):
    """Options of the published code that say how large the network is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vocab_size: int = 9487
    input_encoding_size: int = 1000
    rnn_size: int = 1000
    att_hid_size: int = 512
    att_feat_size: int = 2048
    fc_feat_size: int = 2048


class Attention(nn.Module):
    """How much each region counts for the next word."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.h2att = nn.Linear(sizes.rnn_size, sizes.att_hid_size)
        self.alpha_net = nn.Linear(sizes.att_hid_size, 1)

    def forward(self, hidden: Tensor, regions: Tensor, keys: Tensor) -> Tensor:
        """Mixed regions (beam, hidden), from states (beam, hidden), regions (region, hidden), keys (region, att)."""
        scores = self.alpha_net(torch.tanh(keys + self.h2att(hidden)[:, None])).squeeze(-1)  # (beam, region)
        mixed: Tensor = scores.softmax(-1) @ regions
        return mixed


class Core(nn.Module):
    """Two LSTMs: one that looks, and one that writes."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.att_lstm = nn.LSTMCell(sizes.input_encoding_size + 2 * sizes.rnn_size, sizes.rnn_size)
        self.lang_lstm = nn.LSTMCell(2 * sizes.rnn_size, sizes.rnn_size)
        self.attention = Attention(sizes)


class UpDown(nn.Module):
    """The whole network; names of its parts are the published ones."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        words = sizes.vocab_size + 1
        self.embed = nn.Sequential(nn.Embedding(words, sizes.input_encoding_size))
        self.fc_embed = nn.Sequential(nn.Linear(sizes.fc_feat_size, sizes.rnn_size))
        self.att_embed = nn.Sequential(nn.Linear(sizes.att_feat_size, sizes.rnn_size))
        self.ctx2att = nn.Linear(sizes.rnn_size, sizes.att_hid_size)
        self.core = Core(sizes)
        self.logit = nn.Linear(sizes.rnn_size, words)

    def seen(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What is kept of a picture's features (region, width): the whole (1, hidden), regions, and their keys."""
        whole = functional.relu(self.fc_embed(features.mean(0, keepdim=True)))
        regions = functional.relu(self.att_embed(features))
        return whole, regions, self.ctx2att(regions)

    def forward(self, words: Tensor, state: Tensor, seen: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Logits (beam, word) after words (beam,), and the next state.

        Args:
            words: The last word of each beam.
            state: Hidden and cell of the looking and of the writing LSTM (4, beam, hidden).
            seen: As ``seen`` gives it.
        """
        whole, regions, keys = seen
        embedded = functional.relu(self.embed(words))
        looking = torch.cat([state[2], whole.expand(len(words), -1), embedded], -1)
        hidden, cell = self.core.att_lstm(looking, (state[0], state[1]))
        mixed = self.core.attention(hidden, regions, keys)
        written, memory = self.core.lang_lstm(torch.cat([mixed, hidden], -1), (state[2], state[3]))
        return self.logit(written), torch.stack([hidden, cell, written, memory])


class Writer:
    """A captioner that is loaded from a folder.

    Raises:
        ModelError: A file or an array is missing, unknown, damaged or of another model.
    """

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        sizes = _sizes(folder)
        state = read_weights(folder, published=PUBLISHED)
        self._words = _words(folder, sizes.vocab_size)
        with torch.device("meta"):
            network = UpDown(sizes)
        fill(network, state, (), where=folder, published=PUBLISHED)
        self.width = sizes.att_feat_size
        self._device = device_named(device)
        self._network = network.to(self._device)

    def __call__(self, features: Tensor, *, beams: int, count: int, tokens: int) -> list[tuple[str, float]]:
        """The best sentences about features (region, width), each with the sum of its log-probabilities."""
        hidden = self._network.logit.in_features
        state = torch.zeros(4, 1, hidden, device=self._device)

        def step(words: list[list[int]], parents: list[int]) -> Tensor:
            nonlocal state
            last = torch.tensor([beam[-1] for beam in words], device=self._device)
            logits, state = self._network(last, state[:, parents], seen)
            scores: Tensor = logits.log_softmax(-1)
            scores[:, self._unknown] = float("-inf")  # the rest keeps its probabilities
            return scores.cpu()

        with torch.inference_mode():
            seen = self._network.seen(features.to(self._device))
            sentences = search(step, RULES, start=_END, end=_END, beams=beams, count=count, steps=tokens)
        return [(" ".join(self._words[word - 1] for word in sentence), score) for sentence, score in sentences]

    @property
    def _unknown(self) -> list[int]:
        return [place for place, word in enumerate(self._words, 1) if word == "UNK"]


def _sizes(folder: Path) -> Sizes:
    path = folder / "config.json"
    try:
        return Sizes.model_validate(read_json(path) if path.is_file() else {})
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise ModelError(f"{path}: {where}: {fault['msg']}; known: {', '.join(Sizes.model_fields)}") from None


def _words(folder: Path, count: int) -> tuple[str, ...]:
    path = folder / WORDS
    try:
        table = {int(place): str(word) for place, word in json.loads(path.read_text("utf-8"))["ix_to_word"].items()}
        words = tuple(table[place] for place in range(1, len(table) + 1))
    except FileNotFoundError:
        raise ModelError(f"{path}: missing. It is published in {PUBLISHED}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f'{path}: damaged ({error!r}); expected {{"ix_to_word": {{"1": WORD, ...}}}}') from None
    if len(words) != count:
        raise ModelError(
            f"{path}: names {len(words)} words, the checkpoint has {count}; take the vocabulary that is published with "
            f"it: {PUBLISHED}"
        )
    return words
