"""A model exported: same entities, complete directory, refusals that leave everything as it was."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import save_file

import mner
from mner import config as configs
from mner import data, encoders, tags
from mner.errors import DataError, MissingExtraError, ModelError
from mner.evaluation.views import decoder_of
from mner.export import Exported, export
from mner.runtime import open_model, predict, read_model
from mner.runtime.calibration import NONE, StoredCalibration, calibration_of, store
from mner.runtime.onnx import FILES, OnnxRuntime
from mner.runtime.saved import OWN, seal
from mner.runtime.torch import TorchRuntime
from mner.types import Post
from mner.views import Views


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_entities_are_those_of_torch(exported: Exported, tiny_model: Path, posts: list[Post]) -> None:
    saved = read_model(exported.folder)
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), saved.config.context)
    encoded = views.encode_many([post.words for post in posts])
    entities = []
    for runtime in (TorchRuntime.load(read_model(tiny_model)), OnnxRuntime.load(saved, precision="fp32", threads=1)):
        spans = predict.spans(runtime, encoded, decoder_of(saved.config, saved.labels, runtime.chain))
        entities.append([[entry.span for entry in post] for post in spans])
    assert sum(map(len, entities[0])) >= len(posts) / 2
    assert entities[0] == entities[1]


def test_directory_is_whole_and_says_its_figures(exported: Exported, tiny_model: Path, posts: list[Post]) -> None:
    saved = read_model(exported.folder)
    assert set(content(exported.folder)) == {*content(tiny_model), *FILES.values()}
    assert {name: entry["posts"] for name, entry in saved.manifest["onnx"].items()} == dict.fromkeys(FILES.values(), 12)
    assert saved.manifest["onnx"]["model.onnx"]["differing"] == 0
    assert saved.manifest["onnx"]["model.onnx"]["difference"] < 1e-4
    assert f"12 given posts@{data.stamp(posts).fingerprint}" in (exported.folder / "README.md").read_text()
    assert saved.labels == read_model(tiny_model).labels
    assert not list(exported.folder.parent.glob("*.part"))


def test_export_into_the_model_itself_keeps_its_other_files(
    tiny_model: Path, posts: list[Post], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    assert export(folder, posts=posts, threads=1).folder == folder
    assert isinstance(open_model(read_model(folder)), OnnxRuntime)
    export(folder, fp32=False, int8=True, posts=posts, threads=1)
    saved = read_model(folder)
    assert set(saved.manifest["onnx"]) == set(FILES.values()) <= set(saved.manifest["files"])
    assert (folder / "encoder").is_dir()


def test_copy_without_encoder_predicts_without_torch(tiny_model: Path, posts: list[Post], tmp_path: Path) -> None:
    done = export(tiny_model, fp32=False, int8=True, out=tmp_path / "slim", posts=posts, keep_encoder=False, threads=1)
    assert not (done.folder / "encoder").exists()
    assert not (done.folder / "model.onnx").exists()
    saved = read_model(done.folder)
    assert open_model(saved).labels == saved.labels
    with pytest.raises(ModelError, match="no encoder/ in this model"):
        open_model(saved, backend="torch")
    with pytest.raises(ModelError, match="no encoder/"):
        export(done.folder, posts=posts)


def test_dev_posts_come_from_a_configuration(tiny_model: Path, posts_file: Path, tmp_path: Path) -> None:
    table = {"data": {"name": "mine", "root": str(posts_file.parent), "dev": posts_file.name}}
    (tmp_path / "dev.toml").write_text(configs.dumps(configs.check(table)), encoding="utf-8")
    done = export(tiny_model, out=tmp_path / "out", dev_config=tmp_path / "dev.toml", threads=1)
    manifest = read_model(done.folder).manifest["onnx"]["model.onnx"]
    assert manifest["compared_on"].startswith("mine/dev@")
    assert set(manifest["f1"]) == {"T", "I+T"}
    assert manifest["f1"] == manifest["f1_torch"]


def test_without_posts_it_says_how_to_name_some(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no dev posts to compare on.*--posts FILE"):
        export(tiny_model, out=tmp_path / "out")
    with pytest.raises(DataError, match="the file holds none"):
        export(tiny_model, out=tmp_path / "out", posts=[])


def test_model_that_falls_short_is_not_written(
    tiny_model: Path, posts: list[Post], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mner.export import onnx as module

    real = module.compare
    monkeypatch.setattr(module, "compare", lambda *a, **k: replace(real(*a, **k), differing=2))
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    before = content(folder)
    for out in (None, tmp_path / "out"):
        with pytest.raises(ModelError, match=r"other entities than torch in 2 of 12 posts"):
            export(folder, out=out, posts=posts, threads=1)
    assert content(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_int8_that_loses_too_much_keeps_its_first_layers_in_fp32(
    tiny_model: Path, posts: list[Post], exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def picky(*arguments: Any, **options: Any) -> None:
        tried.append(arguments)
        if len(tried) == 1:
            raise ModelError("model.int8.onnx loses 0.30 F1")

    monkeypatch.setattr("mner.export.onnx.refuse_worse", picky)
    out = tmp_path / "out"
    done = export(tiny_model, fp32=False, int8=True, out=out, posts=posts, threads=1)
    whole, part = (read_model(entry.folder).manifest["onnx"]["model.int8.onnx"] for entry in (exported, done))
    assert (whole["layers_in_fp32"], part["layers_in_fp32"]) == (0, 1)
    assert 0 < part["products"] < whole["products"]
    assert done.figures["model.int8.onnx"].difference < exported.figures["model.int8.onnx"].difference
    assert "first layer in fp32" in (out / "README.md").read_text()
    assert sorted(path.name for path in out.iterdir()) == sorted(
        path.name for path in exported.folder.iterdir() if path.name != "model.onnx"
    )

    def strict(*arguments: Any, **options: Any) -> None:
        raise ModelError(f"refused {len(tried)}")

    monkeypatch.setattr("mner.export.onnx.refuse_worse", strict)
    with pytest.raises(ModelError, match="refused 2"):
        export(tiny_model, fp32=False, int8=True, out=tmp_path / "none", posts=posts, threads=1)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("named", ["", "model"])
def test_run_is_exported_beside_its_model_which_is_left_alone(
    tiny_model: Path, posts: list[Post], tmp_path: Path, named: str
) -> None:
    shutil.copytree(tiny_model, tmp_path / "model")
    (tmp_path / "record.json").write_text("{}")
    before = read_model(tmp_path / "model").fingerprint
    done = export(tmp_path / named, posts=posts, keep_encoder=False, threads=1)
    assert done.folder == tmp_path / "exported"
    assert read_model(tmp_path / "model").fingerprint == before
    assert export(tmp_path / named, posts=posts, threads=1).folder == done.folder, "again, in its place"


def test_model_of_a_run_is_not_written_over(tiny_model: Path, posts: list[Post], tmp_path: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "model")
    (tmp_path / "record.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "model")
    before = content(tmp_path / "model")
    for model in (tmp_path, tiny_model):
        for out in (tmp_path / "model", tmp_path / "link"):
            with pytest.raises(DataError, match=r"this is the model of a run.*into its exported/"):
                export(model, out=out, posts=posts, threads=1, force=True)
    assert content(tmp_path / "model") == before


def test_only_copy_of_the_weights_stays_where_out_names_the_model_itself(
    tiny_model: Path, posts: list[Post], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_model, tmp_path / "mine")
    before = content(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    for out in (Path("mine"), tmp_path / "mine", Path("mine/encoder/..")):
        with pytest.raises(ModelError, match="the only copy of its weights"):
            export("mine", out=out, posts=posts, keep_encoder=False)
    assert content(tmp_path / "mine") == before
    assert export("mine", out=tmp_path / "mine", posts=posts, threads=1).folder == Path("mine")
    assert (tmp_path / "mine" / "encoder").is_dir()


def test_model_without_an_encoder_is_not_said_to_hold_one(tmp_path: Path, posts: list[Post]) -> None:
    shutil.copytree(Path(mner.__file__).parent / "ready", tmp_path / "ready")
    before = content(tmp_path / "ready")
    with pytest.raises(ModelError, match="no encoder/ in this model; it runs with onnxruntime only"):
        export(tmp_path / "ready", posts=posts, keep_encoder=False)
    assert content(tmp_path / "ready") == before


def test_run_predicts_by_its_exported_model(tiny_model: Path, posts: list[Post], tmp_path: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "model")
    (tmp_path / "record.json").write_text("{}")
    trained = mner.load(tmp_path).settings["model"]
    done = export(tmp_path, posts=posts, threads=1)
    assert mner.load(tmp_path).settings["model"] == read_model(done.folder).fingerprint != trained
    assert mner.load(tmp_path, backend="torch").settings["model"] == trained


def test_folder_of_something_else_is_left_alone(tiny_model: Path, posts: list[Post], tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(DataError, match=r"is not a model that mner wrote; .*--force"):
        export(tiny_model, out=tmp_path, posts=posts)
    with pytest.raises(ModelError, match="the only copy of its weights"):
        export(tiny_model, posts=posts, keep_encoder=False)
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_absent_package_names_its_extra(
    tiny_model: Path, posts: list[Post], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r'pip install "mner\[export\]"'):
        export(tiny_model, out=tmp_path / "out", posts=posts, threads=1)
    assert not (tmp_path / "out").exists()


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("MNER_DATA"), reason="set MNER_DATA to the folder of the real data")
def test_twitter_entities_are_those_of_torch_on_minilm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from mner.models import build
    from mner.runtime.torch import load_encoder, save

    files = encoders.find("embedded:minilm")
    config = configs.check({"name": "untrained", "model": {"case_shape": True}})
    labels = tags.bioes_labels(["PER", "LOC", "ORG", "OTHER"])
    torch.manual_seed(1)
    model = build(config, labels, load_encoder(files.folder))
    torch.nn.init.normal_(model.tagger.emission.weight, std=1.0)
    torch.nn.init.normal_(model.tagger.words.shapes.weight, std=0.02)
    about = {"name": files.name, "max_tokens": files.max_tokens, "pad_id": Views(files, config.context).pad_id}
    save(
        model, tmp_path / "model", config=config, labels=labels, tokenizer=files.tokenizer, encoder=about, card="# m\n"
    )
    path = Path(os.environ["MNER_DATA"]) / "twitter2015" / "valid.txt"
    posts = [replace(post, spans=None) for post in list(data.read(path))[:250]]
    # An untrained head prefers no label by much, so that small differences of scores turn many entities.
    monkeypatch.setattr("mner.export.figures.AGREEMENT", 80.0)
    done = export(tmp_path / "model", int8=True, posts=posts, threads=1)
    assert done.figures["model.onnx"].differing == 0
    assert done.figures["model.onnx"].difference < 1e-3
    assert done.figures["model.int8.onnx"].agreement > 90
    assert done.figures["model.int8.onnx"].megabytes < 30
    assert json.loads((tmp_path / "model" / "model.json").read_text())["onnx"]["model.int8.onnx"]["products"] == 36


def test_export_leaves_out_a_calibration_of_other_scores(tiny_model: Path, posts: list[Post], tmp_path: Path) -> None:
    basis = {"data": "mine/dev", "fingerprint": "0123456789ab", "posts": 100, "entities": 150}
    scale = {"method": "temperature", "temperature": 2.0, "basis": basis}
    calibrated = store(
        read_model(tiny_model), StoredCalibration.model_validate({"scale": scale}), out=tmp_path / "calibrated"
    )
    said: list[str] = []
    done = export(calibrated, out=tmp_path / "out", posts=posts, threads=1, watch=said.append)
    assert calibration_of(read_model(done.folder)) == NONE
    assert any("calibrate the export" in line for line in said)


def test_a_further_precision_stays_beside_the_first(tiny_model: Path, posts: list[Post], tmp_path: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "model")
    (tmp_path / "record.json").write_text("{}")
    export(tmp_path, posts=posts, threads=1)
    first = content(tmp_path / "exported")["model.onnx"]
    done = read_model(export(tmp_path, fp32=False, int8=True, posts=posts, threads=1).folder)
    assert set(done.manifest["onnx"]) == {"model.onnx", "model.int8.onnx"}
    assert content(done.folder)["model.onnx"] == first
    card = (done.folder / "README.md").read_text()
    assert "model.onnx" in card and "model.int8.onnx" in card

    other = read_model(tmp_path / "model")
    head = {**other.head, "crf.start": other.head["crf.start"] + 1}
    save_file(head, tmp_path / "model" / "head.safetensors")
    seal(tmp_path / "model", {key: value for key, value in other.manifest.items() if key not in OWN})
    again = read_model(export(tmp_path, fp32=False, int8=True, posts=posts, threads=1).folder)
    assert set(again.manifest["onnx"]) == {"model.int8.onnx"}, "the file of another model goes"


def test_a_calibration_of_the_earlier_export_is_said_to_go(tiny_model: Path, posts: list[Post], tmp_path: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "model")
    (tmp_path / "record.json").write_text("{}")
    basis = {"data": "mine/dev", "fingerprint": "0123456789ab", "posts": 100, "entities": 150}
    scale = {"method": "temperature", "temperature": 2.0, "basis": basis}
    done = export(tmp_path, posts=posts, threads=1)
    store(read_model(done.folder), StoredCalibration.model_validate({"scale": scale}))
    said: list[str] = []
    export(tmp_path, fp32=False, int8=True, posts=posts, threads=1, watch=said.append)
    assert any("calibrate the export" in line for line in said)


def test_model_json_keeps_its_checksum_when_a_calibration_goes(
    tiny_model: Path, posts: list[Post], tmp_path: Path
) -> None:
    shutil.copytree(tiny_model, tmp_path / "model")
    basis = {"data": "mine/dev", "fingerprint": "0123456789ab", "posts": 100, "entities": 150}
    scale = {"method": "temperature", "temperature": 2.0, "basis": basis}
    store(read_model(tmp_path / "model"), StoredCalibration.model_validate({"scale": scale}))
    export(tmp_path / "model", posts=posts, threads=1)
    before = read_model(tmp_path / "model").fingerprint
    store(read_model(tmp_path / "model"), NONE)
    manifest = json.loads((tmp_path / "model" / "model.json").read_text())
    assert "calibration" not in manifest and manifest["sha256"][:12] == before
