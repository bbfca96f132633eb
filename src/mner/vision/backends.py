"""The kinds of vision plug-in, and those that a [vision] table names: options checked, loaded when first used."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from mner import plugins
from mner.config import VisionConfig
from mner.errors import ConfigError, DataError, PluginError
from mner.files import sha256
from mner.vision.protocols import ADDRESS, About

CHOSEN = {
    "detector": ("mner.vision.detectors", "Detector"),
    "captioner": ("mner.vision.captioners", "Captioner"),
    "ocr": ("mner.vision.ocr", "Reader"),
}
"""Each key of [vision]: the folder of its plug-ins and the class that a plug-in's file has."""

BESIDE = {"scene": "captioner", "attributes": "detector"}
"""Kinds that no key names: each goes with another kind, by the plug-in of its own name unless another has options."""

KINDS = {
    **CHOSEN,
    "attributes": ("mner.vision.attributes", "Describer"),
    "scene": ("mner.vision.scene", "SceneReader"),
    "features": ("mner.vision.features", "FeatureExtractor"),
    "grounder": ("mner.vision.grounders", "Grounder"),
}
"""All kinds."""

_FORMER = ("VERSION", "NEEDS", "PROGRAMS", "CHECKPOINTS", "NAMED", "lacking", "models")
"""Names by which files written for mner 0.1 say what ``About`` says now."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plug-in; none of its models is loaded yet."""

    kind: str  # one of ``KINDS``
    name: str  # its file's name, or a dotted one
    summary: str  # the first paragraph of its docstring
    about: About
    options: type[BaseModel]
    make: Callable[..., Any]  # its class


def find_plugin(kind: str, name: str) -> Plugin:
    """The plug-in of a kind that has a name.

    Raises:
        PluginError: Nothing has that name, it cannot be imported, or it lacks a part.

    >>> find_plugin("captioner", "template").about.downloads
    'nothing.'
    """
    folder, shape = KINDS[kind]
    module = plugins.load(folder, name)
    missing = [part for part in ("Options", shape) if not hasattr(module, part)]
    if missing:
        raise PluginError(f'plug-in "{name}" lacks {", ".join(missing)}; see mner.vision.protocols')
    summary = " ".join((module.__doc__ or "").replace("``", "`").strip().partition("\n\n")[0].split())
    options, make = module.Options, getattr(module, shape)
    return Plugin(kind, name, summary, _about(module, options, make), options, make)


def _about(module: ModuleType, options: type[BaseModel], make: Callable[..., Any]) -> About:
    batch = hasattr(make, "many") and "batch" in options.model_fields
    names = vars(module)
    if "ABOUT" not in names:
        former = {name.lower(): names[name] for name in _FORMER if name in names}
        return About(**{"models": lambda options: names.get("MODELS", ()), **former, "batch": batch})
    about = names["ABOUT"]
    if not isinstance(about, About):
        raise PluginError(f'plug-in "{module.__name__}": ABOUT: expected an About of mner.vision.protocols')
    if about.batch and not batch:
        raise PluginError(
            f'plug-in "{module.__name__}": ABOUT says batch, so its class needs the method "many" and its Options '
            'the number "batch"'
        )
    return about


class Backends(Mapping[str, Callable[..., Any]]):
    """The backends of one configuration by the part they play, each loaded when first used.

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
        self._threads, self._saved_in = threads, config.saved_in
        self._plugins = {kind: find_plugin(kind, getattr(config, kind)) for kind in CHOSEN if getattr(config, kind)}
        self.named = {part for part, plugin in self._plugins.items() if plugin.about.named}
        for kind, of in BESIDE.items():
            if of in self._plugins and of not in self.named:
                others = (name for name in plugins.names(KINDS[kind][0]) if name != kind)
                self._plugins[kind] = find_plugin(kind, next(filter(config.options.get, others), kind))
        self._options = _options(config, self._plugins)
        self._loaded: dict[str, Callable[..., Any]] = {}

    def __getitem__(self, part: str) -> Callable[..., Any]:
        if part not in self._loaded:
            self._check_address(self._plugins[part].about.sends(self._options[part]))
            self._loaded[part] = self._plugins[part].make(self._options[part], threads=self._threads)
        return self._loaded[part]

    def __iter__(self) -> Iterator[str]:
        return iter(self._plugins)

    def __len__(self) -> int:
        return len(self._plugins)

    def _check_address(self, address: str) -> None:
        """Refuse to send pictures to an address that a saved model has chosen and the user has not."""
        if address and self._saved_in and os.environ.get(ADDRESS, "").rstrip("/") != address:
            raise ConfigError(
                f"{self._saved_in}: this model would send your pictures to {address}. Nothing was sent. If you want "
                f"that, name the address yourself: export {ADDRESS}={address}"
            )

    @property
    def sends(self) -> bool:
        """Whether one of them sends pictures to another machine."""
        return any(plugin.about.sends(self._options[part]) for part, plugin in self._plugins.items())

    @property
    def usage(self) -> dict[str, float]:
        """What the backends asked of endpoints so far; empty where none of them has any."""
        endpoints = {id(each): each for each in (getattr(at, "endpoint", None) for at in self._loaded.values()) if each}
        counts: Counter[str] = Counter()
        for endpoint in endpoints.values():
            counts.update(endpoint.usage)
        return dict(counts)

    @property
    def batch(self) -> int:
        """Most pictures that any of the parts looks at in one call."""
        return max(map(self.size, CHOSEN))

    def size(self, part: str) -> int:
        """Pictures that a part looks at in one call; says so without loading it."""
        if part not in self._plugins or part in self.named or not self._plugins[part].about.batch:
            return 1
        if part == "attributes":  # its batches are of objects, whichever pictures they are of
            return self.batch
        return max(1, int(getattr(self._options[part], "batch", 1)))

    @cached_property
    def fingerprint(self) -> str:
        """12 hexadecimal digits over all that a picture's context depends on but the picture."""
        return fingerprint((plugin, self._options[part]) for part, plugin in self._plugins.items())

    @cached_property
    def published(self) -> str:
        """SHA-256 of the files where results are looked up by name; "" where none are.

        Raises:
            DataError: One of them is not there.
        """
        paths = [path for part, plugin in self._plugins.items() for path in plugin.about.published(self._options[part])]
        contents = []
        for path in dict.fromkeys(paths):
            for file in sorted(filter(Path.is_file, path.glob("*"))) if path.is_dir() else [path]:
                if (digest := _digest(file)) == "absent":
                    raise DataError(f"{file}: no such file; it holds published results that are looked up")
                contents.append((file.name, digest))
        return hashlib.sha256(json.dumps(contents).encode()).hexdigest() if paths else ""


def fingerprint(chosen: Iterable[tuple[Plugin, BaseModel]]) -> str:
    """12 hexadecimal digits over plug-ins and their options: names, versions, settings and model files."""
    parts = [
        {
            "part": _part(plugin),
            "name": plugin.name,
            "version": plugin.about.version,
            "options": options.model_dump(mode="json"),
            "models": [_digest(Path(model)) for model in plugin.about.models(options)],
            **({"release": release} if (release := plugin.about.release(options)) else {}),
        }
        for plugin, options in sorted(chosen, key=lambda pair: _part(pair[0]))
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _part(plugin: Plugin) -> str:
    """The part that a plug-in plays, as fingerprints and tables of options name it."""
    return plugin.name if plugin.kind in BESIDE else plugin.kind


def _options(config: VisionConfig, chosen: Mapping[str, Plugin]) -> dict[str, BaseModel]:
    known = {plugin.name for plugin in chosen.values()}
    known.update(name for folder, _ in KINDS.values() for name in plugins.names(folder))
    faults = [
        f"vision.options.{name}: no such plug-in; there are {', '.join(sorted(known))}"
        for name in config.options
        if name not in known and "." not in name
    ]
    options: dict[str, BaseModel] = {}
    for kind, plugin in chosen.items():
        table, part = config.options.get(plugin.name, {}), _part(plugin)
        try:
            options[kind] = plugin.options.model_validate(of_part(table, part))
        except ValidationError as error:
            for fault in error.errors():
                own = isinstance(table.get(part), Mapping) and fault["loc"][:1] and fault["loc"][0] in table[part]
                path = ".".join(["vision", "options", plugin.name, *[part] * bool(own), *map(str, fault["loc"])])
                keys = ", ".join(plugin.options.model_fields)
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
    shared = {key: value for key, value in table.items() if not (key in CHOSEN and isinstance(value, Mapping))}
    return {**shared, **own} if isinstance(own, Mapping) else shared


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
    return sha256(path)
