"""All backends that read pictures: what each is, what it needs, and whether it can run on this machine."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from mner import plugins
from mner.config import VisionConfig
from mner.errors import MnerError, PluginError
from mner.vision import attributes, features, scene, zeroshot
from mner.vision.backends import KINDS, of_part
from mner.vision.networks.checkpoint import Checkpoint

FACTS = ("Downloads", "Licence", "Speed")
"""What the docstring of each backend tells, as "Fact: text."."""

BESIDE = {
    "attributes": {"attributes": attributes, "zeroshot": zeroshot},
    "scene": {"scene": scene},
    "features": {name: plugins.load(features.__name__, name) for name in plugins.names(features.__name__)},
}
"""What reads pictures beside the backends that a configuration names, by kind."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend.

    Attributes:
        kind: The key of [vision] that takes its name; or "attributes" or "scene", which go with detector and captioner
            and are chosen by their options, [vision.options.NAME]; or "features", for ``mner features build``.
        name: Its name.
        summary: What it is, in one line.
        facts: What it downloads, its licence and its speed, in the words of its file.
        needs: Packages and programs beyond the core install.
        models: Models of the hub that fit it, for a start.
        missing: What is not here; empty where it can run.
    """

    kind: str
    name: str
    summary: str
    facts: dict[str, str]
    needs: tuple[str, ...]
    models: tuple[Checkpoint, ...]
    missing: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether it can run here."""
        return not self.missing

    def to_dict(self) -> dict[str, Any]:
        """The backend as a JSON object."""
        plain = {"kind": self.kind, "name": self.name, "ready": self.ready, "summary": self.summary}
        facts = {fact.lower(): text for fact, text in self.facts.items()}
        models = [one._asdict() for one in self.models]
        return {**plain, "needs": list(self.needs), "models": models, "missing": list(self.missing), **facts}


def backends(config: VisionConfig | None = None, *, outside: Sequence[str] = ()) -> list[Backend]:
    """All backends of mner and those of other modules that are named, by kind; no heavy package is imported.

    Args:
        config: Options of backends, such as the files that they need; None takes the defaults.
        outside: Dotted names of modules outside mner; those that the configuration names are listed anyway.

    Raises:
        PluginError: A module cannot be imported, or is no backend.

    >>> [one.kind for one in backends() if one.name == "template" and one.ready]
    ['captioner']
    """
    config = config or VisionConfig()
    found = []
    named = [getattr(config, kind) for kind in KINDS]
    modules = {name: plugins.load("", name) for name in dict.fromkeys((*named, *outside)) if "." in name}
    for kind, (folder, shape) in KINDS.items():
        inside = {name: plugins.load(folder, name) for name in plugins.names(folder)}
        own = {name: module for name, module in modules.items() if hasattr(module, shape)}
        for name, module in {**inside, **own}.items():
            found.append(_backend(kind, name, module, of_part(config.options.get(name, {}), kind)))
    for kind, parts in BESIDE.items():
        found += [_backend(kind, name, module, dict(config.options.get(name, {}))) for name, module in parts.items()]
    for name in modules.keys() - {one.name for one in found}:
        shapes = ", ".join(shape for _, shape in KINDS.values())
        raise PluginError(f'plug-in "{name}" has none of the classes {shapes}; see mner.vision.protocols')
    return found


def _backend(kind: str, name: str, module: ModuleType, options: dict[str, Any]) -> Backend:
    about = (module.__doc__ or "").replace("``", "`")
    summary = " ".join(about.strip().partition("\n\n")[0].split())
    packages: tuple[str, ...] = getattr(module, "NEEDS", ())
    programs: tuple[str, ...] = getattr(module, "PROGRAMS", ())
    needs = (*packages, *(f"the program {program}" for program in programs))
    models = tuple(getattr(module, "CHECKPOINTS", ()))
    missing = tuple(_missing(module, packages, programs, options))
    return Backend(kind, name, summary, _facts(about), needs, models, missing)


def _missing(
    module: ModuleType, packages: tuple[str, ...], programs: tuple[str, ...], options: dict[str, Any]
) -> Iterator[str]:
    yield from (f"the package {package}" for package in packages if importlib.util.find_spec(package) is None)
    yield from (f"the program {program}" for program in programs if shutil.which(program) is None)
    yield from (f"the file {model}" for model in map(Path, getattr(module, "MODELS", ())) if not model.is_file())
    try:
        chosen = module.Options.model_validate(options)
        lacking = module.lacking(chosen) if hasattr(module, "lacking") else None
        if lacking is not None:
            yield lacking
        if hasattr(module, "models") and all(map(importlib.util.find_spec, packages)):
            yield from (f"the file {model}" for model in module.models(chosen) if not Path(model).is_file())
    except ValidationError as error:
        yield f"options that can be used: {error.errors()[0]['msg']}"
    except MnerError as error:  # what models() says of a model that is not here
        yield str(error)


def _facts(about: str) -> dict[str, str]:
    r"""What a docstring says behind each of ``FACTS``.

    >>> _facts("A thing.\n\nDownloads: nothing.\nLicence: MIT. Speed: fast,\nmostly.\n\nMore.")
    {'Downloads': 'nothing.', 'Licence': 'MIT.', 'Speed': 'fast, mostly.'}
    """
    pattern = re.compile(rf"\b({'|'.join(FACTS)}): (.+?)(?=\b(?:{'|'.join(FACTS)}): |\n\n|\Z)", re.DOTALL)
    return {fact: " ".join(text.split()) for fact, text in pattern.findall(about)}
