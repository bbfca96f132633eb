import io
import json

import pytest

from mner.data import identify, read, write
from mner.errors import DataError
from mner.types import Span

RECORD = {"id": "7", "text": "Bo wins", "entities": [{"start": 0, "end": 2, "label": "PER"}]}
PAIR = ["Bo wins", {"entities": [[0, 2, "PER"]]}]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([RECORD, RECORD]),
        json.dumps([RECORD, RECORD], indent=2),
        f"\n[{json.dumps(RECORD)},\n{json.dumps(RECORD)}\n]\n",
        json.dumps([PAIR, PAIR]),
        json.dumps({"classes": ["PER"], "annotations": [PAIR, None, PAIR]}),
        json.dumps({"classes": ["PER"], "annotations": [PAIR, PAIR]}, indent=1),
    ],
)
@pytest.mark.parametrize("name", ["posts", "posts.json", "posts.txt"])
def test_array_is_read_whatever_its_line_breaks_are(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    assert identify(path).format == "json"
    assert [(post.text, post.spans) for post in read(path)] == [("Bo wins", (Span(0, 1, "PER"),))] * 2


def test_json_lines_in_a_file_named_json_are_read_as_lines(tmp_path):
    path = tmp_path / "posts.json"
    path.write_text(json.dumps(RECORD) + "\n" + json.dumps(PAIR) + "\n")
    assert identify(path).format == "jsonl"
    assert len(list(read(path))) == 2


def test_bad_elements_are_named_by_the_line_they_begin_on():
    faults = []
    text = '[\n{"text": "a"},\n\n{"text": 3},\n{"text":\n "b", "label": [[0, 9, "X"]]},\n{"text": "c"}]'
    posts = list(read(io.BytesIO(text.encode()), format="json", on_fault=lambda line, message: faults.append(line)))
    assert [(post.text, post.where) for post in posts] == [("a", "<stream>:2"), ("c", "<stream>:7")]
    assert faults == [4, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"text": "a"}\n{"text": "b"}]', ':2: not JSON: expected "," or "]"'),
        ('[{"text": "a"},\n]', ":2: not JSON: a comma before the closing bracket"),
        ('[{"text": "a"}', ":1: not JSON"),
        ('[{"text": "a"}]\n[]', ":2: not JSON: text after the end"),
        ('[{"text": "a", "text": "b"}]', 'the key "text" occurs twice'),
        ('[{"text": "a", "x": -Infinity}]', "-Infinity is not a JSON value"),
        ("5", ":1: not JSON: expected an array"),
        ("[" * 100_000, ":1: not JSON"),
    ],
)
def test_file_that_is_no_array_says_where(text, message):
    with pytest.raises(DataError, match=message):
        list(read(io.BytesIO(text.encode()), format="json"))


def test_no_posts_are_an_empty_array():
    stream = io.StringIO()
    assert write([], stream, format="json") == 0
    assert stream.getvalue() == "[]\n"
    assert list(read(io.BytesIO(b"[]\n"))) == []


def test_posts_that_the_annotator_skipped_are_counted(tmp_path, caplog):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"classes": ["PER"], "annotations": [PAIR, None, PAIR, None]}))
    assert len(list(read(path))) == 2
    assert "a.json: 2 posts left out: null, skipped by the annotator" in caplog.text
