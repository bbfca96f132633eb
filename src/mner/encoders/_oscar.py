"""A checkpoint in the layout of Oscar and VinVL -> an encoder's folder, its layer for regions beside it.

Keys are those of ``BertImgModel`` in microsoft/Oscar: ``bert.*`` as in BERT, ``bert.img_embedding.*`` for the layer
that takes regions, ``bert.LayerNorm.*`` for the norm after it, and heads that are not used here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mner.encoders._files import read_json
from mner.encoders._weights import read_weights
from mner.errors import ModelError

PUBLISHED = "the model zoo of github.com/pzzhang/VinVL (base-vg-labels)"

REGIONS = {"img_embedding": "img_embedding", "LayerNorm": "img_norm"}
"""Layers for regions: their names in the checkpoint, and in the folder that is written."""

HEADS = ("cls.", "classifier.", "pooler.", "seq_relationship.")
"""What was learned for tasks of pretraining."""

_TYPED = ("gamma", "weight"), ("beta", "bias")
_VOCABULARY = "vocab.txt"


def write_encoder(source: Path, folder: Path) -> None:
    """Write the encoder in the Hugging Face layout, with ``img_embedding.*`` and ``img_norm.*`` among its weights.

    Args:
        source: A folder with config.json, vocab.txt and model.safetensors.
        folder: An empty folder.

    Raises:
        ModelError: A file or a key is missing, a key is unknown, an array is damaged, or sizes disagree; nothing is
            left out silently.
    """
    from safetensors.numpy import save_file

    config = read_json(source / "config.json")
    state = read_weights(source, published=PUBLISHED)
    if not (source / _VOCABULARY).is_file():
        raise ModelError(f"{source / _VOCABULARY}: missing; it is published beside the weights")
    keys = published_keys(state)
    _check({name: state[key] for name, key in keys.items()}, keys, config, source)
    save_file({name: state[key] for name, key in keys.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    settings = {key: value for key, value in config.items() if not key.startswith(("img_", "use_img", "finetuning"))}
    about = {**settings, "model_type": "bert", "architectures": ["BertModel"]}
    (folder / "config.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}\n', encoding="utf-8")
    shutil.copyfile(source / _VOCABULARY, folder / _VOCABULARY)


def published_keys(state: Iterable[str]) -> dict[str, str]:
    """The published keys of the arrays that are used, by their names in the folder.

    >>> published_keys(["bert.embeddings.LayerNorm.gamma", "bert.img_embedding.bias", "cls.bias"])
    {'embeddings.LayerNorm.weight': 'bert.embeddings.LayerNorm.gamma', 'img_embedding.bias': 'bert.img_embedding.bias'}
    """
    keys = {}
    for key in state:
        name = key.removeprefix("bert.")
        if name.startswith(HEADS):
            continue
        for old, new in _TYPED:
            if name.endswith(f".{old}"):
                name = f"{name.removesuffix(old)}{new}"
        layer, _, rest = name.partition(".")
        keys[f"{REGIONS[layer]}.{rest}" if layer in REGIONS else name] = key
    return keys


def _published(name: str) -> str:
    """What a missing array would be called in the checkpoint."""
    layer, _, rest = name.partition(".")
    theirs = {ours: published for published, ours in REGIONS.items()}
    return f"bert.{theirs.get(layer, layer)}.{rest}"


def _check(state: Mapping[str, Any], keys: Mapping[str, str], config: Mapping[str, Any], source: Path) -> None:
    """Every array of the configured network is there in its size, and no other; messages have published keys."""
    try:
        hidden, inner = int(config["hidden_size"]), int(config["intermediate_size"])
        layers, regions = int(config["num_hidden_layers"]), int(config.get("img_feature_dim", 2054))
        tables = {
            "word": int(config["vocab_size"]),
            "position": int(config["max_position_embeddings"]),
            "token_type": int(config.get("type_vocab_size", 2)),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{source / 'config.json'}: lacks a usable {error}; copy it again") from None
    expected: dict[str, tuple[int, ...]] = {
        f"embeddings.{name}_embeddings.weight": (rows, hidden) for name, rows in tables.items()
    }
    norms = ["embeddings.LayerNorm"]
    linear = {"img_embedding": (hidden, regions)}
    for layer in range(layers):
        at = f"encoder.layer.{layer}"
        norms += [f"{at}.attention.output.LayerNorm", f"{at}.output.LayerNorm"]
        linear |= {f"{at}.attention.self.{part}": (hidden, hidden) for part in ("query", "key", "value")}
        linear[f"{at}.attention.output.dense"] = (hidden, hidden)
        linear[f"{at}.intermediate.dense"], linear[f"{at}.output.dense"] = (inner, hidden), (hidden, inner)
    if config.get("use_img_layernorm"):
        norms.append("img_norm")
    for name, shape in linear.items():
        expected |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for name in norms:
        expected |= {f"{name}.weight": (hidden,), f"{name}.bias": (hidden,)}
    buffers = {"embeddings.position_ids"}
    missing = [_published(name) for name in expected if name not in state]
    unknown = [keys[name] for name in state if name not in expected and name not in buffers]
    if missing or unknown:
        parts = [
            f"{len(names)} {kind} keys, such as {names[0]}"
            for kind, names in (("missing", missing), ("unknown", unknown))
            if names
        ]
        raise ModelError(
            f"{source}: not a whole checkpoint of Oscar's layout: {'; '.join(parts)}. Whole ones are in {PUBLISHED}"
        )
    wrong = [name for name, shape in expected.items() if tuple(state[name].shape) != shape]
    if wrong:
        raise ModelError(
            f"{source}: {keys[wrong[0]]} has the shape {tuple(state[wrong[0]].shape)}, but config.json says "
            f"{expected[wrong[0]]}; the files belong to different models"
        )
    with (source / _VOCABULARY).open("rb") as vocabulary:
        lines = sum(1 for _ in vocabulary)
    if lines != tables["word"]:
        raise ModelError(f"{source / _VOCABULARY}: {lines} lines, but the checkpoint has {tables['word']} sub-tokens")
