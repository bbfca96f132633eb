"""``model.json``, the description of a saved model: its types checked, and the files that it lists."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mner import tags
from mner.errors import ConfigError, ModelError
from mner.files import sha256
from mner.views import Array, Needs

FORMAT = 1
"""Version of the directory's layout; a reader refuses another one."""

NAME = "model.json"
CHECKSUM = "sha256"
"""Key of the SHA-256 over the rest of ``model.json``; models of mner 0.1 have none."""

NEEDED = ("config.toml", "head.safetensors", "tokenizer.json")
"""Files that every model has."""

LOADED = (".json", ".safetensors")
"""Files in ``encoder/`` that transformers may read; others are ignored."""

VIEWS = ("T", "I+T")
ENCODERS = ("encoder",)
"""Folders of the encoders where a manifest does not list them."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST = 64 * 2**20  # bytes of a model.json; a real one has a few thousand


def read_manifest(folder: Path) -> dict[str, Any]:
    """What ``model.json`` says.

    Raises:
        ModelError: It cannot be read, is of another format, was changed since it was written, or a value in it is not
            what mner writes.
    """
    path = folder / NAME
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"larger than {_LARGEST} bytes")
        manifest = json.loads(path.read_text(encoding="utf-8"))
        layout = manifest["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{path}: damaged ({error}); save or copy the model again") from None
    if layout != FORMAT:
        raise ModelError(
            f"{folder}: saved in format {layout} by mner {manifest.get('mner')}, this mner {version('mner')} "
            f"reads format {FORMAT}; install the version that wrote it, or train again"
        )
    if fault := _outside(manifest) or _fault(manifest):
        raise ModelError(f"{path}: damaged ({fault}); save or copy the model again")
    if CHECKSUM in manifest and manifest[CHECKSUM] != checksum(manifest):
        raise ModelError(f"{path}: changed since the model was saved (sha256 differs); copy it again")
    return dict(manifest)


def folders(needs: Needs) -> list[str]:
    """The folder of each encoder in a model directory.

    >>> folders(Needs(encoders=("bert-base-cased", "mpnet")))
    ['encoder', 'encoder2']
    """
    return [*ENCODERS, *(f"encoder{number}" for number in range(2, len(needs.encoders) + 1))][: len(needs.encoders)]


def checksum(manifest: Mapping[str, Any]) -> str:
    """The SHA-256 of all that a manifest says besides its checksum, hexadecimal."""
    rest = {key: value for key, value in manifest.items() if key != CHECKSUM}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def verify(folder: Path, files: Mapping[str, str]) -> None:
    """Check that the listed files are as they were saved.

    Raises:
        ModelError: One is missing, changed, outside the model or not a regular file, or an encoder's folder, loaded
            as a whole, holds another that would be loaded.
    """
    roots = [folder.resolve()]
    if roots[0].parent.name == "snapshots":  # the hub's cache has links here to the files in a folder beside it
        roots.append(roots[0].parents[1] / "blobs")
    for name, expected in files.items():
        path = folder / name
        if not any(path.resolve().is_relative_to(root) for root in roots):
            raise ModelError(f"{folder}/{NAME}: names a file outside the model: {name}")
        if not path.exists():
            raise ModelError(f"{folder}: {name} is missing; copy the whole directory again")
        if not path.is_file():
            raise ModelError(f"{path}: expected a regular file; copy the whole directory again")
        if sha256(path) != expected:
            raise ModelError(f"{path}: changed since the model was saved (sha256 differs); copy it again")
    for path in sorted(folder.glob("encoder*/**/*")):
        name = path.relative_to(folder).as_posix()
        if name not in files and path.suffix in LOADED:
            raise ModelError(f"{path}: not a file of this model (model.json does not list it); remove it")


def _outside(manifest: Mapping[str, Any]) -> str:
    """Which listed file lies outside the model's folder; "" if none."""
    files = manifest.get("files")
    names = [str(name) for name in files] if isinstance(files, dict) else []
    outside = [
        name for name in names if name.startswith("/") or {"", ".", ".."} & {*name.replace("\\", "/").split("/")}
    ]
    return f"names a file outside the model: {outside[0]}" if outside else ""


def _fault(manifest: Mapping[str, Any]) -> str:
    """What is wrong with a manifest's values; "" if nothing."""
    labels, files, encoder = (manifest.get(key) for key in ("labels", "files", "encoder"))
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        return "labels: expected a list of strings"
    types = tags.entity_types(labels)
    if not types or tuple(labels) != tags.bioes_labels(types, padded=tags.PAD in labels):
        return f"labels: expected O, then B-, I-, E- and S- of each type, sorted; found {', '.join(labels)[:200]}"
    if not isinstance(files, dict) or not all(
        isinstance(value, str) and _SHA256.fullmatch(value) and "\0" not in name for name, value in files.items()
    ):
        return "files: expected a table of file names, each with its SHA-256"
    if absent := [name for name in NEEDED if name not in files]:
        return f"files: lacks {', '.join(absent)}"
    if not isinstance(encoder, dict) or not isinstance(encoder.get("name"), str):
        return "encoder: expected a table with a name"
    for key, least in (("max_tokens", 1), ("pad_id", 0)):
        value = encoder.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**31:
            return f"encoder.{key}: expected a whole number from {least}, found {value!r}"
    views = manifest.get("views", ["T"])
    if not isinstance(views, list) or not views or any(view not in VIEWS for view in views):
        return f"views: expected some of {' and '.join(VIEWS)}, found {views!r}"
    needs = manifest.get("needs", {})
    try:
        folders = needs.get("encoders", ENCODERS)
        if any(not re.fullmatch(r"encoder\d*", folder) for folder in folders):
            return f"needs.encoders: expected folders such as encoder, found {folders!r}"
        Needs(arrays=tuple(Array.from_dict(array) for array in needs.get("arrays", ())))
    except (AttributeError, ConfigError, KeyError, TypeError, ValueError) as error:
        return f"needs: {error}"
    if not isinstance(manifest.get("onnx", {}), dict):
        return "onnx: expected a table"
    return ""
