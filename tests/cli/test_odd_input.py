"""Odd command lines and damaged records, many of them: a message and an exit code, never a traceback."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mner import cli
from mner.cli.commands import COMMANDS
from mner.types import Span
from tests import records
from tests.records import Commit, Make

LINES = 5
"""Command lines of each command."""

TEXTS = ("", "-", "x", "../..", "\x1b[31m[/red]", "\ud800", "a,b", "--", "9" * 5000, "x" * 5000, "/dev/zero")
NUMBERS = ("0", "1", "-1", "nan", "inf", "1e400", "1" + "0" * 23, "9" * 5000, "0x10", "", "\u0663")
FILES: dict[str, bytes] = {
    "empty.jsonl": b"",
    "posts.jsonl": b'{"text": "Kevin is in Cleveland", "image": "x.jpg"}\n',
    "contexts.jsonl": b'{"image": "x.jpg", "captions": ["two dogs"]}\n',
    "deep.jsonl": b"[" * 3000,
    "latin.txt": "caf\u00e9\tO\n".encode("latin-1"),
    "binary.parquet": bytes(range(256)) * 8,
    "row.toml": b'[data]\ntrain = "posts.jsonl"\n',
    "deep.toml": b"x = " + b"[" * 3000,
    "\x1b[31m.json": b'{"a": NaN}',
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with odd files, which commands run in, and a cache that cannot be used."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNER_CACHE", "/dev/null/cache")
    monkeypatch.setattr("mner.bounded.LONGEST", 1 << 20)  # /dev/zero is given up sooner
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    return tmp_path


def run(words: list[str]) -> None:
    result = CliRunner().invoke(cli.app, words, input='{"text": "Kevin"}\n', prog_name="mner")
    problem = result.exception
    assert problem is None or isinstance(problem, SystemExit), (words, problem)
    assert result.exit_code in {0, 1, 2}, words
    assert "Traceback" not in result.stderr and "\x1b" not in result.stderr, words
    assert result.exit_code != 2 or "error: " in result.stderr, words


def odd_value(chance: random.Random) -> str:
    """Half of the time a file that is there, so that commands get as far as reading it."""
    if chance.random() < 0.5:
        return chance.choice([*FILES, "folder"])
    return chance.choice([*TEXTS, *NUMBERS, "nosuch"])


def odd_line(path: str, chance: random.Random) -> list[str]:
    """A command with all its arguments and a few of its options, each of them odd."""
    words = path.split()
    for parameter in cli.load(path).params:
        argument = parameter.param_type_name == "argument"
        if not (argument or parameter.required or chance.random() < 0.25):
            continue
        flag = not argument and getattr(parameter, "is_flag", False)
        words += ([] if argument else [parameter.opts[0]]) + ([] if flag else [odd_value(chance)])
    return words


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", [path for path in COMMANDS if not path.endswith("fetch")])  # which need a network
def test_odd_command_line_is_a_message(path: str, place: Path) -> None:
    for number in range(LINES):
        run(odd_line(path, random.Random(f"{path} {number}")))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys that lead to every value inside another."""
    for key in value if isinstance(value, dict) else range(min(len(value), 2)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(value[key], (*path, key))


WRONG = (None, 3, -1, 1.5, "x", "", [], {}, [1], {"a": 1}, True, float("nan"), 10**400, "\ud800", "\x1b[31m", [[]])


def test_record_with_values_of_wrong_types_is_named(
    make_record: Make, commit: Commit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spans = {"T": [[Span(0, 1, "LOC")], [], [], []], "I+T": [[], [], [Span(0, 2, "PER")], []]}
    for seed in (1, 2):
        commit(make_record("text", seed, spans))
        row = commit(make_record("ita", seed, spans))
    trial = {"settings": {"training.epochs": 3}, "score": 7.5, "dev": {"T": {"signature": "f1=1"}}}
    facts = {"config": {"training": {"epochs": 2}}, "judged_on": {"views": ["T"]}, "seconds": 6.5}
    searched = records.write_search(tmp_path / "results", records.search("ita", [trial], **facts))
    lines = [
        ["report", "--out", "-"],
        ["compare", "tiny/ita", "tiny/text", "--resamples", "1000"],
        ["analyze", "labels", "tiny/ita", "--baseline", "tiny/text"],
        ["analyze", "cost", "tiny/ita"],
    ]
    for words in lines:
        run(words)
    chance = random.Random(7)
    for path, commands in ((row / "1.json", lines), (searched, lines[:1])):
        whole = path.read_text()
        for keys in chance.choices(list(places(json.loads(whole))), k=30):
            record = json.loads(whole)
            inner = record
            for key in keys[:-1]:
                inner = inner[key]
            inner[keys[-1]] = chance.choice(WRONG)
            path.write_text(json.dumps(record))
            for words in commands:
                run(words)
        path.write_text(whole)


def test_record_names_the_key_that_is_wrong(make_record: Make, commit: Commit) -> None:
    record = make_record("text", 1, {"T": [[], [], [], []], "I+T": [[], [], [], []]})
    record["dev"]["T"]["micro"]["f1"] = "\x1b[31m90"
    path = commit(record) / "1.json"
    result = CliRunner().invoke(cli.app, ["compare", str(path), str(path)])
    assert result.exit_code == 2
    assert f"{path}: not a run record (dev.T.micro.f1: input should be a valid number" in result.stderr
    record["dev"]["T"] |= {"micro": record["dev"]["I+T"]["micro"], "calibration": {"micro": {"ece": 3.5}}}
    commit(record)
    result = CliRunner().invoke(cli.app, ["report", "--results", str(path.parents[2]), "--out", "-"])
    assert result.exit_code == 2
    assert f"{path}: not a run record (dev.T.calibration: it lacks 'micro.brier')" in result.stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("predict {here}", "is a folder; name a file of posts in it"),
        ("predict /dev/zero", "is a device; expected a file of posts"),
        ("predict {here}/nowhere", "no such file"),
        ("predict {file} --images {file}", "is a file; expected a folder"),
        ("store export {here}/out.jsonl --store {here}", "is a folder; expected a file"),
        ("config show {here}", "is a folder; name a TOML file"),
        ("train {here}/row.toml", "is a folder; expected a file; data.train"),
        ("data check {file} --images {file}", "is a file; expected a folder of pictures"),
    ],
)
def test_what_stands_at_a_path_is_called_what_it_is(line: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text('{"text": "Kevin"}\n')
    (tmp_path / "row.toml").write_text('[data]\ntrain = "."\ndev = "."\n')
    result = CliRunner().invoke(cli.app, [word.format(here=tmp_path, file=file) for word in line.split()])
    assert result.exit_code == 2
    assert message in result.stderr


def test_posts_come_from_a_pipe_once(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b'{"text": "Kevin Love"}\n')
    os.close(writing)
    result = CliRunner().invoke(cli.app, ["predict", f"/dev/fd/{reading}"])
    os.close(reading)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["text"] == "Kevin Love"
