"""A tiny data set whose pictures have features, and the configuration of a model that reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mner import config as configs
from mner.config import Config
from mner.data.listing import pictures
from mner.vision.features import build


@pytest.fixture
def album(tmp_path: Path, posts_file: Path) -> Path:
    """A folder with train.txt, dev.txt, photos/ 1.jpg to 11.jpg (the twelfth is missing) and features/ of them."""
    folder = tmp_path / "album"
    (folder / "photos").mkdir(parents=True)
    for name in ("train", "dev"):
        (folder / f"{name}.txt").write_text(posts_file.read_text(encoding="utf-8"), encoding="utf-8")
    noise = np.random.default_rng(1)
    for number in range(1, 12):
        Image.fromarray(noise.integers(0, 256, (20, 30, 3), np.uint8)).save(folder / "photos" / f"{number}.jpg")
    build(pictures(folder / "photos"), folder / "features", extractor="projection", options={"cells": 2, "width": 8})
    return folder


@pytest.fixture
def pictured(tiny_encoder: Path) -> Callable[..., Config]:
    """A function that makes a configuration of imgfeat for the album; keywords are sections, merged over it."""

    def make(**sections: Any) -> Config:
        table: dict[str, Any] = {
            "name": "pictured",
            "data": {"name": "album", "train": "train.txt", "dev": "dev.txt", "features": "features"},
            "vision": {"features": "projection", "options": {"projection": {"cells": 2, "width": 8}}},
            "context": {"max_tokens": 448},
            "model": {
                "name": "imgfeat",
                "encoder": str(tiny_encoder),
                "case_shape": True,
                "options": {"regions": 4, "width": 8},
            },
            "loss": {"views": ["I+T"]},
            "training": {"epochs": 2, "posts_per_step": 5, "encoder_lr": 1e-3, "device": "cpu", "threads": 1},
        }
        for name, section in sections.items():
            table[name] = {**table.get(name, {}), **section} if isinstance(section, dict) else section
        return configs.check(table)

    return make
