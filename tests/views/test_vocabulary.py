"""An encoder trimmed to files of posts and contexts: their words are read as before, by the same vectors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from mner import encoders
from mner.errors import DataError, ModelError
from mner.views import Subwords
from mner.views import vocabulary as module
from mner.views.vocabulary import trim

POSTS = "Kevin\tB-PER\nLove\tI-PER\nis\tO\nback\tO\n🚀\tO\n</s>\tO\n[SEP]\tO\n<mask>\tO\n\n"
CONTEXT = {"image": "1.jpg", "status": "ok", "captions": [{"text": "a dog on a bike"}], "tags": [{"object": "city"}],
           "ocr": [{"text": "MADRID"}]}  # fmt: skip


@pytest.fixture
def whole(tmp_path: Path) -> Callable[[Tokenizer], Path]:
    """Writes an encoder with this tokenizer."""

    def make(tokenizer: Tokenizer) -> Path:
        folder = tmp_path / "whole"
        folder.mkdir()
        tokenizer.save(str(folder / "tokenizer.json"))
        size = max(tokenizer.get_vocab().values()) + 1
        table = np.random.default_rng(0).normal(size=(size, 4)).astype(np.float32)
        save_file({"embeddings.word_embeddings.weight": table}, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps({"model_type": "bert", "max_position_embeddings": 64}))
        return folder

    return make


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "posts.txt").write_text(POSTS, encoding="utf-8")
    (tmp_path / "contexts.jsonl").write_text(json.dumps(CONTEXT) + "\n", encoding="utf-8")
    return tmp_path / "posts.txt", tmp_path / "contexts.jsonl"


def vectors(folder: Path, words: list[str]) -> list[list[list[float]]]:
    """Of each word, the vectors of its sub-tokens."""
    table = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
    return [table[list(word.ids)].tolist() for word in Subwords(folder / "tokenizer.json").encode_words(words)]


@pytest.mark.parametrize("family", ["bert", "mpnet", "xlmr"])
def test_words_of_the_files_keep_their_vectors(
    whole: Callable[[Tokenizer], Path], tokenizer: Tokenizer, files: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = whole(tokenizer)
    posts, contexts = files
    result = trim(str(folder), [posts], tmp_path / "small", contexts=[contexts])
    assert result.pieces < result.before
    assert result.files.name == str(tmp_path / "small")
    words = [line.partition("\t")[0] for line in POSTS.split("\n") if line]
    words += ["a", "dog", "on", "bike", "city", "MADRID"]
    assert vectors(folder, words) == vectors(result.files.folder, words)
    other = Subwords(result.files.tokenizer).encode_words(["Cleveland", "people", "</s>"])
    assert all(word.ids for word in other)


@pytest.mark.parametrize("family", ["roberta"])
def test_merges_are_refused(
    whole: Callable[[Tokenizer], Path], tokenizer: Tokenizer, files: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="of the kind BPE"):
        trim(str(whole(tokenizer)), [files[0]], tmp_path / "small")


@pytest.mark.parametrize("family", ["bert"])
def test_copy_that_reads_a_word_otherwise_is_not_kept(
    whole: Callable[[Tokenizer], Path], tokenizer: Tokenizer, files: tuple[Path, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(module.encoders, "trim", lambda name, coded, out, **_: encoders_trim(name, {}, out))
    with pytest.raises(ModelError, match=re.escape('without the other pieces "')):
        trim(str(whole(tokenizer)), [files[0]], tmp_path / "small")
    assert not (tmp_path / "small").exists()


encoders_trim = encoders.trim


@pytest.mark.parametrize("family", ["bert"])
def test_files_without_words_are_refused(
    whole: Callable[[Tokenizer], Path], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(DataError, match="no word to keep pieces for"):
        trim(str(whole(tokenizer)), [tmp_path / "empty.jsonl"], tmp_path / "small", format="jsonl")


def test_what_stands_beside_a_folded_link_keeps_its_pieces(whole: Callable[[Tokenizer], Path], tmp_path: Path) -> None:
    """Written as a whole, "withttp" begins with another piece."""
    pieces = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "with", "##ttp", "wit", "w", "##i", "##t", "http", ":", "/", "t", "x"]
    tokenizer = Tokenizer(WordPiece({piece: id_ for id_, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.add_special_tokens(pieces[:4])
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    (tmp_path / "posts.txt").write_text("withttp://t/x\tO\n\n", encoding="utf-8")
    folder = whole(tokenizer)
    result = trim(str(folder), [tmp_path / "posts.txt"], tmp_path / "small")
    assert vectors(folder, ["wit"]) == vectors(result.files.folder, ["wit"])
