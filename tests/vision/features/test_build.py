"""Folders of features: what is written, what continues, and what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mner.contexts.artefact import iter_contexts
from mner.data.listing import pictures
from mner.errors import ConfigError, DataError, PluginError
from mner.vision.features import INDEX, build, read_features

OWN = '''
"""An extractor that gives what the test wants."""
import numpy as np
from pydantic import BaseModel

VERSION = 1
NAMED = False
ANSWERS = {}


class Options(BaseModel):
    batch: int = 1


class FeatureExtractor:
    def __init__(self, options, *, threads=0): ...

    def __call__(self, pictures, *, images):
        for image in images:
            if ANSWERS.get(image) == "stop":
                raise KeyboardInterrupt
            if ANSWERS.get(image) == "fail":
                1 / 0
        plain = {"grid": np.ones((2, 3))}
        return [ANSWERS.get(image, plain) for image in images]
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Answers by picture of the extractor ``own_features.extractor``; all others give 2 regions of 3 ones."""
    (tmp_path / "own_features").mkdir()
    (tmp_path / "own_features" / "extractor.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    import importlib

    yield importlib.import_module("own_features.extractor").ANSWERS
    for name in ("own_features.extractor", "own_features"):
        sys.modules.pop(name, None)


OURS: dict[str, Any] = {"extractor": "own_features.extractor", "options": {}}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_picture_is_listed_with_its_status(photos: Path, make: Callable[..., Path]) -> None:
    (photos / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    folder = make()
    rows = {row.image: row for row in iter_contexts(folder / INDEX)}
    assert {name: row.status for name, row in rows.items()} == {
        **{f"{name}.png": "ok" for name in "abcde"},
        "bad.png": "unreadable",
    }
    assert rows["c.png"].extra == {"features": {"shard": 1, "regions": 4}} and rows["bad.png"].reason
    assert sorted(contents(folder)) == [
        INDEX, "manifest.json", *(f"part-000000{number}.safetensors" for number in range(3))
    ]  # fmt: skip


def test_interrupted_build_continues_to_the_same_bytes(
    photos: Path, make: Callable[..., Path], own: dict[str, Any]
) -> None:
    whole = contents(make("whole", **OURS))
    own["d.png"] = "stop"
    with pytest.raises(KeyboardInterrupt):
        make("cut", **OURS)
    stored = photos.parent / "cut" / "part-0000000.safetensors"
    before = stored.stat().st_mtime_ns
    with pytest.raises(DataError, match="not finished; the same mner features build goes on"):
        read_features(stored.parent)
    del own["d.png"]
    assert contents(make("cut", **OURS)) == whole
    assert stored.stat().st_mtime_ns == before


def test_changed_or_further_pictures_are_noticed(photos: Path, make: Callable[..., Path]) -> None:
    folder = make()
    Image.new("RGB", (9, 9)).save(photos / "b.png")
    with pytest.raises(DataError, match=r"part-0000000.* made of other pictures .* rm .*part-0000000"):
        make()
    (folder / "part-0000000.safetensors").unlink()
    make()
    Image.new("RGB", (9, 9)).save(photos / "f.png")
    with pytest.raises(DataError, match=r"part-0000002.* made of other pictures"):
        make()


@pytest.mark.parametrize("changes", [{"options": {"cells": 2, "width": 9}}, {"shard_size": 3}])
def test_folder_of_other_settings_is_refused_and_stays(make: Callable[..., Path], changes: dict[str, Any]) -> None:
    before = contents(make())
    with pytest.raises(DataError, match="was begun with other input, model or options"):
        make(**changes)
    assert contents(make()) == before


def test_folder_of_others_is_refused(photos: Path, make: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="not shards of mner"):
        make("photos")
    with pytest.raises(DataError, match=r"cannot be written|is a file|cannot be a folder"):
        (photos.parent / "file").write_text("x")
        make("file")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e6])
def test_number_that_cannot_be_kept_names_the_picture(
    make: Callable[..., Path], own: dict[str, Any], wrong: float
) -> None:
    own["d.png"] = {"grid": np.array([[1.0, 2, 3], [4, 5, wrong]])}
    with pytest.raises(DataError, match=r"d.png: grid holds NaN, infinity or a number beyond 65504"):
        make(**OURS)


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"grid": np.ones((2, 4))}, "d.png: has grid of 4 numbers, the pictures before it grid of 3 numbers"),
        ({"cells": np.ones((2, 3))}, "d.png: has cells of 3 numbers"),
        ({"grid": np.ones(3)}, r"d.png: expected arrays \(region, width\)"),
        ({"grid": np.ones((0, 3))}, r"d.png: expected arrays \(region, width\)"),
        ({"grid": np.ones((2, 3)), "boxes": np.ones((1, 6))}, "d.png: expected arrays .* equally many regions"),
        ({}, r"d.png: expected arrays \(region, width\)"),
    ],
)
def test_arrays_of_another_shape_name_the_picture(
    make: Callable[..., Path], own: dict[str, Any], arrays: dict[str, Any], expected: str
) -> None:
    own["d.png"] = arrays
    with pytest.raises(DataError, match=expected):
        make(**OURS)


def test_width_is_checked_against_shards_that_stay(make: Callable[..., Path], own: dict[str, Any]) -> None:
    own["d.png"] = "stop"
    with pytest.raises(KeyboardInterrupt):
        make(**OURS)
    own.update({f"{name}.png": {"grid": np.ones((2, 4))} for name in "cde"})
    with pytest.raises(DataError, match="holds grid of 3 numbers, other shards grid of 4 numbers"):
        make(**OURS)


def test_extractor_that_fails_names_the_pictures(make: Callable[..., Path], own: dict[str, Any]) -> None:
    own["d.png"] = "fail"
    with pytest.raises(PluginError, match=r"the extractor failed on d.png: ZeroDivisionError: .* --set batch=1"):
        make(**OURS)


def test_picture_that_the_extractor_does_not_know_is_skipped(make: Callable[..., Path], own: dict[str, Any]) -> None:
    own["d.png"] = None
    features = read_features(make(**OURS))
    assert features.statuses == {"ok": 4, "skipped": 1} and features.row("d.png").reason  # type: ignore[union-attr]


def test_regions_need_no_picture(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text('{"id": "1", "text": "a", "image": "gone.jpg"}\n')
    np.savez(
        tmp_path / "gone.jpg.npz",
        box_features=np.ones((3, 4)), bounding_boxes=np.ones((3, 4)), image_w=9, image_h=9,
    )  # fmt: skip
    named = {"extractor": "regions", "options": {"path": tmp_path}}
    assert build(pictures(tmp_path / "posts.jsonl"), tmp_path / "out", **named) == {"ok": 1}
    assert read_features(tmp_path / "out")["gone.jpg"]["regions"].shape == (3, 4)


def test_content_of_published_files_is_part_of_the_fingerprint(tmp_path: Path, make: Callable[..., Path]) -> None:
    named = {"extractor": "regions", "options": {"path": tmp_path / "published"}}
    (tmp_path / "published").mkdir()
    np.savez(tmp_path / "published" / "a.png.npz", box_features=np.ones((3, 4)))
    make(**named)
    (tmp_path / "published").rename(tmp_path / "moved")
    make(**{**named, "options": {"path": tmp_path / "moved"}})
    np.savez(tmp_path / "moved" / "a.png.npz", box_features=np.zeros((3, 4)))
    with pytest.raises(DataError, match="was begun with other input"):
        make(**{**named, "options": {"path": tmp_path / "moved"}})


def test_unknown_extractor_and_option_list_the_choices(make: Callable[..., Path]) -> None:
    with pytest.raises(PluginError, match="there are c4, crops, projection, regions, resnet"):
        make(extractor="resnett")
    with pytest.raises(ConfigError, match='widht: unknown key; did you mean "width"'):
        make(options={"widht": 3})


def test_folder_that_is_written_is_not_written_twice(photos: Path, make: Callable[..., Path]) -> None:
    from mner.folders import held

    with held(photos.parent / "features"), pytest.raises(DataError, match="is writing this folder"):
        make()


def test_shard_names_its_extractor_and_its_pictures(make: Callable[..., Path]) -> None:
    from safetensors import safe_open

    with safe_open(make() / "part-0000000.safetensors", framework="numpy") as shard:
        head = json.loads(shard.metadata()["mner"])
        assert shard.get_tensor("grid").dtype == np.float16
    assert head["extractor"] == "projection" and [row["image"] for row in head["pictures"]] == ["a.png", "b.png"]
