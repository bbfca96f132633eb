"""mner config new -> train -> evaluate -> report, as a user types them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mner.cli import app

SET = ["--set", "training.epochs=1", "--set", "training.device=cpu", "--set", "training.threads=1"]


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def config(posts_file: Path, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    text = posts_file.read_text()
    posts = [f"IMGID:{number}\nWord{number}\tB-PER\nwon\tO\n\n" for number in range(20, 40)]
    (tmp_path / "mine.txt").write_text(text + "".join(posts))
    code, out, err = run("config", "new", "--train", "mine.txt", "--encoder", tiny_encoder)
    assert code == 0, err
    assert out == "mine.toml\n"
    return tmp_path / out.strip()


def test_new_config_sets_dev_posts_aside_without_leaks(config: Path) -> None:
    parts = {
        name: [json.loads(line)["text"] for line in (config.parent / f"mine.{name}.jsonl").read_text().splitlines()]
        for name in ("train", "dev")
    }
    assert len(parts["train"]) + len(parts["dev"]) == 32
    assert parts["dev"] and not set(parts["train"]) & set(parts["dev"])


def test_new_config_sets_aside_no_post_whose_entities_are_unknown(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"text": f"Word{number} won", **({"label": []} if number % 2 else {})} for number in range(40)]
    Path("mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, _, err = run("config", "new", "--train", "mine.jsonl", "--encoder", tiny_encoder)
    assert code == 0, err
    written = Path("mine.train.jsonl").read_text() + Path("mine.dev.jsonl").read_text()
    assert written.count('"entities": []') == written.count("\n") == 20


@pytest.mark.parametrize("out", ["other.toml", "configs/other file.toml"])
def test_new_config_names_the_file_that_it_is_written_to(config: Path, out: str) -> None:
    Path("configs").mkdir()
    code, _, err = run("config", "new", "--train", "mine.train.jsonl", "--dev", "mine.dev.jsonl", "--out", out)
    assert code == 0, err
    command = shlex.split(Path(out).read_text().splitlines()[1])
    assert command[2:5] == ["mner", "train", out]
    assert command[-5:] == ["mner", "data", "check", "--config", out]


def test_new_config_does_not_write_over_a_file(config: Path) -> None:
    code, _, err = run("config", "new", "--train", "mine.txt")
    assert code == 2 and "--force" in err


def test_train_evaluate_report(config: Path) -> None:
    code, out, err = run("train", config, *SET, "--results", "results")
    assert code == 0, err
    folder = Path(out.strip())
    assert folder == Path("runs/mine/mine/1")
    assert "training and" in err and "dev F1" in err
    code, out, err = run("evaluate", folder)
    assert code == 0 and "view T" in out and "data=mine/dev@" in out and "  ECE " in out
    code, out, _ = run("evaluate", folder, "--json")
    assert set(json.loads(out)) == {"T", "I+T"}
    code, out, err = run("report", "--out", "results.md")
    assert code == 0, err
    text = Path("results.md").read_text()
    assert "## mine" in text and "| mine | " in text and "data=mine/dev@" in text
    assert out.split() == ["results.md", "results.html"]
    assert run("report", "--out", "-")[1] == text, "written again from the records alone, byte for byte"
    assert run("report")[0] == 0
    assert Path("report.md").read_text() == text
    page = Path("results.html").read_text()
    assert Path("report.html").read_text() == page
    assert run("report", "--out", "report.v1")[1].split() == ["report.v1", "report.v1.html"]
    for name in ("named.html", "NAMED.HTM"):
        code, out, err = run("report", "--out", name)
        assert code == 0, err
        assert out.split() == [str(Path(name).with_suffix(".md")), name]
        assert (Path(name).with_suffix(".md").read_text(), Path(name).read_text()) == (text, page)


def test_train_again_leaves_a_finished_run(config: Path) -> None:
    assert run("train", config, *SET)[0] == 0
    before = Path("runs/mine/mine/1/record.json").stat().st_mtime_ns
    assert run("train", config, *SET)[0] == 0
    assert Path("runs/mine/mine/1/record.json").stat().st_mtime_ns == before


def test_train_names_config_faults_on_stderr(config: Path) -> None:
    code, out, err = run("train", config, "--set", "training.epoch=3")
    assert code == 2 and out == "" and 'did you mean "epochs"' in err.replace("\n", " ")


def test_final_without_test_split_says_so(config: Path) -> None:
    run("train", config, *SET)
    code, _, err = run("evaluate", "runs/mine/mine/1", "--final")
    assert code == 2 and "data.test: not set" in err.replace("\n", " ")


def test_show_prints_the_whole_configuration(config: Path) -> None:
    code, out, _ = run("config", "show", config, "--set", "seed=7")
    assert code == 0 and "seed = 7" in out and "[training]" in out and "crf_lr" in out


def test_report_without_records_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run("report")
    assert code == 2 and "holds no run records" in err


def test_seeds_are_trained_scored_and_compared(config: Path) -> None:
    words = ("train", config, *SET, "--seeds", "2", "--results", "results")
    code, out, err = run(*words)
    assert code == 0, err
    assert out.split() == ["runs/mine/mine/1", "runs/mine/mine/2"]
    assert "seed 2, 2 of 2: runs/mine/mine/2" in err
    code, again, err = run(*words)
    assert (code, again) == (0, out) and "seed 1, 1 of 2: runs/mine/mine/1 is finished, skipped" in err
    code, out, err = run("train", config, *SET, "--seeds", "1,2", "--set", "name=other", "--set", "training.crf_lr=0.1")
    assert code == 0, err

    code, out, err = run("evaluate", "runs/mine/mine")
    assert code == 0, err
    assert "seed 1\n" in out and "seed 2\n" in out and " seeds=2 " in out and "scoring runs/mine/mine/2" in err
    code, out, _ = run("evaluate", "runs/mine/mine", "--json")
    assert set(json.loads(out)["seeds"]) == {"1", "2"} and set(json.loads(out)["means"]) == {"T", "I+T"}

    code, out, err = run("compare", "runs/mine/other", "results/mine/mine")
    assert code == 0, err
    assert "same runs" not in err
    assert "other T against mine T, dev, seeds 1 2" in out and "delta=" in out and "95 % interval" in out
    code, out, err = run("compare", "runs/mine/other/2", "results/mine/mine", "--view", "I+T", "--json")
    (comparison,) = json.loads(out)
    assert (comparison["view_a"], comparison["seeds_b"]) == ("I+T", [2])
    assert comparison["lines"][0]["interval"]["low"] <= comparison["lines"][0]["difference"]


def test_compare_refuses_what_it_cannot_compare(config: Path) -> None:
    run("train", config, *SET)
    code, out, err = run("compare", "runs/mine/mine", "runs/mine/nowhere")
    assert code == 2 and out == "" and "no run record here" in err
    code, out, err = run("compare", "runs/mine/mine", "runs/mine/mine/1")
    assert code == 0 and "are the same runs" in err and out
    assert run("compare", "runs/mine/mine", "runs/mine/mine", "--split", "train")[0] == 2
    assert run("compare", "runs/mine/mine", "runs/mine/mine", "--resamples", "10")[0] == 2
    code, _, err = run("train", config, "--seeds", "x")
    assert code == 2 and "how many, such as 5" in err
