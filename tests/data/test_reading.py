import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mner import plugins
from mner.data import convert, read
from mner.data.identify import FORMATS
from mner.errors import DataError

ROWS = [
    {"text": "Bo", "spans": [{"start": 0, "end": 2, "label": "PER"}], "answer": "accept"},
    {"text": "Al", "spans": [{"start": 0, "end": 9, "label": "PER"}], "answer": "reject"},
    {"text": "Cy", "answer": "ignore"},
    {"text": "Di", "answer": "Paris", "spans": []},
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def test_posts_that_were_rejected_are_left_out_and_counted(path, caplog):
    assert [post.text for post in read(path)] == ["Bo", "Di"]
    assert f'{path}: 1 post left out: answer "reject"' in caplog.text
    reasons = []
    assert len(list(read(path, on_excluded=lambda post, reason: reasons.append((post.where, reason))))) == 2
    assert reasons == [(f"{path}:2", 'answer "reject"'), (f"{path}:3", 'answer "ignore"')]
    assert convert(path, io.StringIO(), to="conll").excluded == {'answer "reject"': 1, 'answer "ignore"': 1}


def test_posts_are_read_without_labels_where_none_are_wanted(path):
    assert [(post.text, post.spans) for post in read(path, labels=False)] == [
        (t, None) for t in ("Bo", "Al", "Cy", "Di")
    ]
    columns = io.BytesIO(b"Bo\tB-PER\n")
    assert [post.spans for post in read(columns, labels=False)] == [None]


PIECES = st.sampled_from(
    [
        "text",
        "word,tag",
        "id\ttext\tlabel",
        "\n",
        "\r\n",
        ",",
        ";",
        "\t",
        '"',
        "[",
        "]",
        "{",
        "}",
        ":",
        " ",
        "Bo",
        "B-PER",
        "O",
        '{"text": "Bo"}',
        '["Bo", {"entities": [[0, 2, "X"]]}]',
        '"[[0,2,""X""]]"',
        "IMGID:1",
        "# id = 1",
        "null",
        "\x00",
        "\ufeff",
    ]
)


@pytest.mark.parametrize("format", [*plugins.names(FORMATS), None])
@settings(max_examples=100, deadline=None)
@given(text=st.lists(PIECES, max_size=14).map("".join))
def test_any_text_gives_posts_or_faults_with_a_line(format, text):
    """A file of whatever bytes ends in posts and faults, never in another exception."""
    faults = []
    try:
        posts = list(read(io.BytesIO(text.encode()), format=format, on_fault=lambda line, message: faults.append(line)))
    except DataError:
        return
    lines = text.count("\n") + text.count("\r") + 1
    assert all(1 <= line <= lines for line in faults)
    assert all(1 <= int(post.where.rpartition(":")[2]) <= lines for post in posts)
