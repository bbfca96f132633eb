"""T against I+T on parts of six posts read by rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mner.analysis.parts.both_views import Slice, Slices, read_both
from mner.analysis.parts.loaded_run import LoadedRun
from mner.analysis.slices import relations, slices, thirds
from mner.errors import DataError
from mner.types import Post, VisualContext


def part(result: Slices, by: str, name: str) -> Slice:
    (each,) = [each for each in result.slices if each.by == by and each.name.startswith(name)]
    return each


@pytest.fixture
def train(posts: list[Post]) -> list[Post]:
    """kevin, paris and madrid are known from training, in capitals."""
    return [replace(post, words=tuple(word.upper() for word in post.words)) for post in (posts[0], posts[1], posts[4])]


def test_seen_and_unseen_entities(opened: Callable[..., LoadedRun], train: list[Post]) -> None:
    result = slices(read_both([opened()]), train)
    seen, unseen = part(result, "entity", "seen"), part(result, "entity", "unseen")
    assert (seen.entities, unseen.entities, seen.posts) == (3, 3, 6)
    assert (seen.without.mean, seen.with_.mean) == pytest.approx((200 / 3, 200 / 3))  # paris comes, madrid goes
    assert (unseen.without.mean, unseen.with_.mean) == pytest.approx((40.0, 80.0))  # cleveland comes
    assert unseen.gain == pytest.approx(40.0)
    assert " view=I+T:entity=unseen " in unseen.with_.signature


def test_captions_and_relation(opened: Callable[..., LoadedRun], train: list[Post]) -> None:
    result = slices(read_both([opened()]), train)
    assert [each.name for each in result.slices if each.by == "captions"] == ["0", "1", "2"]
    assert [each.posts for each in result.slices if each.by == "captions"] == [1, 3, 2]
    two = part(result, "captions", "2")
    assert (two.without.mean, two.with_.mean) == pytest.approx((50.0, 100.0))
    names = [each.name for each in result.slices if each.by == "made"]
    assert names == ["1 of 3: 0.1 to 0.1", "2 of 3: 0.2 to 0.5", "3 of 3: 0.8 to 0.9"]
    middle = part(result, "made", "2 of 3")
    assert (middle.posts, middle.entities) == (2, 2)
    assert (middle.without.mean, middle.with_.mean) == pytest.approx((50.0, 50.0))  # madrid goes, cleveland comes
    assert result.absent == {}


def test_absent_relation_is_said(opened: Callable[..., LoadedRun]) -> None:
    bare = replace(opened(), contexts=[each and replace(each, extra={}) for each in opened().contexts])
    assert slices(read_both([bare]), []).absent == {"relation": 'no context has the key "relation"'}


def test_baseline_gives_the_words_alone(opened: Callable[..., LoadedRun], train: list[Post]) -> None:
    text = opened("text", rules={"cleveland": lambda context: "S-LOC"}, decode={"constrained": False})
    result = slices(read_both([opened()], baseline=[text]), train)
    assert result.baseline == "made/text"
    assert " decode=unconstrained " in result.slices[0].without.signature
    assert " decode=constrained " in result.slices[0].with_.signature
    assert part(result, "entity", "unseen").gain == pytest.approx(0.0)


def test_interval_is_of_the_gain_and_none_for_few_posts(opened: Callable[..., LoadedRun], train: list[Post]) -> None:
    run = opened()
    assert {part.interval for part in slices(read_both([run]), train).slices} == {None}  # six posts
    many = replace(run, posts=[*run.posts] * 8, contexts=[*run.contexts] * 8)
    result = slices(read_both([many]), train)
    unseen = part(result, "entity", "unseen")
    assert unseen.interval is not None
    assert unseen.interval.low < unseen.gain < unseen.interval.high
    assert unseen.interval.low > 0 and unseen.interval.p < 0.05  # cleveland comes wherever it stands, nothing goes
    seen = part(result, "entity", "seen")  # paris comes, madrid goes
    assert seen.interval is not None and seen.interval.low < 0 < seen.interval.high
    assert part(result, "captions", "0").interval is None  # eight posts


def test_control_is_divided_by_entities_alone(opened: Callable[..., LoadedRun], train: list[Post]) -> None:
    control = opened(context={"order": ["captions"], "substitute": "shuffled"})
    result = slices(read_both([control]), train)
    assert {each.by for each in result.slices} == {"entity"}
    assert set(result.absent) == {"relation", "captions"}
    assert "not those of the posts' own pictures" in result.absent["relation"]
    with pytest.raises(DataError, match=r'ocr measures what the posts\' own pictures do; .*substitute = "shuffled"'):
        read_both([control], own_pictures="ocr")


def test_relations_read_numbers_and_scorers() -> None:
    rows = [
        VisualContext("1", extra={"relation": 0.5}),
        None,
        VisualContext("2", extra={"relation": {"a": 1, "b": None}}),
    ]
    assert relations(rows) == {"a": [None, None, 1.0], "relation": [0.5, None, None]}


def test_thirds_keep_equal_scores_together() -> None:
    assert thirds([0.5, 0.5, 0.5]) is None
    result = thirds([0.0, 0.0, 0.0, 0.0, 1.0, 2.0])
    assert result is not None
    assert len(set(result[:4])) == 1
