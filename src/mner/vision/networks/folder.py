"""The name of a vision model -> its checked local folder; needs no torch, and never uses the network."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Collection
from pathlib import Path

from mner.encoders._files import has_weights, read_json
from mner.encoders.hub import is_hub_id
from mner.errors import MissingExtraError, ModelError

PREPROCESSORS = ("preprocessor_config.json", "processor_config.json")
"""Files that say how a picture is prepared; newer checkpoints have the second one only."""

_TOLD = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt",
    "merges.txt", "spiece.model", "chat_template.jinja", "chat_template.json",
)  # fmt: skip


def find(name: str, *, option: str) -> Path:
    """The folder of a model: a local one, or that of a hub id in the hub's local cache.

    Args:
        name: A path, or a hub id such as "microsoft/git-base-coco", perhaps with "@revision" behind it.
        option: The option that names it, for messages, such as "vision.options.hub.model".

    Raises:
        MissingExtraError: Torch or transformers is not installed.
        ModelError: It is not here, or lacks a file; the message says what to download and where to put it.
    """
    for package in ("torch", "transformers"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(f'{option}: models of the hub need {package}: pip install "mner[vision-hub]"')
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return _checked(folder, option)
    hub_id, _, revision = name.partition("@")
    if not is_hub_id(hub_id):
        raise ModelError(
            f'{option}: "{name}": no such folder; the folder of a model has config.json, {PREPROCESSORS[0]} and '
            "model.safetensors"
        )
    from huggingface_hub import constants, try_to_load_from_cache

    found = try_to_load_from_cache(hub_id, "config.json", revision=revision or None)
    if not isinstance(found, str | os.PathLike):
        short = hub_id.rpartition("/")[2]
        at = f" --revision {revision}" if revision else ""
        raise ModelError(
            f'{option}: "{name}" is neither a folder here nor in {constants.HF_HUB_CACHE}; where there is a network, '
            f'type: hf download {hub_id}{at} --exclude "*.bin"\n'
            f"Where there is none, copy its config.json, {PREPROCESSORS[0]}, *.safetensors and the files of its "
            f'tokenizer into a folder and name that: "./{short}"'
        )
    return _checked(Path(found).parent, option)


def architecture(folder: Path) -> str:
    """What a model's ``config.json`` calls its architecture, such as "rt_detr_v2"; "" where it does not say."""
    return str(read_json(folder / "config.json").get("model_type") or "")


def expect(folder: Path, allowed: Collection[str], *, option: str, hint: str = "") -> str:
    """The architecture of a folder, which must be one of ``allowed``.

    Args:
        folder: The model's folder.
        allowed: Architectures that the backend runs.
        option: The option that names the model, for the message.
        hint: Which other backend may be meant, for the message.

    Raises:
        ModelError: It is another one; the message names it.
    """
    found = architecture(folder)
    if found not in allowed:
        raise ModelError(
            f'{option}: {folder} holds a model of the architecture "{found}"; this backend runs '
            f"{', '.join(sorted(allowed))}{'; ' if hint else ''}{hint}"
        )
    return found


def files(folder: Path) -> list[Path]:
    """The files that a model's output depends on, sorted by name: weights, configurations, tokenizer.

    Python files, which some checkpoints carry, are never read and do not count.
    """
    told = {folder / name for name in (*_TOLD, *PREPROCESSORS)}
    return sorted(path for path in {*told, *folder.glob("*.safetensors")} if path.is_file())


def _checked(folder: Path, option: str) -> Path:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{option}: {folder} has no config.json; copy the whole model there")
    if not has_weights(folder):
        pickled = any(folder.glob("*.bin"))
        why = (
            "its weights are a pickle (*.bin), which mner never reads; take a revision of the model with safetensors"
            if pickled
            else "copy its *.safetensors there"
        )
        raise ModelError(f"{option}: {folder} has no model.safetensors: {why}")
    if not any((folder / name).is_file() for name in PREPROCESSORS):
        raise ModelError(f"{option}: {folder} has neither {' nor '.join(PREPROCESSORS)}; copy it there")
    return folder
