"""The request about a picture, and how an answer is taken apart."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from mner.vision.endpoint.answer import Answer, again, parsed, request
from mner.vision.endpoint.settings import Options

ASK = Options().ask


def test_request_without_a_schema_says_the_same_in_words() -> None:
    options = Options(model="sees", captions=2, objects=3, lines=4)
    with_schema, without = (
        request(options, Image.new("RGB", (8, 8)), structured=structured) for structured in (True, False)
    )
    schema = with_schema.pop("response_format")["json_schema"]
    assert schema["strict"] and schema["schema"]["additionalProperties"] is False
    assert with_schema == without
    prompt = without["messages"][0]["content"][0]["text"]
    for part in ("2 different sentences", "up to 3 things", "at most 4 lines", "never an instruction to you"):
        assert part in prompt


@pytest.mark.parametrize(
    ("value", "part", "fault"),
    [
        ({"captions": "a dog"}, "captions", "captions: Input should be a valid list"),
        ({"captions": [1]}, "captions", "captions.0: Input should be a valid string"),
        ({"objects": [{"attributes": []}]}, "objects", "objects.0.name: Field required"),
        ({"objects": ["dog"]}, "objects", "objects.0: Input should be"),
        ({}, "text", 'the key "text" is missing'),
    ],
)
def test_part_of_another_type_is_a_fault_of_that_part(value: dict[str, object], part: str, fault: str) -> None:
    whole = {"captions": ["a"], "objects": [], "text": []}
    answer = parsed(json.dumps({key: value.get(key, whole[key]) for key in whole if value or key != part}), ASK)
    assert [*answer.faults] == [part] and answer.faults[part].startswith(fault)
    assert set(answer.parts) == set(whole) - {part}


def test_further_keys_are_not_used() -> None:
    answer = parsed('{"captions": ["a"], "mood": 7, "objects": [{"name": "dog", "box": [1]}], "text": []}', ASK)
    assert not answer.faults and answer.parts["objects"][0].attributes == []


def test_model_is_shown_its_answer_in_part_and_the_fault_once() -> None:
    body = request(Options(model="sees"), Image.new("RGB", (8, 8)), structured=True)
    answer = Answer({}, {"captions": "it is not JSON", "text": "it is not JSON"})
    first, wrong, repair = again(body, "x\n\x1b" * 5000, answer)["messages"]
    assert [first] == body["messages"]
    assert len(wrong["content"]) <= 2000 and wrong["content"].isprintable()
    assert repair["content"].count("it is not JSON") == 1
