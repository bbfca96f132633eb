from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, processors

import mner.views.tokenize as module
from mner.errors import ModelError
from mner.views import SHAPES, Subwords
from mner.views.tokenize import shape

CONTROL = ["[SEP]", "[CLS]", "[PAD]", "[UNK]", "[MASK]x", "</s>", "<s>", "<pad>", "<unk>", "<mask>", "x</s>y", "＜/s＞"]
ODD = [
    "",
    "\u00a0",
    "\ufe0f",
    "\u00ad",
    "\u200d",
    "\x00",
    "\ud83d",
    "a\udc00b",
    "👨‍👩‍👧",
    "❤️",
    "\ufffd",
    "猫",
    "'",
    "@",
]


def ids(tokenizer: Tokenizer, name: str) -> int:
    number = tokenizer.token_to_id(name)
    assert number is not None
    return number


def test_special_ids_come_from_the_template(tokenizer: Tokenizer, subwords: Subwords, family: str) -> None:
    begin, end, pad = ("[CLS]", "[SEP]", "[PAD]") if family == "bert" else ("<s>", "</s>", "<pad>")
    assert (subwords.prefix, subwords.suffix) == ((ids(tokenizer, begin),), (ids(tokenizer, end),))
    assert (subwords.sep_id, subwords.pad_id) == (ids(tokenizer, end), ids(tokenizer, pad))


def test_words_tokenise_as_running_text(tokenizer: Tokenizer, family: str) -> None:
    text = "a dog and two people is back in cleveland, unreal don't"
    running = Tokenizer.from_str(tokenizer.to_str())
    running.no_padding()
    running.no_truncation()
    given_text = f" {text}" if family == "roberta" else text  # it ships without a blank before the first word
    expected = running.encode(given_text, add_special_tokens=False).ids
    coded = Subwords(tokenizer).encode_words(text.split())
    assert [id_ for word in coded for id_ in word.ids] == expected


def test_tokenizer_given_is_not_changed(tokenizer: Tokenizer) -> None:
    before = tokenizer.to_str()
    Subwords(tokenizer).encode_words(["a", "</s>"])
    assert tokenizer.to_str() == before
    assert not tokenizer.encode_special_tokens


@pytest.mark.parametrize("word", CONTROL)
def test_control_words_are_plain_text(tokenizer: Tokenizer, subwords: Subwords, word: str) -> None:
    control = {id_ for id_, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    unknown = {tokenizer.token_to_id(name) for name in ("[UNK]", "<unk>")}
    (coded,) = subwords.encode_words([word])
    assert coded.ids
    assert not (control - unknown) & {*coded.ids}


def test_unknown_marker_in_text_is_plain_text(tokenizer: Tokenizer, subwords: Subwords) -> None:
    (coded,) = subwords.encode_words(["<unk>"])
    pieces = "".join(subwords.decode(coded.ids)).replace("##", "").replace("Ġ", "").replace("▁", "")
    assert pieces == "<unk>"
    assert tokenizer.token_to_id("<unk>") not in coded.ids


@pytest.mark.parametrize("word", ["\ufe0f", "\u00ad", "\x00", "", "\ud83d"])
def test_words_of_nothing_have_no_subtoken_in_bert(tokenizers: dict[str, Tokenizer], word: str) -> None:
    assert Subwords(tokenizers["bert"]).encode_words([word, "a"])[0].ids == ()


def test_unknown_words_are_one_token(tokenizers: dict[str, Tokenizer]) -> None:
    subwords = Subwords(tokenizers["mpnet"])
    (coded,) = subwords.encode_words(["猫"])
    assert subwords.decode(coded.ids) == ["[UNK]"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.one_of(st.sampled_from([*CONTROL, *ODD]), st.text(st.characters(codec=None), max_size=8))))
def test_words_keep_their_places_in_company(tokenizer: Tokenizer, words: list[str]) -> None:
    together = Subwords(tokenizer).encode_words(words)
    assert len(together) == len(words)
    fresh = Subwords(tokenizer)  # its cache fills word by word
    assert together == [fresh.encode_words([word])[0] for word in words]
    for coded in together:
        assert len(coded.ids) == len(coded.shapes)
        assert all(0 < written < len(SHAPES) for written in coded.shapes)


def test_shapes_follow_the_original_writing(tokenizers: dict[str, Tokenizer]) -> None:
    words = ["kevin", "Kevin", "NBA", "café", "\u0130s"]
    coded = Subwords(tokenizers["bert"]).encode_words(words)
    assert SHAPES[coded[0].shapes[0]] == "lower"
    assert SHAPES[coded[1].shapes[0]] == "title"
    assert {SHAPES[shape_id] for shape_id in coded[2].shapes} <= {"upper", "single"}
    assert coded[0].ids == coded[1].ids
    # The blank of a byte-level or SentencePiece token takes the shape of the letter behind it.
    for family in ("roberta", "xlmr"):
        assert SHAPES[Subwords(tokenizers[family]).encode_words(["Zürich"])[0].shapes[0]] == "single"


def test_cache_is_bounded_and_starts_anew(tokenizers: dict[str, Tokenizer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE_WORDS", 10)
    subwords = Subwords(tokenizers["bert"])
    words = [f"w{number}" for number in range(8)]
    first = subwords.encode_words(words)
    assert len(subwords.known(["a", "b", "c"])) == 3
    assert subwords.encode_words(words) == first
    assert len(subwords.known([f"v{number}" for number in range(50)])) == 50  # one call may exceed the bound


LINK = "http://t.co/MKpE8Y8UUC"


@pytest.mark.parametrize("link", [LINK, "HTTPS://X.Y", "ftp://a.b/c", "www.nba.com", "pic.twitter.com/a1", "t.co/b2"])
def test_link_is_one_known_piece_of_every_vocabulary(tokenizer: Tokenizer, link: str) -> None:
    subwords, whole = Subwords(tokenizer, links="fold"), Subwords(tokenizer)
    (coded,) = subwords.encode_words([link])
    special = {id_ for id_, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    assert coded.ids == (subwords.link_id,)
    assert subwords.link_id not in special
    assert SHAPES[coded.shapes[0]] == "lower"
    assert coded.folded == len(whole.encode_words([link])[0].ids) - 1
    assert whole.link_id is None


def test_link_takes_the_first_word_that_the_vocabulary_has(tokenizers: dict[str, Tokenizer]) -> None:
    for words, expected in ((("url", "http"), "http"), (("link", "url"), "url")):
        tokenizer = Tokenizer.from_str(tokenizers["bert"].to_str())
        tokenizer.add_tokens([*words])
        subwords = Subwords(tokenizer, links="fold")
        assert subwords.link_id == tokenizer.token_to_id(expected)


@pytest.mark.parametrize(
    ("word", "before", "behind"),
    [
        (f"see{LINK}", "see", ""),
        (f"({LINK}).", "(", ")."),
        (f'city:{LINK}"', "city:", '"'),
        (f'{LINK}"{LINK}', "", f'"{LINK}'),
        ("(www.nba.com)", "(", ")"),
    ],
)
def test_what_stands_beside_a_link_is_read_as_ever(tokenizer: Tokenizer, word: str, before: str, behind: str) -> None:
    subwords = Subwords(tokenizer, links="fold")
    coded, left, right = subwords.encode_words([word, before, behind])
    assert coded.ids == (*left.ids, subwords.link_id, *right.ids)
    assert coded.shapes == (*left.shapes, SHAPES.index("lower"), *right.shapes)


@pytest.mark.parametrize("word", ["https", "http:", "awww.nba.com", "@t.co/x", "cnet.co/x", "nba.com", "a@www.x.com"])
def test_other_words_are_no_links(tokenizer: Tokenizer, word: str) -> None:
    assert Subwords(tokenizer, links="fold").encode_words([word]) == Subwords(tokenizer).encode_words([word])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec=None), max_size=12), place=st.integers(0, 12))
def test_a_link_may_stand_anywhere_in_a_word(tokenizer: Tokenizer, text: str, place: int) -> None:
    subwords = Subwords(tokenizer, links="fold")
    (coded,) = subwords.encode_words([text[:place] + LINK + text[place:]])
    assert subwords.link_id in coded.ids
    assert len(coded.ids) == len(coded.shapes)


def test_pad_id_falls_back_to_the_vocabulary(tokenizers: dict[str, Tokenizer]) -> None:
    bare = Tokenizer.from_str(tokenizers["bert"].to_str())
    bare.no_padding()
    assert Subwords(bare).pad_id == 0


def test_file_and_object_give_the_same(tokenizer: Tokenizer, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    words = ["Kevin", "</s>", "猫"]
    assert Subwords(path).encode_words(words) == Subwords(tokenizer).encode_words(words)


def test_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with pytest.raises(ModelError, match=r"tokenizer\.json: cannot be read: No such file"):
        Subwords(path)
    path.write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json: not a tokenizer\.json"):
        Subwords(path)


def test_tokenizer_without_separator_is_refused(tokenizers: dict[str, Tokenizer]) -> None:
    bare = Tokenizer.from_str(tokenizers["bert"].to_str())
    bare.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B", special_tokens=[])
    with pytest.raises(ModelError, match="adds no separator"):
        Subwords(bare)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("love", "lower"),
        ("2day", "lower"),
        ("ß", "lower"),
        ("NBA", "upper"),
        ("U2B", "upper"),
        ("ΑΘΗΝΑ", "upper"),
        ("Kevin", "title"),
        ("Ǆungla", "title"),
        ("X", "single"),
        ("B2", "single"),
        ("iPhone", "mixed"),
        ("McDonald", "mixed"),
        ("2016", "digit"),
        ("٣", "digit"),
        ("#", "symbol"),
        ("🔥", "symbol"),
        ("猫", "uncased"),
        ("مرحبا", "uncased"),
        ("", "none"),
    ],
)
def test_shape_of(text: str, name: str) -> None:
    assert SHAPES[shape(text)] == name


@given(st.text())
def test_shape_is_known_for_any_text(text: str) -> None:
    assert 0 <= shape(text) < len(SHAPES)
    assert (shape(text) == 0) == (text == "")
