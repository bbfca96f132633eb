import io

import pytest

from mner import plugins
from mner.data import identify, read
from mner.data.identify import FORMATS, by_name
from mner.data.lines import raising
from mner.errors import DataError, PluginError


@pytest.mark.parametrize("name", plugins.names(FORMATS))
def test_each_format_has_the_three_functions(name):
    module = plugins.load(FORMATS, name)
    assert all(callable(getattr(module, function)) for function in ("sniff", "read", "write"))
    assert module.sniff([]) is False
    assert list(module.read(iter(()), name="x", labels="repair", on_fault=raising("x"))) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IMGID:1\na\tO\n", "twitter"),
        ("\n\nIMGID:1\r\na\tO\n", "twitter"),
        ("\ufeffIMGID:1\na\tO\n", "twitter"),
        ('{"text": "a b"}\n', "jsonl"),
        ("a O\n", "conll"),
        ("IMGID:1\tO\n", "conll"),
        ("# id = 1\n{\tO\n", "conll"),
    ],
)
def test_format_shows_in_the_first_lines(tmp_path, text, expected):
    path = tmp_path / "posts.txt"
    path.write_text(text, newline="")
    assert identify(path).format == expected


def test_file_name_decides_where_lines_do_not(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("Kevin\n")
    assert identify(path).format == "conll"
    with pytest.raises(DataError, match=':1: expected "word<TAB>label"'):
        list(read(path))


def test_unknown_lines_name_the_formats(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("hello\n")
    with pytest.raises(
        DataError,
        match=r'can read "hello"\. Name the format: --format NAME, one of conll, csv, json, jsonl, text, twitter',
    ):
        list(read(path))


def test_empty_file_says_so(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("\n\t\n")
    with pytest.raises(DataError, match="no posts: the file is empty"):
        list(read(path))
    assert list(read(path, format="twitter")) == []


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.txt: cannot be read: No such file"):
        list(read(tmp_path / "none.txt"))
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        list(read(tmp_path, format="conll"))


def test_unknown_format_suggests_the_nearest():
    with pytest.raises(PluginError, match='did you mean "conll"'):
        list(read(io.StringIO("a O"), format="conl"))


def test_suffix_that_tells_nothing_names_the_formats():
    assert by_name("a/b.JSONL") == "jsonl"
    with pytest.raises(
        DataError, match=r'"\.txt" names no format. Name it: --to NAME, one of conll, csv, json, jsonl, text, twitter'
    ):
        by_name("x.txt")
