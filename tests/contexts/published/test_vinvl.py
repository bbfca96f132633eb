"""VinVL's published output: the real six files, both layouts, and what is damaged."""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mner.config import VisionConfig
from mner.contexts.artefact import read_contexts
from mner.contexts.entry_text import entry_texts, words_of
from mner.contexts.published import vinvl
from mner.contexts.published.imports import rows
from mner.contexts.published.objects import fitted
from mner.errors import DataError

OBJECTS = {
    "objects": np.array(["dog", "computer monitor", "sky"]),
    "attr_obj": np.array(["brown dog", "white computer monitor", "sky"]),
    "scores": np.array([0.5, 0.9, 0.3], np.float32),
    "attr_scores": np.array([[0.05], [0.8], [0.4]], np.float32),
    "bounding_boxes": np.array([[0, 0, 50, 40], [10, 10, 300, 200], [0, 0, 0, 0]], np.float32),
    "image_w": np.array(200),
    "image_h": np.array(100),
    "box_features": np.zeros((3, 8), np.float32),
}


def npz(path: Path, **changes: Any) -> Path:
    arrays = {name: array for name, array in {**OBJECTS, **changes}.items() if array is not None}
    np.savez(path, **arrays)
    return path


def test_npz_gives_attribute_and_object_by_confidence(tmp_path: Path) -> None:
    npz(tmp_path / "1.jpg.npz")
    objects = vinvl.Published(tmp_path).find("1.jpg")
    assert [words_of(tag) for tag in objects.tags] == ["white computer monitor", "brown dog", "sky"]
    assert (objects.tags[0].object, objects.tags[0].attributes) == ("computer monitor", ("white",))
    assert {tag.source for tag in objects.tags} == {"vinvl"}
    assert objects.size == (200.0, 100.0)


def test_thresholds_drop_objects_and_attributes(tmp_path: Path) -> None:
    npz(tmp_path / "1.jpg.npz")
    objects = vinvl.Published(tmp_path, threshold=0.4, attribute_threshold=0.1).find("1.jpg")
    assert [words_of(tag) for tag in objects.tags] == ["white computer monitor", "dog"]


@pytest.mark.parametrize(("threshold", "attributes"), [(None, 2), (0.0, 2), (0.1, 1), (0.25, 0)])
def test_import_keeps_the_surest_hundred_and_attributes_over_the_threshold(
    tmp_path: Path, threshold: float | None, attributes: int
) -> None:
    objects = [
        {"class": f"c{n}", "conf": n / 1000, "attributes": ["low", "high"], "attr_scores": [0.1, 0.25]}
        for n in range(120)
    ]
    (tmp_path / "a.tsv").write_text(f"1.jpg\t{json.dumps(objects)}\n")
    (row,) = rows(tmp_path / "a.tsv", "vinvl", attribute_threshold=threshold)
    assert {tag.attributes for tag in row.tags} == {("high", "low")[:attributes]}
    count = 100 // (1 + attributes)
    assert [tag.object for tag in row.tags] == [f"c{n}" for n in range(119, 119 - count, -1)]
    assert row.extra == {"cut": {"tags": 120 - count}}


def test_boxes_are_scaled_to_the_picture_and_cut_at_its_edges(tmp_path: Path) -> None:
    npz(tmp_path / "1.jpg.npz")
    monitor, dog, sky = fitted(vinvl.Published(tmp_path).find("1.jpg"), (400, 200))
    assert monitor.box == (20.0, 20.0, 400.0, 200.0)
    assert dog.box == (0.0, 0.0, 100.0, 80.0)
    assert sky.box is None


@pytest.mark.parametrize("image", ["1.jpg", "IMGID:1", "./1.jpg", "photos/1.jpg"])
def test_a_picture_is_found_however_it_is_spelled(tmp_path: Path, image: str) -> None:
    npz(tmp_path / "1.npz")
    assert len(vinvl.Published(tmp_path).find(image).tags) == 3


TSV = {
    "image_w": 100,
    "image_h": 50,
    "objects": [
        {"class": "man", "conf": 0.4, "rect": [0, 0, 9, 9]},
        {
            "class": "hat",
            "conf": 0.8,
            "attributes": ["old", "red", "wet", "big"],
            "attr_scores": [0.05, 0.3, 0.2, 0.25],
        },
    ],
}


@pytest.mark.parametrize("row", [TSV, TSV["objects"]])
def test_tsv_gives_at_most_three_attributes_the_surest_first(tmp_path: Path, row: Any) -> None:
    (tmp_path / "a.tsv").write_text(f"other.jpg\t[]\n1.jpg\t{json.dumps(row)}\n")
    published = vinvl.Published(tmp_path / "a.tsv", attribute_threshold=0.1)
    assert [words_of(tag) for tag in published.find("1.jpg").tags] == ["red big wet hat", "man"]
    assert list(published) == ["other.jpg", "1.jpg"]
    assert published.find("other.jpg").tags == ()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("1.jpg\t{", "a.tsv:2: expected JSON"),
        ("1.jpg\t" + "[" * 100_000, "a.tsv:2: expected JSON"),
        ("1.jpg\t7", "a.tsv:2: expected a list of objects"),
        ('1.jpg\t[{"conf": 1}]', r'a.tsv:2: objects\[0\]: expected an object with the key "class"'),
        ('1.jpg\t[{"class": "a", "conf": "x"}]', r"a.tsv:2: objects\[0\]: conf, rect"),
        ('1.jpg\t[{"class": "a", "conf": NaN}]', r"a.tsv:2: objects\[0\]: conf: expected a number"),
        (f'1.jpg\t[{{"class": "a", "conf": {"9" * 400}}}]', r"objects\[0\]: conf, rect"),
        ('1.jpg\t[{"class": "a", "attributes": 5}]', r"objects\[0\]: attributes: expected a list of names, found '5'"),
        ('1.jpg\t[{"class": "a", "attributes": "red"}]', r"objects\[0\]: attributes: expected a list of names"),
        ('1.jpg\t[{"class": "a", "attributes": ["x"], "attr_scores": []}]', r"objects\[0\]: conf, rect, attributes"),
    ],
)
def test_faulty_row_names_file_and_line(tmp_path: Path, row: str, expected: str) -> None:
    (tmp_path / "a.tsv").write_text(f"0.jpg\t[]\n{row}\n")
    with pytest.raises(DataError, match=expected):
        vinvl.Published(tmp_path / "a.tsv").find("1.jpg")


def test_row_without_tab_or_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.tsv").write_text("1.jpg\t[]\n2.jpg\n")
    with pytest.raises(DataError, match=r"a.tsv:2: expected the picture's name, a TAB"):
        vinvl.Published(tmp_path / "a.tsv")
    monkeypatch.setattr("mner.contexts.published.names.LONGEST", 20)
    (tmp_path / "b.tsv").write_text("1.jpg\t[]\n2.jpg\t" + " " * 30 + "[]\n")
    with pytest.raises(DataError, match=r"b.tsv:2: a line of more than 20 bytes"):
        vinvl.Published(tmp_path / "b.tsv")


def test_pickled_array_is_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    npz(tmp_path / "1.jpg.npz", objects=np.array([Trap()] * 3, dtype=object))
    with pytest.raises(DataError, match=r"1.jpg.npz: damaged, or it needs pickle"):
        vinvl.Published(tmp_path).find("1.jpg")
    assert not (tmp_path / "sprung").exists()


def test_array_over_the_limit_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "1.jpg.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("objects.npy", bytes(5_000_000))
    monkeypatch.setattr(vinvl, "ARRAY", 1000)
    with pytest.raises(DataError, match="objects: an array of more than 1,000 bytes"):
        vinvl.Published(tmp_path).find("1.jpg")


def test_header_that_promises_more_than_there_is_is_damage(tmp_path: Path) -> None:
    npz(tmp_path / "1.jpg.npz")
    with zipfile.ZipFile(tmp_path / "1.jpg.npz") as archive:
        content = archive.read("scores.npy").replace(b"(3,)", b"(9999999999,)")
    with zipfile.ZipFile(tmp_path / "1.jpg.npz", "w") as archive:
        archive.writestr("objects.npy", content)
    with pytest.raises(DataError, match=r"1.jpg.npz: damaged"):
        vinvl.Published(tmp_path).find("1.jpg")


def test_any_byte_that_is_wrong_is_damage_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "1.jpg.npz"
    np.savez_compressed(path, **{name: OBJECTS[name] for name in ("objects", "scores")})
    whole, refused = path.read_bytes(), 0
    for place in range(0, len(whole), 3):
        for mask in (0xFF, 0x01):  # the second turns flags, such as that of encryption
            path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
            try:
                vinvl.Published(tmp_path).find("1.jpg")
            except DataError as error:
                assert "1.jpg.npz: " in str(error)
                refused += 1
    assert refused > 50


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"objects": None, "attr_obj": None}, 'expected an array "objects"'),
        ({"scores": np.array([0.5])}, r"scores: expected 3 entries, found float64 \(1,\)"),
        ({"objects": np.arange(3)}, "objects: expected 3 entries, found int64"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    npz(tmp_path / "1.jpg.npz", **changes)
    with pytest.raises(DataError, match=expected):
        vinvl.Published(tmp_path).find("1.jpg")


@settings(max_examples=150, derandomize=True)
@given(
    name=st.sampled_from(sorted(OBJECTS)),
    shape=st.lists(st.integers(0, 4), max_size=3),
    kind=st.sampled_from(["f4", "i8", "u1", "U3", "S2", "?", "c8", "M8[s]"]),
)
def test_array_of_any_shape_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, name: str, shape: list[int], kind: str
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    npz(folder / "1.jpg.npz", **{name: np.zeros(shape, kind)})
    try:
        tags = vinvl.Published(folder).find("1.jpg").tags
    except DataError as error:
        assert re.search(r"1\.jpg\.npz: [a-z_, ]+: expected .*, found ", str(error))
    else:
        assert len(tags) in {3, *shape[:1]}


def test_damaged_missing_and_empty_places_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no"):
        vinvl.Published(tmp_path)
    (tmp_path / "1.jpg.npz").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(DataError, match=r"1.jpg.npz: damaged"):
        vinvl.Published(tmp_path).find("1.jpg")
    with pytest.raises(DataError, match=r'holds nothing of "2.jpg"; its pictures are called like this: \'1.jpg\''):
        vinvl.Published(tmp_path).find("2.jpg")
    with pytest.raises(DataError, match=r"gone.tsv: cannot be read"):
        vinvl.Published(tmp_path / "gone.tsv")


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("MNER_DATA"), reason="set MNER_DATA to the folder of the real data")
def test_six_real_files_give_the_tags_that_were_printed() -> None:
    from mner.vision.extract import Extractor

    data = Path(os.environ["MNER_DATA"])
    options = {"vinvl": {"detections": str(data / "vinvl")}}
    extractor = Extractor(VisionConfig(detector="vinvl", captioner="", ocr="", options=options))
    printed = read_contexts([data / "contexts" / f"twitter20{year}.jsonl" for year in (15, 17)])
    compared = 0
    for image, row in printed.items():
        if row.tags:
            read = extractor.read(data / "images" / image, image=image)
            assert entry_texts(read, "tags") == entry_texts(row, "tags")
            compared += 1
    assert compared == 6


def test_file_that_changes_while_it_is_read_is_named(tmp_path: Path) -> None:
    lines = [
        f"{name}.jpg\t{json.dumps([{'class': kind, 'conf': 0.9}])}\n" for name, kind in (("1", "dog"), ("2", "cat"))
    ]
    (tmp_path / "a.tsv").write_text("".join(lines))
    published = vinvl.Published(tmp_path / "a.tsv")
    assert [tag.object for tag in published.find("1.jpg").tags] == ["dog"]
    (tmp_path / "a.tsv").write_text("".join(lines[::-1]))
    with pytest.raises(DataError, match=r'a.tsv:1: "1.jpg" stood here; the file has changed'):
        published.find("1.jpg")
