"""A random projection of the picture's cells: no weights to download, the same numbers everywhere; for tests and demos.

It knows colours and where they are, not what a picture shows: a floor to compare learned features with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from mner.vision.images import Picture
from mner.vision.protocols import About, PluginOptions

_SIDE = 8  # pixels of a cell


class Options(PluginOptions):
    """The options of projection."""

    cells: int = Field(default=7, ge=1, le=64)  # of a row and of a column: the grid has their square
    width: int = Field(default=64, ge=1, le=8192)  # numbers of a cell
    seed: int = Field(default=0, ge=0)  # another seed gives another projection
    gives: Literal["grid", "regions", "crops"] = "grid"  # the name of the array; "regions" come with their boxes


ABOUT = About(
    downloads="nothing.",
    licence="mner's, Apache-2.0.",
    speed="under 10 ms a picture on one core, decoding aside.",
)


class FeatureExtractor:
    """The grid of a picture: each cell's pixels through one matrix of random signs."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._cells = options.cells
        self._gives = options.gives
        size = 3 * _SIDE**2
        # Raw bits of PCG64 are the same in every numpy; its normal numbers need not be.
        bits = np.random.PCG64(options.seed).random_raw(size * options.width) >> np.uint64(63)
        signs = np.where(bits == 1, 1.0, -1.0).reshape(size, options.width)
        self._matrix = (signs / np.sqrt(size)).astype(np.float32)  # (pixel and channel, width)

    def __call__(
        self, pictures: Sequence[Picture | None], *, images: Sequence[str]
    ) -> list[dict[str, NDArray[np.float32]] | None]:
        """The grid (cell, width) of each picture, squeezed into a square; cells row by row."""
        boxes = {"boxes": cell_boxes(self._cells)} if self._gives == "regions" else {}
        return [None if picture is None else {self._gives: self._grid(picture.pixels), **boxes} for picture in pictures]

    def _grid(self, pixels: Image.Image) -> NDArray[np.float32]:
        side = self._cells * _SIDE
        small = np.asarray(pixels.resize((side, side), Image.Resampling.BOX), dtype=np.float32) / 127.5 - 1
        cells = small.reshape(self._cells, _SIDE, self._cells, _SIDE, 3).swapaxes(1, 2)
        grid: NDArray[np.float32] = cells.reshape(self._cells**2, -1) @ self._matrix
        return grid


def cell_boxes(cells: int) -> NDArray[np.float32]:
    """The boxes (region, 6) of a square of cells, row by row: left, top, right, bottom, width, height as shares.

    >>> cell_boxes(2)[1].tolist()
    [0.5, 0.0, 1.0, 0.5, 0.5, 0.5]
    """
    top, left = np.divmod(np.arange(cells**2), cells)
    side = np.ones_like(top)
    return (np.stack([left, top, left + 1, top + 1, side, side], 1) / cells).astype(np.float32)
