"""What every extractor gives, by the folder listing; what its file must have is tested with all other plug-ins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mner import plugins
from mner.vision.backends import KINDS, find_plugin
from mner.vision.images import Picture

EVERY = plugins.names(KINDS["features"][0])


@pytest.fixture
def extractor(tiny_vision: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Any]:
    def make(name: str) -> Any:
        options: dict[str, Any] = {}
        if name == "resnet":
            options = {"model": str(tiny_vision("resnet")), "device": "cpu"}
        elif name == "c4":
            options = {"model": tiny_vision("c4-vinvl"), "device": "cpu"}
        elif name == "crops":
            models = {"detector": str(tiny_vision("owlv2")), "model": str(tiny_vision("resnet"))}
            options = {**models, "side": 64, "device": "cpu"}
        elif name == "regions":
            np.savez(tmp_path / "a.jpg.npz", box_features=np.ones((3, 4)), bounding_boxes=np.ones((3, 4)))
            options = {"path": tmp_path}
        plugin = find_plugin("features", name)
        return plugin.make(plugin.options(**options), threads=1)

    return make


def test_folder_holds_the_extractors_of_the_documentation() -> None:
    assert {"c4", "crops", "resnet", "regions", "projection"} <= set(EVERY)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("size", [(320, 200), (1, 1), (3, 900), (900, 3)])
def test_arrays_are_regions_of_one_width_alone_and_together(
    name: str, size: tuple[int, int], extractor: Callable[[str], Any]
) -> None:
    extract = extractor(name)
    noise = np.random.default_rng(1)  # of a picture of one pixel, too, the two differ
    pixels = [noise.integers(0, 256, (size[1], size[0], 3), np.uint8) for _ in range(2)]
    shots = [Picture(Image.fromarray(each), "", *size) for each in pixels]
    both = extract(shots, images=["a.jpg", "a.jpg"])
    for arrays, shot in zip(both, shots, strict=True):
        assert arrays and {len(array.shape) for array in arrays.values()} == {2}
        assert len({len(array) for array in arrays.values()}) == 1
        (alone,) = extract([shot], images=["a.jpg"])
        for key, array in arrays.items():
            assert array.dtype == np.float32
            np.testing.assert_allclose(array, alone[key], rtol=1e-4, atol=1e-5)
    first, second = (next(iter(arrays.values())) for arrays in both)
    assert np.array_equal(first, second) == (name == "regions")
