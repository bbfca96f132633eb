"""mner explain: rows, tables and pages of what the picture did."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

import mner
from mner import cli

TEXT = "Kevin Love is back in Cleveland"
Run = Callable[..., Result]


@pytest.fixture
def run(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``mner explain`` with the tiny model, and with a store of its own."""
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))

    def call(*arguments: str | Path) -> Result:
        given = ["explain", *map(str, arguments), "--model", str(tiny_model), "--threads", "1"]
        result = CliRunner().invoke(cli.app, given, prog_name="mner")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def contexts(tmp_path: Path) -> Path:
    """A ready context of one picture of the posts."""
    path = tmp_path / "contexts.jsonl"
    path.write_text('{"image": "3.jpg", "captions": [{"text": "a dog", "source": "x"}]}\n')
    return path


def test_rows_hold_evidence(run: Run, posts_file: Path, contexts: Path) -> None:
    result = run(posts_file, "--contexts", contexts, "--limit", "3")
    table = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["image_status"] for row in table] == ["missing", "missing", "used"]
    for row in table:
        entities = {(e["start"], e["end"], e["label"]) for e in row["entities"]}
        assert entities <= {(e["start"], e["end"], e["label"]) for e in row["evidence"]}
    assert all(e["verdict"] == "no picture" for e in table[0]["evidence"])
    assert all(set(e["score_without"]) == {"captions"} for e in table[2]["evidence"])
    assert table[2]["context"] == [{"kind": "captions", "source": "x", "text": "a dog"}]


def test_json_and_pages_exclude_each_other(run: Run, posts_file: Path, tmp_path: Path) -> None:
    result = run(posts_file, "--json", "--html", tmp_path / "page.html")
    assert result.exit_code == 2 and "give one of them" in result.stderr
    assert not (tmp_path / "page.html").exists()


def test_missing_pictures_come_with_a_hint_at_their_folder(run: Run, posts_file: Path, tmp_path: Path) -> None:
    assert "3 pictures not found" in run(posts_file, "--limit", "3").stderr
    assert "the picture was not used" in run("--text", TEXT, "--image", tmp_path / "nope.png").stderr
    assert run("--text", TEXT).stderr == ""


def test_text_is_explained_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mner.cli.source.pretty", lambda as_json: not as_json)
    result = run("--text", TEXT)
    assert result.exit_code == 0
    assert "probability" in result.stdout
    assert "Cleveland" in result.stdout


def test_html_writes_pages_and_names_the_index(run: Run, posts_file: Path, contexts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    result = run(posts_file, "--contexts", contexts, "--html", folder)
    assert result.stdout.strip() == str(folder / "index.html")
    assert len(list(folder.glob("0*.html"))) == 12
    assert "train.txt" in (folder / "index.html").read_text(encoding="utf-8")


def test_no_source_is_wrong_usage(run: Run) -> None:
    assert run().exit_code == 2


def test_pages_are_not_named_like_another_kind_of_file(run: Run, tmp_path: Path) -> None:
    result = run("--text", TEXT, "--html", str(tmp_path / "x.txt"))
    assert result.exit_code == 2 and "expected a name that ends in .html" in result.stderr
    assert not (tmp_path / "x.txt").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "jsonl"), "goes with a file of posts"),
        (("--limit", "3"), "goes with a file of posts"),
        (("--force",), "goes with --html"),
    ],
)
def test_option_that_would_do_nothing_is_refused(run: Run, options: tuple[str, ...], message: str) -> None:
    result = run("--text", TEXT, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{options[0]}: {message}" in result.stderr


def test_pages_hold_no_picture_from_outside_its_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pics").mkdir()
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "secret.png")
    posts = tmp_path / "posts.jsonl"
    posts.write_text(json.dumps({"id": "1", "text": TEXT, "image": "../secret.png"}) + "\n")
    for options, embedded in (((), False), (("--allow-outside-images",), True)):
        page = tmp_path / f"page{embedded}.html"
        assert run(posts, "--images", tmp_path / "pics", "--html", page, *options).exit_code == 0
        assert ("data:image/jpeg;base64," in page.read_text()) is embedded


def test_html_file_is_a_gallery_of_all_posts(run: Run, posts_file: Path, contexts: Path, tmp_path: Path) -> None:
    page = tmp_path / "gallery.html"
    assert run(posts_file, "--contexts", contexts, "--html", page).stdout.strip() == str(page)
    assert page.read_text(encoding="utf-8").count('<script type="application/json" id="p') == 12
    assert "any error" not in page.read_text(encoding="utf-8")
    assert run(posts_file, "--contexts", contexts, "--gold", "--html", page).exit_code == 0
    assert "any error" in page.read_text(encoding="utf-8")


def test_gold_reads_labels_and_checks_them(run: Run, posts_file: Path, tmp_path: Path) -> None:
    (first, _) = map(json.loads, run(posts_file, "--gold", "--limit", "2").stdout.splitlines())
    assert first["gold"] == [
        {"start": 0, "end": 10, "text": "Kevin Love", "label": "PER"},
        {"start": 22, "end": 31, "text": "Cleveland", "label": "LOC"},
    ]
    assert "gold" not in json.loads(run(posts_file, "--limit", "1").stdout)
    assert run("--text", TEXT, "--gold").exit_code == 2
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"text": "Kevin won", "entities": [{"start": 0, "end": 99, "label": "PER"}]}\n')
    assert run(wrong).exit_code == 0
    refused = run(wrong, "--gold")
    assert refused.exit_code == 2
    assert "wrong.jsonl:1" in refused.stderr


def test_gold_types_are_renamed_as_the_model_renames_them(tmp_path: Path) -> None:
    (tmp_path / "posts.txt").write_text("IMGID:1\nThe\tO\nOscars\tB-OTHER\nin\tO\nHollywood\tB-LOC\n\n")
    (post,) = mner.data.read(tmp_path / "posts.txt")
    explanation = mner.load(use_images=False, threads=1).explain(post)
    assert [(entity.text, entity.label) for entity in explanation.gold or ()] == [
        ("Oscars", "MISC"),
        ("Hollywood", "LOC"),
    ]
