"""Any encoder in the Hugging Face layout: a local folder, or a hub id whose files are in the hub's own cache.

Downloads on request only: safetensors, configuration and tokenizer, never pickle. Size, licence and speed are those
of the encoder that is named.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from mner.encoders._files import EncoderFiles, has_weights, of_folder
from mner.errors import ModelError

PATTERNS = ("*.safetensors", "*.json", "*.txt", "*.model")
"""What is downloaded: weights, configuration, tokenizer."""

LEFT_OUT = ("*/*",)
"""Sub-folders hold the same weights for other runtimes."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def find(name: str) -> EncoderFiles:
    """The encoder in a local folder, or under a hub id in the hub's local cache; never from the network.

    Raises:
        ModelError: It is not there, or its folder lacks something.
    """
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return of_folder(folder, name)
    if not is_hub_id(name):
        raise ModelError(
            f'encoder "{name}": no such folder; the folder of an encoder has config.json, model.safetensors and '
            "tokenizer.json"
        )
    from huggingface_hub import try_to_load_from_cache

    from mner.encoders import embedded

    if (ours := f"embedded:{name}") in embedded():
        raise ModelError(f'encoder "{name}": no such folder; one that mner knows has this name: "{ours}"')
    config = try_to_load_from_cache(name, "config.json")
    if not isinstance(config, str | os.PathLike):
        raise ModelError(
            f'encoder "{name}" is neither a folder here nor in {cache()}; type: mner encoder fetch '
            f"{name}\nWhere there is no network, copy its config.json, model.safetensors and tokenizer.json into a "
            f'folder and name that: model.encoder = "./{name.rpartition("/")[2]}"'
        )
    return of_folder(Path(config).parent, name)


def fetch(name: str) -> EncoderFiles:
    """The encoder under a hub id, downloaded into the hub's cache; a local folder is only checked.

    Raises:
        ModelError: The hub cannot be reached, does not know the id, or holds its weights as pickle only.
    """
    if Path(name).expanduser().is_dir() or not is_hub_id(name):
        return find(name)
    folder = download(name, f'encoder "{name}"', allow=PATTERNS, leave=LEFT_OUT)
    if not has_weights(folder):
        raise ModelError(
            f'encoder "{name}": the hub holds no safetensors of it, and mner reads no pickle; where you trust it, '
            f'transformers.AutoModel.from_pretrained("{name}").save_pretrained("./{name.rpartition("/")[2]}") makes '
            "a folder to name instead"
        )
    return of_folder(folder, name)


def download(
    repo: str, title: str, *, allow: Sequence[str], leave: Sequence[str] = (), revision: str | None = None
) -> Path:
    """The folder of a repository of the hub in the hub's local cache, downloaded.

    Args:
        repo: Its id.
        title: What a message calls it.
        allow: Patterns of the files that are downloaded.
        leave: Patterns of files among these that are not.
        revision: Branch, tag or commit; None: the main branch.

    Raises:
        ModelError: The hub cannot be reached, or does not know the id.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=list(allow), ignore_patterns=list(leave)))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise ModelError(
            f"{title} could not be downloaded: {str(error).strip().partition(chr(10))[0]}\n"
            "Check the name and the connection; or copy its folder here and name the path."
        ) from error
    finally:
        if shown:
            enable_progress_bars()


def cache() -> Path:
    """The folder of the hub's local cache."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def cached() -> list[str]:
    """Hub ids of the models in the hub's local cache, sorted; not all of them need be encoders."""
    folders = cache().glob("models--*/snapshots")
    return sorted(folder.parent.name.removeprefix("models--").replace("--", "/") for folder in folders)


def is_hub_id(name: str) -> bool:
    """Whether a name reads like a hub id rather than like a path.

    >>> is_hub_id("bert-base-cased"), is_hub_id("./bert")
    (True, False)
    """
    return _HUB_ID.fullmatch(name) is not None
