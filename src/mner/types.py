"""The plain values that travel between rooms: posts, contexts, spans, predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Literal, cast

from mner.regions import Box as Box
from mner.regions import Region
from mner.visual_context import Caption as Caption
from mner.visual_context import ContextStatus as ContextStatus
from mner.visual_context import ContextText as ContextText
from mner.visual_context import OcrText as OcrText
from mner.visual_context import Tag as Tag
from mner.visual_context import VisualContext as VisualContext
from mner.words import split

ViewName = Literal["T", "I+T"]
"""T: the words alone. I+T: the words followed by the visual context."""

ImageStatus = Literal[
    "used", "none", "empty", "placeholder", "unreadable", "missing", "too_large", "timeout", "disabled"
]
"""What became of a post's picture when the post was tagged; only "used" decodes the I+T view."""

LINKS = "links"
"""The kind of ``Prediction.cut`` that nobody misses: the ends of links, and links that one sub-token stands for."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """An entity over words: ``start`` inclusive, ``end`` exclusive, as word indices.

    >>> Post("Kevin Love won", spans=(Span(0, 2, "PER"),)).spans
    (Span(start=0, end=2, label='PER'),)
    """

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Post:
    """One post: its words, their places in its text, and perhaps gold spans and a picture.

    A text suffices: its words are split as ``mner.words.split`` does.

    >>> post = Post("Kevin won", image="1.jpg")
    >>> post.id, post.text, post.words, post.offsets
    ('', 'Kevin won', ('Kevin', 'won'), ((0, 5), (6, 9)))

    Attributes:
        id: Unique within a split.
        text: The whole text; of a post given as words, the words joined by one space. Where it is left out, the first
            argument is the text, and the id is "".
        words: The words that receive labels, in order; may hold any Unicode.
        offsets: (start, end) of each word in ``text``, as Python character indices, end exclusive.
        spans: Gold entities over word indices, sorted; None if the post has no labels.
        image: The picture's id or relative path as the file writes it, of several the first; None for no picture.
        where: ``file:line`` of the post's first line, for messages; "" when made in memory.
        extra: Keys of the source row that mner does not use, kept for writing back.
        more_images: The pictures after the first.
    """

    id: str = ""
    text: str = cast(str, None)  # None: left out
    words: tuple[str, ...] = cast(tuple[str, ...], None)
    offsets: tuple[tuple[int, int], ...] = cast(tuple[tuple[int, int], ...], None)
    spans: tuple[Span, ...] | None = None
    image: str | None = None
    where: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    more_images: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.text is None:  # Post("Kevin won")
            object.__setattr__(self, "text", self.id)
            object.__setattr__(self, "id", "")
        if not isinstance(self.text, str):
            raise TypeError(f"Post: expected a text, got {type(self.text).__name__}")
        if (self.words is None) is not (self.offsets is None):
            raise TypeError("Post: words come with their offsets in the text; leave out both to have the text split")
        if self.words is None:
            words, offsets = split(self.text)
            object.__setattr__(self, "words", words)
            object.__setattr__(self, "offsets", offsets)

    @property
    def images(self) -> tuple[str, ...]:
        """All its pictures, in their order.

        >>> Post("Kevin won", image="1.jpg", more_images=("2.jpg",)).images
        ('1.jpg', '2.jpg')
        """
        return () if self.image is None else (self.image, *self.more_images)

    def with_images(self, images: Sequence[str]) -> Post:
        """The same post with these pictures.

        >>> Post("Kevin Love won").with_images(["1.jpg", "2.jpg"]).images
        ('1.jpg', '2.jpg')
        """
        if tuple(images) == self.images:
            return self
        return replace(self, image=images[0] if images else None, more_images=tuple(images[1:]))

    def entity(self, span: Span, score: float) -> Entity:
        """The entity that a span over this post's words is, by character offsets.

        >>> Post("Kevin Love won").entity(Span(0, 2, "PER"), 0.9)
        Entity(start=0, end=10, text='Kevin Love', label='PER', score=0.9, regions=None)
        """
        start, end = self.offsets[span.start][0], self.offsets[span.end - 1][1]
        return Entity(start, end, self.text[start:end], span.label, score)


@dataclass(frozen=True, slots=True)
class Entity:
    """A tagged entity: character offsets (end exclusive), its text, label, and exact span posterior.

    >>> entity = Entity(0, 10, "Kevin Love", "PER", 0.9)
    >>> "Kevin Love won"[entity.start : entity.end] == entity.text
    True

    Attributes:
        regions: Where the picture shows it, the best first; () if it does not, None if nobody looked.
    """

    start: int
    end: int
    text: str
    label: str
    score: float
    regions: tuple[Region, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The entity as a JSON object with the keys start, end, text, label, score, and regions unless that is None.

        >>> Entity(0, 10, "Kevin Love", "PER", 0.9).to_dict()
        {'start': 0, 'end': 10, 'text': 'Kevin Love', 'label': 'PER', 'score': 0.9}
        """
        row = {"start": self.start, "end": self.end, "text": self.text, "label": self.label}
        row["score"] = round(self.score, 6)
        return row if self.regions is None else row | {"regions": [region.to_dict() for region in self.regions]}


PREDICTION_KEYS = frozenset(
    {"id", "text", "entities", "view", "image_status", "image", "images", "pictures", "reason", "cut"}
    | {"evidence", "context"}
)
"""Keys of the rows of predictions and explanations."""


@dataclass(frozen=True, slots=True)
class PictureStatus:
    """What became of one of a post's several pictures, its name, and why it was not used."""

    status: ImageStatus
    image: str | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The status as a JSON object, without what is None."""
        row = {"image": self.image, "status": self.status, "reason": self.reason}
        return {key: value for key, value in row.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the tagger found in one post.

    >>> found = Prediction("1", "Kevin Love won", (Entity(0, 10, "Kevin Love", "PER", 0.9),))
    >>> print(found)
    [Kevin Love|PER 0.90] won
    >>> found.to_dict()["entities"]
    [{'start': 0, 'end': 10, 'text': 'Kevin Love', 'label': 'PER', 'score': 0.9}]

    Attributes:
        id: The post's id, or "" for a bare text.
        text: The text the offsets point into.
        entities: In order of appearance; they never overlap.
        view: The view that was decoded.
        image_status: What became of the picture; of several, "used" if any of them was.
        reason: Why the picture was not used, or, of one that was used, which backend failed on it; else None.
        context: What was read from the picture; None without one.
        image: The picture's name, of several the first's; None where it has none.
        cut: Sub-tokens that the model could not take: by kind of context, of overlong words under "words", and of links
            under "links".
        extra: Keys of the input row that mner does not use, given back in the row.
        pictures: Of a post with several pictures what became of each, in their order; else empty.
    """

    id: str
    text: str
    entities: tuple[Entity, ...]
    view: ViewName = "T"
    image_status: ImageStatus = "none"
    reason: str | None = None
    context: VisualContext | None = None
    image: str | None = None
    cut: Mapping[str, int] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[PictureStatus, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The prediction as its JSONL row; image, reason and cut only where there are such.

        Of several pictures it has ``images``, their names, instead of ``image``, and ``pictures``: what became of each.

        The input's extra keys come last. One that has the name of a key of ours is left out.
        """
        row: dict[str, Any] = {
            "id": self.id,
            "text": self.text,
            "entities": [entity.to_dict() for entity in self.entities],
            "view": self.view,
            "image_status": self.image_status,
        }
        names = [picture.image for picture in self.pictures]
        if names and None not in names:
            row["images"] = names
        elif self.image is not None:
            row["image"] = self.image
        if self.pictures:
            row["pictures"] = [picture.to_dict() for picture in self.pictures]
        if self.reason is not None:
            row["reason"] = self.reason
        if self.cut:
            row["cut"] = dict(self.cut)
        return row | {key: value for key, value in self.extra.items() if key not in PREDICTION_KEYS}

    def __str__(self) -> str:
        """The text with each entity in brackets: ``[Kevin Love|PER 0.98] is back in [Cleveland|LOC 0.91]``."""
        parts, at = [], 0
        for entity in self.entities:
            parts += [self.text[at : entity.start], f"[{entity.text}|{entity.label} {entity.score:.2f}]"]
            at = entity.end
        return "".join(parts) + self.text[at:]

    def _repr_html_(self) -> str:
        """The post with its entities in colour, as a notebook shows it."""
        return notebook_cell(self)


def notebook_cell(shown: Any) -> str:
    """A prediction or an explanation as HTML for a notebook."""
    show = import_module("mner.show.notebook")  # by name: drawing lies above all that is drawn
    return cast(str, show.cell(shown))
