"""Contexts that stand for pictures: as large as answers give them, and no larger than a limit."""

from __future__ import annotations

from typing import Any

import pytest

from mner.serve import Settings
from mner.serve.context_limits import MOST_ENTRIES, check
from mner.serve.faults import RequestError

LINE = {"confidence": 0.9823, "box": [1108.0, 1060.0, 1313.0, 1098.0], "source": "rapid"}


def dense(pictures: int, lines: int = 150, text: str = "é" * 40) -> dict[str, Any]:
    """What the page sends of some pictures that are full of text."""
    ocr = [{"text": text, **LINE, "picture": picture} for picture in range(pictures) for _ in range(lines)]
    return {"image": "pictures", "status": "ok", "ocr": ocr}


def refusal(context: Any, **settings: Any) -> str:
    with pytest.raises(RequestError) as fault:
        check(context, Settings(**settings), "context")
    assert (fault.value.status, fault.value.field) == (422, "context")
    return str(fault.value)


@pytest.mark.parametrize("pictures", [1, 13, 16])
def test_what_was_read_from_pictures_full_of_text_is_taken(pictures) -> None:
    check(dense(pictures), Settings(), "context")
    check(dense(1), Settings(max_pictures=1), "context")


def test_text_entries_and_structure_have_limits_of_their_own() -> None:
    check("a" * 20_000, Settings(), "context")
    assert refusal("a" * 20_001) == "20,001 characters, the limit is 20,000"
    assert refusal(dense(1, 1, "a" * 101), max_characters=100, max_pictures=1).startswith("101 characters in its")
    most = {"texts": ["a"] * MOST_ENTRIES}
    check(most, Settings(max_pictures=1), "context")
    assert "501 entries" in refusal({**most, "captions": ["a"]}, max_pictures=1)
    tag = {"object": "a" * 60, "attributes": ["b" * 60], "box": [1, 2, 3, 4]}
    assert "120 characters in its entries" in refusal({"tags": [tag]}, max_characters=100, max_pictures=1)
    assert "as JSON, the limit is 1,000" in refusal({"mine": "a" * 1000}, max_characters=100, max_pictures=1)


@pytest.mark.parametrize("context", [{"ocr": 1}, {"tags": [1, None, {"attributes": 1}]}, {}])
def test_faulty_contexts_are_left_to_their_reader(context) -> None:
    check(context, Settings(), "context")


@pytest.mark.parametrize("context", [1, ["a"], True])
def test_other_values_are_refused(context) -> None:
    assert "expected a caption or an object" in refusal(context)


@pytest.mark.service
@pytest.mark.enable_socket
def test_service_takes_the_context_of_several_pictures_full_of_text(service) -> None:
    context = dense(2, 150, "Café " + "x" * 30)
    status, row, _ = service.ask({"text": "Kevin Love", "context": context})
    assert status == 200
    assert row["image_status"] == "used"
    assert service.ask({"text": "Kevin Love", "context": row["context"]})[0] == 200
