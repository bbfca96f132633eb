import io
import os
import threading

import pytest

from mner.data import read
from mner.data.lines import Lines
from mner.errors import DataError


def test_only_line_feeds_end_lines(tmp_path):
    path = tmp_path / "x"
    path.write_bytes("\ufeffa\u2028b\x85c\rd\x0c\r\n\r\ne".encode())
    expected = ["a\u2028b\x85c\rd\x0c", "", "e"]
    assert list(Lines(path)) == expected
    assert list(Lines(io.BytesIO(path.read_bytes()))) == expected
    with path.open() as stream:
        assert list(Lines(stream)) == expected


def test_head_does_not_use_up_a_stream():
    lines = Lines(io.StringIO("a\nb\nc\n"))
    assert lines.head(1) == ["a"]
    assert lines.head(2) == ["a", "b"]
    assert list(lines) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"IMGID:1\na\tO\ncaf\xe9\tO\n", ":3: not UTF-8: byte 0xe9 at byte 15 of the file"),
        (b"\xef\xbb\xbfIMGID:1\na\tO\ncaf\xe9\tO\n", ":3: not UTF-8: byte 0xe9 at byte 18 of the file"),
        ("IMGID:1\n".encode("utf-16"), ":1: not UTF-8: byte 0xff at byte 0 of the file. If it is UTF-16: iconv"),
        (b"IMGID:1\n\xed\xa0\xbd\tO\n", ":2: not UTF-8: byte 0xed"),
    ],
)
def test_bytes_that_are_not_utf8_are_named(tmp_path, content, place):
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(read(path, format="twitter"))
    assert str(caught.value).startswith(f"{path}{place}")


def test_stream_is_read_without_keeping_it():
    class Endless(io.RawIOBase):
        made = 0

        def readable(self):
            return True

        def __iter__(self):
            while True:
                Endless.made += 1
                yield b"IMGID:1\n"
                yield b"a\tO\n"

    posts = read(Endless(), format="twitter")
    assert [next(posts).words for _ in range(3)] == [("a",)] * 3
    assert Endless.made <= 5


@pytest.mark.parametrize("text", ["IMGID:1\na\tO\n", "# image = 1.jpg\na\tO\n"])
def test_pipe_is_read_once(tmp_path, text):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(text,), daemon=True)
    writer.start()
    assert [(post.words, post.image) for post in read(pipe)] == [(("a",), "1.jpg")]
    writer.join(timeout=5)
    assert not writer.is_alive()
