"""Find plug-ins by presence: a folder's files are its registry, a dotted name is a plug-in too."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from types import ModuleType

from mner.errors import PluginError


def names(package: str) -> list[str]:
    """Names of the plug-ins in a package, sorted: its files, without names that begin with an underscore.

    >>> "nanodet" in names("mner.vision.detectors")
    True
    """
    modules = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return sorted(module.name for module in modules if not module.ispkg and not module.name.startswith("_"))


def load(package: str, name: str, *, allow_dotted: bool = True) -> ModuleType:
    """The module of one plug-in: a file of ``package``, or a dotted name outside mner.

    ``allow_dotted=False`` refuses a dotted name, as in a model directory: it would run somebody else's code.

    Raises:
        PluginError: Nothing has that name (with the nearest one that exists), or a dotted name is refused.
    """
    if "." in name:
        if not allow_dotted:
            raise PluginError(
                f'plug-in "{name}" is code outside mner and was named by a model directory; '
                "if you trust it: mner.load(path, allow_plugins=True)"
            )
        try:
            return importlib.import_module(name)
        except ImportError as error:
            raise PluginError(f'plug-in "{name}" cannot be imported: {error}') from error
    known = names(package)
    if name not in known:
        kind = package.rsplit(".", 1)[-1]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f'did you mean "{near[0]}"? ' if near else ""
        raise PluginError(f'no plug-in "{name}" in {kind}: {hint}there are {", ".join(known)}')
    return importlib.import_module(f"{package}.{name}")
