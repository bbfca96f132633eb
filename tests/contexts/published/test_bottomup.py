"""Bottom-Up's published features: classes and attributes out of base64, and what does not fit."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mner.contexts.entry_text import words_of
from mner.contexts.published import bottomup
from mner.errors import DataError


def coded(values: Any, kind: type[np.generic]) -> str:
    return base64.b64encode(np.array(values, kind).tobytes()).decode()


def line(**changes: str) -> str:
    row = {
        "img_id": "12", "img_h": "100", "img_w": "200",
        "objects_id": coded([2, 0], np.int64), "objects_conf": coded([0.4, 0.8], np.float32),
        "attrs_id": coded([1, 0], np.int64), "attrs_conf": coded([0.3, 0.05], np.float32), "num_boxes": "2",
        "boxes": coded([[0, 0, 10, 20], [5, 5, 50, 60]], np.float32), "features": coded([0] * 8, np.float32),
    }  # fmt: skip
    return "\t".join({**row, **changes}.values())


@pytest.fixture
def features(tmp_path: Path) -> Path:
    (tmp_path / "objects_vocab.txt").write_text("yolk\ngoggles\nbath,bathe\n")
    (tmp_path / "attributes_vocab.txt").write_text("Red\nold\n")
    (tmp_path / "f.tsv").write_text(line() + "\n")
    return tmp_path / "f.tsv"


def test_tags_have_an_attribute_where_it_is_sure(features: Path) -> None:
    objects = bottomup.Published(features).find("12.jpg")
    assert [words_of(tag) for tag in objects.tags] == ["yolk", "old bath"]
    assert (objects.tags[0].confidence, objects.tags[0].box, objects.size) == (
        0.8,
        (5.0, 5.0, 50.0, 60.0),
        (200.0, 100.0),
    )
    assert [words_of(tag) for tag in bottomup.Published(features, attribute_threshold=0).find("12").tags] == [
        "red yolk",
        "old bath",
    ]


def test_head_of_the_columns_is_no_picture(features: Path) -> None:
    features.write_text("\t".join(bottomup.COLUMNS) + "\n" + line() + "\n")
    assert list(bottomup.Published(features)) == ["12"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"objects_id": "!!!!"}, "f.tsv:2: objects_id: not base64"),
        ({"objects_id": coded([1], np.int64)}, r"f.tsv:2: objects_id: expected 2 numbers \(16 bytes\), found 8 bytes"),
        ({"boxes": coded([0] * 999, np.float32)}, "f.tsv:2: boxes: expected 8 numbers .* found more"),
        ({"objects_id": coded([3, 0], np.int64)}, "f.tsv:2: objects_id: the vocabulary of 3 lines has no line 3"),
        ({"attrs_id": coded([-1, 0], np.int64)}, "f.tsv:2: attrs_id: the vocabulary of 2 lines has no line -1"),
        ({"objects_conf": coded([np.nan, 0], np.float32)}, "f.tsv:2: objects_conf, attrs_conf: expected numbers"),
        ({"num_boxes": "many"}, "f.tsv:2: num_boxes: expected a number, found 'many'"),
        ({"num_boxes": "9" * 30}, "f.tsv:2: num_boxes: expected a number"),
        ({"features": "a\tb"}, "f.tsv:2: expected the 10 columns"),
    ],
)
def test_faulty_row_names_file_and_line(features: Path, changes: dict[str, str], expected: str) -> None:
    features.write_text(line(img_id="11") + "\n" + line(**changes) + "\n")
    with pytest.raises(DataError, match=expected):
        bottomup.Published(features).find("12.jpg")


def test_file_of_boxes_alone_says_what_is_missing(features: Path) -> None:
    features.write_text("12\t200\t100\t2\tAAAA\tAAAA\n")
    with pytest.raises(DataError, match="a file of boxes and features alone says nothing of objects"):
        bottomup.Published(features)


def test_first_of_two_lines_of_a_picture_counts(features: Path) -> None:
    features.write_text(line() + "\n" + line(num_boxes="0") + "\n")
    assert len(bottomup.Published(features).find("12").tags) == 2


def test_missing_vocabulary_says_where_to_put_it(features: Path) -> None:
    features.with_name("attributes_vocab.txt").unlink()
    with pytest.raises(DataError, match=r"attributes_vocab.txt: cannot be read .* put it beside the .tsv"):
        bottomup.Published(features)
