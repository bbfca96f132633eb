"""The plug-ins that a [vision] table names: found, their options checked, loaded when first used."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from mner import plugins
from mner.config import VisionConfig
from mner.errors import ConfigError, PluginError
from mner.vision import attributes, scene
from mner.vision.protocols import Captioner, Detector, Reader

KINDS = {
    "detector": ("mner.vision.detectors", "Detector"),
    "captioner": ("mner.vision.captioners", "Captioner"),
    "ocr": ("mner.vision.ocr", "Reader"),
}
"""Each key of [vision]: the folder of its plug-ins and the class that a plug-in's file has."""


class Backends:
    """The backends of one configuration.

    Attributes:
        named: The parts that look results up by a picture's name.

    Args:
        config: Their names, "" for none, and their options.
        threads: Most CPU threads of one backend; 0 leaves that to the backend.

    Raises:
        PluginError: A name is unknown, or a plug-in lacks a part.
        ConfigError: Options cannot be used; the message lists every fault.
    """

    def __init__(self, config: VisionConfig, *, threads: int = 0) -> None:
        self._threads = threads
        self._names = {key: str(getattr(config, key)) for key in KINDS}
        self._modules: dict[str, ModuleType] = {
            key: _module(*KINDS[key], name) for key, name in self._names.items() if name
        }
        self.named = {part for part, module in self._modules.items() if getattr(module, "NAMED", False)}
        if self._names["captioner"] and "captioner" not in self.named:
            self._modules["scene"] = scene
        if self._names["detector"] and "detector" not in self.named:
            self._modules["attributes"] = attributes
        self._options = _options(config, self._modules, self._names)

    @property
    def attributes(self) -> attributes.Options:
        """The options of the attributes."""
        found = self._options.get("attributes")
        return found if isinstance(found, attributes.Options) else attributes.Options()

    @cached_property
    def detector(self) -> Detector | None:
        """The object detector."""
        made: Detector | None = self._made("detector", "Detector")
        return made

    @cached_property
    def captioner(self) -> Captioner | None:
        """The captioner."""
        made: Captioner | None = self._made("captioner", "Captioner")
        return made

    @cached_property
    def ocr(self) -> Reader | None:
        """The OCR engine."""
        made: Reader | None = self._made("ocr", "Reader")
        return made

    @cached_property
    def scene(self) -> scene.SceneReader | None:
        """The scene classifier, where there is a captioner to use it."""
        made: scene.SceneReader | None = self._made("scene", "SceneReader")
        return made

    def load(self) -> None:
        """Load all of them now."""
        _ = self.detector, self.captioner, self.ocr, self.scene

    @cached_property
    def fingerprint(self) -> str:
        """12 hexadecimal digits over all that a picture's context depends on but the picture."""
        parts = [
            {
                "part": part,
                "name": self._names.get(part, part),
                "version": module.VERSION,
                "options": self._options[part].model_dump(mode="json"),
                "models": [_digest(Path(model)) for model in getattr(module, "MODELS", ())],
            }
            for part, module in sorted(self._modules.items())
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]

    def _made(self, part: str, kind: str) -> Any:
        module = self._modules.get(part)
        return None if module is None else getattr(module, kind)(self._options[part], threads=self._threads)


def _module(folder: str, kind: str, name: str) -> ModuleType:
    module = plugins.load(folder, name)
    missing = [part for part in ("Options", kind, "VERSION") if not hasattr(module, part)]
    if missing:
        raise PluginError(f'plug-in "{name}" lacks {", ".join(missing)}; see mner.vision.protocols')
    return module


def _options(config: VisionConfig, modules: dict[str, ModuleType], names: dict[str, str]) -> dict[str, BaseModel]:
    known = {
        "scene",
        "attributes",
        *names.values(),
        *(name for folder, _ in KINDS.values() for name in plugins.names(folder)),
    }
    faults = [
        f"vision.options.{name}: no such plug-in; there are {', '.join(sorted(known - {''}))}"
        for name in config.options
        if name not in known and "." not in name
    ]
    options: dict[str, BaseModel] = {}
    for part, module in modules.items():
        name = names.get(part, part)
        try:
            options[part] = module.Options.model_validate(config.options.get(name, {}))
        except ValidationError as error:
            for fault in error.errors():
                path = ".".join(["vision", "options", name, *map(str, fault["loc"])])
                keys = ", ".join(module.Options.model_fields)
                hint = f"; known here: {keys}" if fault["type"] == "extra_forbidden" else f", found {fault['input']!r}"
                faults.append(f"{path}: {fault['msg']}{hint}")
    if faults:
        raise ConfigError("\n".join(faults))
    return options


def _digest(model: Path) -> str:
    """The SHA-256 of a model file; "absent" where the package that brings it is not installed."""
    if not model.is_file():
        return "absent"
    with model.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
