"""Any model on any file of labelled posts, but for the test split of its run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mner import config as configs
from mner.errors import DataError, MnerError
from mner.runs.calibrate import calibrate
from mner.runs.evaluate import evaluate
from mner.runs.experiments import read_experiment
from mner.runs.posts import evaluate_posts
from mner.runtime.saved import amend_model, read_model
from mner.training import train

DEV = "IMGID:1\nKevin\tB-PER\nLove\tI-PER\nwon\tO\n\nIMGID:2\nReal\tB-ORG\nMadrid\tI-ORG\n!\tO\n\n"
TEST = "IMGID:3\nParis\tB-LOC\nis\tO\nopen\tO\n\nIMGID:4\nKevin\tB-PER\nis\tO\nback\tO\n\n"


@pytest.fixture
def run(tiny_encoder: Path, tmp_path: Path) -> Path:
    for name in ("train", "dev"):
        (tmp_path / f"{name}.txt").write_text(DEV)
    (tmp_path / "test.txt").write_text(TEST)
    config = configs.check(
        {
            "data": {"name": "corpus", "train": "train.txt", "dev": "dev.txt", "test": "test.txt"},
            "model": {"name": "text", "encoder": str(tiny_encoder)},
            "loss": {"views": ["T"]},
            "training": {"epochs": 1, "device": "cpu"},
        }
    )
    return train(config, root=tmp_path, out=tmp_path / "runs")


def exported(run: Path) -> Path:
    """A copy of the run's model in a folder of its own."""
    amend_model(read_model(run), run.parents[3] / "mine", change=lambda part: {})
    return run.parents[3] / "mine"


@pytest.mark.parametrize("place", [lambda run: run, lambda run: run / "model", exported])
def test_run_model_and_copy_score_a_file_alike(run: Path, tmp_path: Path, place: Callable[[Path], Path]) -> None:
    scores = evaluate_posts(place(run), tmp_path / "dev.txt").to_dict()
    own = evaluate(run).to_dict()["T"]
    assert set(scores) == {"T"}
    assert scores["T"]["micro"] == own["micro"]
    assert scores["T"]["calibration"] == own["calibration"]
    if scores["T"]["micro"]["predicted"]:
        whole = scores["T"]["calibration"]["micro"]
        assert whole["entities"] == scores["T"]["micro"]["predicted"]
        assert whole["correct"] == pytest.approx(scores["T"]["micro"]["precision"] / 100, abs=1e-6)
    assert f"data={tmp_path.name}/dev.txt@" in scores["T"]["signature"]
    assert scores["T"]["signature"].split("@")[1] == own["signature"].split("@")[1]


def test_model_with_two_views_needs_to_know_of_the_pictures(tiny_model: Path, posts_file: Path, tmp_path: Path) -> None:
    contexts = tmp_path / "contexts.jsonl"
    rows = [{"image": f"{number}.jpg", "captions": [{"text": "two people"}]} for number in range(1, 13)]
    contexts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said: list[str] = []
    assert set(evaluate_posts(tiny_model, posts_file, watch=said.append).scores) == {"T"}
    assert "their pictures were not read; name their contexts or folder: --contexts FILE" in said[0]
    assert set(evaluate_posts(tiny_model, posts_file, contexts=[contexts], watch=said.append).scores) == {"T", "I+T"}
    assert said[1].endswith("12 posts, 12 with a visual context")


@pytest.mark.parametrize("place", [lambda run: run, lambda run: run / "model"])
@pytest.mark.parametrize(
    "text",
    [
        TEST,
        "\n\n".join(reversed(TEST.strip().split("\n\n"))) + "\n\n",
        TEST.split("\n\n")[0] + "\n\n",
        TEST.replace("IMGID:3", "IMGID:33"),
    ],
)
def test_copy_of_the_test_split_is_no_way_around_final(
    run: Path, tmp_path: Path, text: str, place: Callable[[Path], Path]
) -> None:
    (tmp_path / "copy.txt").write_text(text)
    with pytest.raises(MnerError, match="only mner evaluate RUN --final scores it"):
        evaluate_posts(place(run), tmp_path / "copy.txt")
    with pytest.raises(MnerError, match="only mner evaluate RUN --final scores it"):
        evaluate(run, dev=str(tmp_path / "copy.txt"))
    (tmp_path / "copy.txt").write_text(text + DEV)
    assert evaluate_posts(place(run), tmp_path / "copy.txt").scores["T"].micro.gold >= 3


def test_export_of_a_run_that_predict_takes_is_named(run: Path, tmp_path: Path) -> None:
    amend_model(read_model(run), run / "exported", change=lambda part: {})
    said: list[str] = []
    evaluate_posts(run, tmp_path / "dev.txt", watch=said.append)
    assert said[0].startswith(f"{run / 'model'} is scored, not the export")
    assert said[0].endswith(f"mner evaluate {run / 'exported'} {tmp_path / 'dev.txt'}")
    evaluate_posts(run / "exported", tmp_path / "dev.txt", watch=said.append)
    assert len(said) == 3, "only how many posts there are"


def test_posts_without_labels_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "bare.jsonl").write_text('{"text": "Kevin Love won"}\n')
    with pytest.raises(DataError, match="no labels to score against"):
        evaluate_posts(tiny_model, tmp_path / "bare.jsonl")


def test_missing_file_is_named_as_it_was_given(tiny_model: Path) -> None:
    with pytest.raises(DataError, match=r"^gone\.jsonl: no such file; name a file of labelled posts$"):
        evaluate_posts(tiny_model, "gone.jsonl")
    with pytest.raises(DataError, match=r"^gone\.jsonl: no such file"):
        calibrate(tiny_model, "gone.jsonl", scale="temperature")


def test_predictions_without_posts_are_called_no_run(tmp_path: Path) -> None:
    (tmp_path / "tagged.jsonl").write_text('{"text": "Kevin won", "entities": []}\n')
    with pytest.raises(MnerError, match=r"a file, not a run; .*: mner evaluate .*tagged\.jsonl POSTS$"):
        evaluate(tmp_path / "tagged.jsonl")


def test_saved_model_is_called_no_unfinished_run(tiny_model: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny_model, tmp_path / "mine"))
    with pytest.raises(MnerError, match=r"a saved model, not a run; name the posts to score: mner evaluate .* POSTS"):
        evaluate(model)
    with pytest.raises(DataError, match="a saved model, not a run"):
        read_experiment(model)
