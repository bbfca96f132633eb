import io
from collections import Counter

import pytest

from mner.data import identify, read, write
from mner.data.formats import conll
from mner.data.lines import Lines, raising
from mner.errors import DataError
from mner.types import Post, Span


def read_text(text, **options):
    return list(read(io.BytesIO(text.encode()), format="conll", **options))


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("B-PER I-PER O B-PER", "IOB2"),
        ("I-PER I-PER O I-PER", "IOB1"),
        ("B-PER E-PER O S-PER", "BIOES"),
    ],
)
def test_scheme_is_found_and_named(tmp_path, tags, scheme):
    path = tmp_path / "x.conll"
    path.write_text("".join(f"w{at}\t{tag}\n" for at, tag in enumerate(tags.split())))
    assert identify(path) == ("conll", scheme)
    for labels in ("repair", "strict"):
        (post,) = read(path, labels=labels)
        assert post.spans == (Span(0, 2, "PER"), Span(3, 4, "PER"))


def test_scheme_at_the_end_of_the_file_counts_for_its_beginning():
    first, _ = read_text("a I-X\nb I-X\n\nc I-X\nd B-X\n", labels="strict")
    assert first.spans == (Span(0, 2, "X"),)


def test_columns_may_be_parted_by_spaces_or_tabs():
    spaced = read_text("-DOCSTART- -X- O O\n\nNew  NNP  B-LOC \r\nYork NNP I-LOC\r\n\r\n")
    tabbed = read_text("New York\tNNP\tB-LOC\n")
    assert [post.words for post in spaced] == [("New", "York")]
    assert spaced[0].extra == {"columns": [["NNP"], ["NNP"]]}
    assert tabbed[0].words == ("New York",)


@pytest.mark.parametrize("line", ["\t", "  ", " \t ", ""])
def test_line_of_white_space_parts_posts(line):
    assert [post.words for post in read_text(f"a\tO\n{line}\nb\tO\n{line}\n{line}\nc\tO")] == [("a",), ("b",), ("c",)]


def test_line_of_other_white_space_is_no_blank_line():
    with pytest.raises(DataError, match=":2: expected"):
        read_text("a\tO\n\u00a0\nb\tO\n")


def test_comments_give_id_image_text_and_extra():
    (post,) = read_text("# sent_id = s7\n# image = p/7.png\n# text = Hi,Bo!\n# lang = en\nHi\tO\nBo\tB-PER\n")
    assert (post.id, post.image, post.text, post.offsets) == ("s7", "p/7.png", "Hi,Bo!", ((0, 2), (3, 5)))
    assert post.extra == {"lang": "en"}
    assert post.where == "<stream>:1"


def test_comment_in_the_manner_of_multiconer_gives_the_id():
    (post,) = read_text("# id 5239d808-f300\tdomain=en\n\nwe _ _ O\n")[:1]
    assert post.id == "5239d808-f300"


def test_hashtag_and_number_sign_are_words():
    (post,) = read_text("#NBA O\n# O\n# id = 7\tO\n# id O\n")
    assert post.words == ("#NBA", "#", "# id = 7", "#")
    (post,) = read_text("# O\nid O\n")
    assert post.words == ("#", "id")


def test_text_that_does_not_hold_the_words_is_not_used():
    (post,) = read_text("# text = something else\nHi\tO\n")
    assert post.text == "Hi"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tO\nKevin\n", r':2: expected "word<TAB>label", found 1 column \("Kevin"\)'),
        ("a O\nKevin PERSON\n", ':2: label "PERSON" is not IOB2'),
        ("a O\nKevin B_PER\n", ':2: label "B_PER" is not IOB2'),
        ("a S-X\nKevin PERSON\n", ':2: label "PERSON" is not BIOES: expected O or a type after B-, I-, E- or S-'),
        ("a O\n\tO\n", ":2: expected .* found no word"),
    ],
)
def test_bad_line_is_named(text, message):
    with pytest.raises(DataError, match=message):
        read_text(text)


def test_file_is_read_twice_and_a_stream_once(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("a\tI-X\nb\tO\n")
    lines = Lines(path)
    assert list(lines) == list(lines)
    for source in (lines, iter(lines)):
        (post,) = conll.read(source, name="x", labels="repair", on_fault=raising("x"))
        assert post.spans == (Span(0, 1, "X"),)


def test_write_says_only_what_columns_do_not():
    stream = io.StringIO()
    posts = [Post("1", "a", ("a",), ((0, 1),), (Span(0, 1, "X"),)), Post("1", "", (), (), (), "p.jpg")]
    assert write(posts, stream, scheme="BIOES", format="conll") == 2
    assert stream.getvalue() == "a\tS-X\n\n# id = 1\n# image = p.jpg\n\n"


def test_write_counts_what_is_lost():
    lost = Counter()
    posts = [
        Post("1", "a\nb", ("a", "b"), ((0, 1), (2, 3)), ()),
        Post("x\ny", "", (), (), (), extra={"n": 1, "lang": "en"}),
    ]
    stream = io.StringIO()
    write(posts, stream, losses=lost, format="conll")
    assert lost == {"text": 1, "id": 1, "extra keys": 1}
    assert [(post.words, post.extra) for post in read_text(stream.getvalue())] == [
        (("a", "b"), {}),
        ((), {"lang": "en"}),
    ]


@pytest.mark.parametrize(
    ("post", "message"),
    [
        (Post("1", "a\tb", ("a\tb",), ((0, 3),), ()), "holds a TAB or a line end"),
        (Post("1", "a\nb", ("a\nb",), ((0, 3),), ()), "holds a TAB or a line end"),
        (Post("1", "", ("",), ((0, 0),), ()), "word 0 .* is empty"),
        (Post("1", "\ud83d", ("\ud83d",), ((0, 1),), ()), "half a surrogate pair"),
        (Post("1", "a", ("a",), ((0, 1),), None), "has no labels"),
        (Post("1", "a", ("a",), ((0, 1),), (Span(0, 1, "A B"),)), "a column cannot hold the label"),
        (Post("1", "a", ("a",), ((0, 1),), (Span(0, 1, "A\r"),)), "a column cannot hold the label"),
        (Post("1", "a", ("a",), ((0, 1),), (), "x\ny"), "the image .* holds a TAB"),
        (Post("1", "-DOCSTART-", ("-DOCSTART-",), ((0, 10),), ()), "marks a document"),
        (Post("1", "a O\r", ("a O\r",), ((0, 4),), ()), "would be read as two lines in one"),
        (Post("1", "a", ("a",), ((0, 1),), (Span(0, 2, "X"),)), "not within 1 words"),
    ],
)
def test_write_refuses_what_columns_cannot_hold(post, message):
    with pytest.raises(DataError, match=message):
        write([post], io.StringIO(), format="conll")
