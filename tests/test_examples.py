"""Every example runs, on the tiny model and the sample, and prints what it says."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SAMPLE = Path(str(files("mner.data"))) / "sample"
TEXT = "Kevin Love is back in Cleveland"


def run(name: str, *arguments: object, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name, *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def picture() -> Path:
    return sorted((SAMPLE / "images").iterdir())[0]


def test_every_example_has_its_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*.py") if f'run("{path.name}"' not in source] == []


def test_tag_a_post_prints_entities_and_view(tiny_model: Path, tmp_path: Path) -> None:
    *entities, last = run("tag_a_post.py", tiny_model, TEXT, picture(), folder=tmp_path).splitlines()
    for line in entities:
        start, end, _, score, text = line.split(maxsplit=4)
        assert TEXT[int(start) : int(end)] == text
        assert 0 <= float(score) <= 1
    assert last.startswith(("view I+T, picture used", "view T, picture empty"))


def test_tag_a_post_goes_on_without_the_picture(tiny_model: Path, tmp_path: Path) -> None:
    shown = run("tag_a_post.py", tiny_model, TEXT, tmp_path / "nosuch.jpg", folder=tmp_path)
    assert "view T, picture missing" in shown


def test_your_own_context_shows_three_readings(tiny_model: Path, tmp_path: Path) -> None:
    shown = run("your_own_context.py", tiny_model, TEXT, "two men on a stage", folder=tmp_path).splitlines()
    assert len(shown) == 3
    assert shown[0].startswith("words alone")


def test_stream_tags_every_post(tiny_model: Path, tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text("".join(json.dumps({"id": str(n), "text": f"{TEXT} {n}"}) + "\n" for n in range(300)))
    rows = [json.loads(line) for line in run("stream.py", tiny_model, posts, folder=tmp_path).splitlines()]
    assert [row["id"] for row in rows] == [str(number) for number in range(300)]
    assert {row["image_status"] for row in rows} == {"none"}
    assert all(entity["score"] >= 0.5 for row in rows for entity in row["entities"])


def test_tag_csv_prints_a_row_per_entity(tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason='pandas is not installed: pip install "mner[pandas]"')
    (tmp_path / "posts.csv").write_text(f"body,n\n{TEXT},1\n,2\n")
    table = list(csv.DictReader(run("tag_csv.py", tiny_model, "posts.csv", "body", folder=tmp_path).splitlines()))
    assert table
    for row in table:
        assert (row["row"], row["n"]) == ("0", "1")
        assert TEXT[int(row["entity_start"]) : int(row["entity_end"])] == row["entity_text"]


def test_spacy_pipeline_prints_entities_and_view(tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("spacy", reason='spaCy is not installed: pip install "mner[spacy]"')
    *entities, last = run("spacy_pipeline.py", tiny_model, TEXT, picture(), folder=tmp_path).splitlines()
    assert entities
    assert all(line.split(maxsplit=4)[4] in TEXT for line in entities)
    assert last.startswith(("view I+T, picture used", "view T, picture empty"))


def test_tag_at_once_prints_every_text_in_order(tiny_model: Path, tmp_path: Path) -> None:
    shown = run("tag_at_once.py", tiny_model, TEXT, "Paris", "Kevin", folder=tmp_path).splitlines()
    assert [text in line for text, line in zip(("Cleveland", "Paris", "Kevin"), shown, strict=True)] == [True] * 3


@pytest.mark.slow
def test_train_from_python_scores_both_views(tiny_encoder: Path, tmp_path: Path) -> None:
    rows = [
        {"text": f"Kevin Love {verb} in Cleveland", "entities": [{"start": 0, "end": 10, "label": "PER"}]}
        for verb in ("is", "was", "won", "played", "sang", "slept")
    ]
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "mine.toml").write_text(
        f'[data]\ntrain = "posts.jsonl"\ndev = "posts.jsonl"\n[model]\nname = "text"\nencoder = "{tiny_encoder}"\n'
        '[loss]\nviews = ["T"]\n'
    )
    shown = run("train_from_python.py", "mine.toml", "training.epochs=1", folder=tmp_path).splitlines()
    assert [line.split()[0] for line in shown] == ["T", "I+T"]
    assert all("view=" in line for line in shown)
