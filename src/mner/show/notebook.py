"""A prediction or an explanation -> HTML that a notebook shows below its cell, with styles that stay inside of it."""

from __future__ import annotations

from mner.evidence import Explanation
from mner.show.environment import template
from mner.show.picture import embed_all
from mner.show.post import part
from mner.types import Prediction

LONGEST = 480
"""Pixels of a picture's longer side, at most: a notebook keeps its output in its file."""


def cell(shown: Prediction | Explanation) -> str:
    """What ``_repr_html_`` returns: the post with its entities; of an explanation also what its picture did.

    >>> from mner.types import Entity
    >>> "<mark" in cell(Prediction("", "Kevin wins", (Entity(0, 5, "Kevin", "PER", 0.934),)))
    True
    """
    if isinstance(shown, Prediction):
        post = part(Explanation(shown, ()), shown.id, pictures=[], with_evidence=False)
    else:
        post = part(shown, shown.prediction.id, pictures=embed_all(shown, longest=LONGEST))
    text: str = template("notebook.html").render(post=post)
    return text
