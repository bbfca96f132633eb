"""What a saved model says of itself: anything that mner does not write is refused with a ModelError."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import mner
from mner.errors import ModelError
from mner.runtime import read_model
from mner.runtime.manifest import checksum
from mner.runtime.saved import seal

Manifest = dict[str, Any]
MUTANTS = 150


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def rewrite(folder: Path, change: Callable[[Manifest], None], *, sealed: bool = True) -> None:
    """Change model.json as somebody would who also writes its checksum, or as mner 0.1 wrote it, without one."""
    manifest: Manifest = json.loads((folder / "model.json").read_text())
    change(manifest)
    manifest.pop("sha256", None)
    if sealed:
        manifest["sha256"] = checksum(manifest)
    (folder / "model.json").write_text(json.dumps(manifest))


def reseal(folder: Path) -> None:
    manifest = json.loads((folder / "model.json").read_text())
    seal(folder, {key: value for key, value in manifest.items() if key not in {"format", "mner", "files", "sha256"}})


def assign(*path: str, value: Any) -> Callable[[Manifest], None]:
    def change(manifest: Manifest) -> None:
        table = manifest
        for key in path[:-1]:
            table = table[key]
        table[path[-1]] = value

    return change


def reverse(manifest: Manifest) -> None:
    manifest["labels"].reverse()


def old(folder: Path) -> str:
    """The fingerprint of a model as mner 0.1 computed it."""
    import hashlib

    files = json.loads((folder / "model.json").read_text())["files"]
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12]


WRONG: list[tuple[Callable[[Manifest], None], str]] = [
    (reverse, "labels: expected O"),
    (assign("labels", value=["O", "B-PER", "I-PER", "E-PER", "S-PER", "S-PER"]), "labels"),
    (assign("labels", value=["O", "PER"]), "labels"),
    (assign("labels", value=["O", "B-PER", "I-PER"]), "labels"),
    (assign("labels", value=[]), "labels"),
    (assign("labels", value=[1, 2]), "labels"),
    (assign("labels", value="O"), "labels"),
    (assign("files", value=[]), "files"),
    (assign("files", value={}), "files: lacks"),
    (assign("files", value=None), "files"),
    (assign("files", "config.toml", value=3), "files"),
    (assign("files", "a\0b", value="0" * 64), "files"),
    (assign("files", "/etc/passwd", value="0" * 64), "outside the model"),
    (assign("files", "../secret", value="0" * 64), "outside the model"),
    (assign("files", "encoder", value="0" * 64), "expected a regular file"),
    (assign("encoder", value=[]), "encoder"),
    (assign("encoder", "name", value=None), "encoder"),
    (assign("encoder", "max_tokens", value="512"), r"encoder\.max_tokens"),
    (assign("encoder", "max_tokens", value=True), r"encoder\.max_tokens"),
    (assign("encoder", "max_tokens", value=0), r"encoder\.max_tokens"),
    (assign("encoder", "max_tokens", value=-1), r"encoder\.max_tokens"),
    (assign("encoder", "max_tokens", value=2), "leaves no room for words"),
    (assign("encoder", "pad_id", value=-1), r"encoder\.pad_id"),
    (assign("encoder", "pad_id", value=0.5), r"encoder\.pad_id"),
    (assign("encoder", "pad_id", value=100_000), "tokenizer's padding is 0"),
    (assign("views", value=[]), "views"),
    (assign("views", value=["I+T", 3]), "views"),
    (assign("onnx", value=3), "onnx"),
    (assign("format", value=[]), "format"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
@pytest.mark.parametrize("sealed", [True, False])
def test_value_that_mner_does_not_write_is_refused(
    copy: Path, change: Callable[[Manifest], None], message: str, sealed: bool
) -> None:
    rewrite(copy, change, sealed=sealed)
    with pytest.raises(ModelError, match=message):
        mner.load(copy)(" ".join(["Kevin"] * 40 + ["Cleveland"]))


def test_any_change_to_the_manifest_of_a_new_model_is_noticed(copy: Path) -> None:
    manifest = json.loads((copy / "model.json").read_text())
    manifest["encoder"]["max_tokens"] = 64
    (copy / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=r"model\.json: changed since the model was saved"):
        read_model(copy)


def test_model_of_the_last_release_loads_and_keeps_its_fingerprint(copy: Path) -> None:
    rewrite(copy, lambda manifest: manifest.pop("views"), sealed=False)
    saved = read_model(copy)
    assert saved.fingerprint == old(copy)
    assert saved.views == ("T", "I+T")


@pytest.mark.parametrize("sealed", [True, False])
def test_labels_are_part_of_what_predictions_depend_on(copy: Path, sealed: bool) -> None:
    rewrite(copy, lambda manifest: None, sealed=sealed)
    before = mner.load(copy).settings
    renamed = [label.replace("PER", "PERSON") for label in read_model(copy).labels]
    rewrite(copy, assign("labels", value=renamed), sealed=sealed)
    assert mner.load(copy).settings != before


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("name", ["crf.transitions", "crf.start", "emission.bias"])
def test_learned_array_with_no_number_in_it_is_refused_by_name(copy: Path, name: str, value: float) -> None:
    head = load_file(copy / "head.safetensors")
    head[name].flat[1] = value
    save_file(head, copy / "head.safetensors")
    reseal(copy)
    with pytest.raises(ModelError, match=rf"head\.safetensors: {name}"):
        read_model(copy)


def test_encoder_weights_with_no_number_in_them_are_no_empty_answer(copy: Path) -> None:
    path = copy / "encoder" / "model.safetensors"
    weights = load_file(path)
    weights[next(name for name in weights if "layer.0" in name)][:] = np.nan
    save_file(weights, path, metadata={"format": "pt"})
    reseal(copy)
    with pytest.raises(ModelError, match="not numbers"):
        mner.load(copy)("Kevin Love is back in Cleveland")


def test_file_that_the_manifest_does_not_list_is_not_loaded(copy: Path) -> None:
    (copy / "model.onnx").write_bytes(b"not listed")
    assert mner.load(copy)("Kevin Love").view == "T"
    (copy / "encoder" / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"adapter_config\.json: not a file of this model"):
        read_model(copy)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
@pytest.mark.parametrize("name", ["tokenizer.json", "head.safetensors", "config.toml", "model.json"])
def test_fifo_in_the_place_of_a_file_is_refused_at_once(copy: Path, name: str) -> None:
    (copy / name).unlink()
    os.mkfifo(copy / name)
    with pytest.raises(ModelError):
        read_model(copy)


def test_configuration_of_a_model_builds_on_no_other_file(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('name = "other"\n')
    text = (copy / "config.toml").read_text()
    (copy / "config.toml").write_text('base = "../base.toml"\n' + text)
    reseal(copy)
    with pytest.raises(ModelError, match="base: unknown key"):
        read_model(copy)


def test_device_of_an_old_model_does_not_keep_it_from_loading(copy: Path) -> None:
    text = (copy / "config.toml").read_text()
    assert 'device = "auto"' in text
    (copy / "config.toml").write_text(text.replace('device = "auto"', 'device = "gpu"'))
    reseal(copy)
    assert read_model(copy).config.training.device == "auto"


PANICS: list[Callable[[Manifest], None]] = [
    assign("pre_tokenizer", value={"type": "FixedLength", "length": 0}),
    assign("normalizer", value={"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
    assign("post_processor", "special_tokens", value={}),
    assign("model", "vocab", value={"a": 0}),
    assign("model", value=None),
]


@pytest.mark.parametrize("change", PANICS)
def test_tokenizer_that_fails_or_panics_is_a_model_error(copy: Path, change: Callable[[Manifest], None]) -> None:
    tokenizer = json.loads((copy / "tokenizer.json").read_text())
    change(tokenizer)
    (copy / "tokenizer.json").write_text(json.dumps(tokenizer))
    reseal(copy)
    with pytest.raises(ModelError, match="tokenizer"):
        mner.load(copy)("Kevin Love is back in Cleveland")


def test_mutated_models_are_refused_or_read_but_never_crash(tiny_model: Path, tmp_path: Path) -> None:
    """Bytes and JSON values of each file changed at random, checksums written again: a ModelError or a prediction."""
    chance = random.Random(20)
    names = ["model.json", "config.toml", "head.safetensors", "tokenizer.json", "encoder/config.json"]
    refused = 0
    for number in range(MUTANTS):
        folder = tmp_path / str(number)
        shutil.copytree(tiny_model, folder, copy_function=os.link)
        path = folder / names[number % len(names)]
        content = path.read_bytes()
        path.unlink()  # it is a link to the model that all tests share
        path.write_bytes(_values(content, chance) if path.suffix == ".json" else _bytes(content, chance))
        if path.name != "model.json":
            manifest = folder / "model.json"
            before = manifest.read_bytes()
            manifest.unlink()
            manifest.write_bytes(before)
            reseal(folder)
        try:
            mner.load(folder)("Kevin Love is back in Cleveland", context="two people")
        except ModelError as error:
            refused += 1
            assert str(error)
        shutil.rmtree(folder)
    assert refused > MUTANTS // 4


def _bytes(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(min(len(changed), 2_000))
        kind = chance.randrange(3)
        if kind == 0:
            changed[place] = chance.randrange(256)
        elif kind == 1:
            del changed[place : place + chance.randint(1, 40)]
        else:
            changed[place:place] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 9)))
    return bytes(changed)


ODD = (None, True, 0, -1, 1e30, 2**70, "", "\x1b[31m", "O", [], {}, [[]], {"a": 1}, "../x", 3.5)


def _values(content: bytes, chance: random.Random) -> bytes:
    """The JSON text with one value replaced, or a key taken out."""
    root = json.loads(content)
    table: Any = root
    while True:
        keys = list(table) if isinstance(table, dict) else list(range(len(table)))
        key = chance.choice(keys)
        inner = table[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.7:
            table = inner
            continue
        if chance.random() < 0.3:
            del table[key]
        else:
            table[key] = chance.choice(ODD)
        return json.dumps(root).encode()
