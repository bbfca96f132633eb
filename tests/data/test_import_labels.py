"""Each row of the page on other tools' labels: the exported form, put through its command, gives its result."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mner import cli
from mner.data import read

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "import-labels.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and "`mner " in line
]


def shown(post):
    if post.spans is None:
        return "no labels"
    return ", ".join(f"{span.label} {post.entity(span, 1.0).text}" for span in post.spans)


@pytest.mark.parametrize(("tool", "form", "command", "result"), ROWS, ids=[row[0] for row in ROWS])
def test_exported_form_gives_its_result(tool, form, command, result, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(command.strip("`"))[1:]
    lines = [line.removeprefix("`").removesuffix("`") for line in form.split("<br>")]
    Path(arguments[2]).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    done = CliRunner().invoke(cli.app, arguments, prog_name="mner")
    assert done.exit_code == 0, done.stderr
    expected, _, left_out = result.partition("; left out: ")
    assert [shown(post) for post in read("posts.jsonl")] == [expected.strip("`")]
    assert re.findall(r"^left out: (.*)$", done.stderr, re.MULTILINE) == ([left_out] if left_out else [])


def test_page_has_every_tool():
    assert len(ROWS) >= 14
