"""The directory of a saved model: written whole or not at all, checked when read; no pickle, no torch."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, cast

import numpy as np

from mner import config as configs
from mner.config import Config
from mner.config.names import device_name
from mner.decode import Chain
from mner.errors import ConfigError, ModelError
from mner.files import sha256, write_json
from mner.folders import replacing_folder, restore
from mner.runtime.manifest import CHECKSUM, ENCODERS, FORMAT, VIEWS, checksum, folders, read_manifest, verify
from mner.types import ViewName
from mner.views import Array, Needs

LARGEST_SCORE = 1e9
"""No learned number is larger; beside larger ones the score of a forbidden move would not count."""

CHAIN = ("crf.transitions", "crf.start", "crf.end")

_UNSAID: Mapping[str, Sequence[ViewName]] = {"text": ("T",)}
"""The views that mner 0.1 trained by the name of a system, whatever its configuration said."""


@dataclass(frozen=True, slots=True)
class SavedModel:
    """What a model directory says, its files verified.

    Attributes:
        folder: The directory.
        config: The resolved configuration it was trained with.
        labels: BIOES labels in the order of the label scores.
        head: All that was learned outside the encoder, by name.
        manifest: The whole of ``model.json``.
    """

    folder: Path
    config: Config
    labels: tuple[str, ...]
    head: Mapping[str, np.ndarray]
    manifest: Mapping[str, Any]

    @property
    def tokenizer(self) -> Path:
        """The tokenizer's file."""
        return self.folder / "tokenizer.json"

    @property
    def chain(self) -> Chain:
        """The transition, start and end scores of the CRF."""
        return chain_of(self.head)

    @property
    def pad_id(self) -> int:
        """The encoder's padding id."""
        return int(self.manifest["encoder"]["pad_id"])

    @property
    def views(self) -> tuple[ViewName, ...]:
        """The views that the model was trained on; models of mner 0.1 do not say, but for ``_UNSAID``."""
        views = self.manifest.get("views", _UNSAID.get(self.config.model.name, self.config.loss.views))
        return cast(tuple[ViewName, ...], tuple(view for view in VIEWS if view in views))

    @property
    def needs(self) -> Needs:
        """What the model reads; its encoders are folders of the directory."""
        table = self.manifest.get("needs", {})
        arrays = tuple(Array.from_dict(array) for array in table.get("arrays", ()))
        return Needs(tuple(table.get("encoders", ENCODERS)), arrays, table.get("context", True))

    @property
    def features(self) -> str:
        """Fingerprint of the extractor of the features that it was trained on; "" if none or unknown."""
        return str(self.manifest.get("needs", {}).get("features", ""))

    def holds(self, name: str) -> bool:
        """Whether a file or folder is there and ``model.json`` lists it; others are never loaded."""
        listed = any(file == name or file.startswith(f"{name}/") for file in self.manifest["files"])
        return listed and (self.folder / name).exists()

    @property
    def fingerprint(self) -> str:
        """12 hexadecimal digits of the SHA-256 of ``model.json``; in models of mner 0.1 of its files alone."""
        if CHECKSUM in self.manifest:
            return str(self.manifest[CHECKSUM])[:12]
        return hashlib.sha256(json.dumps(self.manifest["files"], sort_keys=True).encode()).hexdigest()[:12]

    @property
    def fingerprints(self) -> dict[str, str]:
        """All that predictions depend on in a model, by name: its fingerprint, and of mner 0.1 its labels besides."""
        if CHECKSUM in self.manifest:
            return {"model": self.fingerprint}
        labels = hashlib.sha256(json.dumps([self.labels, self.manifest["encoder"]]).encode()).hexdigest()[:12]
        return {"model": self.fingerprint, "labels": labels}


def write_model(
    folder: Path,
    *,
    config: Config,
    labels: Sequence[str],
    head: Mapping[str, np.ndarray],
    tokenizer: Path,
    encoder: Mapping[str, Any],
    write_encoder: Callable[[Path], None],
    card: str,
    views: Sequence[ViewName] | None = None,
    needs: Needs | None = None,
    features: str = "",
) -> None:
    """Write a model directory under another name, then rename it into place.

    Args:
        folder: Its place; an older model there is replaced at the very end.
        config: The resolved configuration.
        labels: BIOES labels in the order of the label scores.
        head: Learned arrays outside the encoder; must hold the CRF's three.
        tokenizer: The tokenizer.json to copy.
        encoder: What ``model.json`` says of the encoder (name, longest input, pad id).
        write_encoder: Called with the new directory to write the encoders' folders or an ONNX file into it.
        card: The text of README.md.
        views: The views that the model was trained on; None: those of the configuration.
        needs: What the model reads; None: one encoder and a picture's text.
        features: Fingerprint of the extractor of the features that it was trained on.
    """
    from safetensors.numpy import save_file

    about = {"model": config.model.name, "labels": list(labels), "encoder": dict(encoder)}
    if needs is not None and (needs.arrays or len(needs.encoders) != 1):
        arrays = [array.to_dict() for array in needs.arrays]
        about["needs"] = {
            "encoders": folders(needs),
            "arrays": arrays,
            "context": needs.context,
            "features": features,
        }
    with replacing_model(folder) as part:
        write_encoder(part)
        save_file({name: np.ascontiguousarray(array) for name, array in head.items()}, part / "head.safetensors")
        shutil.copyfile(tokenizer, part / "tokenizer.json")
        (part / "config.toml").write_text(configs.dumps(config), encoding="utf-8")
        (part / "README.md").write_text(card, encoding="utf-8")
        seal(part, {**about, "views": list(views or config.loss.views)})


OWN = ("format", "mner", "files", CHECKSUM)
"""Keys of ``model.json`` that ``seal`` writes itself."""


def amend_model(
    saved: SavedModel,
    folder: Path,
    *,
    change: Callable[[Path], Mapping[str, Any]],
    leave: Sequence[str] = (),
) -> None:
    """Write a saved model with changes, under another name first, then renamed into place.

    Args:
        saved: The model to begin from; its own directory stays as it is unless it is ``folder``.
        folder: The place of the changed model; an older model there is replaced at the very end.
        change: Called with the copy's directory to change files; returns what ``model.json`` shall say besides, None
            for what it shall no longer say.
        leave: Names at the top of the directory that are not copied.
    """
    with replacing_model(folder) as part:
        for name in saved.manifest["files"]:
            if PurePosixPath(name).parts[0] not in leave:
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(saved.folder / name, part / name)
        about = {name: value for name, value in saved.manifest.items() if name not in OWN}
        about |= change(part)
        seal(part, {name: value for name, value in about.items() if value is not None})


@contextmanager
def replacing_model(folder: Path) -> Iterator[Path]:
    """The directory of a new model, which takes the place of ``folder`` when it is whole; files of others there stay.

    Raises:
        ModelError: It cannot be written.
        DataError: Another process is writing it.
    """
    from safetensors import SafetensorError

    try:
        with replacing_folder(folder, own=_files_of(folder)) as part:
            yield part
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{folder}: cannot be written: {error}; make room, or name another place") from error


def _files_of(folder: Path) -> set[str]:
    """The files of the model in a directory; none where it holds no model, or a damaged one."""
    try:
        return {"model.json", *json.loads((folder / "model.json").read_text(encoding="utf-8"))["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def chain_of(head: Mapping[str, np.ndarray]) -> Chain:
    """The CRF's transition, start and end scores among a model's arrays."""
    transitions, start, end = (head[name] for name in CHAIN)
    return Chain(transitions=transitions, start=start, end=end)


def seal(folder: Path, about: Mapping[str, Any]) -> None:
    """Write ``model.json``: format, version, ``about``, the SHA-256 of every other file, and that of all these."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "model.json")
    manifest = {
        "format": FORMAT,
        "mner": version("mner"),
        **about,
        "files": {path.relative_to(folder).as_posix(): sha256(path) for path in files},
    }
    write_json(folder / "model.json", {**manifest, CHECKSUM: checksum(manifest)})


def read_model(folder: str | Path, *, allow_plugins: bool = False) -> SavedModel:
    """What a model directory holds.

    Raises:
        ModelError: It is missing, of another format, changed since it was written, inconsistent in
            itself, or names code outside mner without ``allow_plugins``.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    folder = Path(folder)
    restore(folder)
    if not (folder / "model.json").is_file():
        nested = folder / "model"
        restore(nested)
        if (nested / "model.json").is_file():  # a run directory: its model is one step below
            return read_model(nested, allow_plugins=allow_plugins)
        raise ModelError(f"{folder}: not a saved model (no model.json); train one: mner train CONFIG")
    manifest = read_manifest(folder)
    verify(folder, manifest["files"])
    config, labels = saved_config(folder / "config.toml", allow_plugins=allow_plugins), tuple(manifest["labels"])
    try:
        head = load_file(folder / "head.safetensors")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder}/head.safetensors: damaged ({error}); copy the model again") from None
    count = len(labels)
    for name, shape in zip(CHAIN, ((count, count), (count,), (count,)), strict=True):
        if name not in head or head[name].shape != shape:
            has = f"has shape {head[name].shape}" if name in head else "is missing"
            raise ModelError(f"{folder}/head.safetensors: {name} {has}, but model.json lists {count} labels")
    for name, array in head.items():
        if array.dtype.kind != "f" or not bool((np.abs(array) <= LARGEST_SCORE).all()):  # NaN is not below it either
            raise ModelError(
                f"{folder}/head.safetensors: {name} holds values that are not numbers or too large; "
                "copy the model again"
            )
    return SavedModel(folder, config, labels, head, manifest)


def saved_config(path: Path, *, allow_plugins: bool = False) -> Config:
    """The configuration of a saved model or a run: the one gate for code outside mner that such a file names.

    Raises:
        ModelError: The file is missing or faulty, builds on another file, or names code outside mner without
            ``allow_plugins``.
    """
    try:
        table = configs.read_toml(path)
        config = configs.check(_with_device(table), where=str(path))
    except ConfigError as error:
        raise ModelError(str(error)) from None
    if config.outside_code and not allow_plugins:
        raise ModelError(
            f"{path.parent}: this model names code outside mner: {', '.join(config.outside_code)}; "
            "if you trust it: --allow-plugins, or mner.load(path, allow_plugins=True)"
        )
    config.vision.mark_saved(str(path.parent))
    return config


def _with_device(table: dict[str, Any]) -> dict[str, Any]:
    """The table without a ``training.device`` that is none: mner 0.1 took any word there and did not use it."""
    training = table.get("training")
    if not isinstance(training, dict):
        return table
    try:
        device_name(str(training.get("device", "auto")))
    except ValueError:
        return {**table, "training": {key: value for key, value in training.items() if key != "device"}}
    return table
