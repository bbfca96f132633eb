"""The calibration in ``model.json``: read, refused where it is damaged, written without harm."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import mner
from mner.errors import ModelError
from mner.runtime import read_model
from mner.runtime.calibration import KEY, NONE, StoredCalibration, calibration_of, store, trained_fingerprint
from mner.runtime.manifest import CHECKSUM, checksum

BASIS = {"data": "mine/dev", "fingerprint": "0123456789ab", "posts": 100, "entities": 150}
SCALE = {"method": "temperature", "temperature": 2.0, "basis": BASIS}
VIEW = {"thresholds": {"PER": 0.9}, "mean": 0.96, "precision": 0.95, "recall": 0.5, "basis": BASIS}
THRESHOLDS = {"target": "precision", "least": 0.95, "delta": 0.1, "views": {"T": VIEW}}
WHOLE = StoredCalibration.model_validate({"scale": SCALE, "thresholds": THRESHOLDS})


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def rewrite(model: Path, change: dict[str, Any], *, sealed: bool = True) -> None:
    manifest = json.loads((model / "model.json").read_text()) | change
    manifest.pop(CHECKSUM, None)
    (model / "model.json").write_text(json.dumps(manifest | ({CHECKSUM: checksum(manifest)} if sealed else {})))


def test_calibration_is_read_as_it_was_written(model: Path) -> None:
    assert calibration_of(read_model(model)) == NONE
    fingerprint = read_model(model).fingerprint
    assert store(read_model(model), WHOLE) == model
    stored = calibration_of(read_model(model))
    assert (stored.scale, stored.thresholds) == (WHOLE.scale, WHOLE.thresholds)
    assert stored.model == fingerprint
    assert json.loads((model / "model.json").read_text())["format"] == 1


def test_model_of_the_first_version_is_calibrated_and_cleared(model: Path) -> None:
    rewrite(model, {}, sealed=False)
    before = json.loads((model / "model.json").read_text())
    fingerprint = read_model(model).fingerprint
    store(read_model(model), WHOLE)
    assert trained_fingerprint(read_model(model)) == fingerprint
    assert read_model(model).fingerprint != fingerprint
    store(read_model(model), NONE)
    assert json.loads((model / "model.json").read_text()) == before


def test_changed_weights_do_not_pass_for_those_that_were_trained(model: Path) -> None:
    store(read_model(model), WHOLE)
    (model / "README.md").write_text("other")
    files = json.loads((model / "model.json").read_text())["files"] | {
        "README.md": mner.files.sha256(model / "README.md")
    }
    rewrite(model, {"files": files})
    saved = read_model(model)
    assert trained_fingerprint(saved) == saved.fingerprint


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"scale": SCALE | {"temperature": 0}}, r"calibration.scale.temperature: input should be greater than 0"),
        ({"scale": SCALE | {"method": "isotonic"}}, r"calibration.scale.method"),
        ({"scale": SCALE | {"platt": {"PER": [1]}}}, r"calibration.scale.platt.PER"),
        ({"scale": SCALE | {"temperature": float("nan")}}, r"calibration.scale.temperature"),
        ({"thresholds": THRESHOLDS | {"views": {"X": VIEW}}}, r"calibration.thresholds.views"),
        ({"thresholds": THRESHOLDS | {"views": {"T": VIEW | {"thresholds": {"PER": 1.5}}}}}, r"views.T.thresholds.PER"),
        ([], None),
        ([1], r"calibration: input should be a valid dictionary"),
    ],
)
def test_damaged_calibration_is_refused_with_its_place(model: Path, table: Any, fault: str | None) -> None:
    rewrite(model, {KEY: table})
    if fault is None:
        assert calibration_of(read_model(model)) == NONE
        return
    with pytest.raises(ModelError, match=fault):
        mner.load(model)


def test_keys_of_later_versions_are_left_alone(model: Path) -> None:
    rewrite(model, {KEY: {"scale": SCALE | {"by": "someone"}, "isotonic": [1, 2]}})
    stored = calibration_of(read_model(model))
    assert stored.scale is not None
    assert stored.scale.temperature == 2.0
    store(read_model(model), stored)
    assert json.loads((model / "model.json").read_text())[KEY]["isotonic"] == [1, 2]


def test_copy_by_a_later_version_is_the_model_that_was_trained(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprint = read_model(model).fingerprint
    monkeypatch.setattr("mner.runtime.saved.version", lambda name: "99.0")
    copy = store(read_model(model), WHOLE, out=tmp_path / "copy")
    assert trained_fingerprint(read_model(copy)) == fingerprint
    assert read_model(store(read_model(copy), NONE)).fingerprint == fingerprint
