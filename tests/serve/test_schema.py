"""What a request may hold: what is said of one that holds something else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mner.serve import Settings, schema
from mner.serve.faults import RequestError


@pytest.mark.parametrize(
    ("request_", "field", "known"),
    [
        ({"posts": [{"text": "a"}], "text": "b"}, "text", "views, explain, min_score, picture_ms, posts"),
        (
            {"posts": [{"text": "a", "views": ["T"]}]},
            "posts[0].views",
            "id, text, words, image, images, image_url, context",
        ),
        ({"text": "a", "label": "PER"}, "label", "views, explain, min_score, picture_ms, id, text, words, image"),
    ],
)
def test_fields_that_are_known_in_that_place_are_named(request_: Any, field: str, known: str) -> None:
    with pytest.raises(RequestError) as fault:
        schema.query(json.dumps(request_).encode(), "application/json", Settings())
    assert fault.value.field == field
    assert str(fault.value).startswith(f"{field}: unknown field; known here: {known}")
