import datetime
import io
import json
from decimal import Decimal

import numpy as np
import pytest

from mner.data import read, write
from mner.data.formats import jsonl
from mner.errors import DataError
from mner.types import Post, Span


def read_rows(*rows):
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    return list(read(io.BytesIO(text.encode()), format="jsonl"))


def test_text_is_split_into_words():
    entities = [{"start": 3, "end": 6, "label": "PER"}]
    (post,) = read_rows({"id": 7, "text": "Hi @bo!", "entities": entities, "image": "p/1.png", "lang": "en"})
    assert post == Post(
        "7", "Hi @bo!", ("Hi", "@bo", "!"), ((0, 2), (3, 6), (6, 7)), (Span(1, 2, "PER"),), "p/1.png", "<stream>:1",
        {"lang": "en"},
    )  # fmt: skip


def test_words_alone_are_joined_by_one_space():
    (post,) = read_rows(
        {"words": ["New York", "\u00a0", "[SEP]"], "entities": [{"start": 0, "end": 10, "label": "LOC"}]}
    )
    assert post.text == "New York \u00a0 [SEP]"
    assert post.spans == (Span(0, 2, "LOC"),)
    assert post.id == "1"


def test_words_with_text_are_found_in_order_or_stand_at_offsets():
    (searched,) = read_rows({"text": "aa,a", "words": ["a", "a"]})
    assert searched.offsets == ((0, 1), (1, 2))
    (placed,) = read_rows({"text": "aa,a", "words": ["a", "a"], "offsets": [[1, 2], [3, 4]]})
    assert placed.offsets == ((1, 2), (3, 4))


def test_images_are_several_pictures():
    rows = [
        {"text": "a", "images": ["1.jpg", "2.jpg"]},
        {"text": "a", "image": "1.jpg", "images": ["1.jpg"]},
        {"text": "a", "images": []},
        {"text": "a", "images": None, "image": "1.jpg"},
    ]
    assert [post.images for post in read_rows(*rows)] == [("1.jpg", "2.jpg"), ("1.jpg",), (), ("1.jpg",)]


def test_no_entities_is_not_the_same_as_no_labels():
    none, empty, null = read_rows({"text": "a"}, {"text": "a", "entities": []}, {"text": "a", "entities": None})
    assert (none.spans, empty.spans, null.spans) == (None, (), None)


def test_missing_value_of_a_table_is_null():
    (post,) = read_rows('{"text": "a", "image": NaN, "entities": NaN, "lang": NaN}')
    assert (post.image, post.spans, post.extra) == (None, None, {"lang": None})


def test_blank_lines_are_skipped_and_lines_counted():
    posts = read_rows({"text": "a"}, "", {"text": "b"})
    assert [(post.id, post.where) for post in posts] == [("1", "<stream>:1"), ("2", "<stream>:3")]


@pytest.mark.parametrize("text", ["\ud83d", "\x00", "", "a\u2028b", "</s> [SEP]", "\u00a0", "a\nb\tc\r"])
def test_any_text_survives(tmp_path, text):
    path = tmp_path / "x.jsonl"
    row = {"id": "1", "text": text, "entities": []}
    with path.open("w") as stream:
        write(read_rows(row), stream, format="jsonl")
    (again,) = read(path)
    assert again.text == text
    assert json.loads(path.read_text()) == row


def test_post_of_five_thousand_words_survives():
    words = [f"w{at}" for at in range(5000)]
    (post,) = read_rows({"words": words, "entities": [{"start": 0, "end": 2, "label": "X"}]})
    assert post.words == tuple(words)
    stream = io.StringIO()
    write([post], stream, format="jsonl")
    assert read_rows(stream.getvalue().rstrip("\n"))[0].words == tuple(words)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", ":1: not JSON"),
        ("[1]", ":1: expected an object .* found list"),
        ({"id": "1"}, ':1: expected "text" or "words", found the keys id'),
        ({"text": 1}, '"text": expected a string'),
        ({"words": "a b"}, '"words": expected a list'),
        ({"words": ["a", ""]}, '"words": expected a list of strings, none of them empty'),
        ({"words": ["a"], "text": "b"}, "do not occur in the text"),
        ({"words": ["a"], "text": "aa", "offsets": [[0, 2]]}, '"offsets": "a" is not at 0-2'),
        ({"words": ["a"], "text": "aa", "offsets": [[0]]}, '"offsets": expected'),
        ({"words": ["a", "a"], "text": "aa", "offsets": [[0, 1]]}, '"offsets": expected'),
        ({"text": "a", "image": 3}, '"image": expected a file name or null'),
        ({"text": "a", "image": ["1.jpg"]}, 'several: "images"'),
        ({"text": "a", "images": "1.jpg"}, '"images": expected a list of file names'),
        ({"text": "a", "images": ["1.jpg", None]}, '"images": expected a list of file names'),
        ({"text": "a", "images": ["1.jpg", ""]}, '"images": expected a list of file names'),
        ({"text": "a", "image": "2.jpg", "images": ["1.jpg"]}, "not the first of"),
        ({"text": "a", "id": [1]}, '"id": expected a string'),
        ({"text": "a", "entities": {}}, '"entities": expected a list'),
        ({"text": "a", "entities": [3]}, "expected an entity"),
        ({"text": "a", "entities": [{"start": 0, "end": 1}]}, "expected an entity"),
        ({"text": "a", "entities": [{"start": True, "end": 1, "label": "X"}]}, "expected an entity"),
        ({"text": "a", "entities": [{"start": 0, "end": 2, "label": "X"}]}, "not within the text of 1 characters"),
        ({"text": "a", "entities": [{"start": -1, "end": 1, "label": "X"}]}, "not within the text"),
        ({"text": "", "entities": [{"start": 0, "end": 1, "label": "X"}]}, "not within the text"),
        ({"text": "a b", "entities": [{"start": 1, "end": 2, "label": "X"}]}, "touches no word"),
        (
            {"text": "Cleveland wins", "entities": [{"start": 1, "end": 9, "label": "X"}]},
            'cuts the word "Cleveland" at 0-9',
        ),
        (
            {"text": "a b", "entities": [{"start": 0, "end": 3, "label": "X"}, {"start": 2, "end": 3, "label": "Y"}]},
            "two entities share a word",
        ),
        (
            {"text": "👍 Bo", "entities": [{"start": 0, "end": 4, "label": "X", "text": "Bo"}]},
            'reads "👍 Bo" but says "Bo"; offsets count characters',
        ),
    ],
)
def test_bad_row_is_named(row, message):
    with pytest.raises(DataError, match=message):
        read_rows(row)


def test_white_space_around_an_entity_is_let_go():
    (post,) = read_rows({"text": "a b  c", "entities": [{"start": 1, "end": 5, "label": "X"}]})
    assert post.spans == (Span(1, 2, "X"),)


def test_rows_say_words_only_where_the_text_does_not():
    plain, odd, placed = read_rows(
        {"text": "Hi @bo!"}, {"words": ["Hi!", "x"]}, {"text": "aa,a", "words": ["a", "a"], "offsets": [[1, 2], [3, 4]]}
    )
    assert jsonl.to_row(plain) == {"id": "1", "text": "Hi @bo!"}
    assert jsonl.to_row(odd) == {"id": "2", "text": "Hi! x", "words": ["Hi!", "x"]}
    assert jsonl.to_row(placed)["offsets"] == [[1, 2], [3, 4]]


def test_write_refuses_overlapping_spans():
    post = Post("9", "a", ("a",), ((0, 1),), (Span(0, 1, "X"), Span(0, 1, "Y")))
    with pytest.raises(DataError, match='"9": entity 0-1 Y overlaps'):
        write([post], io.StringIO(), format="jsonl")


def test_values_that_json_lacks_are_written_as_it_can():
    extra = {
        "when": datetime.datetime(2026, 1, 31, 12, 30),
        "price": Decimal("1.50"),
        "score": float("nan"),
        "most": [float("inf"), 1.5],
        "vector": np.arange(2),
        "count": np.int64(3),
    }
    target = io.StringIO()
    write([Post("a", extra=extra), Post("b \ud800", extra=extra)], target, format="jsonl")
    rows = [json.loads(line, parse_constant=pytest.fail) for line in target.getvalue().splitlines()]
    for row in rows:
        assert (row["when"], row["price"], row["score"]) == ("2026-01-31T12:30:00", "1.50", None)
        assert (row["most"], row["vector"], row["count"]) == ([None, 1.5], [0, 1], 3)


@pytest.mark.parametrize("value", [b"raw", {1, 2}, {("a", "b"): 1}])
def test_value_that_json_cannot_hold_is_named(value):
    with pytest.raises(DataError, match=r'post "7": "extra" cannot be written as JSON: .*; leave that key out'):
        write([Post("7", "Hi", extra={"extra": value})], io.StringIO(), format="jsonl")


@pytest.mark.parametrize(
    "row",
    [
        {"text": ["word"] * 9999},
        {"text": "Hi", "image": {"bytes": "A" * 99_999, "path": None}},
        {"text": "Hi", "images": ["1.jpg"] * 9999 + [7]},
    ],
)
def test_message_shows_the_beginning_of_a_long_value(row):
    with pytest.raises(DataError) as caught:
        read_rows(row)
    assert "found" in str(caught.value) and len(str(caught.value)) < 300
