"""The posts in five languages: gold entities on word borders, and scores of a model on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.ready.other_languages import FOLDER, LANGUAGES, main
from mner import data


@pytest.mark.parametrize("code", LANGUAGES)
def test_posts_are_twenty_with_entities_where_they_say(code: str) -> None:
    posts = list(data.read(FOLDER / f"{code}.jsonl"))
    rows = [json.loads(line) for line in (FOLDER / f"{code}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(posts) == len({post.text for post in posts}) == 20
    for post, row in zip(posts, rows, strict=True):
        read = [(post.offsets[span.start][0], post.offsets[span.end - 1][1], span.label) for span in post.spans or ()]
        assert read == [(entity["start"], entity["end"], entity["label"]) for entity in row["entities"]]
        assert "".join(post.words).replace(" ", "") == post.text.replace(" ", "")
    labels = {span.label for post in posts for span in post.spans or ()}
    assert labels == {"PER", "LOC", "ORG", "MISC"}
    assert any(not post.spans for post in posts)


def test_scores_of_a_model_are_printed_and_kept(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tiny_model), "--out", str(tmp_path / "scores.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[2:]] == list(LANGUAGES.values())
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["German"]["micro"]["gold"] == 30
