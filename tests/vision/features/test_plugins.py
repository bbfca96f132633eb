"""What every extractor's file must have, by the folder listing: a new file is tested without being named here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from mner import plugins
from mner.vision.backends import plugin
from mner.vision.features._build import PACKAGE
from mner.vision.images import Picture

EVERY = plugins.names(PACKAGE)
HEAVY = {"torch", "onnxruntime", "cv2", "transformers"}


def module_of(name: str) -> Any:
    return plugin(PACKAGE, "FeatureExtractor", name)


@pytest.fixture
def extractor(tiny_vision: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Any]:
    def make(name: str) -> Any:
        options: dict[str, Any] = {}
        if name == "resnet":
            options = {"model": str(tiny_vision("resnet")), "device": "cpu"}
        elif name == "regions":
            np.savez(tmp_path / "a.jpg.npz", box_features=np.ones((3, 4)), bounding_boxes=np.ones((3, 4)))
            options = {"path": tmp_path}
        module = module_of(name)
        return module.FeatureExtractor(module.Options(**options), threads=1)

    return make


def test_folder_holds_the_extractors_of_the_documentation() -> None:
    assert {"resnet", "regions", "projection"} <= set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_plugin_says_what_it_costs_and_refuses_unknown_options(name: str) -> None:
    module = module_of(name)
    assert all(word in module.__doc__ for word in ("Downloads:", "Licence:", "Speed:"))
    with pytest.raises(ValidationError):
        module.Options.model_validate({"no such key": 1})
    with pytest.raises(ValidationError):
        setattr(module.Options(), next(iter(module.Options.model_fields)), 1)


def test_plugins_import_without_heavy_packages() -> None:
    code = (
        f"import sys; from mner import plugins\nfor name in {EVERY!r}: plugins.load({PACKAGE!r}, name)\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("size", [(320, 200), (1, 1), (3, 900), (900, 3)])
def test_arrays_are_regions_of_one_width_alone_and_together(
    name: str, size: tuple[int, int], extractor: Callable[[str], Any]
) -> None:
    extract = extractor(name)
    shots = [Picture(Image.effect_noise(size, spread).convert("RGB"), "", *size) for spread in (30, 90)]
    both = extract(shots, images=["a.jpg", "a.jpg"])
    for arrays, shot in zip(both, shots, strict=True):
        assert arrays and {len(array.shape) for array in arrays.values()} == {2}
        assert len({len(array) for array in arrays.values()}) == 1
        (alone,) = extract([shot], images=["a.jpg"])
        for key, array in arrays.items():
            assert array.dtype == np.float32
            np.testing.assert_allclose(array, alone[key], rtol=1e-4, atol=1e-5)
    assert np.array_equal(both[0].get("grid", 0), both[1].get("grid", 0)) == (name == "regions")
