"""Files of word vectors, as GloVe and word2vec publish them -> an encoder's folder: one vector a word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain, islice, takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mner.errors import DataError

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
"""The entries in front of the words; that of unknown words is the mean of all vectors, the others are zeros."""

MOST = 20_000_000_000
"""Bytes that a file of vectors may have."""

PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zX")
"""How files begin that gzip, zip, bzip2 and xz made."""

_CHUNK = 1 << 20  # bytes read at once of a binary file


def read_vectors(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """The words of a file and their vectors (word, width); of a word that stands there twice the first one.

    ``.bin`` is word2vec's binary form: a line "words width", then each word, a blank, and its numbers as float32 of
    little-endian order. All else is text: a word and its numbers a line, as GloVe writes it, perhaps under such a first
    line, as word2vec does. A word may hold blanks.

    Raises:
        DataError: The file is missing or damaged; the message names the line.
    """
    try:
        size = path.stat().st_size
        if size > MOST:
            raise DataError(f"{path}: {size:,} bytes; a file of word vectors may have {MOST:,}")
        pairs = _binary(path) if path.suffix == ".bin" else _text(path)
        words: dict[str, NDArray[np.float32]] = {}
        for word, vector in pairs:
            words.setdefault(word, vector)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror}; name a file of word vectors or a checkpoint's folder"
        ) from None
    if not words:
        raise DataError(f"{path}: holds no word vector; expected a word and its numbers on each line")
    return list(words), np.stack(list(words.values()))


def write_vectors(words: Sequence[str], vectors: NDArray[np.float32], folder: Path) -> None:
    """Write an encoder's folder: config.json, tokenizer.json and model.safetensors, in the Hugging Face layout.

    The tokenizer takes a whole word as one piece, in lower case where no word of the file has a capital.

    Args:
        words: Each once; those spelled like ``SPECIAL`` are left out.
        vectors: (word, width).
        folder: An empty folder.
    """
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, normalizers, processors

    places = [place for place, word in enumerate(words) if word not in SPECIAL]
    known = [*SPECIAL, *(words[place] for place in places)]
    table = np.zeros((len(known), vectors.shape[1]), np.float32)
    table[len(SPECIAL) :] = vectors[places]
    table[SPECIAL.index("[UNK]")] = vectors.mean(0, dtype=np.float64)
    ids = {word: number for number, word in enumerate(known)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))  # noqa: S106 (no password)
    if all(words[place] == words[place].lower() for place in places):
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(token, ids[token]) for token in ("[CLS]", "[SEP]")]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    about = {
        "model_type": "mner-word-vectors",
        "architectures": ["WordVectors"],
        "vocab_size": len(known),
        "hidden_size": int(vectors.shape[1]),
        "pad_token_id": 0,
    }
    (folder / "config.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    save_file({"embedding.weight": table}, folder / "model.safetensors", metadata={"format": "pt"})


def _text(path: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    count = number = 0
    with path.open("rb") as file:
        if file.peek(4)[:4].startswith(PACKED):
            raise DataError(f"{path}: packed; unpack it and name the file that is inside")
        lines = _but_last_blanks((number, _line(path, number, raw)) for number, raw in enumerate(file, 1))
        first = list(islice(lines, 2))
        head = first[0][1].split(" ") if first else []
        if len(head) == 2 and all(part.isdigit() for part in head):
            count, width = _sizes(head, path)
            number, _ = first.pop(0)
        else:
            width = _width([line for _, line in first], path)
        for number, line in chain(first, lines):
            cut = line.rsplit(" ", width)
            if len(cut) != width + 1:
                raise DataError(
                    f"{path}:{number}: expected a word and {width} numbers, found {line.count(' ') + 1} columns; "
                    "download the file again"
                )
            if " " in cut[0] and any(map(_is_number, cut[0].split(" ")[1:])):
                raise DataError(
                    f"{path}:{number}: expected a word and {width} numbers, found {cut[0][:60]!r} before the last "
                    f"{width}, a number too many or two lines in one; download the file again"
                )
            try:
                vector = np.array(cut[1:], np.float32)
            except ValueError:
                raise DataError(
                    f"{path}:{number}: not a number among the {width} of {cut[0]!r}; download the file again"
                ) from None
            yield cut[0], _finite(vector, f"{path}:{number}")
    if 0 < count >= number:
        raise DataError(f"{path}: ends after {number - 1:,} of {count:,} words; download the file again")


def _but_last_blanks(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines without blank ones at the end, which some files have."""
    hole: tuple[int, str] | None = None  # in the middle of a file it is a fault
    for number, line in lines:
        if line and hole:
            yield hole
        if line:
            yield number, line
        hole = None if line else hole or (number, line)


def _line(path: Path, number: int, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n ")
    except UnicodeDecodeError:
        raise DataError(f"{path}:{number}: not UTF-8; download the file again") from None


def _width(first: Sequence[str], path: Path) -> int:
    """The numbers of a vector in a file without a header, of which the first two lines are given."""
    widths = []
    for line in first:
        parts = line.split(" ")
        numbers = sum(1 for _ in takewhile(_is_number, reversed(parts)))
        widths.append(min(numbers, len(parts) - 1))  # a word may be a number, too
    if len(set(widths)) > 1:
        raise DataError(
            f"{path}: lines 1 and 2 differ in how many numbers they have ({widths[0]} and {widths[1]}); download the "
            "file again"
        )
    if any("\t" in line for line in first):
        raise DataError(f"{path}:1: tabs between the numbers; expected blanks, as in the files of GloVe and word2vec")
    if widths and not widths[0]:
        raise DataError(f"{path}:1: expected a word and its numbers, found no number; download the file again")
    return widths[0] if widths else 0


def _sizes(head: Sequence[str] | Sequence[bytes], path: Path) -> tuple[int, int]:
    """How many words a file has, and how wide their vectors are, of its header."""
    count, width = int(head[0]), int(head[1])
    if not width:
        raise DataError(f"{path}:1: says that vectors have 0 numbers; download the file again")
    return count, width


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _binary(path: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    with path.open("rb") as file:
        if file.peek(4)[:4].startswith(PACKED):
            raise DataError(f"{path}: packed; unpack it and name the file that is inside")
        head = file.readline(64).split()
        if len(head) != 2 or not all(part.isdigit() for part in head):
            raise DataError(f'{path}: expected a first line "words width"; a text file of vectors must not end in .bin')
        count, width = _sizes(head, path)
        size = 4 * width
        rest = b""
        for number in range(1, count + 1):
            while (blank := rest.find(b" ")) < 0 or len(rest) < blank + 1 + size:
                more = file.read(max(_CHUNK, size))
                if not more or (blank < 0 and len(rest) > _CHUNK):
                    raise DataError(f"{path}: ends inside word {number:,} of {count:,}; download the file again")
                rest += more
            vector = np.frombuffer(rest[blank + 1 : blank + 1 + size], "<f4").astype(np.float32)
            word = rest[:blank].lstrip(b"\n").decode("utf-8", errors="replace")
            rest = rest[blank + 1 + size :]
            yield word, _finite(vector, f"{path}: word {number:,} ({word!r})")


def _finite(vector: NDArray[np.float32], where: str) -> NDArray[np.float32]:
    if not np.isfinite(vector).all():
        raise DataError(f"{where}: a number is not finite; download the file again")
    return vector
