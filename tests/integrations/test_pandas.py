"""Data frames: index and columns stay, missing values are no posts, faults name the row."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import mner
from mner.errors import DataError, MissingExtraError
from mner.tagger import Tagger

pd: Any = pytest.importorskip("pandas", reason='pandas is not installed: pip install "mner[pandas]"')

TEXT = "Kevin Love is back in Cleveland"


@pytest.fixture(scope="module")
def tagger(tiny_model: Path) -> Tagger:
    return mner.load(tiny_model, threads=1)


def test_index_order_and_columns_stay(tagger: Tagger) -> None:
    frame = pd.DataFrame({"text": [TEXT, "Paris", TEXT], "n": [1, 2, 3]}, index=["b", "a", "b"])
    before = frame.copy()
    tagged = mner.tag_frame(frame, tagger)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(tagged[["text", "n"]], before)
    assert list(tagged.columns) == ["text", "n", "entities"]
    expected = [[entity.to_dict() for entity in prediction.entities] for prediction in tagger.batch(frame["text"])]
    assert list(tagged["entities"]) == expected
    assert expected[0]


@pytest.mark.parametrize("missing", [None, float("nan"), "NA"])
@pytest.mark.parametrize("dtype", [object, "string"])
def test_missing_text_has_no_entities(tagger: Tagger, missing: Any, dtype: Any) -> None:
    missing = pd.NA if missing == "NA" else missing
    frame = pd.DataFrame({"text": pd.Series([missing, TEXT], dtype=dtype), "image": ["1.jpg", missing]})
    tagged = mner.tag_frame(frame, tagger, image="image")
    assert tagged["entities"][0] == []
    assert len(tagged["entities"][1]) == len(tagger(TEXT).entities) > 0
    assert list(tagged["image_status"]) == ["none", "none"], "without a text there is no picture to read"


def test_pictures_of_any_kind_are_read(tagger: Tagger, tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "1.png")
    content = (tmp_path / "1.png").read_bytes()
    pictures = [str(tmp_path / "1.png"), tmp_path / "1.png", content, Image.open(tmp_path / "1.png"), "nowhere.jpg"]
    frame = pd.DataFrame({"body": [TEXT] * 5, "photo": pd.Series(pictures, dtype=object)})
    tagged = mner.tag_frame(frame, tagger, text="body", image="photo", column="names")
    assert set(tagged["image_status"][:4]) <= {"used", "empty"}
    assert tagged["image_status"][4] == "missing"
    assert "names" in tagged.columns


def test_exploded_frame_has_a_row_per_entity(tagger: Tagger) -> None:
    frame = pd.DataFrame({"text": [TEXT, None, TEXT], "label": [1, 2, 3]}, index=[7, 7, 9])
    exploded = mner.tag_frame(frame, tagger, explode=True)
    entities = tagger(TEXT).entities
    count = len(entities)
    assert count > 1
    assert list(exploded.index) == [7] * count + [7] + [9] * count
    assert list(exploded["label"]) == [1] * count + [2] + [3] * count
    first = exploded.iloc[:count]
    assert list(first["entity_text"]) == [entity.text for entity in entities]
    assert list(first["entity_start"]) == [entity.start for entity in entities]
    assert list(first["entity_score"]) == pytest.approx([entity.score for entity in entities], abs=1e-6)
    assert exploded.iloc[count][["entity_text", "entity_label", "entity_start"]].isna().all()
    assert str(exploded["entity_end"].dtype) == "Int64"
    assert "entities" not in exploded.columns


@pytest.mark.parametrize("explode", [False, True])
def test_empty_frame_stays_empty(tagger: Tagger, explode: bool) -> None:
    tagged = mner.tag_frame(pd.DataFrame({"text": []}), tagger, explode=explode)
    assert len(tagged) == 0
    assert ("entity_text" if explode else "entities") in tagged.columns


def test_faults_name_the_column_and_the_row(tagger: Tagger) -> None:
    frame = pd.DataFrame({"text": [TEXT, 5], "image": ["1.jpg", [0]]}, index=["x", "y"])
    with pytest.raises(DataError, match=r'column "text", row y: expected a text, found int'):
        mner.tag_frame(frame, tagger)
    with pytest.raises(DataError, match=r'column "body": expected one column .*; there are text, image'):
        mner.tag_frame(frame, tagger, text="body")
    with pytest.raises(DataError, match=r'column "text": .*; 2 columns have that name'):
        mner.tag_frame(pd.DataFrame([[TEXT, TEXT]], columns=["text", "text"]), tagger)
    for taken in ("entities", "image_status"):
        with pytest.raises(DataError, match=f'column "{taken}" is there already'):
            mner.tag_frame(frame.assign(**{taken: 0}), tagger, image="image")
    with pytest.raises(TypeError, match="post 2: image: expected a path"):
        mner.tag_frame(frame.assign(text=TEXT), tagger, image="image")
    with pytest.raises(TypeError, match="got Series"):
        mner.tag_frame(frame["text"], tagger)


def test_default_is_the_model_of_the_package(monkeypatch: pytest.MonkeyPatch, tagger: Tagger) -> None:
    monkeypatch.setattr("mner.integrations.pandas.load", lambda: tagger)
    frame = pd.DataFrame({"text": [TEXT]})
    assert list(mner.tag_frame(frame)["entities"]) == list(mner.tag_frame(frame, tagger)["entities"])


def test_absent_pandas_is_a_message(monkeypatch: pytest.MonkeyPatch, tagger: Tagger) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r'pip install "mner\[pandas\]"'):
        mner.tag_frame(None, tagger)  # type: ignore[arg-type]


def test_text_of_numpy_is_one_path(tagger: Tagger) -> None:
    cells = pd.Series([np.str_("nowhere/nowhere.jpg"), None], dtype=object)
    tagged = mner.tag_frame(pd.DataFrame({"text": [TEXT] * 2, "photo": cells}), tagger, image="photo")
    assert list(tagged["image_status"]) == ["missing", "none"]


def test_cell_may_list_several_pictures(tagger: Tagger, tmp_path: Path) -> None:
    Image.effect_noise((64, 48), 90).save(tmp_path / "1.png")
    path = str(tmp_path / "1.png")
    cells = pd.Series([[path, "nowhere.jpg"], np.array(["nowhere.jpg", path], dtype=object), [], None], dtype=object)
    tagged = mner.tag_frame(pd.DataFrame({"text": [TEXT] * 4, "photo": cells}), tagger, image="photo")
    alone = tagger(TEXT, image=path).image_status
    first = alone if alone == "used" else "missing"
    assert list(tagged["image_status"]) == [alone, first, "none", "none"]
