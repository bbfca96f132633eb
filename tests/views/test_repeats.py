"""Words that the text in a picture repeats: which they are, and what the model is told of them."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import Tokenizer

from mner.config import ContextConfig
from mner.types import Caption, OcrText, Post, VisualContext
from mner.views import REPEATED, Piece, Views
from mner.views.compose import repeated


def read(*texts: str) -> list[Piece]:
    return [Piece("ocr", "rapid", text) for text in texts]


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("Cleveland", "CLEVELAND", True),
        ("Cleveland", "cleve land", True),  # a blank too many
        ("KevinLove", "Kevin Love", True),
        ("Straße", "STRASSE 4", True),
        ("@NASA", "nasa", True),
        ("art", "party", False),  # short words are whole or not at all
        ("party", "art", False),
        ("a", "a", False),
        ("!!!", "!!!", False),
        ("", "word", False),
        ("東京", "東京", True),
        ("won't", "WONT", True),
    ],
)
def test_case_signs_and_blanks_do_not_matter(word: str, text: str, expected: bool) -> None:
    assert repeated([word], read(text)) == [expected]


def test_only_text_that_was_read_in_the_picture_counts() -> None:
    pieces = [Piece("captions", "blip", "a dog"), Piece("tags", "d-fine", "dog"), Piece("texts", "llm", "a dog")]
    assert repeated(["dog"], pieces) == [False] and repeated([], read("dog")) == []
    assert repeated(["dog"], [*pieces, *read("dog")]) == [True]


def test_marks_are_added_to_the_shapes_of_repeated_words_alone(tokenizer: Tokenizer) -> None:
    words = ("Kevin", "is", "back", "in", "Cleveland")
    post = Post("1", " ".join(words), words, ())
    context = VisualContext("1.jpg", captions=(Caption("a man in Cleveland"),), ocr=(OcrText("CLEVELAND KEVIN"),))
    plain, marking = Views(tokenizer), Views(tokenizer, repeats=True)
    before, after = plain.encode(post, context), marking.encode(post, context)
    assert np.array_equal(before.windows[0], after.windows[0])
    marked = np.flatnonzero(after.shapes[0] != before.shapes[0])
    assert (after.shapes[0][marked] == before.shapes[0][marked] + REPEATED).all()
    begins = [place for _, place in after.first]
    pieces = [range(begin, begin + count) for begin, count in zip(begins, after.pieces, strict=True)]
    assert marked.tolist() == [*pieces[0], *pieces[4]], "of both words all sub-tokens, of the context none"
    for view in (marking.encode(post, context, "T"), marking.encode(post, None)):
        assert (view.shapes[0] < REPEATED).all()


def test_marks_stand_in_every_window_of_a_long_post(tokenizer: Tokenizer) -> None:
    views = Views(tokenizer, ContextConfig(max_tokens=40, overlap=8), repeats=True)
    words = ("Kevin", "is") * 60
    post = Post("1", " ".join(words), words, ())
    encoded = views.encode(post, VisualContext("1.jpg", ocr=(OcrText("KEVIN"),)))
    assert len(encoded.windows) > 2
    for word, (window, place) in zip(words, encoded.first, strict=True):
        assert (encoded.shapes[window][place] >= REPEATED) == (word == "Kevin")
