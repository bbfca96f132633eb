"""Contexts of several pictures as one, and apart again."""

from __future__ import annotations

from typing import Any

from mner.contexts.rows import from_row, to_row
from mner.several import apart, together
from mner.visual_context import Caption, ContextText, OcrText, Tag, VisualContext


def full(name: str, **settings: Any) -> VisualContext:
    return VisualContext(
        name,
        tags=(Tag("dog"),),
        captions=(Caption(f"a dog in {name}"),),
        ocr=(OcrText("GATE", box=(0, 0, 9, 9)),),
        texts=(ContextText("a text"),),
        **settings,
    )


def test_context_of_one_picture_is_as_it_was() -> None:
    context = full("1.jpg", sha256="a", reason="the tags failed")
    assert together([context]) is context
    assert apart(context) == {0: context}


def test_entries_say_which_picture_they_are_from() -> None:
    both = together([full("1.jpg"), VisualContext("2.jpg", status="unreadable", reason="damaged"), full("3.jpg")])
    for entries in (both.tags, both.captions, both.ocr, both.texts):
        assert [entry.picture for entry in entries] == [0, 2]
    assert (both.status, both.reason) == ("ok", "picture 2 (2.jpg): damaged")
    parts = apart(both)
    assert list(parts) == [0, 2]
    assert [caption.text for caption in parts[2].captions] == ["a dog in 3.jpg"]


def test_bad_pictures_alone_have_the_status_of_the_first() -> None:
    bad = [VisualContext("1.jpg", status="timeout"), VisualContext("picture", status="missing", reason="gone")]
    both = together(bad)
    assert (both.status, both.reason) == ("timeout", "picture 1 (1.jpg): timeout; picture 2: gone")
    assert both.empty


def test_picture_is_written_where_it_is_not_the_first() -> None:
    row = to_row(together([full("1.jpg"), full("2.jpg")]))
    assert [entry.get("picture") for entry in row["captions"]] == [None, 1]
    assert to_row(from_row(row)) == row
    assert to_row(full("1.jpg"))["tags"] == [{"object": "dog"}]


def test_a_key_of_somebody_else_is_kept() -> None:
    for value in ("left", -1, True, None, 1.5):
        context = from_row({"image": "1.jpg", "captions": [{"text": "a dog", "picture": value}]})
        assert context.captions[0].picture == 0
        assert context.captions[0].extra == {"picture": value}
        assert to_row(context)["captions"] == [{"text": "a dog", "picture": value}]
