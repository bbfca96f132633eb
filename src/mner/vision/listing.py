"""All backends that read pictures: what each is, what it needs, and whether it can run on this machine."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mner import plugins
from mner.config import VisionConfig
from mner.errors import MnerError, PluginError
from mner.vision.backends import CHOSEN, KINDS, Plugin, find_plugin, of_part
from mner.vision.protocols import Checkpoint

FACTS = ("Downloads", "Licence", "Speed")
"""What each backend says of itself for people."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend.

    Attributes:
        kind: The key of [vision] that takes its name; or "attributes" or "scene", which go with detector and captioner
            and are chosen by their options, [vision.options.NAME]; or "features", for ``mner features build``.
        facts: What it downloads, its licence and its speed, in the words of its file.
        needs: Packages and programs beyond the core install.
        models: Models of the hub to begin with.
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
        models = [model._asdict() for model in self.models]
        return {**plain, "needs": list(self.needs), "models": models, "missing": list(self.missing), **facts}


def backends(config: VisionConfig | None = None, *, outside: Sequence[str] = ()) -> list[Backend]:
    """All backends of mner and those of other modules that are named, by kind; no heavy package is imported.

    Args:
        config: Options of backends, such as the files that they need; None takes the defaults.
        outside: Dotted names of modules outside mner; those that the configuration names are listed anyway.

    Raises:
        PluginError: A module cannot be imported, or is no backend.

    >>> [backend.kind for backend in backends() if backend.name == "template" and backend.ready]
    ['captioner']
    """
    config = config or VisionConfig()
    named = [getattr(config, kind) for kind in CHOSEN]
    modules = {name: plugins.load("", name) for name in dict.fromkeys((*named, *outside)) if "." in name}
    listed = []
    for kind, (folder, shape) in KINDS.items():
        own = [name for name, module in modules.items() if kind in CHOSEN and hasattr(module, shape)]
        for name in (*plugins.names(folder), *own):
            table = config.options.get(name, {})
            listed.append(_backend(find_plugin(kind, name), of_part(table, kind) if kind in CHOSEN else dict(table)))
    for name in modules.keys() - {backend.name for backend in listed}:
        shapes = ", ".join(shape for _, shape in CHOSEN.values())
        raise PluginError(f'plug-in "{name}" has none of the classes {shapes}; see mner.vision.protocols')
    return listed


def _backend(plugin: Plugin, options: dict[str, Any]) -> Backend:
    about = plugin.about
    facts = {fact: text for fact in FACTS if (text := getattr(about, fact.lower()))}
    needs = (*about.needs, *(f"the program {program}" for program in about.programs))
    missing = tuple(_missing(plugin, options))
    return Backend(plugin.kind, plugin.name, plugin.summary, facts, needs, about.checkpoints, missing)


def _missing(plugin: Plugin, options: dict[str, Any]) -> Iterator[str]:
    about = plugin.about
    absent = [package for package in about.needs if importlib.util.find_spec(package) is None]
    yield from (f"the package {package}" for package in absent)
    yield from (f"the program {program}" for program in about.programs if shutil.which(program) is None)
    try:
        chosen = plugin.options.model_validate(options)
        lacking = about.lacking(chosen)
        if lacking is not None:
            yield lacking
        if not absent:
            yield from (f"the file {model}" for model in about.models(chosen) if not Path(model).is_file())
    except ValidationError as error:
        yield f"options that can be used: {error.errors()[0]['msg']}"
    except MnerError as error:  # what models() says of a model that is not here
        yield str(error)
