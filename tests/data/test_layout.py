import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.data import read, write
from mner.data.alignment import joined
from mner.errors import DataError
from mner.types import Post, Span

WORDS = st.sampled_from(["Anna", "7", "2", "Oslo", "1", "in", "#x", "-", "1-2", "東"])
TAGS = st.sampled_from(["O", "O", "B-PER", "B-LOC", "I-LOC"])
POSTS = st.lists(st.lists(st.tuples(WORDS, TAGS), min_size=2, max_size=5), min_size=1, max_size=4)


def read_text(text, **options):
    return list(read(io.BytesIO(text.encode()), format="conll", **options))


def content(posts):
    return [(post.words, post.spans) for post in posts]


def lines_of(posts, *, start, restart, beside, part=""):
    count = start
    for post in posts:
        count = start if restart else count
        for word, tag in post:
            yield "\t".join([str(count), word, *beside, tag])
            count += 1
        yield part


@given(POSTS, st.sampled_from([0, 1]), st.booleans(), st.lists(st.sampled_from(["NNP", "_", "7"]), max_size=2))
def test_column_that_counts_the_words_is_not_read_as_the_word(posts, start, restart, beside):
    plain = read_text("\n\n".join("\n".join(f"{word}\t{tag}" for word, tag in post) for post in posts))
    again = read_text("\n".join(lines_of(posts, start=start, restart=restart, beside=beside)))
    assert content(again) == content(plain)
    assert all(post.extra == ({"columns": [beside] * len(post.words)} if beside else {}) for post in again)


def test_index_that_restarts_begins_a_post_without_a_blank_line():
    text = "1 Anna B-PER\n2 runs O\n1 Oslo B-LOC\n2 wins O\n"
    assert [post.words for post in read_text(text)] == [("Anna", "runs"), ("Oslo", "wins")]


def test_comments_ranges_and_empty_nodes_of_an_indexed_file_are_no_words():
    text = "#\thttp://a.b/c\t[2020-01-01]\n# newdoc\n1-2\tdel\t_\n1\tde\tO\n2\tel\tO\n2.1\tx\t_\n3\tRey\tB-PER\n"
    (post,) = read_text(text)
    assert (post.words, post.spans) == (("de", "el", "Rey"), (Span(2, 3, "PER"),))


def conllu(*misc):
    words = ["Anna", "Braun", "lives", "in", "Oslo"]
    lines = [
        f"{at}\t{word}\t_\tX\t_\t_\t0\tdep\t_\t{end}" for at, (word, end) in enumerate(zip(words, misc, strict=True), 1)
    ]
    return "# sent_id = s1\n# text = Anna Braun lives in Oslo\n" + "\n".join(lines) + "\n\n"


@pytest.mark.parametrize("key", ["NER", "ner", "name", "NamedEntity", "NE"])
def test_labels_of_conllu_are_found_in_its_last_column(key):
    wanted = [(("Anna", "Braun", "lives", "in", "Oslo"), (Span(0, 2, "PER"), Span(4, 5, "LOC")))]
    assert content(read_text(conllu("B-PER", "I-PER", "O", "O", "B-LOC"))) == wanted
    misc = [f"SpaceAfter=No|{key}=B-PER", f"{key}=I-PER", "_", "SpaceAfter=No", f"{key}=B-LOC|Gloss=x"]
    (post,) = read_text(conllu(*misc))
    assert content([post]) == wanted
    assert (post.id, post.text) == ("s1", "Anna Braun lives in Oslo")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (conllu("_", "_", "_", "_", "_"), ":3: CoNLL-U, whose last column says nothing of entities; expected a label"),
        (conllu("NamedEntity=Yes", "_", "_", "_", "_"), "says namedentity=Yes; expected a label such as B-PER"),
        ("1\tAnna\tB-PER\tO\n2\tOslo\tB-LOC\tO\n", ":1: the last two columns both hold labels; which is meant"),
        ("1\tAnna\tB-PER\tO\n2\tOslo\tB-ORG\tB-LOC\n3\tx\tB-LOC\tB-LOC\n", ":1: the last two columns both hold labels"),
        ("9 1 Anna B-PER\n9 2 runs O\n\n9 1 Oslo B-LOC\n", ":1: the first column holds numbers alone; does it count"),
        ("1\tAnna\tB-PER\n", ":1: the first column holds numbers alone"),
        ("a X B-PER\nb B-PER X\n", ':2: label "X" is not IOB2.* Name the columns in the first line'),
        ("# global.columns = ID LEMMA NER\n1\ta\tO\n", ":1: expected a column FORM and after it a column NER"),
    ],
)
def test_layout_that_is_uncertain_is_refused_with_the_way_out(text, message):
    with pytest.raises(DataError, match=message) as caught:
        read_text(text)
    assert "# global.columns = ID FORM POS NER" in str(caught.value) or "found ID" in str(caught.value)
    faults = []
    read_text(text, on_fault=lambda line, fault: faults.append((line, fault)))
    assert faults


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ("ID FORM NER", "7\tOslo\tB-LOC"),
        ("ID FORM NER NESTED", "1\tOslo\tB-LOC\tB-LOC"),
        ("FORM NER POS", "Oslo\tB-LOC\tNNP"),
        ("_ _ WORD x:ner", "1\t2\tOslo\tB-LOC"),
    ],
)
def test_first_line_names_the_columns(columns, line):
    (post,) = read_text(f"# global.columns = {columns}\n# id = a\n{line}\n")
    assert (post.id, post.words, post.spans) == ("a", ("Oslo",), (Span(0, 1, "LOC"),))
    assert "global.columns" not in post.extra


def test_numbers_as_words_are_words():
    assert [post.words for post in read_text("1 O\n2 O\n\n1 O\n2 O\n")] == [("1", "2"), ("1", "2")]
    assert [post.words for post in read_text("7 CD O\nGoals NNS O\n\n2 CD O\nteams NNS O\n")] == [
        ("7", "Goals"),
        ("2", "teams"),
    ]


@given(POSTS, st.lists(st.booleans(), min_size=4, max_size=4))
def test_columns_beside_the_word_survive_even_where_words_are_numbers(written, beside):
    posts = []
    for number, (post, more) in enumerate(zip(written, beside, strict=False), 1):
        words = tuple(word for word, _ in post)
        extra = {"columns": [["X"]] * len(words)} if more else {}
        posts.append(Post(str(number), *[joined(words)[0], words, joined(words)[1]], (), None, "", extra))
    stream = io.StringIO()
    write(posts, stream, format="conll")
    assert [replace(post, where="") for post in read_text(stream.getvalue())] == posts


@pytest.mark.parametrize("before", ["", "\n"])
def test_document_line_ends_a_post_wherever_it_stands(before):
    mark = "-DOCSTART- -X- O\n"
    text = f"{mark}\nAnna NNP B-PER\nruns VBZ O\n{before}{mark}\n\nOslo NNP B-LOC\n{mark}wins O\n"
    assert [post.words for post in read_text(text)] == [("Anna", "runs"), ("Oslo",), ("wins",)]
    assert read_text("I-PER O\n-DOCSTART- O\nI-PER O\n")[0].words == ("I-PER",)


@pytest.mark.parametrize("name", ["conll", "twitter"])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Bo\tB-PER,B-ORG", 'label "B-PER,B-ORG": the type "PER,B-ORG" holds ",": several types'),
        ("Bo\tB-B-PER", "begins with a prefix"),
        ("Bo\tB-PER ORG", "holds a space: several labels"),
        ("Bo\tB-P\u200bER", "do not show"),
        ("Bo\tB-O", "means no entity"),
        ("\ufeffBo\tB-PER", "a byte order mark inside a post: were two files joined"),
        ("Bo\tB-PER\rAnna\tB-PER", "a carriage return follows a label: two lines in one"),
        ("Bo\tB-PER\ufeffAnna\tB-PER", "a byte order mark follows a label: two lines in one"),
    ],
)
def test_label_or_line_that_is_no_single_one_is_refused_in_its_line(name, line, message):
    first = "IMGID:1" if name == "twitter" else "x\tO"
    with pytest.raises(DataError, match=f":3: .*{message}"):
        list(read(io.BytesIO(f"{first}\na\tO\n{line}\n".encode()), format=name))


@pytest.mark.parametrize("name", ["conll", "twitter"])
def test_what_does_not_show_around_a_label_is_let_go(name):
    head = "IMGID:1\n" if name == "twitter" else ""
    text = f"{head}Anna\tB-PER\u00a0\nBraun\tI-PER\nin\tO\u200b\nOslo\t\u00a0B-LOC \n"
    (post,) = read(io.BytesIO(text.encode()), format=name)
    assert post.spans == (Span(0, 2, "PER"), Span(3, 4, "LOC"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("conll", "Bo\tperson\nwins\tB_X\n"),
        ("conll", "# id = 1\nBo\nwins\n"),
        ("conll", "1\tBo\t_\n2\twins\t_\n"),
        ("conll", "1\tBo\tB-X\tB-X\n2\twins\tO\tO\n"),
        ("twitter", "IMGID:\nBo\tperson\nwins\tB-X,B-Y\n"),
    ],
)
def test_labels_that_are_not_wanted_are_not_checked(name, text):
    (post,) = read(io.StringIO(text), format=name, labels=False)
    assert (post.words, post.spans) == (("Bo", "wins"), None)
