from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from mner import encoders
from mner.config import ContextConfig
from mner.errors import ModelError
from mner.types import Caption, OcrText, Post, Tag, VisualContext
from mner.views import Encoded, Piece, Views, compose

ROW = VisualContext(
    image="1.jpg",
    captions=(Caption("a dog [SEP] on a bike"), Caption("two people <unk>")),
    tags=(Tag("bike", ("back",), 0.9), Tag("dog", (), 0.5)),
    ocr=(OcrText("CLEVELAND"), OcrText("</s>")),
)
WORDS = st.lists(
    st.one_of(
        st.sampled_from(
            ["Kevin", "\u00a0", "\ufe0f", "\u200d", "👨‍👩‍👧", "❤️", "\ud83d", "[SEP]", "</s>", "<s>", "<mask>"]
        ),
        st.text(st.characters(codec=None), max_size=6),
    ),
    max_size=30,
)


def post(*words: str) -> Post:
    return Post("1", " ".join(words), words, ())


def firsts(encoded: Encoded) -> list[int | None]:
    """The id of each word's first sub-token."""
    return [None if window < 0 else int(encoded.windows[window][at]) for window, at in encoded.first]


def check(encoded: Encoded, views: Views, words: list[str]) -> None:
    """What holds of any post."""
    coded = views.subwords.encode_words(words)
    assert encoded.words == len(words) == len(encoded.first)
    assert firsts(encoded) == [single.ids[0] if single.ids else None for single in coded]
    special = (views.subwords.prefix, views.subwords.suffix)
    for window, shapes in zip(encoded.windows, encoded.shapes, strict=True):
        assert len(window) == len(shapes) <= views.max_tokens
        assert (tuple(window[:1]), tuple(window[-1:])) == special
        assert not shapes[np.isin(window, [*special[0], *special[1]])].any()


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        (
            "bert",
            "[CLS] kevin love is back [SEP] a dog [ sep ] on a bike [SEP] two people [SEP] back bike dog [SEP] "
            "cleveland < / s > [SEP]",
        ),
        (
            "mpnet",
            "<s> kevin love is back </s> a dog [ sep ] on a bike </s> two people </s> back bike dog </s> "
            "cleveland < / s > </s>",
        ),
    ],
)
def test_both_views_read_as_the_method_says(tokenizers: dict[str, Tokenizer], family: str, expected: str) -> None:
    views = Views(tokenizers[family], ContextConfig())
    kevin = post("Kevin", "Love", "is", "back")
    (window,) = views.encode(kevin, ROW).windows
    assert " ".join(views.subwords.decode(window)).replace(" ##", "") == expected
    (alone,) = views.encode(kevin, ROW, "T").windows
    end = expected.split()[-1]
    assert " ".join(views.subwords.decode(alone)).replace(" ##", "") == expected.partition(end)[0] + end


@pytest.mark.parametrize("family", ["roberta", "xlmr"])
def test_composed_text_of_subword_families(tokenizers: dict[str, Tokenizer], family: str) -> None:
    views = Views(tokenizers[family], ContextConfig())
    (window,) = views.encode(post("Kevin", "is"), ROW).windows
    read = "".join(views.subwords.decode(window)).replace("Ġ", " ").replace("▁", " ")
    read = read.replace("<unk>", "SEP", 1)  # the tiny SentencePiece vocabulary lacks the letters
    assert read.startswith("<s> Kevin is</s> a dog [SEP] on a bike</s> two people</s> back bike dog</s>")
    assert (window == views.subwords.sep_id).sum() == 5


def test_view_without_context_equals_t(tokenizers: dict[str, Tokenizer]) -> None:
    views = Views(tokenizers["bert"])
    kevin = post("Kevin", "Love")
    empty = views.encode(kevin, VisualContext("1.jpg"))
    gone = views.encode(kevin, VisualContext("1.jpg", captions=ROW.captions, status="placeholder"))
    for single in (empty, gone, views.encode(kevin, None)):
        assert single.windows[0].tolist() == views.encode(kevin, ROW, "T").windows[0].tolist()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_every_word_has_a_place(tokenizer: Tokenizer, words: list[str]) -> None:
    views = Views(tokenizer)
    alone, beside = views.encode(post(*words), None, "T"), views.encode(post(*words), ROW)
    for single in (alone, beside):
        check(single, views, words)
    if len(beside.windows) == 1:
        length = len(alone.windows[0]) - len(views.subwords.suffix)
        assert alone.windows[0][:length].tolist() == beside.windows[0][:length].tolist()
        assert alone.first.tolist() == beside.first.tolist()
    # Only the frame's own tokens may be special.
    control = [*views.subwords.prefix, views.subwords.sep_id, views.subwords.pad_id]
    (inner, *_) = alone.windows
    assert not np.isin(inner[1:-1], control).any()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS, limit=st.integers(32, 60), overlap=st.integers(0, 60), release=st.booleans())
def test_short_windows_keep_every_word(
    tokenizer: Tokenizer, words: list[str], limit: int, overlap: int, release: bool
) -> None:
    options = ContextConfig(max_tokens=limit, overlap=overlap, windows="release" if release else "words")
    views = Views(tokenizer, options)
    check(views.encode(post(*words), ROW), views, words)


@pytest.mark.parametrize("mode", ["words", "release"])
def test_long_input_has_one_place_for_every_word(tokenizers: dict[str, Tokenizer], mode: str) -> None:
    views = Views(tokenizers["bert"], ContextConfig(windows=mode))
    words = [("Kevin", "Love", "is", "back", "\ufe0f")[number % 5] for number in range(1875)]
    coded = views.subwords.encode_words(words)
    assert sum(len(single.ids) for single in coded) >= 1500
    for single in (views.encode(post(*words), ROW), views.encode(post(*words), None, "T")):
        check(single, views, words)
        assert len(single.windows) > 3
        assert single.cut.get("words", 0) == 0
    if mode == "words":  # each window carries the whole context
        beside = views.encode(post(*words), ROW)
        tail = views.encode(post(), ROW).windows[0][1:].tolist()
        assert all(window[-len(tail) :].tolist() == tail for window in beside.windows)


def test_release_windows_cut_the_composed_input(tokenizers: dict[str, Tokenizer]) -> None:
    views = Views(tokenizers["bert"], ContextConfig(windows="release", max_tokens=32, overlap=10))
    words = ["is"] * 30
    row = VisualContext("1.jpg", captions=(Caption("back " * 9),))
    whole = [views.subwords.encode_words(["is"])[0].ids[0]] * 30
    whole += views.encode(post(), row).windows[0][1:-1].tolist()
    encoded = views.encode(post(*words), row)
    assert [window[1:-1].tolist() for window in encoded.windows] == [whole[:30], whole[20:40]]
    # Words 20 to 29 stand in both windows; from 25 on they are farther from the second one's cut.
    assert encoded.first.tolist() == [[0, word + 1] for word in range(25)] + [[1, word - 19] for word in range(25, 30)]
    assert dict(encoded.cut) == {}


def test_word_longer_than_a_window_is_counted(tokenizers: dict[str, Tokenizer]) -> None:
    views = Views(tokenizers["roberta"])
    words = ["Kevin", "x" * 5000, "Love", "is"]
    encoded = views.encode(post(*words), ROW)
    check(encoded, views, words)
    assert len(encoded.windows) == 2  # one for its beginning, one for what follows it
    held = sum(len(window) for window in encoded.windows)
    total = sum(len(single.ids) for single in views.subwords.encode_words(words))
    assert encoded.cut["words"] > total - held
    bert = Views(tokenizers["bert"]).encode(post(*words))
    assert (len(bert.windows), dict(bert.cut)) == (1, {})  # WordPiece makes one unknown token of it


def test_release_counts_context_that_no_word_sees(tokenizers: dict[str, Tokenizer]) -> None:
    options = ContextConfig(windows="release", max_tokens=32, overlap=10, budget={"captions": 400})
    views = Views(tokenizers["bert"], options)
    encoded = views.encode(post("is"), VisualContext("1.jpg", captions=(Caption("back " * 100),)))
    assert len(encoded.windows) == 1
    assert dict(encoded.cut) == {"captions": 101 - 29}  # with the separator; one sub-token is the post's


def test_context_leaves_room_for_words(tokenizers: dict[str, Tokenizer]) -> None:
    row = VisualContext("1.jpg", captions=(Caption("back " * 200),), ocr=(OcrText("dog " * 200),))
    views = Views(tokenizers["bert"], ContextConfig(budget={"captions": 300, "ocr": 300}))
    encoded = views.encode(post(*["is"] * 300), row)
    assert views.word_room == 128
    assert dict(encoded.cut) == {"ocr": 400 - (512 - 2 - 128 - 2)}
    assert len(encoded.windows) > 1
    assert all((window[1:129] == window[1]).all() for window in encoded.windows[:-1])
    assert Views(tokenizers["bert"], max_tokens=66).word_room == 32


def test_max_tokens_is_the_smaller_of_encoder_and_options(tokenizers: dict[str, Tokenizer]) -> None:
    assert Views(tokenizers["bert"], ContextConfig(max_tokens=400), max_tokens=512).max_tokens == 400
    assert Views(tokenizers["bert"], ContextConfig(max_tokens=400), max_tokens=128).max_tokens == 128


def test_post_without_words_has_one_window(tokenizers: dict[str, Tokenizer]) -> None:
    encoded = Views(tokenizers["bert"]).encode(post())
    assert (encoded.words, encoded.tokens, encoded.first.shape) == (0, 2, (0, 2))


def test_many_equal_one_by_one(tokenizer: Tokenizer) -> None:
    views = Views(tokenizer)
    posts = [["Kevin", "Love"], [], ["</s>", "\ufe0f", "is"]]
    pieces = [compose(ROW, views.options), (), (Piece("ocr", "", "GATE 7"),)]
    for many, words, beside_words in zip(views.encode_many(posts, pieces), posts, pieces, strict=True):
        (single,) = Views(tokenizer).encode_many([words], [beside_words])
        assert [window.tolist() for window in many.windows] == [window.tolist() for window in single.windows]
        assert many.first.tolist() == single.first.tolist()


def test_minilm_reads_a_post() -> None:
    try:
        files = encoders.find("embedded:minilm")
    except ModelError as error:
        pytest.skip(str(error))
    views = Views(files, ContextConfig())
    (window,) = views.encode(post("Kevin", "Love", "\ufe0f", "[MASK]"), ROW).windows
    assert " ".join(views.subwords.decode(window)) == (
        "[CLS] kevin love [ mask ] [SEP] a dog [ sep ] on a bike [SEP] two people [SEP] back bike dog [SEP] "
        "cleveland < / s > [SEP]"
    )
    assert (views.pad_id, views.max_tokens) == (0, 512)


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("MNER_DATA"), reason="set MNER_DATA to the folder of the real data")
def test_real_posts_keep_every_word_and_caption(tokenizers: dict[str, Tokenizer]) -> None:
    root = Path(os.environ["MNER_DATA"])
    blocks = (root / "twitter2015/train.txt").read_text(encoding="utf-8").split("IMGID:")[1:]
    words = [[line.split("\t")[0] for line in block.split("\n")[1:] if line] for block in blocks]
    options = ContextConfig(captions=("catr", "cimodel", "blip2"))
    rows = {}
    for line in (root / "contexts/twitter2015.jsonl").read_text(encoding="utf-8").split("\n")[:-1]:
        row = json.loads(line)
        captions = tuple(Caption(single["text"], source=single["source"]) for single in row["captions"])
        rows[row["image"]] = VisualContext(row["image"], captions=captions, status=row["status"])
    views = Views(tokenizers["bert"], options)
    pieces = [compose(rows[block.split("\n")[0] + ".jpg"], options) for block in blocks]
    encoded = views.encode_many(words, pieces)
    assert len(encoded) == 4000
    for single, post_words, beside_words in zip(encoded, words, pieces, strict=True):
        check(single, views, post_words)
        if not single.cut:
            assert (single.windows[-1] == views.subwords.sep_id).sum() == len(beside_words) + 1
    assert sum(bool(single.cut) for single in encoded) < 40


def test_word_pieces_caps_long_words_and_counts_what_it_cut() -> None:
    from mner.encoders import find

    words = ["see", "http://t.co/abcdefghij", "now"]
    whole = Views(find("embedded:minilm")).encode_many([words])[0]
    capped = Views(find("embedded:minilm"), ContextConfig(word_pieces=3)).encode_many([words])[0]
    assert capped.words == 3 and (capped.first[:, 1] >= 0).all()
    assert capped.cut == {"links": whole.tokens - capped.tokens}
    assert capped.tokens == 2 + 1 + 3 + 1


def test_cut_words_and_links_are_counted_apart() -> None:
    """The end of a link says nothing; that of a name may."""
    from mner.encoders import find

    views = Views(find("embedded:minilm"), ContextConfig(word_pieces=3))
    links = ["https://t.co/abcdefghij", "www.abcdefghij.com", "pic.twitter.com/abcdefghij", "HTTP://ABCDEFGHIJ.COM"]
    assert set(views.encode_many([links])[0].cut) == {"links"}
    (both,) = views.encode_many([["#lakersvsceltics4ever", links[0]]])
    assert set(both.cut) == {"words", "links"}


def test_folded_links_are_counted_and_nothing_else_changes(tokenizers: dict[str, Tokenizer]) -> None:
    link = "http://t.co/abcdefghij"
    words = ["Kevin", f"({link})", "won", link]
    beside = [Piece("captions", "x", f"a dog {link}"), Piece("ocr", "x", link)]
    for tokenizer in tokenizers.values():
        keep, fold = Views(tokenizer), Views(tokenizer, ContextConfig(links="fold"))
        for pieces in ([], beside):
            whole, folded = (views.encode_many([words], [pieces])[0] for views in (keep, fold))
            assert folded.words == whole.words == 4
            assert folded.cut == {"links": whole.tokens - folded.tokens}
            assert firsts(folded)[3] == fold.subwords.link_id
            assert (folded.windows[0] == fold.subwords.link_id).sum() >= 2 + len(pieces)
            check(folded, fold, words)


@pytest.mark.parametrize("coding", ["first", "pad"])
def test_post_of_links_alone_has_one_sub_token_a_word(tokenizers: dict[str, Tokenizer], coding: str) -> None:
    for tokenizer in tokenizers.values():
        options = ContextConfig(links="fold", word_pieces=2)
        views = Views(tokenizer, options, subtoken_labels="pad" if coding == "pad" else "first")
        (encoded,) = views.encode_many([[f"https://t.co/{number}" for number in range(30)]])
        assert encoded.tokens == 32
        assert encoded.first[:, 1].tolist() == list(range(1, 31))


def test_links_fold_before_long_words_are_cut(tokenizers: dict[str, Tokenizer]) -> None:
    words = ["http://t.co/abcdefghij", "a"]
    (whole,) = Views(tokenizers["bert"]).encode_many([words])
    (encoded,) = Views(tokenizers["bert"], ContextConfig(links="fold", word_pieces=1)).encode_many([words])
    assert (encoded.tokens, encoded.cut) == (4, {"links": whole.tokens - 4})


def test_budget_counts_a_link_of_the_context_as_one(tokenizers: dict[str, Tokenizer]) -> None:
    text = Piece("captions", "x", " ".join(f"http://t.co/abcdef{number}" for number in range(10)))
    options = ContextConfig(links="fold", budget={"captions": 4})
    (encoded,) = Views(tokenizers["bert"], options).encode_many([["a"]], [[text]])
    assert encoded.tokens == 2 + 1 + 1 + 4
    assert encoded.cut["captions"] == 6
