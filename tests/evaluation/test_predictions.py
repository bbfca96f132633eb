from __future__ import annotations

import json

import pytest

from mner.errors import DataError
from mner.evaluation.predictions import of_gold, of_prediction, read_predictions
from mner.regions import Region
from mner.types import Entity, Post, Prediction, Span

POSTS = [
    Post("Kevin Love  won", spans=(Span(0, 2, "PER"),), image="1.jpg", where="posts.txt:1"),
    Post("again", spans=()),
]


def _region(box, picture=0):
    return Region(box, source="rapid", score=0.9, match="exact", text="Love", picture=picture)


def _file(folder, *rows):
    path = folder / "tagged.jsonl"
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def _row(**fields):
    return {"text": "Kevin Love  won", "entities": [], **fields}


def test_written_predictions_are_read_as_they_were(tmp_path):
    entity = Entity(0, 10, "Kevin Love", "PER", 0.9, (_region((1, 2, 3, 4)), _region((5, 6, 7, 8))))
    predictions = [Prediction("1", POSTS[0].text, (entity,), view="I+T"), Prediction("2", "again", ())]
    path = _file(tmp_path, *(prediction.to_dict() for prediction in predictions))
    entities, view = read_predictions(path, POSTS)
    assert entities == [of_prediction(prediction) for prediction in predictions]
    assert entities == [[(Span(0, 10, "PER"), ((1, 2, 3, 4), (5, 6, 7, 8)))], []]
    assert view == "I+T"


def test_regions_of_the_first_picture_alone_are_read(tmp_path):
    entity = Entity(0, 10, "Kevin Love", "PER", 0.9, (_region((5, 6, 7, 8), 1), _region((1, 2, 3, 4))))
    prediction = Prediction("1", POSTS[0].text, (entity,))
    assert of_prediction(prediction) == [(Span(0, 10, "PER"), ((1, 2, 3, 4),))]
    assert read_predictions(_file(tmp_path, prediction.to_dict()), POSTS[:1])[0] == [of_prediction(prediction)]


def test_entities_without_regions_have_no_box(tmp_path):
    row = _row(
        entities=[{"start": 0, "end": 5, "label": "PER"}, {"start": 6, "end": 10, "label": "PER", "regions": []}]
    )
    entities, view = read_predictions(_file(tmp_path, row), POSTS[:1])
    assert entities == [[(Span(0, 5, "PER"), ()), (Span(6, 10, "PER"), ())]]
    assert view == "T"


def test_gold_entities_are_those_of_characters():
    assert of_gold(POSTS[0], [[(1, 2, 3, 4)]]) == [(Span(0, 10, "PER"), ((1, 2, 3, 4),))]
    assert of_gold(Post("no labels")) == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", r"tagged\.jsonl:1: not JSON: .*a model is named by its folder"),
        ([], r"tagged\.jsonl:1: found .*\. Expected {\"text\""),
        ({"text": "Kevin Love  won"}, r"tagged\.jsonl:1: found .*\. Expected {\"text\""),
        (_row(text="Kevin"), r'tagged\.jsonl:1: predicts "Kevin", but posts\.txt:1 is "Kevin Love  won"\. Predict'),
        (_row(entities=["Kevin"]), 'expected {"start", "end", "label", "regions"}, found \'Kevin\''),
        (_row(entities=[{"start": True, "end": 5, "label": "PER"}]), 'expected {"start"'),
        (_row(entities=[{"start": 0, "end": 5, "label": "PER", "regions": 7}]), 'expected {"start"'),
        (_row(entities=[{"start": 0, "end": 5, "label": "PER", "regions": [[1, 2, 3, 4]]}]), 'expected {"box"'),
        (_row(entities=[{"start": 0, "end": 5, "label": "PER", "regions": [{"box": [1, 2, 3]}]}]), 'expected {"box"'),
    ],
)
def test_faulty_predictions_are_refused_by_line(tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        read_predictions(_file(tmp_path, row), POSTS[:1])


def test_other_numbers_of_predictions_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"tagged\.jsonl: 1 predictions for 2 posts"):
        read_predictions(_file(tmp_path, _row()), POSTS)
    with pytest.raises(DataError, match=r"no such file\. Expected {\"text\""):
        read_predictions(tmp_path / "nowhere", POSTS)


def test_model_file_is_no_file_of_predictions(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"\x08\xb5\xff")
    with pytest.raises(DataError, match=r"not UTF-8 text .*a model is named by its folder"):
        read_predictions(tmp_path / "model.onnx", POSTS)
