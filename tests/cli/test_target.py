"""Every command that writes: what others wrote is refused and stays, unless by force; names say what is written."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from mner import cli
from mner.types import Span

FOREIGN = "Dear diary, all of this was written by hand.\n"

WRITERS = {
    "data convert": "data convert posts.txt {out}.jsonl",
    "data convert to columns": "data convert posts.txt {out}.conll --to conll",
    "context build": 'context build pics --out {out}.jsonl --detector= --captioner= --ocr= --store s.sqlite',
    "context convert": "context convert contexts.jsonl {out}.parquet",
    "context import": "context import found.tsv --out {out}.jsonl",
    "context sheet": "context sheet contexts.jsonl --images pics --out {out}.html",
    "store export": "store export {out}.jsonl --store empty.sqlite",
    "predict": "predict posts.txt --model {model} --threads 1 --no-images --out {out}.jsonl",
    "explain": "explain posts.txt --model {model} --threads 1 --limit 2 --html {out}.html",
    "analyze": "analyze labels tiny/ita --baseline tiny/text --out {out}.html",
    "report": "report --out {out}.md",
}  # fmt: skip
"""A command line each; what it writes first has the name {out} with an end."""

Line = Callable[[str], list[str]]


@pytest.fixture(autouse=True)
def workshop(
    tmp_path: Path,
    posts_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_record: Callable[..., dict[str, Any]],
    commit: Callable[[Mapping[str, Any]], Path],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))
    Path("posts.txt").write_bytes(posts_file.read_bytes())
    Path("contexts.jsonl").write_text('{"image": "1.jpg", "captions": [{"text": "a dog"}]}\n')
    Path("found.tsv").write_text("1.jpg\ta dog\n")
    Path("pics").mkdir()
    Image.new("RGB", (8, 8), "red").save("pics/1.jpg")
    assert run(["store", "import", "contexts.jsonl", "--store", "empty.sqlite"])[0] == 0
    for row in ("text", "ita"):
        commit(make_record(row, 1, {"T": [(Span(0, 1, "LOC"),), (), (), ()], "I+T": [(), (), (), ()]}))


def run(words: list[str]) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, words, prog_name="mner")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.stderr.split())


@pytest.fixture
def line(tiny_model: Path) -> Line:
    def words(command: str) -> list[str]:
        return command.format(out="out", model=tiny_model).split()

    return words


@pytest.mark.parametrize("command", WRITERS.values(), ids=WRITERS)
def test_file_of_others_is_refused_unless_by_force(line: Line, command: str) -> None:
    words = line(command)
    path = Path(next(word for word in words if word.startswith("out.")))
    path.write_text(FOREIGN)
    before = sorted(Path().rglob("*"))
    code, err = run(words)
    assert (code, path.read_text()) == (2, FOREIGN)
    assert f"{path}: exists" in err and "--force" in err
    assert [file for file in sorted(Path().rglob("*")) if file not in before and file.parts[0] != "cache"] in (
        [],
        [Path("s.sqlite")],
    )
    code, err = run([*words, "--force"])
    assert code == 0, err
    written = path.read_bytes()
    assert written != FOREIGN.encode()
    code, err = run(words)  # what mner wrote it may write again
    assert code == 0, err


@pytest.mark.parametrize("command", WRITERS.values(), ids=WRITERS)
def test_place_that_cannot_be_written_is_named(line: Line, command: str) -> None:
    words = [word.replace("out.", "posts.txt/out.") for word in line(command)]
    code, err = run(words)
    assert code == 2
    assert "posts.txt/out." in err and "cannot be written" in err


@pytest.mark.parametrize("command", WRITERS.values(), ids=WRITERS)
def test_full_disk_is_an_error_that_leaves_nothing(line: Line, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = sorted(Path().rglob("*"))
    monkeypatch.setattr("mner.files.os.fsync", full)
    code, err = run(line(command))
    assert code == 2
    assert re.search(r"error: out\.\w+: cannot be written: No space left on device; make room", err)
    assert {path.parts[0] for path in Path().rglob("*") if path not in before} <= {"s.sqlite", "cache"}


def test_converted_posts_are_labels_and_replaced_by_force_alone(line: Line) -> None:
    words = line(WRITERS["data convert"])
    assert run(words)[0] == run(words)[0] == 0, "the same content again"
    Path("out.jsonl").write_text(Path("out.jsonl").read_text().replace("PER", "ORG"))  # corrected by hand
    assert run(words)[0] == 2
    assert run([*words, "--force"])[0] == 0


def test_configuration_and_the_posts_set_aside_for_it_are_refused(line: Line) -> None:
    Path("posts.dev.jsonl").write_text(FOREIGN)
    Path("more.txt").write_text("".join(f"IMGID:{n}\nword{n}\tO\nKevin\tB-PER\n\n" for n in range(40)))
    words = ["config", "new", "--train", "posts.txt", "--out", "c.toml"]
    Path("posts.txt").write_bytes(Path("more.txt").read_bytes())
    code, err = run(words)
    assert code == 2 and "posts.dev.jsonl: exists, with other content" in err
    assert Path("posts.dev.jsonl").read_text() == FOREIGN and not Path("c.toml").exists()
    assert run([*words, "--force"])[0] == 0
    code, err = run(words)
    assert code == 2 and "c.toml: exists; name another, or pass --force" in err


def test_predictions_go_into_a_file_or_a_folder_by_the_name(line: Line) -> None:
    words = line("predict posts.txt --model {model} --threads 1 --no-images --out")
    assert run([*words, "tagged.jsonl"])[0] == 0
    assert run([*words, "tagged"])[0] == 0
    assert Path("tagged.jsonl").read_bytes() == Path("tagged/part-0000000.jsonl").read_bytes()
    code, err = run([*words, "tagged.csv"])
    assert code == 2 and "ends in .jsonl" in " ".join(err.replace("│", " ").split())
    code, err = run([*words, "tagged2.jsonl", "--workers", "2"])
    assert code == 2 and not Path("tagged2.jsonl").exists()


def test_folders_of_others_are_refused_and_their_files_stay(line: Line) -> None:
    lines = {
        "tagged": "predict posts.txt --model {model} --threads 1 --no-images --out tagged",
        "pages": "explain posts.txt --model {model} --threads 1 --limit 2 --html pages",
        "shards": "context build pics --out shards --shard-size 1 --detector= --captioner= --ocr=",
        "model": "export {model} --onnx --posts posts.txt --threads 1 --out model",
    }
    for name, command in lines.items():
        thesis = Path(name) / "thesis.tex"
        thesis.parent.mkdir()
        thesis.write_text(FOREIGN)
        code, err = run(line(command))
        assert code == 2 and "--force" in err, name
        assert [path.name for path in thesis.parent.iterdir()] == ["thesis.tex"]
        code, err = run([*line(command), "--force"])
        assert code == 0, err
        code, err = run(line(command))
        assert code == 0, err
        assert thesis.read_text() == FOREIGN


def test_one_page_holds_all_posts(line: Line) -> None:
    words = line("explain posts.txt --model {model} --threads 1 --limit 3 --html page.html")
    assert run(words)[0] == 0
    page = Path("page.html").read_text()
    assert page.count("<!doctype html>") == page.count("<main ") == page.count("</html>") == 1
    assert len(re.findall('type="application/json" id="p[0-9]+"', page)) == 3
    assert "<title>posts.txt" in page


def test_shards_have_a_folder_whose_name_is_no_files(line: Line) -> None:
    code, err = run("context build pics --out c.jsonl --shard-size 1 --detector= --captioner= --ocr=".split())
    assert code == 2 and "shards go into a folder" in " ".join(err.replace("│", " ").split())
    assert not Path("c.jsonl").exists()
    assert json.loads(Path("contexts.jsonl").read_text())
