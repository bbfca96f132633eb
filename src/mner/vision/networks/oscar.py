"""The captioner of VinVL: a BERT that reads object names and regions, and writes one word after the other (Oscar+).

Object names and regions see each other; the words see them and the words before; a mask token stands where the next
word is wanted. Source: Li et al. 2020 (Oscar); Zhang et al. 2021 (VinVL); github.com/microsoft/Oscar, its class
BertForImageCaptioning.
A folder holds ``model.safetensors`` with the published keys, ``config.json`` and ``vocab.txt``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from tokenizers import BertWordPieceTokenizer
from torch import Tensor, nn
from torch.nn import functional

from mner.encoders._files import read_json
from mner.encoders._weights import read_weights
from mner.errors import ModelError
from mner.vision.networks.beam import Rules, search
from mner.vision.networks.checkpoint import Table, fill
from mner.vision.networks.load import device_named

PUBLISHED = "VinVL_MODEL_ZOO.md of github.com/microsoft/Oscar (coco_captioning_large_scst.zip)"
RULES = Rules(spare=True, mean=True, cut=True)
LABELS, LABEL_TOKENS, REGIONS = 40, 30, 50
"""Where object names begin among positions; most of their sub-tokens, the separator included; most regions."""

_KEYS: Table = (
    (r"^words\.", "bert.embeddings.word_embeddings."),
    (r"^positions\.", "bert.embeddings.position_embeddings."),
    (r"^types\.", "bert.embeddings.token_type_embeddings."),
    (r"^norm\.", "bert.embeddings.LayerNorm."),
    (r"^regions\.", "bert.img_embedding."),
    (r"^regions_norm\.", "bert.LayerNorm."),
    (r"^layers\.", "bert.encoder.layer."),
    (r"\.(query|key|value)\.", r".attention.self.\1."),
    (r"\.mixed\.", ".attention.output.dense."),
    (r"\.mixed_norm\.", ".attention.output.LayerNorm."),
    (r"\.wide\.", ".intermediate.dense."),
    (r"\.narrow\.", ".output.dense."),
    (r"\.narrow_norm\.", ".output.LayerNorm."),
    (r"^transform\.", "cls.predictions.transform.dense."),
    (r"^transform_norm\.", "cls.predictions.transform.LayerNorm."),
    (r"^decoder\.", "cls.predictions.decoder."),
    (r"^bias$", "cls.predictions.bias"),
)
_SPELLINGS: Table = ((r"\.gamma$", ".weight"), (r"\.beta$", ".bias"))  # of norms, in older files
_UNUSED = (r"bert\.pooler\..*", r"bert\.embeddings\.position_ids")  # no caption depends on them
_WORDS, _DECODER = "bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"


class Sizes(BaseModel):
    """What the published ``config.json`` says of the network; it says more, which is not used."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int = 2
    img_feature_dim: int = 2054
    use_img_layernorm: bool | None = None
    layer_norm_eps: float = 1e-12
    img_layer_norm_eps: float = 1e-12


class Layer(nn.Module):
    """One layer of BERT whose positions may look at others than themselves."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        hidden = sizes.hidden_size
        self._heads = sizes.num_attention_heads
        self.query, self.key, self.value = (nn.Linear(hidden, hidden) for _ in range(3))
        self.mixed, self.mixed_norm = nn.Linear(hidden, hidden), nn.LayerNorm(hidden, sizes.layer_norm_eps)
        self.wide, self.narrow = nn.Linear(hidden, sizes.intermediate_size), nn.Linear(sizes.intermediate_size, hidden)
        self.narrow_norm = nn.LayerNorm(hidden, sizes.layer_norm_eps)

    def forward(self, hidden: Tensor, before: Tensor | None) -> Tensor:
        """States (beam, position, hidden), each of which sees all of ``before`` and, then, none after itself.

        Args:
            hidden: The states.
            before: States of the layer below (1, position, hidden) to see as well; None: all states see each other.
        """
        seen = hidden if before is None else torch.cat([before.expand(len(hidden), -1, -1), hidden], 1)
        mask = None
        if before is not None:
            count = hidden.shape[1]
            mask = torch.ones(count, seen.shape[1], dtype=torch.bool, device=hidden.device).tril(before.shape[1])
        query, key, value = (
            part(states).unflatten(-1, (self._heads, -1)).transpose(1, 2)
            for part, states in ((self.query, hidden), (self.key, seen), (self.value, seen))
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).flatten(2)
        hidden = self.mixed_norm(self.mixed(mixed) + hidden)
        output: Tensor = self.narrow_norm(self.narrow(functional.gelu(self.wide(hidden))) + hidden)
        return output


class Oscar(nn.Module):
    """The whole network."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        hidden = sizes.hidden_size
        self.words = nn.Embedding(sizes.vocab_size, hidden)
        self.positions = nn.Embedding(sizes.max_position_embeddings, hidden)
        self.types = nn.Embedding(sizes.type_vocab_size, hidden)
        self.norm = nn.LayerNorm(hidden, sizes.layer_norm_eps)
        self.regions = nn.Linear(sizes.img_feature_dim, hidden)
        normed = sizes.use_img_layernorm
        self.regions_norm = nn.LayerNorm(hidden, sizes.img_layer_norm_eps) if normed else nn.Identity()
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.num_hidden_layers))
        self.transform, self.transform_norm = nn.Linear(hidden, hidden), nn.LayerNorm(hidden, sizes.layer_norm_eps)
        self.decoder = nn.Linear(hidden, sizes.vocab_size, bias=False)
        self.bias = nn.Parameter(torch.zeros(sizes.vocab_size))

    def seen(self, labels: Tensor, regions: Tensor) -> list[Tensor]:
        """What each layer reads of object names (token,) and regions (region, width): states (1, position, hidden)."""
        parts = [self.regions_norm(self.regions(regions))]
        if len(labels):
            parts.insert(0, self._embedded(labels, LABELS, 1))
        states = [torch.cat(parts)[None]]
        for layer in self.layers[:-1]:
            states.append(layer(states[-1], None))
        return states

    def forward(self, words: Tensor, seen: Sequence[Tensor]) -> Tensor:
        """Logits of the last position (beam, word), which holds the mask, after words (beam, position)."""
        hidden = self._embedded(words, 0, 0)
        for layer, before in zip(self.layers, seen, strict=True):
            hidden = layer(hidden, before)
        output: Tensor = self.decoder(self.transform_norm(functional.gelu(self.transform(hidden[:, -1])))) + self.bias
        return output

    def _embedded(self, ids: Tensor, start: int, kind: int) -> Tensor:
        positions = torch.arange(start, start + ids.shape[-1], device=ids.device)
        embedded: Tensor = self.norm(self.words(ids) + self.positions(positions) + self.types.weight[kind])
        return embedded


class Writer:
    """A captioner that is loaded from a folder.

    Raises:
        ModelError: A file or an array is missing, unknown, damaged or of another model.
    """

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        path = folder / "config.json"
        try:
            sizes = Sizes.model_validate(read_json(path))
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"]))
            raise ModelError(
                f"{path}: {where}: {fault['msg']}; take the file that is published in {PUBLISHED}"
            ) from None
        state = read_weights(folder, published=PUBLISHED)
        if _WORDS in state:
            state.setdefault(_DECODER, state[_WORDS])  # they are one array, which some files hold once
        self._tokenizer = _tokenizer(folder / "vocab.txt", sizes.vocab_size)
        with torch.device("meta"):
            network = Oscar(sizes)
        fill(network, state, _KEYS, where=folder, published=PUBLISHED, unused=_UNUSED, spellings=_SPELLINGS)
        self.width = sizes.img_feature_dim
        self._device = device_named(device)
        self._network = network.to(self._device)
        special = (self._tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", "[MASK]"))
        self._start, self._end, self._mask = special

    def __call__(
        self, names: Sequence[str], regions: Tensor, *, beams: int, count: int, tokens: int
    ) -> list[tuple[str, float]]:
        """The best sentences about object names and regions (region, width), each with its mean log-probability."""
        labels = self._tokenizer.encode(" ".join(names), add_special_tokens=False).ids[: LABEL_TOKENS - 1]
        ids = torch.tensor([*labels, self._end] if labels else [], dtype=torch.long, device=self._device)

        def step(words: list[list[int]], parents: list[int]) -> Tensor:
            inputs = torch.tensor([[*beam, self._mask] for beam in words], device=self._device)
            logits: Tensor = self._network(inputs, seen)
            return logits.log_softmax(-1).cpu()

        with torch.inference_mode():
            seen = self._network.seen(ids, regions[:REGIONS].to(self._device))
            settings = {"beams": beams, "count": count, "steps": tokens - 1}
            sentences = search(step, RULES, start=self._start, end=self._end, **settings)
        return [(self._tokenizer.decode(sentence, skip_special_tokens=True), score) for sentence, score in sentences]


def _tokenizer(path: Path, count: int) -> BertWordPieceTokenizer:
    if not path.is_file():
        raise ModelError(f"{path}: missing. It is published in {PUBLISHED}")
    words = path.read_text("utf-8").split("\n")
    words = words[:-1] if not words[-1] else words
    lacking = [token for token in ("[UNK]", "[CLS]", "[SEP]", "[MASK]") if token not in words]
    if len(words) != count or lacking:
        fault = f"lacks {lacking[0]}" if lacking else f"has {len(words)} sub-tokens, the checkpoint {count}"
        raise ModelError(f"{path}: {fault}; take the file that is published in {PUBLISHED}")
    return BertWordPieceTokenizer({word: place for place, word in enumerate(words)}, lowercase=True)
