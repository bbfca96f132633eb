import io

import pytest

from mner.data import identify, read, write
from mner.errors import DataError
from mner.types import Post


def test_each_line_is_a_post_without_labels():
    posts = list(read(io.BytesIO("Bo wins\n\n  in Oslo \U0001f600\n".encode()), format="text"))
    assert [(post.id, post.text, post.spans, post.where) for post in posts] == [
        ("1", "Bo wins", None, "<stream>:1"),
        ("2", "  in Oslo \U0001f600", None, "<stream>:3"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Anna Braun met us in Oslo\nGoing home with Bo O\n",
        "Bo O\nwas here today again and again\nBo came\n",
        "Just one line\n",
        "hello\nworld\n",
    ],
)
def test_plain_text_is_recognised_and_its_format_suggested(tmp_path, text):
    path = tmp_path / "posts.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=r"no format can read.*; plain text, one post a line: --format text"):
        identify(path)
    assert len(list(read(path, format="text"))) == text.count("\n")


@pytest.mark.parametrize("text", ["Bo B-PER\nwins O\n\nOslo\n", "Bo NNP I-NP B-PER\nwins VBZ I-VP PERSON\n"])
def test_columns_with_a_fault_are_still_columns(tmp_path, text):
    path = tmp_path / "posts.txt"
    path.write_text(text)
    assert identify(path).format == "conll"


@pytest.mark.parametrize("text", ["", " ", "a\nb", "a\rb", "\ud83d"])
def test_text_that_is_no_line_is_refused(text):
    with pytest.raises(DataError, match=r"its text .* which a line of plain text cannot hold"):
        write([Post("1", text, (), ())], io.StringIO(), format="text")
