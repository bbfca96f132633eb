import io
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mner import plugins
from mner.data import convert, read, stamp, write
from mner.data.alignment import joined
from mner.data.formats._columns import glued
from mner.data.identify import FORMATS
from mner.errors import DataError
from mner.types import Post, Span

ODD = [
    "\u00a0",
    "\u00ad",
    "\ufe0f",
    "\u2028",
    "\x85",
    "\x00",
    " ",
    "[SEP]",
    "</s>",
    "#",
    "# id = 1",
    "IMGID:1",
    "{",
    "O",
    "a\rb",
    "\r",
]
WORDS = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_characters="\t\n", exclude_categories=["Cs"]), min_size=1, max_size=6),
)
# what the column formats hold: a mark of the byte order, or a label and a line end, would read as a join of two files
HELD = WORDS.filter(lambda word: not word.startswith("\ufeff") and not glued(word, inside=False))
NAMES = st.text(st.characters(exclude_characters="\t\n\r ", exclude_categories=["Cs"]), min_size=1, max_size=6)


@st.composite
def posts(draw, several=True, words=HELD):
    written = []
    for number in range(draw(st.integers(0, 4))):
        drawn = tuple(draw(st.lists(words, max_size=6)))
        spans, at = [], 0
        while at < len(drawn) and draw(st.booleans()):
            start = draw(st.integers(at, len(drawn) - 1))
            end = draw(st.integers(start + 1, len(drawn)))
            spans.append(Span(start, end, draw(st.sampled_from(["PER", "LOC", "geo-loc"]))))
            at = end
        image = draw(st.none() | NAMES.map(lambda name: f"{name}.jpg") | NAMES.map(lambda name: f"d/{name}.PNG"))
        text, offsets = joined(drawn)
        more = tuple(draw(st.lists(NAMES, max_size=2))) if several and image else ()
        written.append(Post(f"p{number}", text, drawn, offsets, tuple(spans), image, more_images=more))
    return written


def joined_post(words):
    """A post of these words, the last of them an entity; as the first of a file, conll has no comments for it."""
    text, offsets = joined(words)
    spans = (Span(len(words) - 1, len(words), "PER"),) if words else ()
    return Post("1", text, tuple(words), offsets, spans)


def reread(written, *, format, scheme="IOB2"):
    stream, lost = io.StringIO(newline=""), Counter()
    assert write(written, stream, format=format, scheme=scheme, losses=lost) == len(written)
    return list(read(io.BytesIO(stream.getvalue().encode()), format=format)), lost


def bare(post):
    return replace(post, where="")


@given(posts(), st.sampled_from(["IOB2", "IOB1", "BIOES"]))
def test_conll_keeps_everything_of_joined_posts(written, scheme):
    again, lost = reread(written, format="conll", scheme=scheme)
    if scheme == "IOB2" or any(post.spans for post in written):
        assert [bare(post) for post in again] == written
    assert not lost


@given(posts(words=WORDS))
def test_jsonl_keeps_everything(written):
    again, lost = reread(written, format="jsonl")
    assert [bare(post) for post in again] == written
    assert not lost


@given(posts(several=False))
def test_twitter_keeps_words_spans_and_image(written):
    again, _ = reread(written, format="twitter")
    assert [(post.words, post.offsets, post.spans, post.image) for post in again] == [
        (post.words, post.offsets, post.spans, post.image) for post in written
    ]


@given(posts(several=False))
def test_stamp_is_the_same_in_every_format(written):
    stamps = {stamp(written).fingerprint} | {
        stamp(reread(written, format=name)[0]).fingerprint for name in ("twitter", "conll", "jsonl")
    }
    assert len(stamps) == 1


@pytest.mark.parametrize("format", ["jsonl", "json", "conll", "csv"])
def test_several_pictures_survive(format):
    written = [
        Post("1", "Kevin won", spans=(Span(0, 1, "PER"),), image="a.jpg", more_images=('b "2".jpg', "c,d.jpg")),
        Post("2", "Kevin won", spans=(), image='["a"].jpg'),
        Post("3", "Kevin won", spans=()),
    ]
    again, lost = reread(written, format=format)
    assert [post.images for post in again] == [post.images for post in written]
    assert not lost


def test_twitter_counts_posts_that_lose_pictures():
    post = Post("1", "Kevin", spans=(), image="1.jpg", more_images=("2.jpg",))
    again, lost = reread([post], format="twitter")
    assert (again[0].images, lost["pictures after the first"]) == (("1.jpg",), 1)


@given(
    st.text(max_size=20),
    st.lists(st.integers(0, 20), max_size=8, unique=True),
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5) | st.lists(st.booleans())),
)
def test_jsonl_keeps_any_text_with_any_words_in_it(text, cuts, extra):
    cuts = sorted(cut for cut in cuts if cut <= len(text))
    offsets = tuple((a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False))
    extra = {
        k: v for k, v in extra.items() if k not in {"id", "text", "words", "offsets", "entities", "image", "images"}
    }
    spans = (Span(0, len(offsets), "X"),) if offsets else ()
    post = Post("1", text, tuple(text[a:b] for a, b in offsets), offsets, spans, None, "", extra)
    (again,), _ = reread([post], format="jsonl")
    assert bare(again) == post


@given(
    st.text(st.characters(exclude_characters="\n\t\r", exclude_categories=["Cs"]), max_size=20),
    st.lists(st.integers(0, 20), max_size=8, unique=True),
)
def test_conll_keeps_a_text_or_counts_it(text, cuts):
    cuts = sorted(cut for cut in cuts if cut <= len(text))
    offsets = tuple((a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False))
    words = tuple(text[a:b] for a, b in offsets)
    (again,), lost = reread([Post("1", text, words, offsets, ())], format="conll")
    assert again.words == words
    if lost["text"]:
        assert again.text == " ".join(words)
    else:
        assert (again.text, again.offsets) == (text, offsets)


@pytest.mark.parametrize("half", ["\ud83d", "a\ude00b"])
def test_half_a_surrogate_pair_survives_in_jsonl_and_has_a_stamp(half):
    post = Post("1", half, (half,), ((0, len(half)),), ())
    (again,), _ = reread([post], format="jsonl")
    assert again.words == (half,)
    assert stamp([again]) == stamp([post])


def test_convert_leads_back_to_the_same_file(tmp_path):
    text = "IMGID:1\nKevin\tB-PER\nLove\tI-PER\n\u00a0\tO\n\nIMGID:O_2\nOhio\tB-LOC\n\n"
    (tmp_path / "a.txt").write_text(text)
    chain = ["a.txt", "b.jsonl", "c.conll", "d.jsonl", "e.txt"]
    stamps = set()
    for source, target in pairwise(chain):
        done = convert(tmp_path / source, tmp_path / target, to="twitter" if target == "e.txt" else None)
        stamps.add(done.stamp.fingerprint)
        assert done.losses == {}
    assert len(stamps) == 1
    assert (tmp_path / "e.txt").read_text() == text


LOST = {
    "id": "id",
    "text": "text offsets",
    "words": "words offsets",
    "labels": "spans",
    "picture": "image more_images",
    "pictures after the first": "more_images",
}
"""What a format counts as lost -> the attributes of a post that it may change; all else comes back as it was."""

TEXTS = st.one_of(
    st.text(max_size=12),
    st.lists(
        st.sampled_from(["Bo", "Oslo", " ", "\n", "\r", "\t", '"', "'", ",", ";", "[", "\ufeff", *ODD]), max_size=6
    ).map("".join),
)
KEYS = st.sampled_from(["lang", "label", "tags", "tokens", "data", "columns", "image", "spans", "answer", "x y", ""])
VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | st.booleans() | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def odd_posts(draw):
    """Posts with words anywhere in their text, unknown or known entities, odd ids and images, extra keys."""
    written = []
    for _ in range(draw(st.integers(1, 3))):
        text = draw(TEXTS)
        cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6, unique=True)))
        offsets = tuple(zip(cuts[::2], cuts[1::2], strict=False))
        spans = draw(st.sampled_from([None, (), (Span(0, 1, "PER"),), (Span(0, max(1, len(offsets)), "geo-loc"),)]))
        if spans and not offsets:
            spans = ()
        image = draw(st.none() | st.sampled_from(["", "1.jpg", "a/b.PNG", " .jpg", "\r.jpg", "x"]))
        extra = draw(st.dictionaries(KEYS, VALUES, max_size=2))
        words = tuple(text[start:end] for start, end in offsets)
        written.append(
            Post(
                draw(st.sampled_from(["1", "", "a b", "\n"]) | st.text(max_size=4)),
                text,
                words,
                offsets,
                spans,
                image,
                "",
                extra,
            )
        )
    return written


def written_and_read(written, format):
    """The posts as a format gives them back and what it counts as lost; None where it says that it cannot hold them."""
    stream, lost = io.StringIO(newline=""), Counter()
    try:
        write(written, stream, format=format, losses=lost)
    except DataError as error:
        assert "Write jsonl" in str(error) or "mner data convert" in str(error) or "write jsonl" in str(error), error
        return None
    return list(read(io.BytesIO(stream.getvalue().encode()), format=format)), lost


@pytest.mark.parametrize("target", plugins.names(FORMATS))
@pytest.mark.parametrize("source", plugins.names(FORMATS))
@settings(max_examples=40, deadline=None)
@given(written=odd_posts() | posts(words=WORDS))
def test_what_one_format_gives_another_takes_and_gives_back(source, target, written):
    first = written_and_read(written, source)
    second = first and written_and_read(first[0], target)
    if not second:
        return
    check_same(first[0], *second)


def check_same(written, again, lost):
    """Nothing is changed but what was counted as lost."""
    changed = {"where"} | {name for what in lost for name in LOST.get(what, "extra").split()}
    for before, after in zip(written, again, strict=True):
        for name in Post.__dataclass_fields__.keys() - changed:
            assert getattr(after, name) == getattr(before, name), name


MARKED = st.lists(st.sampled_from(["\ufeff", "\ufeffBo", "Bo\ufeff", "Bo", *ODD]), max_size=4).map(joined_post)


@pytest.mark.parametrize("format", plugins.names(FORMATS))
@settings(max_examples=100, deadline=None)
@given(written=st.lists(MARKED, max_size=3) | posts(words=WORDS))
def test_what_a_format_writes_is_read_back_or_refused(format, written):
    if done := written_and_read(written, format):
        check_same(written, *done)


@pytest.mark.parametrize("format", ["conll", "twitter"])
@pytest.mark.parametrize("words", [("\ufeff", "Kevin"), ("\ufeffKevin",), ("Kevin", "\ufeff")])
def test_word_that_begins_with_a_byte_order_mark_is_refused(format, words):
    with pytest.raises(DataError, match=r"begins with a byte order mark\. Write jsonl"):
        reread([joined_post(words)], format=format)
    assert reread([joined_post(words)], format="jsonl")[0][0].words == words


def test_empty_picture_is_none_and_is_written_so(tmp_path):
    (tmp_path / "a.conll").write_text("# image = \nBo\tB-PER\n")
    convert(tmp_path / "a.conll", tmp_path / "b.jsonl")
    assert "image" not in (tmp_path / "b.jsonl").read_text()
    assert [post.image for path in ("a.conll", "b.jsonl") for post in read(tmp_path / path)] == [None, None]
