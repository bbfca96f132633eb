"""Explanations to draw, and a reader of the drawn pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from PIL import Image

from mner.evidence import Evidence, Explanation
from mner.grounding.texts import Match
from mner.regions import Region
from mner.several import together
from mner.types import Caption, ContextText, Entity, OcrText, PictureStatus, Prediction, Tag, VisualContext
from mner.views import Piece

TEXT = "Love is back in Cleveland"


class Page(HTMLParser):
    """The elements of a page: (tag, attributes) in ``elements``, text in ``texts`` by the path of open tags."""

    EMPTY = frozenset({"meta", "img", "br", "link", "hr", "input"})

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []  # every element that was opened was closed, in order

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag not in self.EMPTY:
            self.open.append(f"{tag}.{attributes['class']}" if attributes.get("class") else tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().partition(".")[0] == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self.open), data))

    def text(self, inside: str = "", *, without: str = "nothing") -> str:
        """All text within elements named so, such as "p.post"; that in ``without`` left out."""
        return "".join(
            data
            for path, data in self.texts
            if (not inside or inside in path) and not any(part.startswith(without) for part in path)
        )

    def attributes_of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def parse() -> Callable[[str], Page]:
    """Parses a page, checking that its elements nest."""
    return Page


@pytest.fixture
def picture() -> Image.Image:
    """A picture of 1000 by 500 pixels."""
    return Image.new("RGB", (1000, 500), (200, 30, 30))


@pytest.fixture
def explained(picture: Image.Image) -> Explanation:
    """A post whose picture was used."""
    context = VisualContext(
        "3.jpg",
        tags=(Tag("dog", ("brown", "small"), 0.9, (10, 20, 300, 400), source="nanodet"), Tag(text="ready words")),
        captions=(Caption("a dog in the city", source="template"),),
        ocr=(OcrText("CLEVELAND", 0.97, (500, 50, 900, 120), "rapid"), OcrText("stray", 0.5, (1, 1, 9, 9), "rapid")),
        texts=(ContextText("background words", source="mine"),),
    )
    sign = Region((500, 50, 900, 120), "rapid", 0.97, "case", "CLEVELAND")
    love, city, lost = (
        Entity(0, 4, "Love", "PER", 0.91, ()),
        Entity(16, 25, "Cleveland", "LOC", 0.88, (sign,)),
        Entity(8, 12, "back", "ORG", 0.51),
    )
    rows = (
        Evidence(love, "raised", 0.62, 0.91, {"captions": 0.7, "ocr": 0.9}),
        Evidence(lost, "lost with the picture", 0.51, 0.2, {"captions": 0.4, "ocr": 0.21}),
        Evidence(
            city,
            "label changed",
            0.3,
            0.88,
            {"captions": 0.86, "ocr": 0.35},
            "ORG",
            (Match("CLEVELAND", (500, 50, 900, 120), True),),
        ),
    )
    pieces = (Piece("captions", "template", "a dog in the city"), Piece("ocr", "rapid", "CLEVELAND stray"))
    prediction = Prediction("42", TEXT, (love, city), "I+T", "used", None, context, "3.jpg", {"captions": 7})
    return Explanation(prediction, rows, pieces, picture)


@pytest.fixture
def several(explained: Explanation) -> Explanation:
    """A post with three pictures, of which the second could not be read."""
    prediction = explained.prediction
    assert prediction.context is not None
    third = VisualContext(
        "5.jpg",
        tags=(Tag("bus", (), 0.8, (0, 0, 50, 40), source="nanodet"),),
        captions=(Caption("a bus at night", source="template"),),
        ocr=(OcrText("CLEVELAND", 0.9, (5, 5, 60, 20), "rapid"),),
    )
    gone = VisualContext("4.jpg", status="missing", reason="there is no such picture")
    context = together([prediction.context, gone, third])
    statuses = (
        PictureStatus("used", "3.jpg"),
        PictureStatus("missing", "4.jpg", "there is no such picture"),
        PictureStatus("used", "5.jpg"),
    )
    love, lost, city = explained.evidence
    return replace(
        explained,
        prediction=replace(prediction, context=context, pictures=statuses, reason=context.reason),
        evidence=(
            replace(love, without_picture=(0.9, 0.91, 0.9)),
            replace(lost, without_picture=(0.2, 0.2, 0.2)),
            replace(
                city,
                without_picture=(0.87, 0.88, 0.4),
                entity=replace(
                    city.entity, regions=(Region((5, 5, 60, 20), "rapid", 0.9, "case", "CLEVELAND", picture=2),)
                ),
                matches=(Match("CLEVELAND", (5, 5, 60, 20), True, picture=2),),
            ),
        ),
        pieces=(*explained.pieces, Piece("captions", "template", "a bus at night", 2)),
        more_pictures=("nowhere/4.jpg", Image.new("RGB", (100, 80), (30, 30, 200))),
    )


@pytest.fixture
def fallen() -> Explanation:
    """A post whose picture could not be read."""
    entity = Entity(0, 4, "Love", "PER", 0.62)
    prediction = Prediction("43", TEXT, (entity,), "T", "unreadable", "not a JPEG", None, "4.jpg")
    return Explanation(prediction, (Evidence(entity, "no picture", 0.62),))


@pytest.fixture
def evil() -> Callable[..., Explanation]:
    """A function that makes a post in which every string that may come from outside is the given one."""

    def make(text: str, picture: Any = None) -> Explanation:
        sign = Region((5, 5, 90, 90), text, 0.5, text, text)
        entity = Entity(0, len(text), text, text, 0.5, (sign,))
        context = VisualContext(
            text,
            tags=(Tag(text, (text,), 0.5, (1, 1, 50, 50), source=text), Tag(text=text)),
            captions=(Caption(text, source=text),),
            ocr=(OcrText(text, 0.5, (5, 5, 90, 90), source=text),),
            texts=(ContextText(text, source=text),),
        )
        row = Evidence(
            entity, "label changed", 0.2, 0.5, {"captions": 0.1, "tags": 0.3}, text, (Match(text, None, True),)
        )
        prediction = Prediction(text, text, (entity,), "I+T", "used", text, context, text, {text: 3})
        return Explanation(prediction, (row,), (Piece("captions", text, text), Piece("tags", text, text)), picture)

    return make
