"""Named entity recognition for text with pictures.

>>> import mner
>>> mner.Entity(0, 5, "Kevin", "PER", 0.9).label
'PER'

Names are imported when they are first used, so ``import mner`` costs next to nothing.
"""

from __future__ import annotations

from typing import Any

_HOMES = {
    "mner.bulk": ("predict_shards",),
    "mner.errors": ("MnerError",),
    "mner.evidence": ("Evidence", "Explanation"),
    "mner.integrations.pandas": ("tag_frame",),
    "mner.tagger": ("Tagger", "load"),
    "mner.types": (
        "Caption",
        "ContextText",
        "Entity",
        "OcrText",
        "Post",
        "Prediction",
        "Span",
        "Tag",
        "VisualContext",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Caption",
    "ContextText",
    "Entity",
    "Evidence",
    "Explanation",
    "MnerError",
    "OcrText",
    "Post",
    "Prediction",
    "Span",
    "Tag",
    "Tagger",
    "VisualContext",
    "load",
    "predict_shards",
    "tag_frame",
]


def __getattr__(name: str) -> Any:
    """A public name, from the module that defines it; ``__version__`` is that of the installed package."""
    if name == "__version__":
        from importlib.metadata import version

        return version("mner")
    if name not in _HOME:
        raise AttributeError(f"module 'mner' has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])
