import io
from collections import Counter

import pytest

from mner.data import read, write
from mner.errors import DataError
from mner.types import Post, Span

TWO = "IMGID:1\nKevin\tB-PER\nLove\tI-PER\nwins\tO\n\nIMGID:O_2\n\u00a0\tO\nOhio\tI-LOC\n\n"


def read_text(text, **options):
    return list(read(io.BytesIO(text.encode()), format="twitter", **options))


def test_read_gives_words_spans_image_and_place():
    first, second = read_text(TWO)
    assert first == Post(
        "1", "Kevin Love wins", ("Kevin", "Love", "wins"), ((0, 5), (6, 10), (11, 15)), (Span(0, 2, "PER"),), "1.jpg",
        "<stream>:1",
    )  # fmt: skip
    assert second.words == ("\u00a0", "Ohio")
    assert (second.id, second.image, second.where) == ("O_2", "O_2.jpg", "<stream>:6")


def test_read_repairs_or_drops_what_nothing_begins():
    assert read_text(TWO)[1].spans == (Span(1, 2, "LOC"),)
    assert read_text(TWO, labels="strict")[1].spans == ()


@pytest.mark.parametrize(
    "text", [TWO.replace("\n", "\r\n"), "\ufeff" + TWO, TWO + "\n\n", TWO.rstrip("\n"), "\n" + TWO]
)
def test_read_tolerates_line_ends_mark_and_blank_lines(text):
    assert [post.words for post in read_text(text)] == [post.words for post in read_text(TWO)]
    assert [post.image for post in read_text(text)] == ["1.jpg", "O_2.jpg"]


@pytest.mark.parametrize(
    "word", ["\u00a0", "\u00ad", "\ufe0f", "\u2028", "\x85", "\x0c", "\x1c", "\x00", " ", "[SEP]", "IMGID:7"]
)
def test_odd_words_keep_their_place(word):
    (post,) = read_text(f"IMGID:1\na\tO\n{word}\tB-PER\nb\tO\n\n")
    assert post.words == ("a", word, "b")
    assert post.text[post.offsets[1][0] : post.offsets[1][1]] == word


def test_post_without_words_or_image_survives():
    posts = read_text("IMGID:5\n\nIMGID:\na\tO\n\nIMGID:pic.PNG\n")
    assert [(post.id, post.image, post.words) for post in posts] == [
        ("5", "5.jpg", ()), ("2", None, ("a",)), ("pic.PNG", "pic.PNG", ())
    ]  # fmt: skip


def test_header_without_blank_line_begins_a_post():
    assert [post.words for post in read_text("IMGID:1\na\tO\nIMGID:2\nb\tO\n")] == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Kevin", r'^<stream>:3: expected "word<TAB>label", found 1 column \("Kevin"\)\.$'),
        ("Kevin\tNNP\tO", r':3: expected "word<TAB>label", found 3 columns'),
        ("\tO", ":3: expected .* found no word"),
        ("Kevin\tPERSON", ':3: label "PERSON" is not IOB2: expected O or a type after B- or I-, such as B-PER'),
        ("Kevin\tB_PER", ':3: label "B_PER" is not IOB2'),
        ("Kevin\tS-PER", ':3: label "S-PER" is not IOB2'),
    ],
)
def test_bad_line_is_named(line, message):
    with pytest.raises(DataError, match=message):
        read_text(f"IMGID:1\na\tO\n{line}\n")


def test_words_before_a_header_are_named():
    with pytest.raises(DataError, match=r'^<stream>:1: expected "IMGID:<id>" before the words of a post, found "a'):
        read_text("a\tO\n")


def test_file_error_says_how_to_list_all(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("IMGID:1\nKevin\n")
    with pytest.raises(DataError) as caught:
        list(read(path))
    assert str(caught.value) == (
        f'{path}:2: expected "word<TAB>label", found 1 column ("Kevin"). To list all such lines: mner data check {path}'
    )


def test_write_counts_what_is_lost():
    lost = Counter()
    post = Post("x", "a,b", ("a", "b"), ((0, 1), (2, 3)), (), None, extra={"lang": "en"})
    stream = io.StringIO()
    assert write([post], stream, losses=lost, format="twitter") == 1
    assert stream.getvalue() == "IMGID:\na\tO\nb\tO\n\n"
    assert lost == {"text": 1, "id": 1, "extra keys": 1}


def test_write_refuses_other_schemes():
    with pytest.raises(DataError, match="twitter format is IOB2, not BIOES"):
        write([], io.StringIO(), scheme="BIOES", format="twitter")


@pytest.mark.parametrize("image", [" 1", "a ", "a"])
def test_write_refuses_an_image_that_would_change(image):
    with pytest.raises(DataError, match="would be read back as"):
        write([Post("1", "", (), (), (), image)], io.StringIO(), format="twitter")
