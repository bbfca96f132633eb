"""Published regions: the forms of VinVL and of Bottom-Up, and what does not fit."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mner.errors import ConfigError, DataError
from mner.vision.features.regions import FeatureExtractor, Options
from mner.vision.images import Picture

BOXES = np.array([[0, 0, 100, 50], [50, 10, 150, 60]], np.float32)
REGIONS = np.arange(6, dtype=np.float32).reshape(2, 3)
SHARES = [[0, 0, 0.5, 0.5, 0.5, 0.5], [0.25, 0.1, 0.75, 0.6, 0.5, 0.5]]
"""``BOXES`` of a picture of 200 x 100 pixels."""


def coded(array: np.ndarray) -> str:
    return base64.b64encode(array.astype(np.float32).tobytes()).decode()


def npz(folder: Path, **changes: Any) -> Path:
    arrays = {"box_features": REGIONS, "bounding_boxes": BOXES, "image_w": 200, "image_h": 100, **changes}
    np.savez(folder / "12.jpg.npz", **{name: array for name, array in arrays.items() if array is not None})
    return folder


def tsv(folder: Path, *columns: str) -> Path:
    (folder / "f.tsv").write_text("\t".join(("12", *columns)) + "\n")
    return folder / "f.tsv"


FORMS: dict[str, Callable[[Path], Path]] = {
    "npz": npz,
    "lxmert": lambda folder: tsv(folder, "100", "200", "", "", "", "", "2", coded(BOXES), coded(REGIONS)),
    "bottomup": lambda folder: tsv(folder, "200", "100", "2", coded(BOXES), coded(REGIONS)),
}


def of(path: Path, image: str = "12.jpg", picture: Picture | None = None, **options: Any) -> Any:
    return FeatureExtractor(Options(path=path, **options))([picture], images=[image])[0]


@pytest.mark.parametrize("form", FORMS)
def test_regions_and_shares_of_boxes_are_read(form: str, tmp_path: Path) -> None:
    path = FORMS[form](tmp_path)
    arrays = of(path)
    assert arrays["regions"].tolist() == REGIONS.tolist()
    np.testing.assert_allclose(arrays["boxes"], SHARES, atol=1e-6)
    assert of(path, "IMGID:12") is not None and of(path, "photos/12.jpg") is not None
    assert of(path, "13.jpg") is None
    assert {len(array) for array in of(path, most=1).values()} == {1}


def test_last_six_numbers_of_oscar_are_the_box(tmp_path: Path) -> None:
    rows = np.concatenate([np.ones((2, 2048)), np.array(SHARES)], axis=1)
    arrays = of(tsv(tmp_path, "2", coded(rows)))
    assert arrays["regions"].shape == (2, 2048)
    np.testing.assert_allclose(arrays["boxes"], SHARES, atol=1e-6)
    assert set(of(tsv(tmp_path, "2", coded(REGIONS)))) == {"regions"}


def test_size_comes_from_the_picture_where_the_file_has_none(tmp_path: Path) -> None:
    path = npz(tmp_path, image_w=None)
    small = Picture(Image.new("RGB", (20, 10)), "", 200, 100)  # as it is looked at, and as its file is
    np.testing.assert_allclose(of(path, picture=small)["boxes"], SHARES, atol=1e-6)
    with pytest.raises(DataError, match=r"12.jpg.npz: does not say the size of 12.jpg, and the picture is not here"):
        of(path)


def test_picture_without_regions_has_no_features(tmp_path: Path) -> None:
    assert of(npz(tmp_path, box_features=np.ones((0, 3)), bounding_boxes=np.ones((0, 4)))) is None
    assert of(tsv(tmp_path, "0", "")) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"box_features": None}, 'expected an array "box_features"'),
        ({"box_features": np.float32(1)}, 'expected an array "box_features"'),
        ({"box_features": np.ones(2)}, "box_features: expected numbers for each region"),
        ({"box_features": np.array([["a"], ["b"]])}, "box_features: expected numbers for each region"),
        ({"bounding_boxes": BOXES[:1]}, "bounding_boxes: expected numbers for each region"),
        ({"bounding_boxes": BOXES[:, :3]}, "bounding_boxes: expected numbers for each region"),
        ({"image_w": "wide"}, "image_w: expected numbers"),
        ({"box_features": np.array([[{}], [{}]], object)}, "needs pickle, which is never loaded"),
    ],
)
def test_damaged_npz_is_named(changes: dict[str, Any], expected: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"12.jpg.npz: .*{expected}"):
        of(npz(tmp_path, **changes))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (("2", "!!!!"), "f.tsv:1: features: not base64"),
        (("2", "AAAA"), "f.tsv:1: features: expected whole numbers of 4 bytes, found 3 bytes"),
        (("4", coded(REGIONS)), "f.tsv:1: features: 6 numbers are not the same number for each of 4 boxes"),
        (("0", coded(REGIONS)), "f.tsv:1: features: 6 numbers are not"),
        (("many", coded(REGIONS)), "f.tsv:1: num_boxes: expected a number"),
        (("2", "3", coded(REGIONS)), "f.tsv:1: expected the columns .* found 4 columns"),
        (("200", "100", "2", coded(BOXES[:1]), coded(REGIONS)), "f.tsv:1: boxes: expected 8 numbers"),
    ],
)
def test_damaged_line_is_named(columns: tuple[str, ...], expected: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=expected):
        of(tsv(tmp_path, *columns))


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--set path=FOLDER"):
        FeatureExtractor(Options())
    with pytest.raises(DataError, match=r"holds no \*.npz"):
        FeatureExtractor(Options(path=tmp_path))
    with pytest.raises(DataError, match="cannot be read"):
        FeatureExtractor(Options(path=tmp_path / "none.tsv"))
