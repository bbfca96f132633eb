from __future__ import annotations

from typing import Any, get_args

import pytest

from mner.config import ContextConfig
from mner.types import Caption, ContextStatus, ContextText, OcrText, Tag, VisualContext
from mner.views import Piece, compose


def context(**parts: Any) -> VisualContext:
    return VisualContext(image="1.jpg", **parts)


FULL = context(
    captions=(Caption("a man on a bike", source="catr"), Caption("a street", source="cimodel")),
    tags=(
        Tag("car", ("red",), 0.4, source="vinvl"),
        Tag("dog", ("brown", "small", "wet", "happy"), 0.9, source="vinvl"),
        Tag(text="blue sky", source="hand"),
    ),
    ocr=(OcrText("GATE", source="rapid"), OcrText("7", source="rapid")),
    texts=(ContextText("Gate 7 is in Terminal B.", source="wiki"), ContextText("A bike race.", source="wiki")),
)


def texts(pieces: tuple[Piece, ...]) -> list[str]:
    return [piece.text for piece in pieces]


def test_compose_order_is_captions_tags_ocr() -> None:
    assert compose(FULL, ContextConfig()) == (
        Piece("captions", "catr", "a man on a bike"),
        Piece("captions", "cimodel", "a street"),
        Piece("tags", "hand+vinvl", "blue sky brown small wet dog red car"),
        Piece("ocr", "rapid", "GATE 7"),
    )


def test_compose_takes_the_configured_order() -> None:
    pieces = compose(FULL, ContextConfig(order=("ocr", "texts", "tags")))
    assert [piece.kind for piece in pieces] == ["ocr", "texts", "texts", "tags"]


def test_compose_takes_the_named_sources_in_their_order() -> None:
    chosen = compose(FULL, ContextConfig(captions=("cimodel", "blip2", "catr"), tags=("vinvl",), ocr=()))
    assert texts(chosen) == ["a street", "a man on a bike", "brown small wet dog red car"]


def test_compose_gives_each_tag_a_piece_of_its_own() -> None:
    pieces = compose(FULL, ContextConfig(order=("tags",), tags_apart=True))
    assert texts(pieces) == ["blue sky", "brown small wet dog", "red car"]
    assert [piece.source for piece in pieces] == ["hand", "vinvl", "vinvl"]


def test_compose_tags_of_two_detectors_follow_the_named_order() -> None:
    assert texts(compose(FULL, ContextConfig(order=("tags",), tags=("vinvl", "hand")))) == [
        "brown small wet dog red car blue sky"
    ]


@pytest.mark.parametrize(
    ("caption", "text"),
    [
        ("a <unk> on a bike", "a on a bike"),
        ("holding a <unk>.", "holding a."),
        ("<unk><unk> man", "man"),
        (" two\t dogs\n\x00and\x1f a\u00a0cat\u2028", "two dogs and a cat"),
        ("👨‍👩‍👧 ❤️", "👨‍👩‍👧 ❤️"),
    ],
)
def test_compose_cleans_captions(caption: str, text: str) -> None:
    assert texts(compose(context(captions=(Caption(caption),)), ContextConfig())) == [text]


@pytest.mark.parametrize("caption", ["", "  ", "<unk>", " <unk> <unk> ", "\x00"])
def test_compose_leaves_out_what_is_empty(caption: str) -> None:
    row = context(captions=(Caption(caption), Caption("a dog")), tags=(Tag(text=""),), ocr=(OcrText(" "),))
    assert texts(compose(row, ContextConfig())) == ["a dog"]


@pytest.mark.parametrize("status", [status for status in get_args(ContextStatus) if status != "ok"])
def test_compose_without_a_usable_picture_is_empty(status: ContextStatus) -> None:
    assert compose(context(captions=FULL.captions, status=status), ContextConfig()) == ()
    assert compose(context(), ContextConfig()) == ()


def test_each_picture_has_pieces_of_its_own() -> None:
    from mner.several import together

    other = context(captions=(Caption("a dog", source="catr"),), ocr=(OcrText("EXIT", source="rapid"),))
    pieces = compose(together([FULL, context(status="missing"), other]), ContextConfig())
    assert [(piece.kind, piece.picture, piece.text) for piece in pieces] == [
        ("captions", 0, "a man on a bike"),
        ("captions", 0, "a street"),
        ("captions", 2, "a dog"),
        ("tags", 0, "blue sky brown small wet dog red car"),
        ("ocr", 0, "GATE 7"),
        ("ocr", 2, "EXIT"),
    ]
    assert pieces[2].to_dict() == {"kind": "captions", "source": "catr", "text": "a dog", "picture": 2}
