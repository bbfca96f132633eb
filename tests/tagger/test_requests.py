"""Whatever a caller may hand in becomes a post with its picture, or a clear error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mner.errors import DataError
from mner.tagger.requests import request
from mner.types import Caption, Post, VisualContext

POST = Post("7", "Hi Bo", ("Hi", "Bo"), ((0, 2), (3, 5)), image="7.jpg")


def test_text_is_split_with_offsets() -> None:
    parsed = request(" Hi  @bo!")
    assert (parsed.post.words, parsed.post.offsets) == (("Hi", "@bo", "!"), ((1, 3), (5, 8), (8, 9)))
    assert (parsed.post.id, parsed.post.image, parsed.pictured) == ("", None, False)


@given(st.text(max_size=40))
def test_offsets_point_into_any_text(text: str) -> None:
    post = request(text).post
    assert post.text == text
    assert tuple(text[start:end] for start, end in post.offsets) == post.words


def test_post_is_taken_as_it_is() -> None:
    parsed = request(POST)
    assert parsed.post is POST
    assert (parsed.picture, parsed.pictured) == (None, True)


@pytest.mark.parametrize(
    "row",
    [
        {"words": ["Hi", "Bo"]},
        {"words": ("Hi", "Bo"), "id": None},
        {"text": "Hi Bo", "other": object()},
        {"text": "Hi Bo", "image": None},
        {"text": "Hi Bo", "image": ""},
    ],
)
def test_row_gives_words_and_text(row: dict[str, Any]) -> None:
    post = request(row).post
    assert (post.text, post.words, post.offsets, post.image, post.id) == (
        "Hi Bo",
        ("Hi", "Bo"),
        ((0, 2), (3, 5)),
        None,
        "",
    )


def test_row_names_a_picture_that_an_argument_overrides() -> None:
    row = {"text": "Hi", "image": "1.jpg", "id": 5, "context": "a dog"}
    parsed = request(row)
    assert (parsed.post.id, parsed.post.image, parsed.picture) == ("5", "1.jpg", None)
    assert parsed.context == VisualContext("1.jpg", captions=(Caption("a dog", source="given"),))
    parsed = request(row, image=Path("b/2.jpg"), context="a cat")
    assert (parsed.post.image, parsed.picture) == ("b/2.jpg", Path("b/2.jpg"))
    assert parsed.context is not None
    assert parsed.context.captions[0].text == "a cat"


@pytest.mark.parametrize("picture", [b"bytes", bytearray(b"bytes"), memoryview(b"bytes")])
def test_bytes_have_no_name(picture: Any) -> None:
    parsed = request("Hi", image=picture)
    assert (parsed.picture, parsed.post.image, parsed.pictured) == (b"bytes", None, True)
    assert request({"text": "Hi", "image": picture}).picture == b"bytes"


def test_opened_picture_is_kept() -> None:
    picture = Image.new("RGB", (2, 2))
    assert request("Hi", image=picture).picture is picture


def test_lone_surrogates_pass() -> None:
    row = {"text": "a\ud800 b"}
    assert request(row).post.text == request("a\ud800 b").post.text == "a\ud800 b"


@pytest.mark.parametrize(
    "post", ["\ud83d\ude00 Bo", {"text": "\ud83d\ude00 Bo"}, Post("", "\ud83d\ude00 Bo", ("Bo",), ((3, 5),))]
)
def test_halves_of_a_surrogate_pair_count_as_the_one_character_they_are_written_as(post: Any) -> None:
    whole = request(post).post
    assert (whole.text, whole.offsets[-1]) == ("😀 Bo", (2, 4))


@pytest.mark.parametrize(
    ("row", "key"),
    [({}, "text"), ({"text": 5}, "text"), ({"words": ["a", ""]}, "words"), ({"text": "a", "id": []}, "id")],
)
def test_faulty_row_is_refused(row: dict[str, Any], key: str) -> None:
    with pytest.raises(DataError, match=f'"{key}"'):
        request(row)


@pytest.mark.parametrize(
    ("row", "keys"),
    [({"tokens": ["Hi", "Bo"], "ner": 1}, "ner, tokens"), ({"id": "1", "text": None}, "id, text"), ({}, "none")],
)
def test_row_without_text_is_refused_with_its_own_keys(row: dict[str, Any], keys: str) -> None:
    with pytest.raises(DataError, match=f'expected "text" or "words", found the keys {keys}$'):
        request(row)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: request(["Hi", "Bo"]), "got list"),  # type: ignore[arg-type]
        (lambda: request("Hi", image=[[0]]), "got list.*fromarray"),  # type: ignore[arg-type]
        (lambda: request("Hi", context=5), "got int"),  # type: ignore[arg-type]
        (lambda: request({"words": 5}), "list of strings"),
    ],
)
def test_wrong_type_says_what_is_expected(call: Any, message: str) -> None:
    with pytest.raises((TypeError, DataError), match=message):
        call()


def test_context_row_needs_no_image() -> None:
    parsed = request("Hi", context={"captions": [{"text": "a dog"}]})
    assert parsed.context is not None
    assert parsed.context.captions[0].text == "a dog"
    with pytest.raises(DataError, match="context"):
        request("Hi", context={"captions": 5})


def test_row_keeps_its_other_keys_but_labels() -> None:
    row = {"text": "Hi Bo", "lang": "en", "label": [[0, 2, "X"]], "entities": 3, "context": "a dog", "mood": "good"}
    assert request(row).post.extra == {"lang": "en", "mood": "good"}


def test_picture_that_is_given_goes_before_the_name_of_a_post() -> None:
    several = POST.with_images(["7.jpg", "8.jpg"])
    for post in (POST, several):
        parsed = request(post, image=b"bytes")
        assert (parsed.picture, parsed.post.image, parsed.post.more_images) == (b"bytes", None, ())
