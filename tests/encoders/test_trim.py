"""Which pieces stay, so that words are read as before; and that the rest of an encoder fits them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from mner import encoders
from mner.encoders._trim import Vocabulary
from mner.errors import DataError, ModelError

LETTERS = "abcé"
WORDS = st.lists(st.text(LETTERS + "東", min_size=1, max_size=8), min_size=1, max_size=6)


def unigram(scores: dict[str, float]) -> Tokenizer:
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *scores.items()]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def wordpiece(pieces: list[str]) -> Tokenizer:
    vocabulary = {piece: id_ for id_, piece in enumerate([*pieces, "[PAD]", "[UNK]", "[CLS]", "[SEP]"])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    tokenizer.enable_padding(pad_id=vocabulary["[PAD]"], pad_token="[PAD]")
    return tokenizer


def written(tokenizer: Tokenizer, words: list[str]) -> dict[str, list[str]]:
    """The pieces of each word by their ids; the tokenizer's own list has an unknown piece's text."""
    ids = {word: tokenizer.encode(word, add_special_tokens=False).ids for word in words}
    return {word: [tokenizer.id_to_token(id_) for id_ in ids[word]] for word in words}


def trimmed(tokenizer: Tokenizer, words: list[str], folder: Path, top: int = 0) -> tuple[Tokenizer, Vocabulary]:
    """The tokenizer without the pieces that the words do not need."""
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    vocabulary = Vocabulary(folder / "tokenizer.json")
    coded = {word: tokenizer.encode(word, add_special_tokens=False).ids for word in words}
    keep = vocabulary.needed(coded, top=top)
    left = vocabulary.without({old: new for new, old in enumerate(keep)})
    return Tokenizer.from_str(json.dumps(left)), vocabulary


PIECES = st.text(LETTERS, min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(PIECES, st.integers(-6, -1).map(float), min_size=1, max_size=25), WORDS, st.booleans())
def test_unigrams_segment_the_words_as_before(
    tmp_path_factory: pytest.TempPathFactory, scores: dict[str, float], words: list[str], marked: bool
) -> None:
    """Whole scores, so that many segmentations are equally good."""
    pieces = {f"▁{piece}" if marked and len(piece) > 2 else piece: score for piece, score in scores.items()}
    tokenizer = unigram({"▁": -3.0, **pieces})
    left, _ = trimmed(tokenizer, words, tmp_path_factory.mktemp("unigram"))
    assert written(left, words) == written(tokenizer, words)


@settings(max_examples=150, deadline=None)
@given(st.sets(PIECES, min_size=1, max_size=25), st.sets(PIECES, max_size=25), WORDS)
def test_word_pieces_segment_the_words_as_before_even_unknown_ones(
    tmp_path_factory: pytest.TempPathFactory, starts: set[str], ends: set[str], words: list[str]
) -> None:
    tokenizer = wordpiece([*sorted(starts), *(f"##{piece}" for piece in sorted(ends))])
    left, _ = trimmed(tokenizer, words, tmp_path_factory.mktemp("wordpiece"))
    assert written(left, words) == written(tokenizer, words)


def test_unknown_word_stays_unknown_without_its_longest_piece(tmp_path: Path) -> None:
    """The longest match, ab, leads nowhere; without it, a and ##bc would match."""
    tokenizer = wordpiece(["a", "b", "ab", "##bc"])
    left, _ = trimmed(tokenizer, ["abc", "a", "b"], tmp_path)
    assert written(left, ["abc"]) == {"abc": ["[UNK]"]}


def test_what_stays_is_what_is_used_and_its_characters(tmp_path: Path) -> None:
    tokenizer = unigram({"▁": -1.0, "▁kevin": -2.0, "▁love": -2.5, "k": -6.0, "e": -6.0, "n": -7.0, "~": -8.0,
                         "ö": -6.0, "lov": -6.0, "▁rare": -9.0, "東京": -5.0, "東": -5.0, "▁🚀": -6.0})  # fmt: skip
    left, vocabulary = trimmed(tokenizer, ["kevin"], tmp_path)
    assert vocabulary.size == 17
    assert [left.id_to_token(id_) for id_ in range(left.get_vocab_size())] == [
        "<s>", "<pad>", "</s>", "<unk>", "▁", "▁kevin", "k", "e", "n", "~", "ö", "▁rare", "▁🚀",
    ]  # fmt: skip
    assert written(left, ["love"]) == {"love": ["▁", "<unk>", "e"]}
    more, _ = trimmed(tokenizer, ["kevin"], tmp_path, top=7)
    assert more.token_to_id("▁love") == 6


def test_every_id_of_a_tokenizer_follows(tmp_path: Path) -> None:
    """The control tokens stand at the end, so that each of them moves."""
    left, _ = trimmed(wordpiece(["x", "y", "##x", "##y", "xy"]), ["xy"], tmp_path)
    encoding = left.encode("xy")
    assert encoding.tokens == ["[CLS]", "xy", "[SEP]"]
    assert encoding.ids == [left.token_to_id(token) for token in encoding.tokens]
    assert left.padding["pad_id"] == left.token_to_id("[PAD]") < left.get_vocab_size()


@pytest.fixture
def make_encoder(tmp_path: Path) -> Callable[..., Path]:
    """Writes an encoder's folder whose vectors are their ids."""

    def make(tokenizer: Tokenizer, rows: int = 0, prefix: str = "", **about: Any) -> Path:
        folder = tmp_path / "whole"
        folder.mkdir()
        tokenizer.save(str(folder / "tokenizer.json"))
        size = rows or tokenizer.get_vocab_size()
        table = np.repeat(np.arange(size, dtype=np.float32)[:, None], 3, axis=1)
        weights = {f"{prefix}embeddings.word_embeddings.weight": table, "cls.bias": table[:, 0].copy(),
                   "encoder.weight": np.ones((2, 3), np.float32)}  # fmt: skip
        save_file(weights, folder / "model.safetensors")
        config = {"model_type": "bert", "vocab_size": size, "max_position_embeddings": 16, **about}
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    return make


def test_each_piece_keeps_its_vector(make_encoder: Callable[..., Path], tmp_path: Path) -> None:
    tokenizer = unigram({"▁": -1.0, "▁xxl": -2.0, "▁yes": -2.5, "x": -6.0, "y": -6.0})
    whole = make_encoder(tokenizer, rows=14, prefix="bert.", pad_token_id=1, mask_token_id=13, eos_token_id=[1, 13])
    ids = tokenizer.encode("yes", add_special_tokens=False).ids
    result = encoders.trim(str(whole), {"yes": ids}, tmp_path / "small")
    assert (result.pieces, result.before, result.size_before) == (8, 9, encoders.find(str(whole)).size)
    left = Tokenizer.from_file(str(result.files.tokenizer))
    weights = load_file(result.files.folder / "model.safetensors")
    for id_ in range(left.get_vocab_size()):
        old = float(tokenizer.token_to_id(left.id_to_token(id_)))
        assert weights["bert.embeddings.word_embeddings.weight"][id_].tolist() == [old] * 3
        assert weights["cls.bias"][id_] == old
    assert weights["encoder.weight"].shape == (2, 3)
    config = json.loads((result.files.folder / "config.json").read_text())
    assert config["trimmed"] == {"from": str(whole), "pieces": 9}
    assert (config["vocab_size"], config["pad_token_id"]) == (len(weights["cls.bias"]), 1)
    assert "mask_token_id" not in config and config["eos_token_id"] == [1]


def test_what_cannot_lose_pieces_is_refused(make_encoder: Callable[..., Path], tmp_path: Path) -> None:
    bpe = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    with pytest.raises(ModelError, match=r"of the kind BPE; .*Unigram .* and WordPiece"):
        encoders.trim(str(make_encoder(bpe)), {}, tmp_path / "small")
    assert not (tmp_path / "small").exists()


@pytest.mark.parametrize(
    ("tokenizer", "about", "message"),
    [
        (wordpiece(["a", "b"]), {"rows": 3}, r"a vector for each of 6 pieces, found 3"),
        (wordpiece(["aa", "b"]), {"model_type": "mpnet", "pad_token_id": 2}, r"numbers positions from its padding"),
    ],
)
def test_folder_that_does_not_fit_is_refused(
    make_encoder: Callable[..., Path], tmp_path: Path, tokenizer: Tokenizer, about: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        encoders.trim(str(make_encoder(tokenizer, **about)), {}, tmp_path / "small")
    assert not list(tmp_path.glob(".small*")) and not (tmp_path / "small").exists()


def test_existing_folder_stays(make_encoder: Callable[..., Path], tmp_path: Path) -> None:
    whole = make_encoder(wordpiece(["a"]))
    with pytest.raises(DataError, match="exists already"):
        encoders.trim(str(whole), {}, whole)


@pytest.mark.parametrize("tokenizer", [wordpiece(["aa", "b"]), unigram({"▁": -1.0, "▁aa": -2.0, "a": -5.0})])
def test_older_files_that_leave_out_the_kind_are_trimmed(
    make_encoder: Callable[..., Path], tmp_path: Path, tokenizer: Tokenizer
) -> None:
    folder = make_encoder(tokenizer, rows=14)
    path = folder / "tokenizer.json"
    settings = json.loads(path.read_text())
    del settings["model"]["type"]
    path.write_text(json.dumps(settings))
    result = encoders.trim(
        str(folder), {"aa": tokenizer.encode("aa", add_special_tokens=False).ids}, tmp_path / "small"
    )
    assert written(Tokenizer.from_file(str(result.files.tokenizer)), ["aa"]) == written(tokenizer, ["aa"])


def test_weights_in_a_format_that_numpy_lacks_are_named(
    make_encoder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is with bfloat16, unless another package has taught numpy the format."""

    def load(path: Path) -> None:
        raise TypeError("data type 'bfloat16' not understood")

    folder = make_encoder(wordpiece(["a"]))
    monkeypatch.setattr("safetensors.numpy.load_file", load)
    with pytest.raises(ModelError, match=r"bfloat16.*; save the encoder in float32 or float16 first"):
        encoders.trim(str(folder), {}, tmp_path / "small")


def test_pieces_left_unused_are_not_among_the_first(tmp_path: Path) -> None:
    tokenizer = wordpiece(["[unused0]", "[unused1]", "city", "town", "x"])
    left, _ = trimmed(tokenizer, ["x"], tmp_path, top=5)  # after three control tokens and [PAD]
    assert "city" in left.get_vocab()
    assert "[unused0]" not in left.get_vocab()


def test_another_copy_like_a_trimmed_one_is_the_same(tiny_encoder: Path, tmp_path: Path) -> None:
    coded = {"Kevin": Tokenizer.from_file(str(tiny_encoder / "tokenizer.json")).encode("Kevin").ids}
    first = encoders.trim(str(tiny_encoder), coded, tmp_path / "first")
    again = encoders.trim_like(str(tiny_encoder), first.files.tokenizer, tmp_path / "again")
    assert again[1:] == first[1:]
    for file in sorted(first.files.folder.iterdir()):
        assert (again.files.folder / file.name).read_bytes() == file.read_bytes(), file.name


def test_copy_like_the_tokenizer_of_another_encoder_is_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    other = tmp_path / "tokenizer.json"
    wordpiece(["Kevin", "Love"]).save(str(other))
    with pytest.raises(ModelError, match=r"its 6 pieces are not pieces of .* in the same order; name the encoder"):
        encoders.trim_like(str(tiny_encoder), other, tmp_path / "out")
    assert not (tmp_path / "out").exists()
