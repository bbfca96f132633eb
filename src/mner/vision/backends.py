"""The plug-ins that a [vision] table names: found, their options checked, loaded when first used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

from PIL.Image import Image
from pydantic import BaseModel, ValidationError

from mner import plugins
from mner.config import VisionConfig
from mner.errors import ConfigError, PluginError
from mner.types import Tag
from mner.vision import attributes, scene, zeroshot
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
            key: plugin(*KINDS[key], name) for key, name in self._names.items() if name
        }
        self.named = {part for part, module in self._modules.items() if getattr(module, "NAMED", False)}
        if self._names["captioner"] and "captioner" not in self.named:
            self._modules["scene"] = scene
        if self._names["detector"] and "detector" not in self.named:
            learned = bool(config.options.get("zeroshot"))
            self._modules.update({"zeroshot": zeroshot} if learned else {"attributes": attributes})
        self._options = _options(config, self._modules, self._names)

    @cached_property
    def describe(self) -> Callable[[Image, Sequence[Tag]], list[Tag]]:
        """Gives the detector's tags attributes: learned ones where ``zeroshot`` has options, else measured ones."""
        learned: Callable[[Image, Sequence[Tag]], list[Tag]] | None = self._made("zeroshot", "Describer")
        if learned is not None:
            return learned
        options = self._options.get("attributes")
        return partial(
            attributes.describe, options=options if isinstance(options, attributes.Options) else attributes.Options()
        )

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
        _ = self.detector, self.captioner, self.ocr, self.scene, self.describe

    @property
    def batch(self) -> int:
        """Most pictures that any of the parts looks at in one call."""
        return max(map(self.size, KINDS))

    def size(self, part: str) -> int:
        """Pictures that a part looks at in one call; says so without loading it."""
        if part == "attributes":  # its batches are of objects, whichever pictures they are of
            return self.batch
        module = self._modules.get(part) if part in KINDS else None
        if module is None or part in self.named or not hasattr(getattr(module, KINDS[part][1]), "many"):
            return 1
        return max(1, int(getattr(self._options[part], "batch", 1)))

    @cached_property
    def fingerprint(self) -> str:
        """12 hexadecimal digits over all that a picture's context depends on but the picture."""
        named = sorted(self._modules.items())
        return fingerprint([(part, self._names.get(part, part), module, self._options[part]) for part, module in named])

    def _made(self, part: str, kind: str) -> Any:
        module = self._modules.get(part)
        return None if module is None else getattr(module, kind)(self._options[part], threads=self._threads)


def fingerprint(parts: Iterable[tuple[str, str, ModuleType, BaseModel]]) -> str:
    """12 hexadecimal digits over plug-ins: of each its part, its name, its file and its options."""
    described = [
        {
            "part": part,
            "name": name,
            "version": module.VERSION,
            "options": options.model_dump(mode="json"),
            "models": [_digest(Path(model)) for model in _models(module, options)],
        }
        for part, name, module, options in parts
    ]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:12]


def plugin(folder: str, kind: str, name: str) -> ModuleType:
    """The file of a plug-in, which has ``Options``, ``VERSION`` and the class ``kind``.

    Raises:
        PluginError: There is none of that name, or it lacks a part.
    """
    module = plugins.load(folder, name)
    missing = [part for part in ("Options", kind, "VERSION") if not hasattr(module, part)]
    if missing:
        raise PluginError(f'plug-in "{name}" lacks {", ".join(missing)}; see mner.vision.protocols')
    return module


def _options(config: VisionConfig, modules: dict[str, ModuleType], names: dict[str, str]) -> dict[str, BaseModel]:
    known = {
        "scene",
        "attributes",
        "zeroshot",
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
        table = config.options.get(name, {})
        try:
            options[part] = module.Options.model_validate(of_part(table, part))
        except ValidationError as error:
            for fault in error.errors():
                own = (
                    [part] if isinstance(table.get(part), Mapping) and set(table[part]) & set(fault["loc"][:1]) else []
                )
                path = ".".join(["vision", "options", name, *own, *map(str, fault["loc"])])
                keys = ", ".join(module.Options.model_fields)
                hint = f"; known here: {keys}" if fault["type"] == "extra_forbidden" else f", found {fault['input']!r}"
                faults.append(f"{path}: {fault['msg']}{hint}")
    if faults:
        raise ConfigError("\n".join(faults))
    return options


def of_part(table: Mapping[str, Any], part: str) -> dict[str, Any]:
    """A plug-in's options for one of the parts that may share its name.

    Keys of the table are for all parts that use it; a table inside it, named like a part, is for that part alone.
    """
    own = table.get(part)
    shared = {key: value for key, value in table.items() if not (key in KINDS and isinstance(value, Mapping))}
    return {**shared, **own} if isinstance(own, Mapping) else shared


def _models(module: ModuleType, options: BaseModel) -> Iterator[Path]:
    """The model files of a plug-in with these options."""
    depends = getattr(module, "models", None)
    yield from getattr(module, "MODELS", ()) if depends is None else depends(options)


def _digest(model: Path) -> str:
    """The SHA-256 of a model file; "absent" where the package that brings it is not installed."""
    try:
        state = model.stat()
    except OSError:
        return "absent"
    return _sha256(model, state.st_size, state.st_mtime_ns)


@lru_cache
def _sha256(path: Path, size: int, changed: int) -> str:
    """The SHA-256 of a file, read once for all backends that share it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
