"""Pre-annotations: what each tool imports, and that what it exports again is read as the same entities."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mner
from mner.data import read
from mner.integrations.labelling import Tool, lines, task
from mner.tagger import Tagger
from mner.types import Entity, PictureStatus, Post, Prediction, Span

TOOLS: tuple[Tool, ...] = get_args(Tool)
POST = Post("7", "😀 Anna  Braun met us in Oslo!", image="7.jpg", extra={"lang": "en"})
FOUND = Prediction(
    "7",
    POST.text,
    (Entity(2, 13, "Anna  Braun", "PER", 0.91234567), Entity(24, 28, "Oslo", "LOC", 0.5)),
    image="7.jpg",
)


def labelled(tool: str, row: dict[str, Any]) -> dict[str, Any]:
    """What a tool exports after somebody accepted the proposed entities."""
    if tool == "prodigy":
        return {**row, "answer": "accept", "_input_hash": 1, "_task_hash": 2}
    if tool == "doccano":
        return {**row, "Comments": []}
    return {"id": 31, **row, "annotations": [{"was_cancelled": False, "result": row["predictions"][0]["result"]}]}


def imported(tool: str, rows: list[dict[str, Any]], folder: Path) -> list[Post]:
    exported = [labelled(tool, row) for row in rows]
    text = json.dumps(exported) if tool == "label-studio" else "".join(json.dumps(row) + "\n" for row in exported)
    file = folder / ("tasks.json" if tool == "label-studio" else "tasks.jsonl")
    file.write_text(text, encoding="utf-8")
    return list(read(file))


@pytest.mark.parametrize("tool", TOOLS)
def test_accepted_entities_are_imported_again(tool: Tool, tmp_path: Path) -> None:
    (post,) = imported(tool, [task(POST, FOUND, tool)], tmp_path)
    assert (post.text, post.image) == (POST.text, "7.jpg")
    assert [post.entity(span, 1.0).text for span in post.spans or ()] == ["Anna  Braun", "Oslo"]
    assert [span.label for span in post.spans or ()] == ["PER", "LOC"]


def test_prodigy_gets_tokens_and_inclusive_last_tokens() -> None:
    row = task(POST, FOUND, "prodigy")
    assert {"id": "7", "text": POST.text, "image": "7.jpg"}.items() <= row.items()
    assert [token["text"] for token in row["tokens"]] == list(POST.words)
    assert [(token["start"], token["end"]) for token in row["tokens"]] == list(POST.offsets)
    assert row["tokens"][-2]["ws"] is False and row["tokens"][-1]["ws"] is False and row["tokens"][0]["ws"] is True
    for span, entity in zip(row["spans"], FOUND.entities, strict=True):
        first, last = row["tokens"][span["token_start"]], row["tokens"][span["token_end"]]
        assert (span["start"], span["end"]) == (first["start"], last["end"]) == (entity.start, entity.end)
    assert row["spans"][0]["score"] == 0.912346


def test_label_studio_gets_predictions_that_are_no_labels_yet(tmp_path: Path) -> None:
    row = task(POST, FOUND, "label-studio", model="mine")
    (proposal,) = row["predictions"]
    assert (proposal["model_version"], proposal["score"]) == ("mine", 0.5)
    assert {(region["from_name"], region["to_name"], region["type"]) for region in proposal["result"]} == {
        ("label", "text", "labels")
    }
    assert proposal["result"][1]["value"] == {"start": 24, "end": 28, "text": "Oslo", "labels": ["LOC"]}
    (tmp_path / "tasks.json").write_text(json.dumps([row]))
    (post,) = read(tmp_path / "tasks.json")
    assert post.spans is None, "nobody has accepted them"
    assert "score" not in task(POST, Prediction("7", POST.text, ()), "label-studio")["predictions"][0]


def test_doccano_gets_labels_as_lists() -> None:
    assert task(POST, FOUND, "doccano") == {
        "id": "7",
        "text": POST.text,
        "image": "7.jpg",
        "label": [[2, 13, "PER"], [24, 28, "LOC"]],
    }


@settings(max_examples=15, deadline=None)
@given(
    words=st.lists(st.text(st.characters(categories=["L", "N", "So"]), min_size=1, max_size=3), min_size=1, max_size=5),
    place=st.integers(0, 4),
)
@pytest.mark.parametrize("tool", TOOLS)
def test_any_span_of_words_comes_back(
    tool: Tool, words: list[str], place: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = " ".join(words)
    ends = [len(" ".join(words[: number + 1])) for number in range(len(words))]
    post = Post("1", text, tuple(words), tuple((end - len(word), end) for word, end in zip(words, ends, strict=True)))
    span = Span(min(place, len(words) - 1), len(words), "MISC")
    prediction = Prediction("1", text, (post.entity(span, 0.5),))
    (back,) = imported(tool, [task(post, prediction, tool)], tmp_path_factory.mktemp("tasks"))
    assert [back.entity(each, 0.5) for each in back.spans or ()] == list(prediction.entities)


@pytest.fixture(scope="module")
def tagger(tiny_model: Path) -> Tagger:
    return mner.load(tiny_model, threads=1)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_file_of_tasks_is_read_back_with_what_was_predicted(
    tagger: Tagger, tmp_path: Path, tool: Tool, count: int
) -> None:
    posts = [Post(str(number), f"Kevin Love is back in Cleveland {number}") for number in range(count)]
    seen: list[Prediction] = []
    text = "".join(f"{line}\n" for line in lines(tagger, posts, tool, min_score=0.2, watch=seen.append))
    rows = json.loads(text) if tool == "label-studio" else [json.loads(line) for line in text.splitlines()]
    expected = tagger.batch(posts, min_score=0.2)
    assert seen == expected
    back = imported(tool, rows, tmp_path) if rows else []
    assert [[post.entity(span, 1.0).text for span in post.spans or ()] for post in back] == [
        [entity.text for entity in prediction.entities] for prediction in expected
    ]


def test_posts_are_a_stream(tagger: Tagger) -> None:
    def endless() -> Any:
        while True:
            yield Post("Kevin won")

    stream = lines(tagger, endless(), "label-studio")
    assert [next(stream)[0], next(stream)[0]] == ["[", ","]


@pytest.mark.parametrize("tool", TOOLS)
def test_several_pictures_come_back(tool: Tool, tmp_path: Path) -> None:
    post = replace(POST, image="7.jpg", more_images=("8.jpg",))
    prediction = replace(FOUND, pictures=(PictureStatus("used", "7.jpg"), PictureStatus("missing", "8.jpg")))
    (again,) = imported(tool, [task(post, prediction, tool)], tmp_path)
    assert again.images == ("7.jpg", "8.jpg")
