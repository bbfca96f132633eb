from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mner import encoders
from mner.encoders import _files
from mner.errors import ModelError


def test_find_takes_a_folder_as_it_is(make: Callable[..., Path]) -> None:
    folder = make(model_type="bert", max_position_embeddings=512)
    result = encoders.find(str(folder))
    assert (result.folder, result.tokenizer, result.name) == (folder, folder / "tokenizer.json", str(folder))
    assert result.max_tokens == 512
    assert result.size == sum(path.stat().st_size for path in folder.iterdir())


@pytest.mark.parametrize(
    ("config", "settings", "expected"),
    [
        ({"model_type": "bert", "max_position_embeddings": 512}, {"model_max_length": 128}, 512),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}, {}, 512),
        ({"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 1}, {}, 512),
        ({"model_type": "xlnet"}, {"model_max_length": 1024}, 1024),
        ({"model_type": "xlnet"}, {"model_max_length": 10**30}, 512),
        ({}, None, 512),
    ],
)
def test_max_tokens_of(
    make: Callable[..., Path], config: dict[str, Any], settings: dict[str, Any] | None, expected: int
) -> None:
    folder = make(**config)
    if settings is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    assert encoders.find(str(folder)).max_tokens == expected


def test_find_takes_weights_in_several_files(make: Callable[..., Path]) -> None:
    folder = make()
    shard = (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"weight": shard.name}}))
    assert encoders.find(str(folder)).folder == folder
    shard.unlink()
    with pytest.raises(ModelError, match=r"of-00001\.safetensors: missing, though .*index\.json names it"):
        encoders.find(str(folder))


@pytest.mark.parametrize("left", [0, 7, 40, -1])
def test_find_refuses_weights_that_were_cut_off(make: Callable[..., Path], left: int) -> None:
    weights = make() / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:left])
    with pytest.raises(ModelError, match=r"model\.safetensors: damaged or cut off \(.*\); copy or fetch it again"):
        encoders.find(str(weights.parent))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", None, r"config\.json: missing; an encoder's folder has"),
        ("config.json", "{", r"config\.json: damaged \("),
        ("config.json", "[]", r"config\.json: expected a JSON object"),
        ("model.safetensors", None, r"no model\.safetensors: copy"),
        ("tokenizer.json", None, r"no tokenizer\.json and no vocabulary"),
    ],
)
def test_find_names_what_is_wrong(make: Callable[..., Path], file: str, content: str | None, message: str) -> None:
    folder = make()
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    with pytest.raises(ModelError, match=message):
        encoders.find(str(folder))


def test_find_refuses_pickle(make: Callable[..., Path]) -> None:
    folder = make()
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"a pickle, which mner does not read; convert it"):
        encoders.find(str(folder))


@pytest.fixture
def vocabulary_only(make: Callable[..., Path]) -> Path:
    """A folder as it was before tokenizer.json existed."""
    folder = make(tokenizer=False, model_type="bert", max_position_embeddings=512)
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "kevin", "love"]) + "\n")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizerFast", "do_lower_case": true}')
    return folder


def test_tokenizer_is_built_once_from_a_vocabulary(vocabulary_only: Path, cache: Path) -> None:
    from mner.views import Subwords

    before = {path.name for path in vocabulary_only.iterdir()}
    result = encoders.find(str(vocabulary_only))
    assert result.tokenizer.parent == cache / "tokenizers"
    assert {path.name for path in vocabulary_only.iterdir()} == before
    subwords = Subwords(result.tokenizer)
    assert subwords.decode(subwords.encode_words(["Kevin"])[0].ids) == ["kevin"]
    written = result.tokenizer.stat().st_mtime_ns
    assert encoders.find(str(vocabulary_only)).tokenizer.stat().st_mtime_ns == written


def test_tokenizer_without_transformers_says_how(vocabulary_only: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str, *rest: Any) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(_files.importlib, "import_module", absent)
    with pytest.raises(ModelError, match=r'vocab\.txt but no tokenizer\.json.*pip install "mner\[train\]"'):
        _files.of_folder(vocabulary_only, "old")


def test_of_model_reads_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    result = encoders.of_model(tmp_path, {"name": "embedded:minilm", "max_tokens": 512, "pad_id": 0})
    assert (result.name, result.max_tokens, result.folder) == ("embedded:minilm", 512, tmp_path / "encoder")
    with pytest.raises(ModelError, match=r"model\.json: encoder lacks"):
        encoders.of_model(tmp_path, {"name": "x"})
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer\.json: missing"):
        encoders.of_model(tmp_path, {"name": "x", "max_tokens": 1})


def test_verify_reads_a_file_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"abc")
    pinned = {"weights": _files.sha256(path)}
    read: list[Path] = []
    real = _files.sha256
    monkeypatch.setattr(_files, "sha256", lambda each: read.append(each) or real(each))
    for _ in range(2):
        _files.verify(tmp_path, pinned, hint="fetch it")
    assert len(read) == 1
    path.write_bytes(b"abd")
    os.utime(path, (0, 0))
    with pytest.raises(ModelError, match=r"weights: damaged or changed \(sha256 .*; fetch it"):
        _files.verify(tmp_path, pinned, hint="fetch it")
    path.unlink()
    with pytest.raises(ModelError, match="weights: missing; fetch it"):
        _files.verify(tmp_path, pinned, hint="fetch it")


@pytest.mark.parametrize("remembered", ["{", "[]", '{"a": 1}'])
def test_verify_survives_a_damaged_memory(tmp_path: Path, cache: Path, remembered: str) -> None:
    cache.mkdir(parents=True)
    (cache / "verified.json").write_text(remembered)
    (tmp_path / "weights").write_bytes(b"abc")
    _files.verify(tmp_path, {"weights": _files.sha256(tmp_path / "weights")}, hint="")
    assert len(json.loads((cache / "verified.json").read_text())) >= 1


def test_verify_works_without_a_cache_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "file" / "below"))
    _files.verify(tmp_path, {"file": _files.sha256(tmp_path / "file")}, hint="")


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNER_CACHE", "/somewhere")
    assert _files.cache_folder() == Path("/somewhere/encoders")
    monkeypatch.delenv("MNER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert _files.cache_folder() == Path("/x/mner/encoders")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert _files.cache_folder() == Path.home() / ".cache/mner/encoders"
