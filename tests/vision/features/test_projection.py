"""The random projection: the same numbers everywhere, each cell by itself."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mner.vision.features.projection import FeatureExtractor, Options
from mner.vision.images import Picture


def grid(picture: Image.Image, **options: int) -> np.ndarray:
    extract = FeatureExtractor(Options(**options))
    (arrays,) = extract([Picture(picture, "", *picture.size)], images=["a"])
    assert arrays is not None
    return arrays["grid"]


def test_projection_of_white_is_the_same_on_every_machine() -> None:
    white = grid(Image.new("RGB", (50, 20), "white"), cells=2, width=4)
    assert white.shape == (4, 4)
    assert np.round(white[0] * 192**0.5).tolist() == [30, 2, 22, -10]


def test_a_cell_is_changed_by_its_own_pixels_alone() -> None:
    picture = Image.new("RGB", (16, 16), "black")
    before = grid(picture, cells=2, width=4)
    picture.paste("red", (8, 0, 16, 8))
    changed = (grid(picture, cells=2, width=4) != before).any(axis=1)
    assert changed.tolist() == [False, True, False, False]


def test_seeds_project_otherwise() -> None:
    picture = Image.new("RGB", (16, 16), "red")
    assert (grid(picture, seed=1) != grid(picture, seed=2)).any()


def test_cells_can_stand_for_regions_with_boxes() -> None:
    picture = Image.effect_noise((20, 20), 80).convert("RGB")
    extract = FeatureExtractor(Options(cells=2, width=4, gives="regions"))
    (arrays,) = extract([Picture(picture, "", 20, 20)], images=["a"])
    assert arrays is not None and set(arrays) == {"regions", "boxes"}
    np.testing.assert_array_equal(arrays["regions"], grid(picture, cells=2, width=4))
    assert arrays["boxes"].shape == (4, 6) and arrays["boxes"][3].tolist() == [0.5, 0.5, 1, 1, 0.5, 0.5]
