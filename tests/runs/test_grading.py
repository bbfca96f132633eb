"""Grounded NER from a model, from a file of predictions, and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

import mner
from mner import data
from mner.cli import app
from mner.errors import DataError
from mner.runs.grading import grade_model, grade_predictions
from mner.runs.posts import evaluate_posts
from mner.types import Post

GOLD = "IMGID:1\nKevin\tB-PER\nLove\tI-PER\nin\tO\nCleveland\tB-LOC\n\nIMGID:2\nMadrid\tB-LOC\nwon\tO\n\n"
BOXES = [
    {"image": "1.jpg", "width": 90, "height": 90, "boxes": [{"name": "Cleveland", "box": [0, 0, 40, 20]}]},
    {"image": "2.jpg", "width": 90, "height": 90, "boxes": [{"name": "won", "box": [0, 0, 9, 9]}]},
]


def _jsonl(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def _entity(start: int, end: int, label: str, *boxes: list[int]) -> dict:
    return {"start": start, "end": end, "label": label, "regions": [{"box": box} for box in boxes]}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "gold.txt").write_text(GOLD, encoding="utf-8")
    tagged = [
        {
            "text": "Kevin Love in Cleveland",
            "view": "I+T",
            "entities": [_entity(0, 10, "PER", [50, 0, 90, 90]), _entity(14, 23, "LOC", [0, 0, 40, 10])],
        },
        {"text": "Madrid won", "entities": [_entity(0, 6, "ORG")]},
    ]
    return {
        "gold": tmp_path / "gold.txt",
        "boxes": _jsonl(tmp_path / "boxes.jsonl", BOXES),
        "tagged": _jsonl(tmp_path / "tagged.jsonl", tagged),
    }


def test_file_of_predictions_is_graded(files: dict[str, Path]) -> None:
    grades = grade_predictions(files["tagged"], files["gold"], boxes=files["boxes"])
    assert grades.grounded is not None
    # GMNER: Cleveland (IoU 400 / 800) of three; MNER: Kevin Love, too; EEG: Cleveland and Madrid, whose type is wrong
    assert [prf.correct for prf in (grades.grounded.gmner, grades.grounded.mner, grades.grounded.eeg)] == [1, 2, 2]
    # Without any box: Kevin Love, which the picture does not show
    assert grades.unboxed is not None
    assert grades.unboxed.correct == 1
    assert grades.notes == (f'1 boxes with the name of no entity of their post; the first: {files["boxes"]}:2 ("won")',)
    signatures = {task: str(signature) for task, signature in grades.signatures().items()}
    assert "f1=33.33 view=I+T scheme=iob2-repaired match=exact+iou0.5 decode=given data=" in signatures["gmner"]
    assert "f1=66.67 view=I+T scheme=iob2-repaired match=exact decode=given" in signatures["mner"]
    assert "match=span+iou0.5" in signatures["eeg"]


def test_file_of_predictions_is_graded_without_boxes(files: dict[str, Path]) -> None:
    grades = grade_predictions(files["tagged"], files["gold"])
    assert grades.scores.micro.correct == 2
    assert grades.signatures() == {}
    assert list(grades.to_dict()) == ["I+T"]


def test_entity_types_of_both_files_are_renamed(files: dict[str, Path]) -> None:
    result = _run(files["tagged"], files["gold"], "--json", "--rename", "ORG=PLACE", "--rename", "LOC=PLACE")
    scores = json.loads(result.stdout)["I+T"]
    assert scores["micro"]["correct"] == 3  # Madrid, tagged ORG, too
    assert sorted(scores["labels"]) == ["PER", "PLACE"]
    twice = _run(files["tagged"], files["gold"], "--rename", "ORG=A", "--rename", "ORG=B")
    assert twice.exit_code == 2 and "ORG: to A or to B? Name it once" in twice.stderr
    assert "goes with a file of predictions" in _run("social-en", files["gold"], "--rename", "A=B").stderr
    assert "expected two types" in _run(files["tagged"], files["gold"], "--rename", "ORG=").stderr


def test_posts_without_labels_are_refused(files: dict[str, Path], tmp_path: Path) -> None:
    bare = _jsonl(tmp_path / "bare.jsonl", [{"text": "Madrid won"}])
    with pytest.raises(DataError, match="no labels to score against"):
        grade_predictions(files["tagged"], bare)


@pytest.fixture
def rejected(tmp_path: Path) -> Path:
    """Three posts, the second of which its annotator rejected."""
    rows = [
        {"id": "1", "text": "Kevin Love is back", "entities": [{"start": 0, "end": 10, "label": "PER"}]},
        {"id": "2", "text": "spam spam", "entities": [], "answer": "reject"},
        {"id": "3", "text": "He is in Cleveland", "entities": [{"start": 9, "end": 18, "label": "LOC"}]},
    ]
    return _jsonl(tmp_path / "rejected.jsonl", rows)


def test_predictions_of_posts_that_were_set_aside_do_not_count(
    tiny_model: Path, rejected: Path, tmp_path: Path
) -> None:
    predictions = mner.load(tiny_model, use_images=False).batch(data.read(rejected, labels=False))
    tagged = _jsonl(tmp_path / "three.jsonl", [prediction.to_dict() for prediction in predictions])
    result = _run(tagged, rejected, "--json")
    assert result.exit_code == 0, result.stderr
    assert f'{rejected}: 1 post left out: answer "reject"' in result.stderr
    scores = json.loads(result.stdout)["T"]
    assert scores["micro"]["gold"] == 2
    of_two = _jsonl(tmp_path / "two.jsonl", [prediction.to_dict() for prediction in predictions[::2]])
    assert json.loads(_run(of_two, rejected, "--json").stdout)["T"] == scores


def test_regions_stay_with_their_posts_where_another_was_set_aside(rejected: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in rejected.read_text().splitlines()]
    rows[1]["entities"] = [_entity(0, 4, "MISC")]
    rows[2] |= {"image": "1.jpg", "entities": [_entity(9, 18, "LOC", [0, 0, 40, 10])]}
    tagged = _jsonl(tmp_path / "tagged.jsonl", rows)
    _jsonl(rejected, [row | {"entities": [] if number == 1 else row["entities"]} for number, row in enumerate(rows)])
    grades = grade_predictions(tagged, rejected, boxes=_jsonl(tmp_path / "boxes.jsonl", BOXES[:1]))
    assert (grades.scores.micro.predicted, grades.scores.micro.correct) == (2, 2)
    assert grades.grounded is not None and grades.grounded.gmner.correct == 2


def test_prediction_of_a_post_that_was_set_aside_is_about_its_text(rejected: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in rejected.read_text().splitlines()]
    tagged = _jsonl(tmp_path / "tagged.jsonl", [rows[0], rows[2], rows[1]])
    with pytest.raises(DataError, match=r'tagged\.jsonl:2: predicts "He is in .*rejected\.jsonl:2 is "spam spam"'):
        grade_predictions(tagged, rejected)
    with pytest.raises(DataError, match="1 predictions for 3 posts"):
        grade_predictions(_jsonl(tagged, rows[:1]), rejected)


def test_model_is_graded_as_its_predictions_are(tiny_model: Path, files: dict[str, Path], tmp_path: Path) -> None:
    readings = [{"text": text, "box": [0, 0, 40, 20], "confidence": 0.9} for text in GOLD.split() if text.istitle()]
    contexts = _jsonl(tmp_path / "contexts.jsonl", [{"image": "1.jpg", "ocr": readings}])
    counts: list[int] = []
    grades = grade_model(tiny_model, files["gold"], boxes=files["boxes"], contexts=[contexts], watch=counts.append)
    assert counts == [1, 2]
    posts = [Post("Kevin Love in Cleveland", image="1.jpg"), Post("Madrid won", image="2.jpg")]
    predictions = mner.load(tiny_model, contexts=contexts, images=tmp_path).batch(posts)
    entities = [entity for prediction in predictions for entity in prediction.entities]
    assert any(entity.regions for entity in entities)
    assert grades.grounded is not None
    assert grades.grounded.boxed.predicted == sum(bool(entity.regions) for entity in entities)
    tagged = _jsonl(tmp_path / "again.jsonl", [prediction.to_dict() for prediction in predictions])
    again = grade_predictions(tagged, files["gold"], boxes=files["boxes"])
    assert (again.grounded, again.scores) == (grades.grounded, grades.scores)
    assert grades.signature.view == "I+T"
    assert grades.to_dict()["pictures"] == {"used": 1, "missing": 1}
    off = grade_model(tiny_model, files["gold"], boxes=files["boxes"], contexts=[contexts], grounding=False)
    assert off.grounded is not None and off.grounded.gmner == grades.unboxed


def test_model_is_graded_on_the_words_where_no_picture_is_named(tiny_model: Path, files: dict[str, Path]) -> None:
    grades = grade_model(tiny_model, files["gold"], boxes=files["boxes"])
    assert grades.grounded is not None
    assert grades.grounded.gmner == grades.unboxed
    scores = evaluate_posts(tiny_model, files["gold"]).scores["T"]
    assert grades.scores.to_dict()["micro"] == scores.micro.model_dump()
    assert str(grades.signature) == scores.signature


def test_pictures_of_another_size_are_named(tiny_model: Path, files: dict[str, Path], tmp_path: Path) -> None:
    for name, size in (("1.jpg", (180, 180)), ("2.jpg", (90, 90))):
        Image.new("RGB", size).save(tmp_path / name)
    context = _jsonl(tmp_path / "contexts.jsonl", [{"image": "1.jpg"}, {"image": "2.jpg"}])
    notes = grade_model(tiny_model, files["gold"], boxes=files["boxes"], contexts=[context], images=tmp_path).notes
    assert notes[1:] == (
        f"1 pictures of another size than that of their boxes; the first: {files['gold']}:1 (1.jpg: 180 x 180 pixels, "
        "in the boxes' file 90 x 90)",
    )


def _run(*words: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, words)])


def test_command_prints_predictions_with_their_regions(files: dict[str, Path]) -> None:
    result = _run(files["tagged"], files["gold"], "--boxes", files["boxes"])
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["view", "I+T", "P", "R", "F1", "gold"]
    assert ["GMNER", "33.33", "33.33", "33.33", "3"] in lines
    assert ["MNER", "66.67", "66.67", "66.67", "3"] in lines
    assert ["EEG", "66.67", "66.67", "66.67", "3"] in lines
    assert ["no", "boxes", "33.33", "33.33", "33.33", "3"] in lines
    assert "the name of no entity" in result.stderr
    table = json.loads(_run(files["tagged"], files["gold"], "--boxes", files["boxes"], "--json").stdout)
    assert table["grounding"]["eeg"]["correct"] == 2
    assert table["grounding"]["signatures"]["mner"].startswith("f1=66.67")


def test_command_prints_a_model_with_its_regions(tiny_model: Path, files: dict[str, Path]) -> None:
    result = _run(tiny_model, files["gold"], "--boxes", files["boxes"])
    assert result.exit_code == 0, result.stderr
    assert "GMNER" in result.stdout
    assert "no picture was read; name their contexts or folder: --contexts FILE" in result.stderr
    assert "--images" in _run(tiny_model, files["gold"], "--images", files["gold"]).stderr


def test_command_refuses_what_does_not_belong_together(files: dict[str, Path], tmp_path: Path) -> None:
    assert "mner evaluate MODEL POSTS" in _run(tmp_path, "--boxes", files["boxes"]).stderr
    assert "no picture is read" in _run(files["tagged"], files["gold"], "--images", tmp_path).stderr
    assert "goes with gold boxes" in _run(files["tagged"], files["gold"], "--unlisted", "no-box").stderr
    ungrounded = _run(files["tagged"], files["gold"], "--boxes", files["boxes"], "--grounding", "off")
    assert ungrounded.exit_code == 2 and "goes with a model" in ungrounded.stderr
    for words in ((files["tagged"], files["gold"]), (tmp_path,), (tmp_path, "--dev", "dev.jsonl")):
        unused = _run(*words, "--results", tmp_path)
        assert unused.exit_code == 2 and "goes with --final" in unused.stderr
    _jsonl(files["boxes"], BOXES[:1])
    result = _run(files["tagged"], files["gold"], "--boxes", files["boxes"])
    assert "gold.txt:7" in result.stderr and "--unlisted no-box" in result.stderr
    assert _run(files["tagged"], files["gold"], "--boxes", files["boxes"], "--unlisted", "no-box").exit_code == 0
