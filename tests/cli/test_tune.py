"""mner tune -> train the row it wrote, as a user types them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mner.cli import app


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def row(posts_file: Path, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A text row that builds on a data set's file, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("train", "dev"):
        (tmp_path / f"{name}.txt").write_text(posts_file.read_text())
    (tmp_path / "mine.toml").write_text(
        f'[data]\nname = "mine"\ntrain = "train.txt"\ndev = "dev.txt"\ntest = "test.txt"\n'
        f'[model]\nencoder = "{tiny_encoder}"\n'
        '[training]\nepochs = 1\nposts_per_step = 5\ndevice = "cpu"\nthreads = 1\n'
    )
    path = tmp_path / "rows" / "text.toml"
    path.parent.mkdir()
    path.write_text('base = "../mine.toml"\nname = "text"\n[model]\nname = "text"\n[loss]\nviews = ["T"]\n')
    return path


def test_tune_prints_its_terms_and_every_trial_with_its_signature(row: Path) -> None:
    code, out, err = run("tune", row, "--trials", 2, "--set", "seed=3")
    assert code == 0, err
    record = json.loads(Path("results/tune/mine/text.json").read_text())
    assert "mine/text: 2 of 2 trials" in out and "seed 3" in out
    assert f"space {record['space_fingerprint']}: training.encoder_lr 1.67e-05..0.00015 log" in out
    assert f"machine: {record['machine']['cpu']}" in out
    assert out.count("view=T ") == 2 and "as configured" in out
    assert "trial 2 of 2: training.encoder_lr" in err and "dev F1" in err and "[I " not in err
    best = Path(out.splitlines()[-1].removeprefix("experiment: "))
    assert best.read_text().splitlines()[1] == 'base = "../../../../mine.toml"', "the data set's file"
    code, out, err = run("train", best, "--out", "again")
    assert code == 0, err
    assert Path(out.strip()) == Path("again/mine/text-tuned/3")


def test_tune_goes_on_from_its_record_and_says_that_the_best_run_is_gone(row: Path) -> None:
    assert run("tune", row, "--trials", 1)[0] == 0
    shutil.rmtree("runs")
    code, out, err = run("tune", row, "--trials", 1)
    assert code == 0, err
    record, best = Path("results/tune/mine/text.json"), Path("runs/tune/mine/text/best.toml")
    assert f"going on from {record}: 1 of 1 trials are done" in err
    assert f"run is not in runs/tune; to train it again: mner train {best}" in out and best.exists()


def test_tune_reads_a_space_and_says_what_it_leaves_out(row: Path) -> None:
    Path("space.toml").write_text(
        "[training]\ncrf_lr = { choices = [0.01, 0.05] }\n[loss]\ntemperature = { low = 1, high = 8 }\n"
    )
    code, out, err = run("tune", row, "--trials", 1, "--space", "space.toml", "--epochs-max", 1)
    assert code == 0, err
    assert "training.crf_lr 0.01|0.05; training.epochs 1..1" in out
    assert "have no effect here: loss.temperature" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--view", "words"], "expected T or I+T"),
        (["--trials", "0"], "from 1 to 100,000, found 0"),
        (["--space", "none.toml"], "no such file"),
        (["--set", "training.epochs=4", "--epochs-max", "3"], "leaves out the configuration's 4"),
    ],
)
def test_tune_names_what_is_wrong(words: list[str], message: str, row: Path) -> None:
    code, out, err = run("tune", row, *words)
    assert code == 2 and out == "" and message in " ".join(err.replace("│", " ").split())


@pytest.mark.slow
def test_ctrl_c_ends_the_trial_cleanly_and_the_same_command_continues(row: Path) -> None:
    words = ["tune", str(row), "--trials", "1", "--set", "training.epochs=60"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mner", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    metrics = Path("runs/tune/mine/text/runs/mine/trial-01/1/metrics.jsonl")
    deadline = time.monotonic() + 120
    while not metrics.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "the same command continues" in err and "Traceback" not in err
    record = json.loads(Path("results/tune/mine/text.json").read_text())
    assert record["unfinished"]["broken_off"] == ["interrupted"] and record["trials"] == []
    assert metrics.with_name("checkpoint.safetensors").exists()
    code, out, err = run(*words)
    assert code == 0 and "mine/text: 1 of 1 trials" in out and " 60/60 " in out, err
    assert json.loads(Path("results/tune/mine/text.json").read_text())["trials"][0]["broken_off"] == ["interrupted"]
