"""Models of the hub: found without a network, or what to download and where to put it; loaded without pickle."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from mner.cli import app
from mner.errors import MissingExtraError, ModelError
from mner.vision.networks import folder as folders
from mner.vision.networks.load import load, quiet

OPTION = "vision.options.hub.model"


@pytest.fixture
def copied(tiny_vision, tmp_path) -> Path:
    return shutil.copytree(tiny_vision("git"), tmp_path / "model")


@pytest.fixture
def cache(monkeypatch, tmp_path) -> Path:
    """An empty cache of the hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def cached(cache: Path, folder: Path, *, revision: str) -> Path:
    """A model in the layout of the hub's cache."""
    base = cache / "models--maker--thing"
    shutil.copytree(folder, base / "snapshots" / "0123abcd")
    (base / "refs").mkdir(exist_ok=True)
    (base / "refs" / revision).write_text("0123abcd")
    return base / "snapshots" / "0123abcd"


def test_id_that_is_not_here_says_what_to_download_and_where_to_put_it(cache):
    with pytest.raises(ModelError) as caught:
        folders.find("maker/thing", option=OPTION)
    said = str(caught.value)
    assert said.startswith(f'{OPTION}: "maker/thing" is neither a folder here nor in {cache}')
    assert 'hf download maker/thing --exclude "*.bin"' in said and 'name that: "./thing"' in said
    with pytest.raises(ModelError, match="hf download maker/thing --revision no_timm"):
        folders.find("maker/thing@no_timm", option=OPTION)


def test_command_line_says_it_and_ends_with_two(cache, tmp_path):
    from PIL import Image

    Image.new("RGB", (20, 20)).save(tmp_path / "1.png")
    (tmp_path / "c.toml").write_text('[vision]\ncaptioner = "hub"\n[vision.options.hub]\nmodel = "maker/thing"\n')
    line = ["context", "build", str(tmp_path), "--out", str(tmp_path / "o.jsonl"), "--config", str(tmp_path / "c.toml")]
    run = CliRunner().invoke(app, line)
    assert run.exit_code == 2 and "hf download maker/thing" in " ".join(run.output.split())
    assert not (tmp_path / "o.jsonl").exists()


def test_path_that_is_not_here_is_no_id(cache):
    with pytest.raises(ModelError, match=r'"\./models/thing": no such folder'):
        folders.find("./models/thing", option=OPTION)


def test_id_in_the_local_cache_is_found(cache, tiny_vision):
    snapshot = cached(cache, tiny_vision("git"), revision="main")
    assert folders.find("maker/thing", option=OPTION) == snapshot
    with pytest.raises(ModelError, match="neither a folder here"):
        folders.find("maker/thing@other", option=OPTION)


def test_revision_in_the_local_cache_is_found(cache, tiny_vision):
    snapshot = cached(cache, tiny_vision("git"), revision="no_timm")
    assert folders.find("maker/thing@no_timm", option=OPTION) == snapshot


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("config.json", r"has no config\.json"),
        ("model.safetensors", r"has no model\.safetensors: copy its"),
        ("preprocessor_config.json", r"has neither preprocessor_config\.json nor processor_config\.json"),
    ],
)
def test_missing_file_is_named(copied, missing, said):
    (copied / missing).unlink()
    with pytest.raises(ModelError, match=said):
        folders.find(str(copied), option=OPTION)


def test_pickle_is_not_read(copied):
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(ModelError, match="a pickle"):
        folders.find(str(copied), option=OPTION)


def test_code_in_a_model_is_not_run(copied):
    """A checkpoint that brings code is loaded by transformers' own class, the code is left alone."""
    config = json.loads((copied / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModelForImageTextToText": "evil.Model"}
    (copied / "config.json").write_text(json.dumps(config))
    (copied / "evil.py").write_text("raise SystemExit('code of a model was run')\n")
    network = load(copied, "git")
    assert type(network.model).__module__.startswith("transformers.")
    assert copied / "evil.py" not in folders.files(copied)


def test_missing_weights_are_no_random_ones(copied):
    weights = load_file(copied / "model.safetensors")
    dropped = min(name for name in weights if "attention" in name)
    save_file({name: value for name, value in weights.items() if name != dropped}, copied / "model.safetensors")
    with pytest.raises(ModelError, match=r"lack 1 array \(.*attention.* of the model; copy or fetch the whole"):
        load(copied, "git")


def test_damaged_weights_are_an_error_with_the_folder(copied):
    (copied / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(ModelError, match="model: cannot be loaded as git"):
        load(copied, "git")


def test_unknown_device_is_named(copied):
    with pytest.raises(ModelError, match='device "abacus": torch knows no such device'):
        load(copied, "git", device="abacus")


def test_files_that_count_are_weights_and_configurations(copied):
    (copied / "README.md").write_text("x")
    names = [path.name for path in folders.files(copied)]
    assert {"config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json"} <= set(names)
    assert "README.md" not in names and names == sorted(names)


def test_without_torch_the_extra_is_named(monkeypatch, copied):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "mner\[vision-hub\]"'):
        folders.find(str(copied), option=OPTION)


def test_model_is_in_evaluation_mode_and_in_full_precision_on_a_cpu(copied):
    weights = {name: value.half() for name, value in load_file(copied / "model.safetensors").items()}
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "dtype": "float16"}))
    model = load(copied, "git", device="cpu").model
    assert not model.training and model.dtype == torch.float32


def test_quiet_leaves_the_loudness_as_it_was():
    from transformers.utils import logging as theirs

    before = theirs.get_verbosity()
    with quiet():
        with quiet():
            pass
        assert theirs.get_verbosity() == logging.CRITICAL
    assert theirs.get_verbosity() == before


def test_pictures_are_prepared_without_torchvision(monkeypatch, copied):
    """Where torchvision is installed it must not be used: the same picture gives the same pixels everywhere."""
    given = []
    real = transformers.AutoImageProcessor.from_pretrained
    monkeypatch.setattr(
        transformers.AutoImageProcessor, "from_pretrained", lambda *a, **k: given.append(k["backend"]) or real(*a, **k)
    )
    assert load(copied, "git").images.backend == "pil"
    assert given == ["pil"]
