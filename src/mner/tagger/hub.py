"""hub:owner/name <-> a model on the Hugging Face Hub; the network is used by ``fetch`` and ``push`` alone."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mner.encoders.hub import cache, download
from mner.errors import ModelError
from mner.files import write_text
from mner.overwrite import MODEL, check_folder
from mner.runtime.manifest import NAME, verify
from mner.runtime.saved import SavedModel, amend_model, replacing_model

PREFIX = "hub:"
"""What the name of a model on the hub begins with, wherever a model is named."""

PATTERNS = ("*.json", "*.toml", "*.md", "*.safetensors", "*.onnx", "*.txt", "*.model")
"""What is downloaded: everything that mner writes into a model's directory, and never pickle or code."""

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def find(name: str) -> Path:
    """The folder of a model in the hub's local cache.

    Args:
        name: Such as "hub:owner/name", or "hub:owner/name@revision".

    Raises:
        ModelError: It is not there; the message says what to type, and what to do without a network.
    """
    from huggingface_hub import try_to_load_from_cache

    repo, revision = _parts(name)
    path = try_to_load_from_cache(repo, NAME, revision=revision)
    if not isinstance(path, str | os.PathLike):
        raise ModelError(
            f"{name}: not on this machine ({cache()}). Where there is a network, type: mner model fetch {name}\n"
            f"Where there is none, copy the files of {repo} ({NAME} and those that it lists) into a folder and name "
            f"that instead: ./{repo.rpartition('/')[2]}"
        )
    return Path(path).parent


def fetch(name: str) -> Path:
    """The folder of a model of the hub, downloaded into the hub's local cache if it is not there.

    Args:
        name: Such as "hub:owner/name", or "hub:owner/name@revision".

    Raises:
        ModelError: The hub cannot be reached, does not know the name, or holds no model of mner's under it.
    """
    repo, revision = _parts(name)
    folder = download(repo, name, revision=revision, allow=PATTERNS)
    if not (folder / NAME).is_file():
        raise ModelError(f"{name}: not a model of mner (no {NAME}); mner reads what tagger.push_to_hub uploads")
    return folder


def save(saved: SavedModel, folder: Path) -> None:
    """Copy a model's directory, without files that are not the model's.

    Raises:
        DataError: The folder holds something other than a model.
        ModelError: The model has changed since it was read, or the folder cannot be written.
    """
    check_folder(folder, MODEL)
    with replacing_model(folder) as part:
        for file in (NAME, *saved.manifest["files"]):
            (part / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(saved.folder / file, part / file)
        verify(part, saved.manifest["files"])


def push(saved: SavedModel, repo: str, *, private: bool | None = None, message: str | None = None) -> str:
    """The address of the commit that uploads a model with its card, to a repository that is made if need be.

    The card gets the header that the hub reads, where it has none; the uploaded copy then has a fingerprint of its
    own, because ``model.json`` lists the card. The token is that of ``hf auth login`` or of ``HF_TOKEN``.

    Args:
        saved: The model.
        repo: Such as "owner/name".
        private: Whether a new repository is private; None: as the owner's settings say.
        message: Of the commit.

    Raises:
        ModelError: The hub cannot be reached, or refuses the token or the name.
    """
    from huggingface_hub import HfApi

    repo, _ = _parts(PREFIX + repo.removeprefix(PREFIX))
    api = HfApi(library_name="mner")
    with TemporaryDirectory() as place:
        copy = Path(place) / "model"
        amend_model(saved, copy, change=_with_header)
        try:
            api.create_repo(repo, private=private, exist_ok=True)
            commit = api.upload_folder(repo_id=repo, folder_path=copy, commit_message=message or "Upload a mner model")
        except Exception as error:  # of the HTTP library that the hub's client happens to use, too
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise ModelError(
                f"{repo} could not be uploaded: {reason}\n"
                "Check the name, the connection and the token: hf auth login, or HF_TOKEN in the environment"
            ) from error
    return str(commit.commit_url)


def _with_header(part: Path) -> Mapping[str, Any]:
    """Give the card in a model's directory the header that the hub reads; ``model.json`` says nothing more."""
    from huggingface_hub import ModelCardData

    card = part / "README.md"
    text = card.read_text(encoding="utf-8")
    if not text.startswith("---\n"):
        header = ModelCardData(
            library_name="mner",
            pipeline_tag="token-classification",
            tags=["named-entity-recognition", "multimodal"],
        )
        write_text(card, f"---\n{header.to_yaml()}\n---\n\n{text}")
    return {}


def _parts(name: str) -> tuple[str, str | None]:
    """The repository and the revision that a name stands for."""
    repo, _, revision = name.removeprefix(PREFIX).partition("@")
    if not _REPO.fullmatch(repo):
        raise ModelError(f'{name}: expected "{PREFIX}owner/name", perhaps with "@revision" behind it')
    return repo, revision or None
