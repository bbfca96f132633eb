"""Predictions and explanations say where the picture shows their entities."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import mner
from mner.errors import ConfigError

TEXT = "Kevin Love is back in Cleveland"
READ: dict[str, Any] = {
    "image": "1.jpg",
    "ocr": [{"text": "CLEVELAND", "confidence": 0.9, "box": [10, 20, 210, 60], "source": "rapid"}],
    "tags": [{"object": "person", "confidence": 0.8, "box": [0, 0, 50, 90], "source": "nanodet"}],
}


@pytest.fixture(scope="module")
def tagger() -> mner.Tagger:
    return mner.load(threads=1)


def test_prediction_has_regions(tagger: mner.Tagger) -> None:
    man, city = tagger(TEXT, context=READ, min_score=0.5).to_dict()["entities"]
    assert city["regions"] == [
        {"box": [10, 20, 210, 60], "source": "rapid", "score": 0.9, "match": "case", "text": "CLEVELAND", "picture": 0}
    ]
    assert [region["match"] for region in man["regions"]] == ["only person"]


def test_posts_without_pictures_have_rows_as_before(tagger: mner.Tagger) -> None:
    for prediction in (tagger(TEXT), tagger(TEXT, context="a man in Cleveland"), tagger(TEXT, image="none.jpg")):
        assert prediction.entities
        assert all("regions" not in entity for entity in prediction.to_dict()["entities"])


def test_boxes_are_cut_to_the_picture(tagger: mner.Tagger) -> None:
    small = Image.new("RGB", (100, 50))
    _, city = tagger(TEXT, context=READ, image=small, min_score=0.5).entities
    assert city.regions is not None and city.regions[0].box == (10, 20, 100, 50)


def test_each_of_several_pictures_is_its_own_limit(tagger: mner.Tagger) -> None:
    pictures = [Image.new("RGB", (100, 50)), Image.new("RGB", (400, 300))]
    _, city = tagger(TEXT, image=pictures, context=[READ, READ], min_score=0.5).entities
    assert city.regions is not None
    assert {region.picture: region.box for region in city.regions} == {0: (10, 20, 100, 50), 1: (10, 20, 210, 60)}


def test_evidence_has_the_regions_of_the_prediction(tagger: mner.Tagger) -> None:
    explanation = tagger.explain(TEXT, context=READ)
    regions = {(entity.start, entity.label): entity.regions for entity in explanation.prediction.entities}
    for row in explanation.evidence:
        assert row.entity.regions is not None
        assert row.entity.regions == regions.get((row.entity.start, row.entity.label), row.entity.regions)
        assert "regions" in row.to_dict()


def test_an_entity_that_was_lost_has_its_regions_too(tagger: mner.Tagger) -> None:
    signs = {"image": "1.jpg", "ocr": [{"text": "Phoenix", "box": [1, 2, 30, 40]}]}
    explanation = tagger.explain("Phoenix was unreal last night", context=signs)
    assert all(row.entity.regions for row in explanation.evidence)


def test_grounding_is_turned_off_or_set() -> None:
    off = mner.load(threads=1, grounding=False)
    assert all(entity.regions is None for entity in off(TEXT, context=READ).entities)
    assert off.settings["grounding"] == "off"
    texts = mner.load(threads=1, grounding={"sources": ["text"]})
    assert "text" in texts.settings["grounding"]
    man, city = pickle.loads(pickle.dumps(texts))(TEXT, context=READ, min_score=0.5).entities
    assert man.regions == () and city.regions
    with pytest.raises(ConfigError, match="sources"):
        mner.load(threads=1, grounding={"source": ["text"]})


def test_settings_as_they_are_leave_the_fingerprints_of_a_tagger(tagger: mner.Tagger, tmp_path: Path) -> None:
    assert "grounding" not in tagger.settings


def test_pictures_that_share_one_reading_are_looked_at_unless_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    from mner.tagger import grounder

    calls: list[int] = []

    class Counting:
        def __init__(self, *options: Any) -> None: ...

        def __call__(self, entities: Any, sources: Any) -> Any:
            calls.append(len(sources))
            return entities, None

    monkeypatch.setattr(grounder, "Asking", Counting)
    for off, looks in ((False, [2]), (True, [])):
        calls.clear()
        tagger = mner.load(threads=1, grounding={"grounder": "their.grounder"}, use_images=not off)
        assert tagger(TEXT, image=["a.jpg", "b.jpg"], context="two men").entities
        assert calls == looks
