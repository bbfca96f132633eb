"""A backend with pixels is asked for the entities of a post; what fails is said and stops nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image
from pydantic import BaseModel, ConfigDict

import mner
from mner.errors import ConfigError, PluginError, ServiceError
from mner.grounding.asking import Asking
from mner.regions import Region
from mner.types import Entity

MAN = Entity(0, 10, "Kevin Love", "PER", 0.9)
CITY = Entity(22, 31, "Cleveland", "LOC", 0.8)
PICTURE = Image.new("RGB", (100, 50))
Answer = Callable[[Any, Any], list[list[tuple[float, Any]]]]


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    level: int = 1


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], list[Any]]:
    """Puts a backend under the name outside.grounder; returns the list of what it is asked."""

    def put(answer: Answer) -> list[Any]:
        calls: list[Any] = []

        class Grounder:
            def __init__(self, options: Options, *, threads: int = 0) -> None:
                self.options = options

            def __call__(self, picture: Image.Image, sought: Any) -> Any:
                calls.append((picture.size, [tuple(each) for each in sought]))
                return answer(picture, sought)

        module = ModuleType("outside.grounder", "Mine.")
        vars(module).update({"Options": Options, "Grounder": Grounder})
        monkeypatch.setitem(sys.modules, "outside", ModuleType("outside"))
        monkeypatch.setitem(sys.modules, "outside.grounder", module)
        return calls

    return put


def ask(*entities: Entity, pictures: Any = (PICTURE,), kinds: Any = None) -> tuple[tuple[Entity, ...], str]:
    return Asking("outside.grounder", {}, {"PER": "person", "LOC": "place"} if kinds is None else kinds)(
        entities, pictures
    )


def test_each_entity_is_asked_for_by_its_type_and_text(backend: Callable[[Answer], list[Any]]) -> None:
    calls = backend(lambda picture, sought: [[(0.7, (10, 10, 30, 40))], []])
    (man, city, again), fault = ask(MAN, CITY, MAN)
    assert calls == [((100, 50), [("Kevin Love", "person"), ("Cleveland", "place")])]
    assert man.regions == (Region((10, 10, 30, 40), "outside.grounder", 0.7, "prompted", "person Kevin Love"),)
    assert (city.regions, again.regions, fault) == ((), man.regions, "")
    ask(MAN, kinds={})
    assert calls[1][1] == [("Kevin Love", "per")]


def test_boxes_outside_the_picture_are_cut_or_dropped(backend: Callable[[Answer], list[Any]]) -> None:
    backend(lambda picture, sought: [[(0.7, (50, 20, 500, 500)), (0.9, (200, 0, 300, 9)), (0.9, (9, 9, 1, 1))]])
    (man,), _ = ask(MAN)
    assert man.regions is not None and [region.box for region in man.regions] == [(50, 20, 100, 50)]


def test_boxes_count_pixels_of_the_file_where_backends_see_fewer(backend: Callable[[Answer], list[Any]]) -> None:
    calls = backend(lambda picture, sought: [[(0.5, (0, 0, picture.width / 2, picture.height))]])
    (man,), _ = ask(MAN, pictures=[Image.new("RGB", (8000, 400))])
    assert calls[0][0][0] < 8000
    assert man.regions is not None and man.regions[0].box == (0, 0, 4000, 400)


def test_regions_that_are_known_come_first_and_are_not_repeated(backend: Callable[[Answer], list[Any]]) -> None:
    known = Region((10, 10, 30, 40), "nanodet", 0.6, "only person", "person")
    backend(lambda picture, sought: [[(0.9, (11, 11, 30, 40)), (0.3, (60, 0, 90, 50))]])
    entity = Entity(0, 10, "Kevin Love", "PER", 0.9, (known,))
    (man,), _ = ask(entity)
    assert man.regions is not None
    assert [(region.match, region.box) for region in man.regions] == [
        ("only person", (10, 10, 30, 40)),
        ("prompted", (60, 0, 90, 50)),
    ]


def test_several_pictures_are_looked_at_and_one_without_pixels_is_not(backend: Callable[[Answer], list[Any]]) -> None:
    backend(lambda picture, sought: [[(0.5, (0, 0, picture.width, 9))]])
    (man,), fault = ask(MAN, pictures=[PICTURE, None, Image.new("RGB", (40, 30))])
    assert man.regions is not None
    assert [(region.picture, region.box[2]) for region in man.regions] == [(0, 100), (2, 40)]
    assert fault == ""
    (nobody,), _ = ask(MAN, pictures=[None])
    assert nobody.regions is None


def test_an_answer_that_is_no_answer_is_a_fault(backend: Callable[[Answer], list[Any]]) -> None:
    backend(lambda picture, sought: [])
    (man,), fault = ask(MAN)
    assert man.regions is None and fault.startswith("the grounder failed: ValueError: ")


def test_what_fails_is_said_once_and_stops_nothing(backend: Callable[[Answer], list[Any]]) -> None:
    def fail(picture: Any, sought: Any) -> Any:
        raise ServiceError("no answer")

    backend(fail)
    (man,), fault = ask(MAN, pictures=[PICTURE, PICTURE])
    assert (man.regions, fault) == (None, "the grounder failed: no answer")
    (man,), fault = ask(MAN, pictures=[b"no picture"])
    assert man.regions is None and fault.startswith("the grounder failed: ")


def test_faulty_settings_are_named(backend: Callable[[Answer], list[Any]]) -> None:
    backend(lambda picture, sought: [])
    with pytest.raises(ConfigError, match="levl"):
        Asking("outside.grounder", {"levl": 1}, {})
    with pytest.raises(PluginError, match="did you mean"):
        Asking("openvocb", {}, {})


def test_tagger_asks_about_the_picture_of_a_post(backend: Callable[[Answer], list[Any]], tmp_path: Path) -> None:
    calls = backend(lambda picture, sought: [[(0.5, (0, 0, 9, 9))] for _ in sought])
    tagger = mner.load(
        threads=1, grounding={"grounder": "outside.grounder", "options": {"level": 2}}, store=tmp_path / "s"
    )
    text = "Kevin Love is back in Cleveland"
    man, city = tagger(text, image=PICTURE, context="a man", min_score=0.5).entities
    assert man.regions and city.regions and man.regions[0].match == "prompted"
    assert [name for name, _ in calls[0][1]] == ["Kevin Love", "Cleveland"]
    assert all(row.entity.regions for row in tagger.explain(text, image=PICTURE, context="a man").evidence)
    assert tagger(text, min_score=0.5).entities[0].regions is None and len(calls) == 2


def test_a_fault_is_a_reason_of_the_prediction(backend: Callable[[Answer], list[Any]]) -> None:
    def fail(picture: Any, sought: Any) -> Any:
        raise ServiceError("no answer")

    backend(fail)
    tagger = mner.load(threads=1, grounding={"grounder": "outside.grounder"})
    prediction = tagger("Kevin Love is back", image=PICTURE, context="a man")
    assert (prediction.image_status, prediction.reason) == ("used", "the grounder failed: no answer")
