"""mner calibrate: the folder and the figures on stdout, usage faults, and predict --min-score calibrated."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import mner
from mner import cli


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, [*map(str, arguments)], prog_name="mner")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


@pytest.fixture
def posts(tiny_model: Path, tmp_path: Path) -> Path:
    """Forty posts whose gold entities are those that the model finds."""
    texts = [f"Kevin Love is back in Cleveland {number}" for number in range(40)]
    rows = [
        {
            "text": each.text,
            "entities": [{"start": e.start, "end": e.end, "label": e.label} for e in each.entities],
        }
        for each in mner.load(tiny_model).batch(texts)
    ]
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_calibrate_prints_what_it_stored_and_predict_uses_it(model: Path, posts: Path) -> None:
    code, out, error = run("calibrate", model, posts, "--precision", "0.8", "--delta", "0.5")
    assert code == 0, error
    promise, view, basis, folder = out.splitlines()
    assert promise == "precision of 0.8 or more, with confidence 0.5"
    assert view == "  view T: min_score 0.0000"
    assert basis.startswith(
        "    on these 40 posts: precision 1.000 a post; over all entities precision 1.000, recall 1.0"
    )
    assert folder == str(model)
    assert "looking for thresholds on 40 posts" in error
    code, out, error = run("predict", "--model", model, "--text", "Kevin Love", "--min-score", "calibrated")
    assert code == 0, error
    assert json.loads(out)["entities"]


def test_calibrate_prints_json(model: Path, posts: Path) -> None:
    code, out, error = run("calibrate", model, posts, "--temperature", "--json")
    assert code == 0, error
    assert json.loads(out)["scale"]["method"] == "temperature"
    code, out, _ = run("calibrate", model, "--clear")
    assert (code, out) == (0, f"{model}\n")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ((), "nothing to do; name what is promised"),
        (("--precision", "0.9", "--recall", "0.9"), "name one of --precision and --recall"),
        (("--temperature", "--platt"), "name one of --temperature and --platt"),
        (("--clear", "--platt"), "takes everything out"),
        (("--precision", "1"), "expected a number between 0 and 1, found 1"),
        (("--precision", "95"), "expected a number between 0 and 1, found 95"),
        (("--recall", "nan"), "expected a number between 0 and 1, found nan"),
        (("--recall", "0.5", "--delta", "0"), "expected a number between 0 and 1, found 0"),
        (("--platt", "--per-label"), "goes with --precision or --recall"),
        (("--platt", "--delta", "0.2"), "--delta: goes with --precision or --recall"),
        (("--clear",), "--clear: takes everything out; leave out POSTS"),
    ],
)
def test_usage_faults_name_their_option(model: Path, posts: Path, options: tuple[str, ...], fault: str) -> None:
    code, out, error = run("calibrate", model, posts, *options)
    assert (code, out) == (2, "")
    assert fault in " ".join(error.split())


@pytest.mark.parametrize(
    "option",
    [("--contexts", "c.jsonl"), ("--images", "."), ("--features", "."), ("--format", "jsonl"), ("--allow-test",)],
    ids=lambda option: option[0],
)
@pytest.mark.parametrize("purpose", ["--platt", "--clear"])
def test_options_of_posts_need_posts(model: Path, option: tuple[str, ...], purpose: str) -> None:
    code, out, error = run("calibrate", model, purpose, *option)
    assert (code, out) == (2, "")
    assert f"{option[0]}: goes with a file of posts: mner calibrate MODEL POSTS" in " ".join(error.split())


def test_predict_refuses_before_any_work(model: Path, posts: Path, tmp_path: Path) -> None:
    code, _, error = run("predict", posts, "--model", model, "--out", tmp_path / "out", "--min-score", "calibrated")
    assert code == 2
    assert "mner calibrate MODEL POSTS --precision 0.95" in " ".join(error.split())
    assert not (tmp_path / "out").exists()
