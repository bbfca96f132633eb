"""The name of a vision model -> its checked local folder; needs no torch, and never uses the network."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mner.encoders._files import has_weights, read_json
from mner.encoders.hub import is_hub_id
from mner.errors import MissingExtraError, ModelError
from mner.vision.protocols import About, Checkpoint

if TYPE_CHECKING:
    from mner.vision.networks.load import Network

PREPROCESSORS = ("preprocessor_config.json", "processor_config.json")
"""Files that say how a picture is prepared; newer checkpoints have the second one only."""

PACKAGES = ("torch", "transformers")

TORCHVISION = "torchvision"
"""The architecture of a folder without ``config.json``: a ResNet whose weights alone are published; see ``resnet``."""

_READ = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt",
    "merges.txt", "spiece.model", "chat_template.jinja", "chat_template.json", *PREPROCESSORS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HubModel:
    """The model that a backend's options name, of an architecture that the backend runs.

    Attributes:
        option: The option that names it, for messages, such as "vision.options.hub.model".
        architectures: Those that the backend runs, as ``config.json`` names them, and perhaps ``TORCHVISION``.
        hint: Which other backend may be meant, for messages.
    """

    option: str
    architectures: tuple[str, ...]
    hint: str = ""

    def about(self, *, speed: str, checkpoints: tuple[Checkpoint, ...], **more: Any) -> About:
        """What a backend that runs such a model says of itself; ``more`` goes before what is said here."""
        fields = {
            "downloads": 'nothing by itself. It needs `pip install "mner[vision-hub]"` and a model, as a folder or in '
            "the hub's local cache. Torchvision and timm are not needed.",
            "licence": "the model's.",
            "needs": PACKAGES,
            "models": self.files,
            "batch": True,
            **more,
        }
        return About(speed=speed, checkpoints=checkpoints, **fields)

    def files(self, options: Any) -> list[Path]:
        """The files that the model's output depends on.

        Raises:
            MissingExtraError: As ``find``.
            ModelError: As ``find``.
        """
        return files(self._folder(options))

    def load(self, options: Any, *, threads: int) -> Network:
        """The model, on the device that the options name.

        Raises:
            MissingExtraError: As ``find``.
            ModelError: As ``find``; or it is of another architecture, or damaged.
        """
        folder = self._folder(options)
        alone = not (folder / "config.json").is_file()
        architecture = TORCHVISION if alone else str(read_json(folder / "config.json").get("model_type") or "")
        if architecture not in self.architectures:
            raise ModelError(
                f'{self.option}: {folder} holds a model of the architecture "{architecture}"; this backend runs '
                f"{', '.join(sorted(self.architectures))}{'; ' if self.hint else ''}{self.hint}"
            )
        from mner.vision.networks.load import load

        return load(folder, architecture, device=options.device, threads=threads)

    def _folder(self, options: Any) -> Path:
        name = getattr(options, self.option.rpartition(".")[2])
        return find(name, option=self.option, alone=TORCHVISION in self.architectures)


def find(name: str, *, option: str, alone: bool = False) -> Path:
    """The folder of a model: a local one, or that of a hub id in the hub's local cache.

    Args:
        name: A path, or a hub id such as "microsoft/git-base-coco", perhaps followed by "@revision".
        option: The option that names it, for messages, such as "vision.options.hub.model".
        alone: Whether a folder may hold weights alone, without a configuration.

    Raises:
        MissingExtraError: Torch or transformers is not installed.
        ModelError: It is not here, or lacks a file; the message says what to download and where to put it.
    """
    for package in PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(f'{option}: models of the hub need {package}: pip install "mner[vision-hub]"')
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return folder if alone and not (folder / "config.json").is_file() else _checked(folder, option)
    hub_id, _, revision = name.partition("@")
    if not is_hub_id(hub_id):
        raise ModelError(
            f'{option}: "{name}": no such folder; the folder of a model has config.json, {PREPROCESSORS[0]} and '
            "model.safetensors"
        )
    from huggingface_hub import constants, try_to_load_from_cache

    config = try_to_load_from_cache(hub_id, "config.json", revision=revision or None)
    if not isinstance(config, str | os.PathLike):
        short = hub_id.rpartition("/")[2]
        at = f" --revision {revision}" if revision else ""
        raise ModelError(
            f'{option}: "{name}" is neither a folder here nor in {constants.HF_HUB_CACHE}; where there is a network, '
            f'type: hf download {hub_id}{at} --exclude "*.bin"\n'
            f"Where there is none, copy its config.json, {PREPROCESSORS[0]}, *.safetensors and the files of its "
            f'tokenizer into a folder and name that: "./{short}"'
        )
    return _checked(Path(config).parent, option)


def files(folder: Path) -> list[Path]:
    """The files that a model's output depends on, sorted by name: weights, configurations, tokenizer.

    Python files, which some checkpoints contain, are never read and do not count.
    """
    paths: Iterable[Path] = {*(folder / name for name in _READ), *folder.glob("*.safetensors")}
    return sorted(path for path in paths if path.is_file())


def _checked(folder: Path, option: str) -> Path:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{option}: {folder} has no config.json; copy the whole model there")
    if not has_weights(folder):
        why = "copy its *.safetensors there"
        if any(folder.glob("*.bin")):
            why = "its weights are a pickle (*.bin), which mner never reads; take a revision with safetensors"
        raise ModelError(f"{option}: {folder} has no model.safetensors: {why}")
    if not any((folder / name).is_file() for name in PREPROCESSORS):
        raise ModelError(f"{option}: {folder} has neither {' nor '.join(PREPROCESSORS)}; copy it there")
    return folder
