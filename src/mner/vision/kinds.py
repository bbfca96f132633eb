"""The kinds of vision plug-in, and one plug-in: found by its name, checked, with what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from mner import plugins
from mner.errors import PluginError
from mner.vision.protocols import About

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
}
"""All kinds."""

_FORMER = ("VERSION", "NEEDS", "PROGRAMS", "CHECKPOINTS", "NAMED", "lacking", "models")
"""Names by which files written for mner 0.1 say what ``About`` says now."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plug-in; none of its models is loaded yet.

    Attributes:
        kind: One of ``KINDS``.
        name: Its file's name, or a dotted one.
        summary: What it is, the first paragraph of its docstring.
        about: What it says of itself.
        options: Its table of [vision.options].
        make: Its class.
    """

    kind: str
    name: str
    summary: str
    about: About
    options: type[BaseModel]
    make: Callable[..., Any]


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
