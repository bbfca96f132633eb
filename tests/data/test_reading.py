import io
import json

import pytest

from mner.data import convert, read

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
