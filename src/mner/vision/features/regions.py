"""Features of regions that were published: VinVL's ``.npz`` and the ``.tsv`` of VinVL and of Bottom-Up, with boxes.

A picture is found by its name, whatever it shows, and need not be here itself where the output says its size.
``.npz``: ``box_features`` (region, width), ``bounding_boxes`` (region, 4), ``image_w``, ``image_h``.
``.tsv``, by its number of columns, arrays as base64 of float32 rows: ten as in LXMERT's files; six (``image_id,
image_w, image_h, num_boxes, boxes, features``) as in Bottom-Up's; three (name, number of regions, features) as in
Oscar's, where the last 6 of 2,054 numbers are the box.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mner.contexts.artefact import key
from mner.contexts.published import bottomup
from mner.contexts.published.names import Table, spellings
from mner.contexts.published.vinvl import read_arrays
from mner.errors import DataError
from mner.vision.images import Picture
from mner.vision.protocols import PluginOptions
from mner.vision.published_file import PublishedFile

COLUMNS = {
    10: bottomup.COLUMNS,
    6: ("img_id", "img_w", "img_h", "num_boxes", "boxes", "features"),
    3: ("img_id", "num_boxes", "features"),
}
"""The columns of a ``.tsv`` by their number."""

_SUFFIX = ".npz"
_ROWS = ("box_features", "bounding_boxes")
_OSCAR = 2048  # numbers of a region before its box, where no column has the boxes

_Published = tuple[NDArray[Any], NDArray[Any] | None, tuple[float, float] | None, str]
"""Features (region, width), boxes (region, 4) in pixels or (region, 6) in shares, the picture's size, and the place."""


class Options(PluginOptions):
    """The options of regions."""

    path: Path | None = Field(default=None, exclude=True)  # a folder of .npz, one .npz, or a .tsv; its content counts
    most: int = Field(default=0, ge=0)  # regions of a picture, the first of the file; 0: all


_OUTPUT = PublishedFile(
    "extractor regions", "path", "the published features: name them with --set path=FOLDER (of .npz), or a .tsv"
)

ABOUT = _OUTPUT.about(
    "nothing. It needs the output for your pictures, a folder of `.npz` or a `.tsv`, named by `path`.",
    "that of the output.",
    models=lambda options: [] if options.path is None else _files(options.path),
)


class FeatureExtractor:
    """The published regions of a picture and their boxes."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        path, self._most = _OUTPUT.path(options), options.most or None
        self._names: Mapping[str, Any]
        self._read: Callable[[str], _Published]
        if path.is_dir() or path.suffix == _SUFFIX:
            files = {key(file.name.removesuffix(_SUFFIX)): file for file in _files(path)}
            if not files:
                raise DataError(f"{path}: holds no *{_SUFFIX}")
            self._names, self._read = files, lambda name: _npz(files[name])
        else:
            table = Table(path)
            self._names, self._read = dict.fromkeys(table), lambda name: _row(*table.find(name))

    def __call__(
        self, pictures: Sequence[Picture | None], *, images: Sequence[str]
    ) -> list[dict[str, NDArray[np.float32]] | None]:
        """The regions (region, width) of each picture, with their boxes (region, 6); None where none were published."""
        return [self._arrays(picture, image) for picture, image in zip(pictures, images, strict=True)]

    def _arrays(self, picture: Picture | None, image: str) -> dict[str, NDArray[np.float32]] | None:
        name = next((name for name in spellings(image) if name in self._names), None)
        if name is None:
            return None
        regions, boxes, size, where = self._read(name)
        if not len(regions):
            return None
        arrays = {"regions": regions[: self._most].astype(np.float32)}
        if boxes is not None:
            if boxes.shape[1] == 4:
                size = size or (None if picture is None else (picture.width, picture.height))
                if size is None:
                    raise DataError(f"{where}: does not say the size of {image}, and the picture is not here; add it")
                boxes = shares(boxes, size)
            arrays["boxes"] = boxes[: self._most].astype(np.float32)
        return arrays


def _files(path: Path) -> list[Path]:
    return sorted(path.glob(f"*{_SUFFIX}")) if path.is_dir() else [path]


def shares(boxes: NDArray[Any], size: tuple[float, float]) -> NDArray[Any]:
    """Boxes (region, 4) in pixels -> (region, 6): left, top, right, bottom, width and height as shares of the picture.

    >>> shares(np.array([[0.0, 10.0, 50.0, 40.0]]), (100.0, 50.0)).tolist()
    [[0.0, 0.2, 0.5, 0.8, 0.5, 0.6]]
    """
    sides = boxes / np.array([*size, *size])
    return np.concatenate([sides, (boxes[:, 2:] - boxes[:, :2]) / np.array(size)], axis=1)


def _npz(path: Path) -> _Published:
    arrays = read_arrays(path, (*_ROWS, "image_w", "image_h"))
    regions, boxes = arrays.get("box_features"), arrays.get("bounding_boxes")
    if regions is None or not regions.ndim:
        raise DataError(f'{path}: expected an array "box_features" (region, width); a file of objects alone has none')
    for name, array in arrays.items():
        width = array.shape[1] if name == "box_features" and array.ndim == 2 else 4
        if array.dtype.kind not in "fiu" or (name in _ROWS and array.shape != (len(regions), width)):
            raise DataError(f"{path}: {name}: expected numbers for each region, found {array.dtype} {array.shape}")
    size = [arrays[name].ravel() for name in ("image_w", "image_h") if name in arrays]
    known = len(size) == 2 and all(side.size == 1 and side[0] > 0 for side in size)
    return regions, boxes, (float(size[0][0]), float(size[1][0])) if known else None, str(path)


def _row(columns: Sequence[str], where: str) -> _Published:
    if len(columns) not in COLUMNS:
        forms = "; or ".join(", ".join(names) for names in COLUMNS.values())
        raise DataError(f"{where}: expected the columns {forms}; found {len(columns)} columns")
    row = dict(zip(COLUMNS[len(columns)], columns, strict=True))
    count = bottomup.count(row["num_boxes"], f"{where}: num_boxes")
    numbers = bottomup.array(row, "features", "<f4", None, where)
    if numbers.size % max(1, count) or (numbers.size and not count):
        raise DataError(f"{where}: features: {numbers.size} numbers are not the same number for each of {count} boxes")
    regions = numbers.reshape(count, -1) if count else numbers.reshape(0, 1)
    if "boxes" not in row:
        cut = regions.shape[1] == _OSCAR + 6
        return (regions[:, :_OSCAR], regions[:, _OSCAR:], None, where) if cut else (regions, None, None, where)
    width, height = (bottomup.count(row[name], f"{where}: {name}") for name in ("img_w", "img_h"))
    boxes = bottomup.array(row, "boxes", "<f4", 4 * count, where).reshape(count, 4)
    return regions, boxes, (float(width), float(height)) if width and height else None, where
