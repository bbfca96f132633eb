"""An encoder with its tokenizer as other libraries load one: a folder in the Hugging Face layout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

ROLES = {
    "pad_token": ("[PAD]", "<pad>"),
    "unk_token": ("[UNK]", "<unk>"),
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "mask_token": ("[MASK]", "<mask>"),
}


def peer_folder(encoder: Path, tokenizer: Path, folder: Path, *, max_tokens: int) -> Path:
    """``folder``, filled with the encoder's weights and a tokenizer that names its special tokens."""
    folder.mkdir(parents=True)
    for path in [encoder / "config.json", *encoder.glob("*.safetensors"), *encoder.glob("*.safetensors.index.json")]:
        shutil.copy(path, folder / path.name)
    shutil.copy(tokenizer, folder / "tokenizer.json")
    known = json.loads(tokenizer.read_text(encoding="utf-8"))
    written = {token["content"] for token in known.get("added_tokens", [])} | set(known["model"]["vocab"])
    roles = {role: next(name for name in names if name in written) for role, names in ROLES.items()}
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": max_tokens, **roles}
    (folder / "tokenizer_config.json").write_text(json.dumps(about), encoding="utf-8")
    return folder
