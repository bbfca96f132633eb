import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from mner.cli import app
from mner.data import read, stamp

TRAIN = "IMGID:1\nKevin\tB-PER\nwins\tO\n\nIMGID:2\nOhio\tI-LOC\n\n"


@pytest.fixture
def run():
    def ran(*arguments, stdin=None):
        return CliRunner().invoke(app, ["data", *map(str, arguments)], input=stdin)

    return ran


@pytest.fixture
def train(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text(TRAIN)
    return path


def test_check_of_a_good_file_ends_with_0(run, train):
    result = run("check", train)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == f"train: {train}: twitter (IOB2) @{stamp(read(train)).fingerprint}"
    assert lines[1] == "  2 posts  3 words  2 entities (1 strict)  LOC 1  PER 1"
    assert "note: repaired labels (1)" in lines
    assert "not checked: pictures: --images DIR" in result.stderr


def test_check_lists_bad_lines_and_ends_with_1(run, tmp_path):
    path = tmp_path / "posts.txt"
    path.write_text("IMGID:1\na\tO\n" + "bad\x1b[2J\n" * 3)
    result = run("check", path, "--limit", 2)
    assert result.exit_code == 1
    assert "error: bad line (3)" in result.stdout
    assert f"  {path}:3: " in result.stdout
    assert "  ... and 1 more; --limit 0 lists all" in result.stdout
    assert "\x1b" not in result.stdout


def test_check_prints_json(run, train):
    table = json.loads(run("check", train, "--json").stdout)
    assert table["fine"] is True
    assert table["splits"]["train"]["posts"] == 2


@pytest.mark.parametrize("arguments", [["check"], ["check", "none.txt"], ["check", "--limit", "-1", "x"], ["stats"]])
def test_wrong_usage_ends_with_2(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


def test_check_of_nothing_found_says_so(run, tmp_path):
    path = tmp_path / "train.conll"
    path.write_text("Kevin\tB-PER\n")
    assert run("check", path).stdout.splitlines()[-1] == "nothing found"


def test_stats_show_both_readings(run, train):
    result = run("stats", train)
    assert result.exit_code == 0
    assert "  entities  2 (1 if only a B- begins one)" in result.stdout
    assert "  length of entities: 2 of 1 word\n" in result.stdout
    assert "  pictures  2 different; 100.0% of the posts have one" in result.stdout
    table = json.loads(run("stats", train, "--json", "--labels", "strict").stdout)
    assert (table["train"]["entities"], table["train"]["strict"]) == (1, 1)


def test_stats_read_stdin(run):
    result = run("stats", "-", "--json", stdin=TRAIN)
    assert json.loads(result.stdout)["stdin"]["posts"] == 2


def test_convert_tells_what_is_not_kept(run, tmp_path):
    source = tmp_path / "a.jsonl"
    source.write_text('{"id": "x", "text": "a,b", "entities": []}\n')
    result = run("convert", source, tmp_path / "b.txt", "--to", "twitter")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "not kept: text of 1 post\n" in result.stderr
    assert (tmp_path / "b.txt").read_text().startswith("IMGID:\na\tO\n")


def test_convert_between_stdin_and_stdout(run):
    result = run("convert", "-", "-", "--to", "conll", "--scheme", "BIOES", stdin=TRAIN)
    assert result.exit_code == 0
    assert result.stdout == "# image = 1.jpg\nKevin\tS-PER\nwins\tO\n\n# image = 2.jpg\nOhio\tS-LOC\n\n"
    assert "2 posts, 2 entities, @" in result.stderr


def test_convert_needs_a_format(run, train):
    assert run("convert", train, "-").exit_code == 2
    result = run("convert", train, train.with_name("x.txt"))
    assert result.exit_code == 2
    assert "--to NAME" in result.stderr


def test_convert_of_a_bad_file_leaves_nothing(run, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(TRAIN + "bad\n")
    result = run("convert", path, tmp_path / "b.jsonl")
    assert result.exit_code == 2
    assert f"mner data check {path}" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_stdout_is_utf8_in_any_locale(train):
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", "from mner.cli import app; app()", "data", "convert", "-", "-", "--to", "conll"]
    text = "# image = é.jpg\n東京\tB-LOC\n\n".encode()
    done = subprocess.run(command, input=text, capture_output=True, env=environment, check=True, timeout=60)
    assert done.stdout == text


def test_data_commands_import_no_heavy_package():
    program = (
        "import sys; from mner.cli import app\n"
        "try: app(['data', 'stats', '-'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'transformers', 'onnxruntime', 'PIL', 'cv2', 'tokenizers'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=TRAIN, text=True, capture_output=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"
