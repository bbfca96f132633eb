"""Regions of a picture that show an entity, and the entities that hold them."""

from __future__ import annotations

from dataclasses import replace

from mner import Entity, Region

REGION = Region((10.04, 20, 210, 60), source="rapid", score=0.98123456, match="case", text="CLEVELAND", picture=1)


def test_region_is_a_json_object() -> None:
    assert REGION.to_dict() == {
        "box": [10.0, 20, 210, 60],
        "source": "rapid",
        "score": 0.981235,
        "match": "case",
        "text": "CLEVELAND",
        "picture": 1,
    }


def test_entity_says_whether_anybody_looked() -> None:
    entity = Entity(0, 9, "Cleveland", "LOC", 0.9)
    assert entity.regions is None and "regions" not in entity.to_dict()
    assert replace(entity, regions=()).to_dict()["regions"] == []
    assert replace(entity, regions=(REGION,)).to_dict()["regions"] == [REGION.to_dict()]
