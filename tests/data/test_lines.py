import gzip
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
    for lines in (Lines(path), Lines(io.BytesIO(path.read_bytes()))):
        assert lines.head(1) == expected[:1]
        assert list(lines.whole()) == ["a\u2028b\x85c\rd\x0c\r\n", "\r\n", "e"]


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
        (b"IMGID:1\ncaf\x81\tO\n", ":2: not UTF-8: byte 0x81 at byte 11 of the file. It is in another encoding: iconv"),
        (b"IMGID:1\n\xed\xa0\xbd\tO\n", ":2: not UTF-8: byte 0xed at byte 8 of the file. It is half a surrogate pair"),
        (b"IMGID:1\n\xe2\x82", ":2: not UTF-8: byte 0xe2 at byte 8 of the file. The character there is cut short"),
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
        given = 0

        def readable(self):
            return True

        def __iter__(self):
            while True:
                Endless.given += 1
                yield b"IMGID:1\n"
                yield b"a\tO\n"

    posts = read(Endless(), format="twitter")
    assert [next(posts).words for _ in range(3)] == [("a",)] * 3
    assert Endless.given <= 5


def test_line_without_an_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("mner.bounded.LONGEST", 100)
    (tmp_path / "x").write_bytes(b"a\n" + b"b" * 99 + b"\n" + b"c" * 101)
    lines = iter(Lines(tmp_path / "x"))
    assert [next(lines), next(lines)] == ["a", "b" * 99]
    with pytest.raises(DataError, match=r"x:3: a line of more than 100 bytes"):
        next(lines)


@pytest.mark.parametrize("text", ["IMGID:1\na\tO\n", "# image = 1.jpg\na\tO\n"])
def test_pipe_is_read_once(tmp_path, text):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(text,), daemon=True)
    writer.start()
    assert [(post.words, post.image) for post in read(pipe)] == [(("a",), "1.jpg")]
    writer.join(timeout=5)
    assert not writer.is_alive()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_of_every_system_give_the_same_lines(tmp_path, end, last):
    path = tmp_path / "x.conll"
    path.write_bytes(end.join(["Anna\tB-PER", "Braun\tI-PER", "", "Oslo\tB-LOC", *[""] * last]).encode())
    for source in (path, io.BytesIO(path.read_bytes()), io.StringIO(path.read_bytes().decode(), newline="")):
        if end != "\r\r\n" or not isinstance(source, io.StringIO):
            assert [(post.words, post.spans[0].label) for post in read(source, format="conll")] == [
                (("Anna", "Braun"), "PER"),
                (("Oslo",), "LOC"),
            ]


@pytest.mark.parametrize(
    "text",
    ["\ufeffa\tO\n\n\ufeffb\tO\n", '\ufeff{"text": "a"}\n\ufeff{"text": "b"}\n', "IMGID:1\na\tO\n\ufeffIMGID:2\nb\tO"],
)
def test_byte_order_mark_of_a_file_joined_to_another_is_skipped(text):
    assert [post.words for post in read(io.StringIO(text))] == [("a",), ("b",)]


def test_word_that_is_a_byte_order_mark_stays():
    (post,) = read(io.StringIO("a\tO\n\ufeff\tO\n"))
    assert post.words == ("a", "\ufeff")


def test_gzip_is_read_as_what_it_holds(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(gzip.compress(b'{"text": "caf\xc3\xa9 Bo"}\n' * 9))
    stream = io.BytesIO(path.read_bytes())
    for source in (path, stream):
        assert [post.words for post in read(source)] == [("caf\u00e9", "Bo")] * 9


def test_gzip_that_is_cut_short_or_unpacks_to_one_huge_line_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.jsonl"
    whole = gzip.compress(b'{"text": "a"}\n' + os.urandom(500).hex().encode())
    path.write_bytes(whole[:-200])
    with pytest.raises(DataError, match=r"x\.jsonl: a gzip file that is damaged or cut short, after line 1"):
        list(read(path))
    monkeypatch.setattr("mner.data.lines.UNPACKED", 1 << 20)
    path.write_bytes(gzip.compress(b'{"text": "a"}\n' + b" " * (1 << 22)))
    with pytest.raises(DataError, match=r"x\.jsonl:2: over 1 MiB in one line"):
        list(read(path))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "a JPEG picture, not text. Name a file of posts; a folder"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a PNG picture"),
        (b"BM\x36\x00\x00\x00\x00\x00\x00\x00", "a BMP picture"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive"),
        (b"PAR1\x15\x04\x15\x00", "a Parquet table"),
        (b"%PDF-1.4\n", "a PDF document"),
        (gzip.compress(gzip.compress(b"a\tO\n", mtime=0), mtime=0), "a gzip archive"),
        (b"\x7fELF\x00\x80\xff", "a binary file"),
        ("IMGID:1\n".encode("utf-16"), "written in UTF-16; expected UTF-8. Convert it: iconv -f UTF-16 -t UTF-8"),
        ("IMGID:1\n".encode("utf-16-be"), "written in UTF-16BE"),
        ('{"text": "caf\u00e9"}\n'.encode("utf-16-le"), "written in UTF-16LE"),
        ("IMGID:1\n".encode("utf-32"), "written in UTF-32"),
    ],
)
def test_file_that_is_no_text_is_called_what_it_is(tmp_path, content, kind):
    path = tmp_path / "train.txt"
    path.write_bytes(content)
    for name in (None, "conll", "jsonl", "twitter"):
        with pytest.raises(DataError) as caught:
            list(read(path, format=name))
        assert kind in str(caught.value)
        assert "1252" not in str(caught.value)


@pytest.mark.parametrize("word", ["BMW", "PK", "RIFF", "\x00", "GIF8", "BZh"])
def test_text_that_begins_like_another_file_is_text(tmp_path, word):
    path = tmp_path / "x.conll"
    path.write_text(f"{word}\tO\ncaf\u00e9\tO\n")
    assert [post.words for post in read(path)] == [(word, "caf\u00e9")]
    path.write_bytes(f"{word}\tO\ncaf\u00e9\tO\n".encode("cp1252"))
    if word != "\x00":
        with pytest.raises(DataError, match="If it is WINDOWS-1252"):
            list(read(path))
