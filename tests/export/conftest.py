"""The tiny model exported once, and the posts that it was compared on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mner import data
from mner.export import Exported, export
from mner.types import Post


@pytest.fixture(scope="session")
def posts(posts_file: Path) -> list[Post]:
    return list(data.read(posts_file))


@pytest.fixture(scope="session")
def exported(tiny_model: Path, posts: list[Post], tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Both precisions in a copy of the tiny model."""
    out = tmp_path_factory.mktemp("exported") / "model"
    return export(tiny_model, int8=True, out=out, posts=posts, threads=1)
