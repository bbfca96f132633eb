import csv
import io
import json
from itertools import product

import pytest

from mner.data import identify, read, write
from mner.data.formats import csv as table
from mner.errors import DataError
from mner.types import Post, Span

TEXT = 'Bo said "hi", in\tOslo'
SPANS = (Span(0, 1, "PER"),)


def read_text(text, **options):
    return list(read(io.BytesIO(text.encode()), **options))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize(
    "cell",
    [
        json.dumps([{"start": 0, "end": 2, "label": "PER"}]),
        "[(0, 2, 'PER')]",
        json.dumps([{"start": 0, "end": 2, "text": "Bo", "labels": ["PER"]}]),
    ],
)
def test_row_a_post_is_read_from_any_table(tmp_path, delimiter, quoting, cell):
    path = tmp_path / "posts.txt"
    text = TEXT.replace("\t", " ")
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter, quoting=quoting)
        writer.writerows(
            [["ID", "Text", "label", "lang", "image"], ["a", text, cell, "en", "1.jpg"], ["b", text, "", "", ""]]
        )
    assert identify(path).format == "csv"
    first, second = read(path)
    assert (first.id, first.text, first.spans, first.image, first.extra) == ("a", text, SPANS, "1.jpg", {"lang": "en"})
    assert (second.id, second.spans, second.image, second.extra) == ("b", None, None, {"lang": ""})


def test_cell_may_have_line_feeds_and_its_row_is_named_by_its_first_line():
    first, second = read_text('text,label\n"a\nb",[]\nc,"[[0,1,""X""]]"\n')
    assert (first.text, first.where) == ("a\nb", "<stream>:2")
    assert (second.spans, second.where) == ((Span(0, 1, "X"),), "<stream>:4")


@pytest.mark.parametrize(("end", "inner"), [*product(["\n", "\r\n"], ["\n", "\r\n", "\r\r\n", "\r"]), ("\r", "\r")])
def test_line_ends_of_a_cell_stay_as_they_are(tmp_path, end, inner):
    path = tmp_path / "posts.csv"
    shift = len(inner)
    rows = ["id,text,entities", f'1,"Hello{inner}Anna met","[[{5 + shift}, {9 + shift}, ""PER""]]"', "2,Oslo,[]"]
    path.write_bytes(end.join([*rows, ""]).encode())
    for source in (path, io.BytesIO(path.read_bytes())):
        first, second = read(source)
        assert (first.text, first.spans) == (f"Hello{inner}Anna met", (Span(1, 2, "PER"),))
        assert (second.id, second.text, second.spans) == ("2", "Oslo", ())
    write([first], tmp_path / "again.csv")
    assert next(read(tmp_path / "again.csv")).text == first.text


def test_quotation_marks_in_a_table_of_tabs_are_words_unless_they_were_doubled():
    posts = read_text('text\tlabel\n"Bo"\t[]\n"Bo ""B"" X"\t[]\n"\t[]\n')
    assert [post.text for post in posts] == ['"Bo"', 'Bo "B" X', '"']


def test_words_in_a_cell_carry_tags_in_another():
    (post,) = read_text("""tokens,ner_tags\n"['Bo', 'wins']","['B-PER', 'O']"\n""")
    assert (post.words, post.spans) == (("Bo", "wins"), SPANS)


def test_row_a_word_with_the_post_named_on_its_first_row():
    text = "Sentence #,Word,POS,Tag\nSentence: 1,Bo,NNP,B-per\n,wins,VBZ,O\nSentence: 2,Oslo,NNP,B-geo\n"
    first, second = read_text(text)
    assert (first.id, first.words, first.spans) == ("Sentence: 1", ("Bo", "wins"), (Span(0, 1, "per"),))
    assert first.extra == {"columns": [["NNP"], ["VBZ"]]}
    assert (second.words, second.where) == (("Oslo",), "<stream>:4")


def test_row_a_word_with_blank_rows_between_posts():
    posts = read_text("token\tner_tag\nBo\tB-PER\n\t\n\nOslo\tB-LOC\nwins\tO\n")
    assert [post.words for post in posts] == [("Bo",), ("Oslo", "wins")]
    assert [post.id for post in posts] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text,label\na\n", ":2: expected 2 cells, as the header has, found 1"),
        ("a,b\nc,d\n", ':1: expected a header with a column "text"'),
        ('text,label\n"a,[]\n', ":2: not CSV: unexpected end of data"),
        ('text,label\na,"[[0,9,""X""]]"\n', ":2: entity 0-9"),
        ("text,label\na,[[0\n", ":2: not JSON"),
        ("text,tags\na,\"{'PER': [a\"\n", ":2: not JSON"),
        ('text,ner_tags\nBo wins,"[B-PER, O]"\n', ":2: not JSON"),
        ("text,entities\na,[sic] good\n", ":2: not JSON"),
        ('text,label\nBo wins,"[0, 2, PER]"\n', '"label" looks like labels that cannot be read'),
        ("word,tag\na,O\nb,PERSON\n", ':3: label "PERSON" is not'),
        ("word,tag\n,O\n", ':2: "words": expected a list of strings, none of them empty'),
        ("text,my_spans\na,b\n", None),
    ],
)
def test_bad_row_is_named(text, message):
    if message is None:
        assert read_text(text, format="csv")[0].spans is None
        return
    with pytest.raises(DataError, match=message):
        read_text(text, format="csv")


def test_picture_in_a_cell_may_be_long(tmp_path):
    post = Post("1", "Kevin won", spans=(), image="data:image/png;base64," + 50_000 * "iVBO")
    write([post], tmp_path / "a.csv")
    (again,) = read(tmp_path / "a.csv")
    assert again.image == post.image


@pytest.fixture
def short_cells(monkeypatch):
    before = csv.field_size_limit(10)
    monkeypatch.setattr(table, "LONGEST", 20)
    yield
    csv.field_size_limit(before)


def test_cell_that_is_too_long_is_refused_in_reading_and_writing(short_cells):
    assert read_text(f"text,lang\n{20 * 'a'},en\n")[0].text == 20 * "a"
    with pytest.raises(DataError, match=r":2: a cell of more than 20 characters; is a quotation mark not closed\?"):
        read_text(f"text,lang\n{21 * 'a'},en\n")
    with pytest.raises(DataError, match=r'a\.jsonl:1: "7": a cell of more than 20 characters.* Split the post'):
        write([Post("7", 21 * "a", where="a.jsonl:1")], io.StringIO(), format="csv")


def test_tags_that_are_not_wanted_are_not_checked():
    (post,) = read_text("word,tag\na,O\nb,PERSON\n", labels=False)
    assert (post.words, post.spans) == (("a", "b"), None)


def test_labels_that_are_not_wanted_are_not_parsed():
    posts = read_text('text,entities,tags\nBo wins,"[[0, 2, PER]]","[""sport""]"\nBo,[],{\n', labels=False)
    assert [(post.text, post.spans, dict(post.extra)) for post in posts] == [
        ("Bo wins", None, {"tags": ["sport"]}),
        ("Bo", None, {"tags": "{"}),
    ]
    with pytest.raises(DataError, match="not JSON"):
        read_text('text,entities\nBo wins,"[[0, 2, PER]]"\n')


@pytest.mark.parametrize("labels", ["repair", False])
@pytest.mark.parametrize("value", ["{", "[sic] good", "{sic", "[0", "[E-mail] sent"])
def test_text_in_brackets_under_a_name_for_labels_is_an_extra_key(value, labels):
    (post,) = read_text(f'text,label,entities\nBo wins,{value},"[[0, 2, ""PER""]]"\n', labels=labels)
    assert (post.text, post.spans, post.extra) == ("Bo wins", SPANS if labels else None, {"label": value})


@pytest.mark.parametrize("text", ["text\tO\nis\tO\n", "Word B-PER\n", "The text, and more\nhere\n"])
def test_first_line_that_only_resembles_a_header_is_none(tmp_path, text):
    path = tmp_path / "x.txt"
    path.write_text(text)
    try:
        assert identify(path).format == "conll"
    except DataError as error:
        assert "--format text" in str(error)


def test_cell_of_a_post_cut_into_words_may_hold_several_pictures():
    (post,) = read_text('word,tag,image,id\nKevin,B-PER,"[""a.jpg"",""b.jpg""]",1\nwon,O,,1\n')
    assert post.images == ("a.jpg", "b.jpg")
