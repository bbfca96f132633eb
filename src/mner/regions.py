"""Where a picture shows an entity: a box, and how it was matched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the upright picture."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture that shows an entity.

    >>> region = Region((10, 20, 210, 60), source="rapid", score=0.98, match="case", text="CLEVELAND")
    >>> print(region)
    (10, 20, 210, 60) "CLEVELAND", case 0.98
    >>> region.to_dict()["box"]
    [10, 20, 210, 60]

    Attributes:
        box: Left, top, right, bottom in pixels of the upright picture; it lies inside of the picture.
        source: The backend that read it, as in the context; "" where that names none.
        score: From 0 to 1: the reading's own confidence times the likeness of its text to the entity's.
        match: How it was matched: "exact", "case", "fuzzy 0.86", "part", "only person", "prompted", ...
        text: The name of the reading: the text in the picture, the object, or what a detector was asked for.
        picture: Which of the post's pictures, from 0.
    """

    box: Box
    source: str
    score: float
    match: str
    text: str
    picture: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The region as a JSON object.

        >>> sorted(Region((0, 0, 9, 9), "nanodet", 0.7, "only person", "person").to_dict())
        ['box', 'match', 'picture', 'score', 'source', 'text']
        """
        return {
            "box": [round(side, 1) for side in self.box],
            "source": self.source,
            "score": round(self.score, 6),
            "match": self.match,
            "text": self.text,
            "picture": self.picture,
        }

    def __str__(self) -> str:
        """One line: ``(10, 20, 210, 60) "CLEVELAND", case 0.98``."""
        box = ", ".join(f"{side:g}" for side in self.box)
        return f'({box}) "{self.text}", {self.match} {self.score:.2f}'
