import io
import logging

import pytest

from mner.data import convert, read, write
from mner.errors import DataError
from mner.types import Post, Span

POST = Post("1", "a", ("a",), ((0, 1),), (Span(0, 1, "X"),))


def test_convert_tells_stamp_and_losses(tmp_path):
    source = tmp_path / "a.jsonl"
    source.write_text('{"id": "x", "text": "a,b", "entities": [{"start": 0, "end": 1, "label": "X"}], "lang": "en"}\n')
    done = convert(source, tmp_path / "b.txt", to="twitter")
    assert (done.stamp.posts, done.stamp.words, done.stamp.labels) == (1, 3, {"X": 1})
    assert done.losses == {"text": 1, "id": 1, "extra keys": 1}


def test_convert_may_replace_its_source(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("a I-X\nb I-X\nc B-X\n")
    convert(path, path, scheme="BIOES")
    assert path.read_text() == "a\tB-X\nb\tE-X\nc\tS-X\n\n"


@pytest.mark.parametrize("fault", [DataError("bad"), KeyboardInterrupt(), RuntimeError("x")])
def test_write_that_fails_leaves_what_was_there(tmp_path, fault):
    path = tmp_path / "a.jsonl"
    path.write_text("before")

    def posts():
        yield POST
        raise fault

    with pytest.raises(type(fault)):
        write(posts(), path, format="jsonl")
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["a.jsonl"]
    assert write([POST], path, format="jsonl") == 1
    assert [post.words for post in read(path)] == [("a",)]


def test_bad_source_leaves_no_target(tmp_path):
    source = tmp_path / "a.txt"
    source.write_text("IMGID:1\na\tO\nb\n")
    with pytest.raises(DataError, match=r"a\.txt:3"):
        convert(source, tmp_path / "b.jsonl")
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_write_makes_the_folder(tmp_path):
    assert write([POST], tmp_path / "new" / "x.jsonl") == 1
    assert (tmp_path / "new" / "x.jsonl").is_file()


def test_write_where_no_folder_can_be_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"x\.jsonl: cannot be written: "):
        write([POST], tmp_path / "file" / "x.jsonl")


def test_losses_are_logged_where_nobody_counts_them(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, logger="mner"):
        write([Post("x", "a,b", ("a", "b"), ((0, 1), (2, 3)), ())], tmp_path / "x.txt", format="twitter")
    assert "not kept: text of 1 post, id of 1 post" in caplog.text


def test_stream_converts_to_a_stream():
    target = io.StringIO()
    convert(io.BytesIO(b"a\tS-X\n"), target, to="jsonl")
    assert target.getvalue() == '{"id": "1", "text": "a", "entities": [{"start": 0, "end": 1, "label": "X"}]}\n'


@pytest.mark.parametrize("name", ["x.jsonl.gz", "x.conll.ZST"])
def test_file_named_as_a_packed_one_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=r"posts are written unpacked; name .*x\.(jsonl|conll), and pack"):
        write([Post("Hi", spans=())], tmp_path / name, format="jsonl")
    assert not list(tmp_path.iterdir())
