"""Reading features: names, policies, and folders that are not what was written."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from mner.errors import DataError
from mner.vision.features import INDEX, Policy, read_features
from mner.vision.features.projection import FeatureExtractor, Options
from mner.vision.images import open_image


def expected(picture: Path) -> np.ndarray:
    (arrays,) = FeatureExtractor(Options(cells=2, width=8))([open_image(picture)], images=["a"])
    assert arrays is not None
    return arrays["grid"]


def change(shard: Path, **arrays: np.ndarray) -> None:
    """Write a shard again with other arrays."""
    with safe_open(shard, framework="numpy") as opened:
        head = opened.metadata()
    save_file({**load_file(shard), **arrays}, shard, metadata=head)


def test_arrays_come_by_name_and_by_content(photos: Path, make: Callable[..., Path]) -> None:
    folder = make()
    sha = open_image(photos / "d.png").sha256
    features = read_features(folder, ["a.png", "./d.png", "deep\\e.png", sha])
    assert (features.extractor, features.widths, features.regions) == ("projection", {"grid": 8}, (4, 4))
    assert list(features) == ["a.png", "d.png", "deep\\e.png", sha] and not features.missing
    for name, file in {"a.png": "a", "d.png": "d", "e.png": "e", sha: "d"}.items():
        grid = features[name]["grid"]
        assert grid.dtype == np.float32
        np.testing.assert_allclose(grid, expected(photos / f"{file}.png"), rtol=2e-3, atol=1e-3)
    assert list(read_features(folder)) == [f"{name}.png" for name in "abcde"]


@pytest.mark.parametrize("policy", ["skip", "zero", "mean"])
def test_policy_stands_for_a_picture_without_features(photos: Path, make: Callable[..., Path], policy: Policy) -> None:
    (photos / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    features = read_features(make(), ["a.png", "bad.png", "gone.png", "gone.png"], policy=policy)
    assert features.missing == ("bad.png", "gone.png")
    if policy == "skip":
        assert list(features) == ["a.png"] and features.get("bad.png") is None and "bad.png" not in features
        return
    assert len(features) == 3
    mean = np.concatenate([expected(photos / f"{name}.png") for name in "abcde"]).mean(axis=0)
    wanted = np.zeros((4, 8)) if policy == "zero" else np.repeat(mean[None], 4, axis=0)
    for name in ("bad.png", "gone.png"):
        np.testing.assert_allclose(features[name]["grid"], wanted, rtol=2e-3, atol=2e-3)


def test_same_last_part_of_two_paths_is_no_name(photos: Path, make: Callable[..., Path]) -> None:
    for sub in ("x", "y"):
        (photos / sub).mkdir()
        shutil.copy(photos / f"{'a' if sub == 'x' else 'b'}.png", photos / sub / "same.png")
    features = read_features(make(), ["same.png", "y/same.png"])
    assert features.missing == ("same.png",)
    np.testing.assert_allclose(features["y/same.png"]["grid"], expected(photos / "b.png"), rtol=2e-3, atol=1e-3)


def test_folder_that_is_none_says_what_to_type(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(DataError, match="mner features build PICTURES --out FOLDER"):
            read_features(folder)


def test_folder_without_any_features_is_an_error(photos: Path, make: Callable[..., Path]) -> None:
    for picture in photos.iterdir():
        picture.write_bytes(b"\x89PNG\r\n\x1a\nno")
    with pytest.raises(DataError, match=f"none of its 5 pictures has features; see {INDEX}"):
        read_features(make())


def test_shard_of_another_extractor_is_named(make: Callable[..., Path]) -> None:
    folder, other = make(), make("other", options={"cells": 2, "width": 8, "seed": 1})
    shutil.copy(other / "part-0000001.safetensors", folder)
    with pytest.raises(DataError, match=r"part-0000001.safetensors: made by another extractor .* rm "):
        read_features(folder)["c.png"]


def test_shard_of_other_pictures_is_named(make: Callable[..., Path]) -> None:
    folder = make()
    shutil.copy(folder / "part-0000000.safetensors", folder / "part-0000001.safetensors")
    with pytest.raises(DataError, match=r"part-0000001.safetensors: holds no features of c.png"):
        read_features(folder)["c.png"]


def test_nan_in_a_shard_names_the_picture(make: Callable[..., Path]) -> None:
    folder = make()
    grid = load_file(folder / "part-0000001.safetensors")["grid"]
    grid[5, 2] = np.nan  # of the second picture
    change(folder / "part-0000001.safetensors", grid=grid)
    features = read_features(folder)
    assert np.isfinite(features["c.png"]["grid"]).all()
    with pytest.raises(DataError, match=r"part-0000001.safetensors: d.png: grid holds NaN .* rm "):
        features["d.png"]


def test_shard_of_another_width_is_named(make: Callable[..., Path]) -> None:
    folder = make()
    change(folder / "part-0000001.safetensors", grid=np.ones((8, 9), np.float16))
    with pytest.raises(DataError, match=r"part-0000001.safetensors: holds grid of 9 numbers, other shards grid of 8"):
        read_features(folder)["c.png"]


@pytest.mark.parametrize("size", [0, 4, 100, -1])
def test_truncated_shard_is_named(make: Callable[..., Path], size: int) -> None:
    shard = make() / "part-0000001.safetensors"
    shard.write_bytes(shard.read_bytes()[:size])
    with pytest.raises(DataError, match=r"part-0000001.safetensors: damaged, .* rm "):
        read_features(shard.parent)["c.png"]
    with pytest.raises(DataError, match=r"part-0000001.safetensors: damaged, .* rm "):
        make()
    shard.unlink()
    with pytest.raises(DataError, match=r"part-0000001.safetensors: no such shard"):
        read_features(shard.parent)["c.png"]
    make()
    assert read_features(shard.parent)["c.png"]["grid"].shape == (4, 8)


def test_question_whether_there_are_features_reads_none(make: Callable[..., Path]) -> None:
    folder = make()
    features = read_features(folder, ["c.png"])
    (folder / "part-0000001.safetensors").unlink()
    assert "c.png" in features and "z.png" not in features and len(features) == 1


def test_index_that_was_changed_is_named(make: Callable[..., Path]) -> None:
    index = make() / INDEX
    text = index.read_text()
    for wrong in ('{"shard": "x", "regions": 4}', "7", '{"shard": 0}', "[]"):
        index.write_text(text.replace('{"shard": 0, "regions": 4}', wrong))
        with pytest.raises(DataError, match=rf"{INDEX}: a.png: features: expected"):
            read_features(index.parent)


def test_any_damage_is_an_error_or_does_not_matter(make: Callable[..., Path], tmp_path: Path) -> None:
    """Bytes of any file changed, cut or doubled: ``DataError``, or numbers of the right shape."""
    whole = make()
    draw = random.Random(5)
    for trial in range(150):
        folder = tmp_path / f"trial{trial}"
        shutil.copytree(whole, folder)
        path = draw.choice(sorted(folder.iterdir()))
        content = bytearray(path.read_bytes())
        at = draw.randrange(min(len(content), draw.choice([40, 2000])))
        kind: Any = draw.choice(["flip", "cut", "double", "drop"])
        if kind == "flip":
            content[at] = draw.randrange(256)
        content = {"cut": content[:at], "double": content + content[at:], "drop": content[:at] + content[at + 1 :]}.get(
            kind, content
        )
        path.write_bytes(content)
        try:
            for arrays in read_features(folder, policy="mean").values():
                assert arrays["grid"].shape == (4, 8) and np.isfinite(arrays["grid"]).all()
        except DataError as error:
            assert str(folder) in str(error)
