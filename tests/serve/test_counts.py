"""A request of too much is refused before each part of it is looked at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mner.serve import Settings, schema
from mner.serve.faults import RequestError

LIMITS = Settings(max_posts=3, max_words=4, max_pictures=2)


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        ({"posts": [1] * 4}, "too_many_posts", "posts"),
        ({"words": [""] * 5}, "too_long", "words"),
        ({"posts": [7, {"words": [1] * 5}]}, "too_long", "posts[1].words"),
        ({"posts": [{"text": "a", "images": [1] * 3}]}, "too_many_pictures", "posts[0].images"),
        ({f"f{number}": None for number in range(65)}, "invalid_request", None),
        ({"posts": [{f"f{number}": 1 for number in range(65)}]}, "invalid_request", "posts[0]"),
    ],
)
def test_what_is_too_much_is_refused_for_that_whatever_it_holds(value: Any, code: str, field: str | None) -> None:
    with pytest.raises(RequestError, match="the limit is") as fault:
        schema.query(json.dumps(value).encode(), "application/json", LIMITS)
    assert (fault.value.status, fault.value.code, fault.value.field) == (422, code, field)


@pytest.mark.parametrize("words", [["a"] * 4, ["", ""], [1, 2, 3]])
def test_what_is_as_much_as_may_be_is_looked_at(words: list[Any]) -> None:
    content = json.dumps({"posts": [{"words": words}] * 3}).encode()
    if words == ["a"] * 4:
        assert len(schema.query(content, "application/json", LIMITS).posts) == 3
        return
    with pytest.raises(RequestError) as fault:
        schema.query(content, "application/json", LIMITS)
    assert fault.value.field == "posts[0].words[0]"


def test_faults_of_many_words_are_not_listed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[Any] = []

    def of_pydantic(errors: list[Any], known: Any) -> RequestError:
        listed.extend(errors)
        return RequestError(422, "invalid_request", "faults")

    monkeypatch.setattr(schema, "of_pydantic", of_pydantic)
    with pytest.raises(RequestError, match="faults"):
        schema.query(json.dumps({"posts": [{"words": [""] * 2000}] * 256}).encode(), "application/json", Settings())
    assert len(listed) == 256, "the first of each post"
