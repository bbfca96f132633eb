"""Opening runs: dev or train, never test; runs of one row only."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mner import config as configs
from mner.analysis.captions import captions
from mner.analysis.cases import cases
from mner.analysis.parts.loaded_run import open_run, open_runs, row_runs
from mner.analysis.robustness import robustness
from mner.errors import DataError, MnerError
from mner.evaluation import score
from mner.runs.evaluate import evaluate
from mner.training import train

TEXT = "IMGID:1\nkevin\tB-PER\nlove\tI-PER\nwon\tO\n\nIMGID:2\nreal\tB-ORG\nmadrid\tI-ORG\n!\tO\n\n"


@pytest.fixture(scope="module")
def runs(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of one row."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("train", "dev"):
        (folder / f"{name}.txt").write_text(TEXT)
    (folder / "contexts.jsonl").write_text('{"image": "1.jpg", "captions": [{"text": "two people", "source": "a"}]}\n')
    for seed in (1, 2):
        table = {
            "name": "row",
            "seed": seed,
            "data": {
                "name": "corpus",
                "train": "train.txt",
                "dev": "dev.txt",
                "test": "test.txt",
                "contexts": ["contexts.jsonl"],
                "contexts_missing": 0.5,  # of two pictures the file knows one
            },
            "model": {"encoder": str(tiny_encoder)},
            "training": {"epochs": 1, "device": "cpu", "encoder_lr": 0.01},
        }
        train(configs.check(table), root=folder, out=folder / "out")
    return folder / "out" / "corpus" / "row"


def test_run_reads_what_evaluate_scores(runs: Path) -> None:
    run = open_run(runs / "1")
    scored = evaluate(runs / "1")
    gold = [post.spans or () for post in run.posts]
    assert score(gold, run.read()).micro.f1 == scored.scores["T"].micro.f1
    assert score(gold, run.read(run.pieces())).micro.f1 == scored.scores["I+T"].micro.f1
    assert f"data={run.data} " in scored.scores["T"].signature and f"data={run.data} " in str(scored.signatures["T"])
    assert run.row == "corpus/row"
    assert [len(of_post) for of_post in run.pieces()] == [1, 0]


def test_test_stays_closed(runs: Path) -> None:
    with pytest.raises(MnerError, match=r'split: expected train or dev, found "test"'):
        open_run(runs / "1", split="test")


def test_row_is_a_folder_of_runs(runs: Path, tiny_model: Path, tmp_path: Path) -> None:
    assert row_runs(runs) == [runs / "1", runs / "2"]
    assert row_runs(runs / "2") == [runs / "2"]
    assert row_runs(tiny_model) == [tiny_model]
    with pytest.raises(MnerError, match="neither a run, nor a model"):
        row_runs(tmp_path)


def test_unfinished_run_is_named(tmp_path: Path, runs: Path) -> None:
    row = tmp_path / "row"
    shutil.copytree(runs, row)
    (row / "2" / "checkpoint.safetensors").touch()
    for shown in (row, row / "2"):
        with pytest.raises(MnerError, match=r"row/2: not finished; continue with mner train"):
            row_runs(shown)
    assert row_runs(row / "1") == [row / "1"]


@pytest.mark.parametrize("name", ["record.json", "model"])
def test_run_of_a_row_that_lacks_something_is_not_left_out(tmp_path: Path, runs: Path, name: str) -> None:
    row = tmp_path / "row"
    shutil.copytree(runs, row)
    (row / "2" / name).rename(row / "2" / "away")
    with pytest.raises(DataError, match=rf"row/2: lacks {name}.*mner train CONFIG, or name finished runs one by one"):
        row_runs(row)
    assert row_runs(row / "1") == [row / "1"]


def test_run_of_a_row_with_a_damaged_record_is_refused(tmp_path: Path, runs: Path, tiny_model: Path) -> None:
    row = tmp_path / "row"
    shutil.copytree(runs, row)
    shutil.copytree(tiny_model, row / "saved")
    assert row_runs(row) == [row / "1", row / "2"], "a saved model beside them is not a run"
    (row / "2" / "record.json").write_text('{"data": "cor')
    with pytest.raises(DataError, match=r"2/record\.json: not a run record"):
        row_runs(row)


def test_runs_are_opened_one_by_one(runs: Path) -> None:
    shown: list[str] = []
    opened = open_runs(row_runs(runs), on_open=shown.append)
    assert shown == []
    assert next(opened).config.seed == 1
    assert shown == [str(runs / "1")]
    assert next(opened).config.seed == 2


def test_runs_of_two_rows_are_no_row(runs: Path) -> None:
    other = runs.parent / "changed" / "3"
    shutil.copytree(runs / "2", other)
    config = (other / "config.toml").read_text()
    (other / "config.toml").write_text(config.replace("word_dropout = 0.1", "word_dropout = 0.2"))
    with pytest.raises(DataError, match="differ in more than the seed"):
        list(open_runs([runs / "1", other], on_open=lambda path: None))


def test_control_is_read_with_the_contexts_it_was_trained_with(runs: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    root = runs.parents[2]
    (tmp_path / "contexts.jsonl").write_text(
        "".join(
            json.dumps({"image": f"{number}.jpg", "captions": [{"text": text, "source": "a"}]}) + "\n"
            for number, text in ((1, "two people"), (2, "stadium"))
        )
    )
    result = {}
    for kind in ("shuffled", "empty"):
        table = {
            "name": kind,
            "data": {
                "name": "corpus",
                "train": str(root / "train.txt"),
                "dev": str(root / "dev.txt"),
                "contexts": [str(tmp_path / "contexts.jsonl")],
            },
            "context": {"substitute": kind},
            "model": {"encoder": str(tiny_encoder)},
            "training": {"epochs": 1, "device": "cpu", "encoder_lr": 0.01},
        }
        run = train(configs.check(table), root=root, out=tmp_path / "out")
        result[kind] = open_run(run)
        scored = evaluate(run)
        gold = [post.spans or () for post in result[kind].posts]
        assert score(gold, result[kind].read(result[kind].pieces())).micro.f1 == scored.scores["I+T"].micro.f1
    assert [[piece.text for piece in of_post] for of_post in result["shuffled"].pieces()] == [
        ["stadium"],
        ["two people"],
    ]
    assert result["empty"].pieces() == [(), ()]
    record = json.loads((tmp_path / "out" / "corpus" / "empty" / "1" / "record.json").read_text())
    assert str(result["empty"].run) == f"corpus/empty/1@{record['model']}"
    for ask in (lambda each: robustness([each]), cases):
        with pytest.raises(DataError, match=r'corpus/shuffled: .*context.substitute = "shuffled"'):
            ask(result["shuffled"])
    with pytest.raises(DataError, match=r'no post .* has a caption .*context.substitute = "empty"'):
        captions([result["empty"]])
