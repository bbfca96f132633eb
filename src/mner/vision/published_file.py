"""The file of published results that a backend's options name, in place of a network that would run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mner.errors import ConfigError
from mner.vision.protocols import About


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """Where the results of a backend are.

    Attributes:
        backend: The backend, for messages, such as "detector vinvl".
        key: The option that names the file or folder.
        absent: What is missing and how to name it, where the option is not set.
    """

    backend: str
    key: str
    absent: str

    def about(self, downloads: str, licence: str, **more: Any) -> About:
        """What such a backend says of itself."""
        speed = "no time worth naming; the network does not run."
        facts = {"published": self._published, "lacking": self.lacking, "named": True, **more}
        return About(downloads=downloads, licence=licence, speed=speed, **facts)

    def _published(self, options: Any) -> list[Path]:
        path = getattr(options, self.key)
        return [] if path is None else [path]

    def lacking(self, options: Any) -> str | None:
        """What must be there before the backend can run; None for nothing."""
        path = getattr(options, self.key)
        if path is None:
            return self.absent
        return None if path.exists() else f"{path}: no such file or folder"

    def path(self, options: Any) -> Path:
        """The file or folder, which need not be there.

        Raises:
            ConfigError: The options do not name it.
        """
        path: Path | None = getattr(options, self.key)
        if path is None:
            raise ConfigError(f"{self.backend} needs {self.absent}")
        return path


def captions(name: str) -> PublishedFile:
    """The file of a captioner that looks its captions up."""
    option = f"vision.options.{name}.captions"
    absent = f"the published captions: name them in {option} (.json, .jsonl or .tsv)"
    return PublishedFile(f"captioner {name}", "captions", absent)


def about_captions(name: str, licence: str) -> About:
    """What a captioner that looks its captions up says of itself."""
    return captions(name).about(
        f"nothing. It needs the captions of your pictures, named in `vision.options.{name}.captions`: JSON as for the "
        "COCO server, JSON lines or TSV, several captions of a picture best first; "
        "`mner.contexts.published.sentences` says more.",
        licence,
    )
