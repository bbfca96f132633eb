"""Settings that differ are those with an effect; a stated table has no defaults of its own."""

from __future__ import annotations

from typing import Any

import pytest

from mner.config import check
from mner.config.schema import BUDGET
from mner.runs.settings import settings_that_differ


def configured(**context: Any) -> dict[str, Any]:
    return check({"context": context}).model_dump(mode="json", exclude_none=True)


def test_kind_without_a_budget_is_not_one_with_the_default() -> None:
    part, whole = configured(budget={"captions": 16}), configured(budget=BUDGET | {"captions": 16})
    assert settings_that_differ(part, whole) == [
        "context.budget.ocr = None and 96",
        "context.budget.tags = None and 128",
    ]
    assert settings_that_differ({}, configured()) == []
    assert settings_that_differ({}, configured(budget={})) != []


def test_budget_of_a_kind_that_is_not_read_has_no_effect() -> None:
    part, whole = ({"order": ["captions"], "budget": budget} for budget in ({"captions": 128}, BUDGET))
    assert settings_that_differ(configured(**part), configured(**whole)) == []


@pytest.mark.parametrize("key", ["threads", "device"])
def test_settings_of_execution_do_not_differ(key: str) -> None:
    assert settings_that_differ({"training": {key: "a"}}, {"training": {key: "b"}}) == []
