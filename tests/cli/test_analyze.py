"""mner analyze, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mner import config as configs
from mner.analysis import ANALYSES
from mner.analysis.analyze import FROM_RECORDS
from mner.cli import app
from mner.training import train

TEXT = "IMGID:{}\nkevin\tB-PER\nlove\tI-PER\nwon\tO\n\nIMGID:{}\nreal\tB-ORG\nmadrid\tI-ORG\n!\tO\n\n"


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["analyze", *map(str, words)])
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


@pytest.fixture(scope="module")
def runs(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text row and an aligned row, with their records."""
    folder = tmp_path_factory.mktemp("analyzed")
    for name in ("train", "dev"):
        (folder / f"{name}.txt").write_text(TEXT.format(1, 2))
    rows = [{"image": f"{number}.jpg", "captions": [{"text": "two people", "source": "a"}]} for number in (1, 2)]
    (folder / "contexts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, model, loss in (("text", "text", {"views": ["T"]}), ("ita", "ita", {"cva": "posterior"})):
        table = {
            "name": name,
            "data": {"name": "corpus", "train": "train.txt", "dev": "dev.txt", "contexts": ["contexts.jsonl"]},
            "model": {"name": model, "encoder": str(tiny_encoder)},
            "loss": loss,
            "training": {"epochs": 1, "device": "cpu"},
        }
        made = train(configs.check(table), root=folder, out=folder / "runs")
        record = folder / "results" / "corpus" / name / "1.json"
        record.parent.mkdir(parents=True)
        record.write_bytes((made / "record.json").read_bytes())
    return folder


@pytest.mark.parametrize("name", [name for name in ANALYSES if name not in (*FROM_RECORDS, "noise")])
def test_text_json_and_page(name: str, runs: Path, tmp_path: Path) -> None:
    ita = runs / "runs" / "corpus" / "ita"
    code, out, err = run(name, ita)
    assert code == 0, err
    assert "Signatures" in out and "data=corpus/dev@" in out
    code, out, err = run(name, ita, "--json")
    assert code == 0, err
    assert len(json.loads(out)) == 1
    target = tmp_path / "page.html"
    code, out, err = run(name, ita, "--out", target)
    assert (code, out) == (0, f"{target}\n"), err
    assert "data=corpus/dev@" in target.read_text(encoding="utf-8")


def test_records_are_read_by_row(runs: Path) -> None:
    results = runs / "results"
    code, out, err = run("labels", "corpus/ita", "--baseline", "corpus/text", "--results", results)
    assert code == 0, err
    assert "corpus/ita I+T against corpus/text T, dev" in out
    code, out, err = run("cost", "--results", results)
    assert code == 0, err
    assert "corpus/ita" in out and "corpus/text" in out


def test_numbers_of_runs_are_recorded_where_asked(runs: Path, tmp_path: Path) -> None:
    corpus = runs / "runs" / "corpus"
    code, out, err = run("noise", corpus / "ita", "--baseline", corpus / "text", "--record", "--results", tmp_path)
    assert code == 0, err
    path = tmp_path / "analysis" / "corpus" / "ita" / "noise.json"
    assert f"recorded: {path}" in err and "All runs against gold: corpus/ita" in out
    told = json.loads(path.read_text())
    assert [name.partition("@")[0] for name in told["runs"]] == ["corpus/ita/1", "corpus/text/1"]
    assert "kevin" not in path.read_text()
    code, out, err = run("captions", corpus / "ita", "--record", "--results", tmp_path, "--json")
    assert code == 0, err
    assert json.loads(path.with_name("captions.json").read_text())["result"] == json.loads(out)[0]


def test_limits_are_told_from_records(runs: Path) -> None:
    results = runs / "results"
    code, out, err = run("oracle", "corpus/ita", "--baseline", "corpus/text", "--results", results)
    assert code == 0, err
    assert "rows     corpus/ita I+T  corpus/text T" in out
    code, out, err = run("learning", "corpus/ita", "corpus/text", "--results", results)
    assert code == 0, err
    assert "2 posts" in out and "corpus/text T" in out


def test_artefact_alone_has_statistics(runs: Path) -> None:
    code, out, err = run("ocr", runs / "contexts.jsonl")
    assert code == 0, err
    assert "contexts.jsonl  " in out and "data=contexts.jsonl@" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nothing", "x"), "no analysis is called"),
        (("captions",), "name at least one row"),
        (("captions", "nowhere"), "neither a run, nor a model"),
        (("captions", "{ita}", "--split", "test"), "--final alone"),
        (("labels", "{ita}"), "--baseline"),
        (("labels", "{ita}", "--baseline", "{ita}", "--split", "test"), "no test scores"),
        (("labels", "{ita}", "--baseline", "{ita}", "--split", "train"), "expected dev or test"),
        (("noise", "{ita}"), "--baseline"),
        (("cost", "{ita}", "--record"), "nothing to record"),
        (("captions", "{ita}", "{ita}", "--record"), "takes one row"),
        (("cases", "{ita}", "--shuffles", "3"), "shuffles: cases does not take it; robustness does"),
        (("cost", "--split", "train"), "cost does not take it"),
        (("cases", "{ita}", "--images", "nowhere"), "no such folder"),
        (("cases", "{ita}", "--out", "{ita}"), "Invalid value for '--out'"),
    ],
)
def test_faults_say_what_to_do(words: tuple[str, ...], told: str, runs: Path) -> None:
    code, out, err = run(*(word.format(ita=runs / "runs" / "corpus" / "ita") for word in words))
    assert (code, out) == (2, "")
    assert told in err


def test_help_has_a_line_for_each_analysis() -> None:
    from mner.cli.analyze import analyze

    assert [f"- {name}: {line}" for name, line in ANALYSES.items()] == [
        line.strip() for line in (analyze.__doc__ or "").splitlines() if line.strip().startswith("- ")
    ]
