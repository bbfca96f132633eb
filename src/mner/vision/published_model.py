"""The folder of a published network that a backend's options name, run by mner's own code."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mner.errors import ConfigError, MissingExtraError
from mner.vision.protocols import About


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """Where the networks of a backend are.

    Attributes:
        backend: The backend, for messages, such as "detector c4".
        options: The options that name its folders.
        holds: What such folders hold, for messages.
    """

    backend: str
    options: tuple[str, ...]
    holds: str

    def about(self, **facts: Any) -> About:
        """What such a backend says of itself."""
        return About(needs=("torch",), models=self.files, lacking=self.lacking, **facts)

    def lacking(self, options: Any) -> str | None:
        """What must be there before the backend can run; None for nothing."""
        for option in self.options:
            folder = getattr(options, option)
            if folder is None:
                return f"the option {option}: {self.holds}"
            if not folder.is_dir():
                return f"{folder}: no such folder"
        return None

    def files(self, options: Any) -> list[Path]:
        """The files that the output depends on."""
        folders = [folder for option in self.options if (folder := getattr(options, option)) is not None]
        suffixes = (".safetensors", ".json", ".txt")
        return sorted(path for folder in folders for path in folder.glob("*") if path.suffix in suffixes)

    def folders(self, options: Any) -> list[Path]:
        """The folders, in the order of the options.

        Raises:
            MissingExtraError: Torch is not installed.
            ConfigError: One is not named, or is no folder.
        """
        if importlib.util.find_spec("torch") is None:
            raise MissingExtraError(f'{self.backend} needs torch: pip install "mner[vision-hub]"')
        lacking = self.lacking(options)
        if lacking is not None:
            raise ConfigError(f"{self.backend} needs {lacking}")
        return [getattr(options, option) for option in self.options]
