"""POST + CONTEXT -> T AND I+T: the one place where the words of a post meet the words of a picture."""

from __future__ import annotations

from mner.views.batch import Batch, Encoded, batches_by_tokens, collate, portions
from mner.views.compose import Piece, compose
from mner.views.encode import Views
from mner.views.inputs import NER, Array, Needs, Task
from mner.views.packing import pack
from mner.views.tokenize import SHAPES, Subwords

__all__ = [
    "NER",
    "SHAPES",
    "Array",
    "Batch",
    "Encoded",
    "Needs",
    "Piece",
    "Subwords",
    "Task",
    "Views",
    "batches_by_tokens",
    "collate",
    "compose",
    "pack",
    "portions",
]
