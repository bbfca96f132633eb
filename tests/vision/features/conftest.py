"""Drawn pictures, and a function that makes a folder of features of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mner.data.listing import pictures
from mner.vision.features import build


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five pictures of noise, a.png to e.png."""
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = np.random.default_rng(1)
    for name in "abcde":
        Image.fromarray(noise.integers(0, 256, (40, 60, 3), np.uint8)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def make(photos: Path, tmp_path: Path) -> Callable[..., Path]:
    """Builds a folder of features, of 2 pictures a shard and 4 cells of 8 numbers a picture."""

    def folder(name: str = "features", **changes: Any) -> Path:
        settings = {"extractor": "projection", "options": {"cells": 2, "width": 8}, "shard_size": 2, **changes}
        build(pictures(photos), tmp_path / name, **settings)
        return tmp_path / name

    return folder
