"""Named entity recognition for text with pictures.

>>> import mner
>>> tagger = mner.load()  # the model that comes with mner; or a folder, or "hub:owner/name"
>>> print(tagger("Kevin Love is back in Cleveland", min_score=0.5))  # image="photo.jpg" adds a picture
[Kevin Love|PER ...] is back in [Cleveland|LOC ...]

What to call:

- ``load``: the ``Tagger`` of a saved model;
- ``tagger(post)``: the ``Prediction`` for one post, ``atag`` the same for asyncio, ``batch`` a list of them, ``pipe`` a
  stream. A post is a text, a ``Post``, or a record such as {"text": ..., "image": ...};
- ``explain``: an ``Explanation``, which holds the ``Evidence`` of each entity: what the picture did for it;
- ``save``, ``push_to_hub``: the tagger's model, into a folder or onto the Hugging Face Hub;
- ``tag_frame``: a data frame of pandas with its entities;
- ``predict_shards``: any number of posts, into files that an interrupted call continues.

A prediction holds an ``Entity`` for each name, with character offsets; a gold ``Span`` counts words. A ``Region`` is a
part of the picture that shows an entity. What was read from a picture is a ``VisualContext`` of ``Caption``, ``Tag``,
``OcrText`` and ``ContextText``. Whatever mner refuses, it refuses with a ``MnerError`` that says what to do.

Training is ``mner.training``, scores ``mner.runs``, files of posts ``mner.data``, other libraries
``mner.integrations``. Names are imported when they are first used, so ``import mner`` costs next to nothing.
"""

from __future__ import annotations

from typing import Any

_HOMES = {
    "mner.bulk": ("predict_shards",),
    "mner.errors": ("MnerError",),
    "mner.evidence": ("Evidence", "Explanation"),
    "mner.integrations.pandas": ("tag_frame",),
    "mner.regions": ("Region",),
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
    "Region",
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
