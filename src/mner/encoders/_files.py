"""A folder in the Hugging Face layout -> the checked files of an encoder."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from mner import files
from mner.errors import DataError, ModelError
from mner.files import replacing, sha256, write_json

DEFAULT_TOKENS = 512
"""Longest input of an encoder that states none."""

OFFSET_MODELS = {
    "roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer", "xmod", "data2vec-text",
}  # fmt: skip
"""Kinds of models that number positions from the padding id + 1 on."""

_VOCABULARIES = ("vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model", "spm.model")


@dataclass(frozen=True, slots=True)
class EncoderFiles:
    """A pretrained encoder on this machine.

    Attributes:
        name: What a configuration calls it.
        folder: Its ``config.json`` and safetensors, in the Hugging Face layout.
        tokenizer: Its ``tokenizer.json``; in ``folder`` or, where it had to be built, in the cache.
        max_tokens: Its longest input in sub-tokens, special ones included.
        licence: Licence of the weights as far as it is known; "" otherwise.
    """

    name: str
    folder: Path
    tokenizer: Path
    max_tokens: int
    licence: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files in the folder."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def cache_folder() -> Path:
    """Where fetched encoders are kept."""
    return files.cache_folder() / "encoders"


def cached(name: str) -> Path:
    """Where the cache keeps a fetched encoder."""
    return cache_folder() / name.partition(":")[2]


def find_cached(name: str, *, licence: str, about: str, pinned: Mapping[str, str] | None = None) -> EncoderFiles:
    """An encoder from the cache.

    Args:
        name: What a configuration calls it.
        licence: Licence of the weights.
        about: What fetching and using it takes, for messages.
        pinned: SHA-256 of the files that are checked; None checks none.

    Raises:
        ModelError: It is not there, or a file is missing or damaged.
    """
    folder = cached(name)
    if not folder.is_dir():
        raise ModelError(f'encoder "{name}" is not on this machine; type: mner encoder fetch {name}\n({about})')
    verify(folder, pinned or {}, hint=f"delete {folder} and type: mner encoder fetch {name}")
    return of_folder(folder, name, licence=licence)


def of_folder(folder: Path, name: str, *, licence: str = "") -> EncoderFiles:
    """The encoder in a folder, its parts present.

    Raises:
        ModelError: A file is missing or damaged; the message says which, and what to do.
    """
    config = read_json(folder / "config.json")
    if not has_weights(folder):
        hint = "copy model.safetensors there"
        if (folder / "pytorch_model.bin").is_file():
            hint = (
                "only pytorch_model.bin, a pickle, which mner does not read; convert it if you trust it: "
                "transformers.AutoModel.from_pretrained(folder).save_pretrained(folder)"
            )
        raise ModelError(f"{folder}: no model.safetensors: {hint}")
    _check_whole(folder)
    tokenizer = folder / "tokenizer.json"
    if not tokenizer.is_file():
        tokenizer = _built_tokenizer(folder)
    return EncoderFiles(name, folder, tokenizer, _max_tokens(folder, config), licence)


def has_weights(folder: Path) -> bool:
    """Whether a folder holds weights that are read, in one file or in several with an index."""
    return any((folder / name).is_file() for name in ("model.safetensors", "model.safetensors.index.json"))


def _check_whole(folder: Path) -> None:
    """Refuse weights that a copy or a download left unfinished; their headers say where they end."""
    names = {"model.safetensors"}
    if not (folder / "model.safetensors").is_file():
        names = set(read_json(folder / "model.safetensors.index.json").get("weight_map", {}).values())
    for path in sorted(folder / name for name in names):
        if not path.is_file():
            raise ModelError(f"{path}: missing, though model.safetensors.index.json names it; copy it there")
        try:
            with safe_open(path, framework="np"):
                pass
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{path}: damaged or cut off ({error}); copy or fetch it again") from None


def verify(folder: Path, pinned: Mapping[str, str], *, hint: str) -> None:
    """Check that each file of a folder has its pinned SHA-256; a result is remembered by path, size and time of change.

    Args:
        folder: The encoder's folder.
        pinned: SHA-256 of each file by its name.
        hint: What to do about a wrong file.

    Raises:
        ModelError: A file is missing or has other bytes.
    """
    memory = cache_folder() / "verified.json"
    known: dict[str, Any] = {}
    with suppress(ModelError):
        known = read_json(memory)
    fresh: dict[str, str] = {}
    for file, expected in pinned.items():
        path = folder / file
        try:
            state = path.stat()
        except OSError:
            raise ModelError(f"{path}: missing; {hint}") from None
        key = f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}"
        if known.get(key) == expected:
            continue
        actual = sha256(path)
        if actual != expected:
            raise ModelError(f"{path}: damaged or changed (sha256 {actual[:12]}, expected {expected[:12]}); {hint}")
        fresh[key] = actual
    if fresh:
        with suppress(DataError):  # a read-only home costs a second at each start, nothing else
            write_json(memory, {**known, **fresh})


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        ModelError: The file is missing or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: missing; an encoder's folder has config.json and model.safetensors") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: damaged ({error}); copy it again") from None
    if not isinstance(content, dict):
        raise ModelError(f"{path}: expected a JSON object; copy it again")
    return content


def _max_tokens(folder: Path, config: Mapping[str, Any]) -> int:
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int) and positions > 0:
        offset = int(config.get("pad_token_id") or 0) + 1 if config.get("model_type") in OFFSET_MODELS else 0
        return positions - offset
    path = folder / "tokenizer_config.json"
    stated = read_json(path).get("model_max_length") if path.is_file() else None
    return stated if isinstance(stated, int) and 0 < stated < 100_000 else DEFAULT_TOKENS


def _built_tokenizer(folder: Path) -> Path:
    """A ``tokenizer.json`` in the cache, made from the folder's vocabulary by transformers."""
    sources = [folder / file for file in _VOCABULARIES if (folder / file).is_file()]
    if not sources:
        raise ModelError(f"{folder}: no tokenizer.json and no vocabulary ({', '.join(_VOCABULARIES)}); copy one there")
    settings = [folder / file for file in ("config.json", "tokenizer_config.json", "special_tokens_map.json")]
    parts = [sha256(path) for path in (*sources, *settings) if path.is_file()]
    path = cache_folder() / "tokenizers" / f"{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:16]}.json"
    if path.is_file():
        return path
    advice = (
        f"{folder}: has {sources[0].name} but no tokenizer.json; make one where transformers is installed "
        '(pip install "mner[train]"): transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(folder)'
    )
    try:
        transformers = importlib.import_module("transformers")  # by name: the core install does not have it
    except ModuleNotFoundError:
        raise ModelError(advice) from None
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        with replacing(path) as part:
            tokenizer.backend_tokenizer.save(str(part))
    except (DataError, OSError, ValueError, AttributeError, ImportError, TypeError) as error:
        raise ModelError(f"{advice}\ntransformers itself says: {error}") from error
    return path
