"""Changes by hand: marked, whole or not at all, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mner.contexts.artefact import iter_contexts, read_contexts, write_contexts
from mner.contexts.edit import Change, edit
from mner.errors import DataError

ROWS: list[dict[str, Any]] = [
    {"image": "a.jpg", "status": "ok", "captions": [{"text": "other", "mine": 1}], "relation": {"x": [1]}},
    {
        "image": "deep/b.jpg",
        "status": "ok",
        "sha256": "ab",
        "captions": [{"text": "a dog", "source": "catr", "beam": 2}, {"text": "a cat", "source": "blip2"}],
        "tags": [{"object": "dog", "source": "vinvl"}],
        "relation": {"x": None},
    },
]


@pytest.fixture(params=["a.jsonl", "a.parquet"])
def artefact(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    path = tmp_path / request.param
    write_contexts(iter_contexts(tmp_path / "made.jsonl"), path)
    (tmp_path / "made.jsonl").unlink()
    return path


def test_entries_are_dropped_and_added_and_the_row_is_marked(artefact: Path) -> None:
    before = read_contexts(artefact)
    change = Change(captions=["a wolf"], tags=["grey wolf"], ocr=["ZOO"], texts=["of Berlin"], drop=["captions:catr"])
    row = edit(artefact, "deep/b.jpg", change)
    assert [(entry.text, entry.source) for entry in row.captions] == [("a cat", "blip2"), ("a wolf", "hand")]
    assert [entry.text for entry in row.tags] == [None, "grey wolf"]
    assert ([entry.text for entry in row.ocr], [entry.text for entry in row.texts]) == (["ZOO"], ["of Berlin"])
    assert row.extra == {"relation": {"x": None}, "edited": True}
    assert row.sha256 == "ab"
    after = read_contexts(artefact)
    assert after["deep/b.jpg"] == row
    assert (after["a.jpg"], list(after)) == (before["a.jpg"], list(before))
    assert [file.name for file in artefact.parent.iterdir()] == [artefact.name]


def test_whole_list_and_status_change(artefact: Path) -> None:
    row = edit(artefact, "IMGID:a", Change(drop=["captions"], status="placeholder", source="me"))
    assert (row.captions, row.status) == ((), "placeholder")
    assert edit(artefact, "a.jpg", Change(status="ok", captions=["x"], source="me")).captions[0].source == "me"


def test_rows_of_one_picture_change_together(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"image": "1.jpg", "captions": ["x"]}\n{"image": "1.jpg", "captions": ["y"]}\n')
    edit(path, "1.jpg", Change(captions=["z"], drop=["captions"]))
    assert [[entry.text for entry in row.captions] for row in iter_contexts(path)] == [["z"], []]


@pytest.mark.parametrize(
    ("image", "change", "expected"),
    [
        ("gone.jpg", Change(captions=["x"]), 'no record of "gone.jpg"; to see its pictures: mner context show'),
        ("b.jpg", Change(captions=["x"]), 'no record of "b.jpg"; did you mean "deep/b.jpg"'),
        ("a.jpg", Change(), "nothing to change"),
        ("a.jpg", Change(captions=[" "]), "an added text is empty"),
        ("a.jpg", Change(status="good"), "status: expected one of ok, placeholder"),
        ("a.jpg", Change(drop=["caption"]), "drop: expected one of captions, tags, ocr, texts, .* found 'caption'"),
        ("a.jpg", Change(drop=["tags"]), '"a.jpg" has nothing to drop of tags'),
        ("a.jpg", Change(drop=["captions:catr"]), '"a.jpg" has nothing to drop of captions:catr'),
    ],
)
def test_change_that_cannot_be_made_leaves_the_file(artefact: Path, image: str, change: Change, expected: str) -> None:
    before = artefact.read_bytes()
    with pytest.raises(DataError, match=expected):
        edit(artefact, image, change)
    assert artefact.read_bytes() == before


def test_folder_of_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a folder of shards; name the shard"):
        edit(tmp_path, "a.jpg", Change(captions=["x"]))
