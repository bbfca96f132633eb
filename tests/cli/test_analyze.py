"""mner analyze, as a user types it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mner import analysis
from mner import config as configs
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
        run_folder = train(configs.check(table), root=folder, out=folder / "runs")
        record = folder / "results" / "corpus" / name / "1.json"
        record.parent.mkdir(parents=True)
        record.write_bytes((run_folder / "record.json").read_bytes())
    return folder


@pytest.mark.parametrize(
    "name", [name for name in analysis.names() if name != "noise" and analysis.about(name).reads != "records"]
)
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
    written = json.loads(path.read_text())
    assert [name.partition("@")[0] for name in written["runs"]] == ["corpus/ita/1", "corpus/text/1"]
    assert written["options"] == {"baseline": "corpus/text"}
    assert "kevin" not in path.read_text()
    code, out, err = run("captions", corpus / "ita", "--record", "--results", tmp_path, "--json")
    assert code == 0, err
    assert json.loads(path.with_name("captions.json").read_text())["result"] == json.loads(out)[0]


def test_limits_are_read_from_records(runs: Path) -> None:
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
    ("words", "message"),
    [
        (("nothing", "x"), 'no plug-in "nothing" in analysis'),
        (("captions",), "name at least one experiment"),
        (("captions", "nowhere"), "neither a run, nor a model"),
        (("captions", "{ita}", "--split", "test"), "--final alone"),
        (("labels", "{ita}"), "--baseline"),
        (("labels", "{ita}", "--baseline", "{ita}", "--split", "test"), "no test scores"),
        (("labels", "{ita}", "--baseline", "{ita}", "--split", "train"), "split: expected 'dev' or 'test'"),
        (("noise", "{ita}"), "--baseline"),
        (("cost", "{ita}", "--record"), "nothing to record"),
        (("captions", "{ita}", "{ita}", "--record"), "takes one experiment"),
        (
            ("cases", "{ita}", "--shuffles", "3"),
            "cases has no option --shuffles; its options: --split, --baseline,",
        ),
        (("cost", "--split", "train"), "cost has no option --split; its options: none"),
        (("cases", "{ita}", "--images", "nowhere"), "no such folder"),
        (("cases", "{ita}", "--images", "{ita}"), "goes with a page: --out FILE.html"),
        (("cases", "{ita}", "--images", "{ita}", "--out", "cases.md"), "goes with a page: --out FILE.html"),
        (("cases", "{ita}", "--json", "--out", "cases.json"), "give one of them"),
        (("cases", "{ita}", "--out", "{ita}"), "Invalid value for '--out'"),
    ],
)
def test_faults_say_what_to_do(words: tuple[str, ...], message: str, runs: Path) -> None:
    code, out, err = run(*(word.format(ita=runs / "runs" / "corpus" / "ita") for word in words))
    assert (code, out) == (2, "")
    assert message in err


def test_help_has_every_analysis_and_its_options() -> None:
    code, out, _ = run("--help")
    assert code == 0
    shown = " ".join(re.sub("[\u2500-\u257f]", " ", out).split())
    for name in analysis.names():
        assert f"- {name}: {analysis.about(name).title}" in shown
        for option, field in analysis.load(name).Options.model_fields.items():
            assert f"--{option} " in shown and str(field.description).rstrip(".") in shown


def test_form_is_that_of_the_files_name(runs: Path, tmp_path: Path) -> None:
    ita = runs / "runs" / "corpus" / "ita"
    for name, begins in {"a.json": "[", "a.md": "# F1 with", "a.svg": "<svg ", "a.htm": "<!doctype html>"}.items():
        code, out, err = run("robustness", ita, "--out", tmp_path / name)
        assert (code, out) == (0, f"{tmp_path / name}\n"), err
        assert (tmp_path / name).read_text(encoding="utf-8").lstrip().startswith(begins)
    code, _, err = run("robustness", ita, "--out", tmp_path / "a.md")
    assert code == 2 and "exists; name another, or pass --force" in err


OUTSIDE = """
from typing import Annotated

from pydantic import Field

from mner.analysis import About
from mner.analysis.parts.report import Column, Report, Table
from mner.config import Section

ABOUT = About("how many experiments are named", reads="records")


class Options(Section):
    times: Annotated[int, Field(ge=1, description="Factor.")] = 1
    loud: Annotated[bool, Field(description="In capitals.")] = False


def analyze(inputs, options):
    rows = tuple((row.upper() if options.loud else row, options.times) for row in inputs.rows)
    return Report("mine", ABOUT.title, "", rows, (Table("Named", (Column("row"), Column("times", "d")), rows),))
"""


def test_analysis_outside_mner_brings_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_lab").mkdir()
    (tmp_path / "their_lab" / "__init__.py").touch()
    (tmp_path / "their_lab" / "named.py").write_text(OUTSIDE)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        assert run("their_lab.named", "d/one", "--times", "3", "--loud")[:2] == (
            0,
            "Named\nrow    times\nD/ONE      3\n",
        )
        code, _, err = run("their_lab.named", "d/one", "--times", "0")
        assert code == 2 and "times: input should be greater than or equal to 1" in err
        assert "nothing to record" in run("their_lab.named", "d/one", "--record")[2]
        assert "mner analyze --help" in run("their_lab.named", "d/one", "--most", "x")[2]
    finally:
        sys.modules.pop("their_lab.named", None)
        sys.modules.pop("their_lab", None)
