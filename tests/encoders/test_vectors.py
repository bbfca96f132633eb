"""Files of word vectors in all published forms -> an encoder's folder."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from mner import encoders
from mner.encoders._vectors import SPECIAL, read_vectors
from mner.errors import DataError
from mner.runtime.torch import load_encoder

WORDS = ["the", ". . .", "zürich"]
VECTORS = np.array([[0.5, -1.25], [2.0, 0.0], [-3.5, 4.0]], np.float32)


def glove() -> bytes:
    return "".join(f"{w} {a} {b}\n" for w, (a, b) in zip(WORDS, VECTORS.tolist(), strict=True)).encode()


def binary(words: list[str] = WORDS) -> bytes:
    rows = zip(words, VECTORS, strict=True)
    return b"3 2\n" + b"".join(word.encode() + b" " + row.astype("<f4").tobytes() + b"\n" for word, row in rows)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("glove.txt", glove(), WORDS),
        ("word2vec.txt", b"3 2\n" + glove(), WORDS),
        ("word2vec.bin", binary(["the", "...", "zürich"]), ["the", "...", "zürich"]),
        ("twice.txt", glove() + b"the 9 9\n", WORDS),
        ("numbers.txt", glove().replace(b"the", b"7").replace(b". . .", b"1e3"), ["7", "1e3", "zürich"]),
        ("end.txt", glove() + b"\n \n", WORDS),
        ("mark.txt", b"\xef\xbb\xbf" + glove(), WORDS),
        ("blanks.txt", glove().replace(b"z\xc3\xbcrich", b"at name@domain.com"), [*WORDS[:2], "at name@domain.com"]),
    ],
)
def test_every_published_form_is_read(name: str, content: bytes, words: list[str], tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    read, vectors = read_vectors(tmp_path / name)
    assert read == words
    np.testing.assert_array_equal(vectors, VECTORS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", glove() + b"broken 1.0\n", r"a\.txt:4: expected a word and 2 numbers, found 2 columns"),
        (
            "a.txt",
            glove() + b"broken 1.0 x\n",
            r"a\.txt:4: not a number among the 2 of 'broken'; download the file again",
        ),
        ("a.txt", glove() + b"broken nan 1\n", r"a\.txt:4: a number is not finite"),
        ("a.txt", b"\xff\xfe 1 2\n", r"a\.txt:1: not UTF-8"),
        ("a.txt", b"word\n", r"a\.txt:1: expected a word and its numbers, found no number; download the file again"),
        ("a.txt", b"first 0.5\n" + glove(), r"a\.txt: lines 1 and 2 differ in .* \(1 and 2\); download"),
        ("a.txt", b"first 0.5 1 2\n" + glove(), r"a\.txt: lines 1 and 2 differ in .* \(3 and 2\)"),
        ("a.txt", glove() + b"long 1 2 3\n", r"a\.txt:4: expected a word and 2 numbers, found 'long 1' before"),
        ("a.txt", glove() + b"two 1 2lines 3 4\n", r"a\.txt:4: expected .*'two 1 2lines'.*; download the file again"),
        ("a.txt", b"4 2\n" + glove() + b"long 1 2 3\n", r"a\.txt:5: expected a word and 2 numbers"),
        ("a.txt", b"3 0\n" + glove(), r"a\.txt:1: says that vectors have 0 numbers; download the file again"),
        ("a.bin", b"2 0\na b ", r"a\.bin:1: says that vectors have 0 numbers"),
        ("a.txt", b"", r"holds no word vector"),
        ("a.txt", b"5 2\n" + glove(), r"a\.txt: ends after 3 of 5 words; download the file again"),
        ("a.txt", b"5 2\n", r"a\.txt: ends after 0 of 5 words"),
        ("a.bin", glove(), r'expected a first line "words width"'),
        ("a.txt", glove() + b"\n\nthe 9 9\n", r"a\.txt:4: expected a word and 2 numbers"),
        ("a.txt", glove().replace(b" ", b"\t"), r"a\.txt:1: tabs between the numbers; expected blanks"),
        ("a.txt.gz", gzip.compress(glove(), mtime=0), r"a\.txt\.gz: packed; unpack it"),
        ("a.bin", gzip.compress(binary(), mtime=0), r"a\.bin: packed; unpack it"),
        ("a.bin", binary()[:-9], r"ends inside word 3 of 3"),
    ],
)
def test_damaged_file_names_the_line(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_vectors(tmp_path / name)


def test_folder_gives_each_word_its_vector_and_unknown_ones_the_mean(tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_bytes(glove())
    files = encoders.take(tmp_path / "glove.txt", tmp_path / "encoder")
    tokenizer = Tokenizer.from_file(str(files.tokenizer))
    ids = tokenizer.encode(["The", "Zürich", "never"], is_pretokenized=True, add_special_tokens=False).ids
    table = load_encoder(files.folder).get_input_embeddings().weight.detach().numpy()  # type: ignore[operator]
    assert len(table) == len(SPECIAL) + len(WORDS)
    np.testing.assert_allclose(table[ids], [VECTORS[0], VECTORS[2], VECTORS.mean(0)])
    assert not table[SPECIAL.index("[SEP]")].any()


def test_existing_folder_is_kept(tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_bytes(glove())
    (tmp_path / "encoder").mkdir()
    with pytest.raises(DataError, match="exists already"):
        encoders.take(tmp_path / "glove.txt", tmp_path / "encoder")
