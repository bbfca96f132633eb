"""mner predict: rows on stdout, everything else on stderr, shards that continue."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from mner import cli

TEXT = "Kevin Love is back in Cleveland"
Run = Callable[..., Result]


@pytest.fixture
def run(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``mner predict`` with the tiny model, and with a store of its own."""
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))

    def call(*arguments: str | Path, stdin: str | bytes | None = None, model: bool = True) -> Result:
        given = ["predict", *map(str, arguments), *(["--model", str(tiny_model), "--threads", "1"] if model else [])]
        result = CliRunner().invoke(cli.app, given, input=stdin, prog_name="mner")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_text_gives_one_row(run: Run) -> None:
    result = run("--text", TEXT)
    (row,) = rows(result)
    assert (row["text"], row["view"], row["image_status"]) == (TEXT, "T", "none")
    assert row["entities"]
    assert all(TEXT[e["start"] : e["end"]] == e["text"] for e in row["entities"])
    assert result.stderr == ""


def test_rows_say_where_the_picture_shows_an_entity(run: Run, tmp_path: Path) -> None:
    row = {"image": "1.jpg", "ocr": [{"text": TEXT, "box": [1, 2, 30, 40], "confidence": 0.5}]}
    (tmp_path / "contexts.jsonl").write_text(json.dumps(row))
    (tmp_path / "posts.jsonl").write_text(json.dumps({"text": TEXT, "image": "1.jpg"}))
    given = (tmp_path / "posts.jsonl", "--contexts", tmp_path / "contexts.jsonl")
    (grounded,) = rows(run(*given))
    assert grounded["entities"] and all(
        entity["regions"][0]["box"] == [1, 2, 30, 40] for entity in grounded["entities"]
    )
    (tmp_path / "text.toml").write_text('sources = ["objects"]')
    for setting in ("off", str(tmp_path / "text.toml")):
        (without,) = rows(run(*given, "--grounding", setting))
        assert [entity.get("regions") for entity in without["entities"]] == [None] * len(grounded["entities"])
    assert "--grounding" in run(*given, "--grounding", "of").stderr


def test_several_pictures_are_read_and_those_that_cannot_be_are_named(run: Run, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.effect_noise((64, 48), 90).save(tmp_path / name)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    pictures = [part for name in ("a.png", "bad.png", "b.png") for part in ("--image", str(tmp_path / name))]
    result = run("--text", TEXT, *pictures)
    (row,) = rows(result)
    assert row["images"] == pictures[1::2]
    assert [picture["image"] for picture in row["pictures"]] == pictures[1::2]
    assert row["pictures"][1]["status"] == "unreadable"
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{tmp_path / 'bad.png'}: the picture was not used, the ")
    refused = run("--text", TEXT, *pictures, "--max-pictures", "2")
    assert refused.exit_code == 2
    assert "3 pictures, the most of one post is 2" in refused.stderr


def test_images_of_posts_are_looked_up_in_the_folder(run: Run, tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text(json.dumps({"id": "1", "text": TEXT, "images": ["1.jpg", "none.jpg"]}) + "\n")
    contexts = tmp_path / "contexts.jsonl"
    contexts.write_text('{"image": "1.jpg", "captions": [{"text": "a dog", "source": "x"}]}\n')
    result = run(posts, "--contexts", contexts)
    (row,) = rows(result)
    assert [picture["status"] for picture in row["pictures"]] == ["used", "missing"]
    assert (row["image_status"], row["view"], row["images"]) == ("used", "I+T", ["1.jpg", "none.jpg"])
    assert "pictures: 1 used, 1 missing" in result.stderr
    assert "1 picture not found" in result.stderr


def test_missing_picture_falls_back_and_says_why(run: Run, tmp_path: Path) -> None:
    (row,) = rows(run("--text", TEXT, "--image", tmp_path / "none.jpg"))
    assert (row["view"], row["image_status"]) == ("T", "missing")
    assert "none.jpg" in row["reason"]


def test_file_gives_rows_in_order_and_counts(run: Run, posts_file: Path) -> None:
    result = run(posts_file)
    table = rows(result)
    assert [row["image"] for row in table] == [f"{n}.jpg" for n in range(1, 13)]
    assert {row["image_status"] for row in table} == {"missing"}
    assert "12 posts" in result.stderr
    assert "12 missing" in result.stderr


def test_missing_pictures_come_with_a_hint_at_their_folder(run: Run, posts_file: Path) -> None:
    result = run(posts_file)
    folder = posts_file.parent.resolve()
    assert f"12 pictures not found in {folder}; name the folder of the pictures: --images" in result.stderr
    assert "--images" not in run("--text", TEXT).stderr


def test_pictures_stay_inside_their_folder_unless_allowed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pics").mkdir()
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "secret.png")
    names = ["../secret.png", str(tmp_path / "secret.png"), "https://example.org/secret.png"]
    posts = tmp_path / "posts.jsonl"
    posts.write_text("".join(json.dumps({"id": name, "text": TEXT, "image": name}) + "\n" for name in names))
    refused = rows(run(posts, "--images", tmp_path / "pics"))
    assert [(row["image"], row["image_status"]) for row in refused] == [(name, "disabled") for name in names]
    assert ["outside" in row["reason"] for row in refused] == [True, True, False]
    assert "addresses are not fetched" in refused[2]["reason"]
    allowed = rows(run(posts, "--images", tmp_path / "pics", "--allow-outside-images"))
    assert [row["image_status"] in {"used", "empty"} for row in allowed] == [True, True, False]
    (row,) = rows(run("--text", TEXT, "--image", tmp_path / "secret.png"))  # what the caller names is read
    assert row["image_status"] in {"used", "empty"}


def test_data_uri_is_read_and_never_written_out(run: Run, tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.effect_noise((300, 300), 80).save(stream, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    posts = tmp_path / "posts.jsonl"
    posts.write_text(json.dumps({"id": "1", "text": TEXT, "image": uri}) + "\n")
    result = run(posts)
    (row,) = rows(result)
    assert row["image_status"] in {"used", "empty"}
    assert row["image"].startswith("data:image/png;sha256=") and len(result.stdout + result.stderr) < 2000
    (alone,) = rows(run("--text", TEXT, "--image", uri))
    assert (alone["image"], alone["entities"]) == (row["image"], row["entities"])


def test_contexts_stand_for_pictures(run: Run, posts_file: Path, tmp_path: Path) -> None:
    contexts = tmp_path / "contexts.jsonl"
    contexts.write_text('{"image": "3.jpg", "captions": [{"text": "a dog", "source": "x"}]}\n')
    table = rows(run(posts_file, "--contexts", contexts))
    assert [row["image"] for row in table if row["image_status"] == "used"] == ["3.jpg"]


def test_no_images_reads_words_alone(run: Run, posts_file: Path) -> None:
    table = rows(run(posts_file, "--no-images"))
    assert {row["image_status"] for row in table} == {"disabled"}


def test_stdin_is_a_dash(run: Run) -> None:
    lines = [{"id": "a", "text": "Kevin won"}, {"id": "b", "words": ["Über", "Paris"]}, {"id": "c", "text": "\ud800"}]
    table = rows(run("-", stdin="".join(json.dumps(line) + "\n" for line in lines)))
    assert [row["id"] for row in table] == ["a", "b", "c"]
    assert [row["text"] for row in table] == ["Kevin won", "Über Paris", "\ud800"]


def test_min_score_filters(run: Run) -> None:
    (every,), (confident,) = rows(run("--text", TEXT)), rows(run("--text", TEXT, "--min-score", "0.9"))
    assert confident["entities"] == [entity for entity in every["entities"] if entity["score"] >= 0.9]
    assert len(confident["entities"]) < len(every["entities"])


def test_bad_line_stops_with_its_place(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text('{"text": "Kevin won"}\n{"txt": 1}\n')
    result = run(path)
    assert result.exit_code == 2
    assert f"{path}:2: " in result.stderr
    assert "Traceback" not in result.stderr


def test_out_makes_shards_that_continue(run: Run, posts_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(posts_file, "--out", out, "--shard-size", "5")
    files = [Path(line) for line in result.stdout.splitlines()]
    assert [path.name for path in files] == ["part-0000000.jsonl", "part-0000001.jsonl", "part-0000002.jsonl"]
    table = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    assert [row["image"] for row in table] == [f"{n}.jpg" for n in range(1, 13)]
    assert "0 of 3 shards were there already" in result.stderr
    files[1].unlink()
    again = run(posts_file, "--out", out, "--shard-size", "5")
    assert again.stdout == result.stdout
    assert "2 of 3 shards were there already" in again.stderr
    assert files[1].exists()


def test_out_refuses_other_posts_and_settings(run: Run, posts_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(posts_file, "--out", out)
    changed = tmp_path / "changed.txt"
    changed.write_text(posts_file.read_text().replace("Madrid", "Betis"))
    for arguments in ((changed,), (posts_file, "--min-score", "0.5"), (posts_file, "--no-images")):
        result = run(*arguments, "--out", out)
        assert result.exit_code == 2
        assert "another folder" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to read; name a file of posts (- is stdin), or give one text: --text TEXT"),
        (("posts.jsonl", "--text", "x"), "give a file of posts or --text, not both"),
        (("nowhere.jsonl",), "nowhere.jsonl: no such file"),
        (("-", "--image", "x.jpg"), "goes with --text"),
        (("--text", "x", "--out", "y"), "goes with a file"),
        (("--text", "x", "--format", "jsonl"), "--format: goes with a file of posts"),
        (("--text", "x", "--force"), "--force: goes with --out"),
        (("--text", "x", "--images", "nowhere"), "no such folder"),
        (("--text", "x", "--timeout", "0"), "from 0.001 to 86,400"),
        (("--text", "x", "--min-score", "2"), "min-score"),
    ],
)
def test_wrong_usage_is_told(run: Run, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_picture_that_is_not_used_is_reported_with_its_reason(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing else")
    named = {
        str(tmp_path / "nope.png"): "no such file",
        str(broken): "not a picture",
        "https://a.example/x.png": "fetched",
    }
    for image, reason in named.items():
        result = run("--text", TEXT, "--image", image)
        assert (result.exit_code, result.stderr.count("\n")) == (0, 1)
        assert result.stderr.startswith(f"{image}: the picture was not used, the words alone were read: ")
        assert reason in result.stderr
    assert run("--text", TEXT, "--image", broken, "--no-images").stderr == ""
    Image.effect_noise((64, 48), 80).save(tmp_path / "fine.png")
    assert run("--text", TEXT, "--image", tmp_path / "fine.png").stderr == ""


def test_pictures_in_the_place_of_posts_say_where_pictures_go(run: Run, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    assert "read all its files: cat" in run(photos).stderr
    Image.new("RGB", (64, 48)).save(photos / "a.png")
    result = run(photos)
    assert result.exit_code == 2
    assert f"--images {photos}" in result.stderr and f"mner context build {photos}" in result.stderr
    assert "cat" not in result.stderr
    result = run(photos / "a.png")
    assert result.exit_code == 2
    assert "--text TEXT --image" in result.stderr and f"mner context show {photos / 'a.png'}" in result.stderr


def test_interrupt_while_one_file_is_written_says_that_nothing_is_kept(
    run: Run, posts_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mner.bulk.predict_file", interrupted)
    monkeypatch.setattr("mner.bulk.predict_shards", interrupted)
    result = run(posts_file, "--out", tmp_path / "x.jsonl")
    assert result.exit_code == 130
    assert "nothing is kept; with --out FOLDER" in result.stderr and "continues" not in result.stderr
    assert "the same command continues" in run(posts_file, "--out", tmp_path / "folder").stderr


def test_model_that_is_not_there_names_the_nearest(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "trial").mkdir(parents=True)
    for name, nearest in (("social-em", "social-en"), ("runs/trail", "runs/trial"), ("zzz/zzz", None)):
        result = run("--text", "x", "--model", name, model=False)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"error: {name}: no such model. ")
        assert "or social-en, the model that comes with mner" in result.stderr
        assert (f"Did you mean {nearest}?" in result.stderr) if nearest else ("Did you" not in result.stderr)
    result = run("--text", "x", "--model", "runs/trial", model=False)  # it is there, and no model
    assert result.exit_code == 2 and "not a saved model" in result.stderr


def test_no_model_says_what_to_type(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("mner.tagger.opening.READY", tmp_path)
    result = run("--text", "x", model=False)
    assert result.exit_code == 2
    assert "--model DIR" in result.stderr


def test_terminal_sees_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mner.cli.source.pretty", lambda as_json: not as_json)
    result = run("--text", TEXT)
    assert "no picture" in result.stdout
    assert "Cleveland" in result.stdout
    assert not result.stdout.startswith("{")
    assert rows(run("--text", TEXT, "--json"))


@pytest.mark.slow
def test_reader_that_leaves_ends_quietly(tiny_model: Path, tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text('{"text": "Kevin Love won in Cleveland"}\n' * 3000)
    command = f'"{sys.executable}" -m mner predict "{posts}" --model "{tiny_model}" --threads 1 | head -n 2'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C", "OMP_NUM_THREADS": "1"},
    )
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 2)


def test_workers_write_what_one_process_writes(run: Run, posts_file: Path, tmp_path: Path) -> None:
    alone = run(posts_file, "--out", tmp_path / "one", "--no-images", "--shard-size", 5)
    by_two = run(posts_file, "--out", tmp_path / "two", "--no-images", "--shard-size", 5, "--workers", 2, "--batch", 3)
    assert (alone.exit_code, by_two.exit_code) == (0, 0), by_two.stderr
    assert alone.stderr == by_two.stderr
    ids = [
        [
            json.loads(line)["id"]
            for path in sorted((tmp_path / name).glob("part-*"))
            for line in path.read_text().splitlines()
        ]
        for name in ("one", "two")
    ]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 12


def test_workers_without_a_folder_are_refused(run: Run, posts_file: Path) -> None:
    result = run(posts_file, "--workers", 2)
    assert result.exit_code == 2
    assert "name a folder" in result.stderr


def test_gold_is_neither_needed_nor_checked_and_other_keys_come_back(run: Run, tmp_path: Path) -> None:
    extra = {"lang": "en", "view": "mine", "meta": {"likes": [3]}, "reason": "none"}
    gold = [
        {"entities": [{"start": 1, "end": 3, "label": "PER"}]},
        {"label": [[0, 99, "X"]]},
        {"spans": "x", "ner": [5]},
    ]
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(json.dumps({"text": TEXT, **labels, **extra}) + "\n" for labels in gold))
    table = rows(run(path))
    assert len(table) == len(gold)
    for row in table:
        assert (row["lang"], row["meta"], row["view"], "reason" in row) == ("en", {"likes": [3]}, "T", False)
        assert not {"label", "ner"} & row.keys()


def test_plain_text_is_tagged_a_post_a_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "posts.txt"
    path.write_text(f"{TEXT}\n\nReal Madrid won\n")
    table = rows(run(path, "--format", "text"))
    assert [row["text"] for row in table] == [TEXT, "Real Madrid won"]


@pytest.mark.parametrize(("tool", "name"), [("label-studio", "x.json"), ("doccano", "x.jsonl"), ("prodigy", "x.jsonl")])
def test_tasks_of_a_labelling_tool_go_to_stdout_or_into_a_file(
    run: Run, posts_file: Path, tmp_path: Path, tool: str, name: str
) -> None:
    shown = run(posts_file, "--to", tool, "--no-images")
    assert shown.exit_code == 0, shown.stderr
    tasks = json.loads(shown.stdout) if name.endswith("json") else rows(shown)
    texts = [task.get("data", task)["text"] for task in tasks]
    assert texts[:2] == ["Kevin Love is back in Cleveland", "Real Madrid won !"] and len(texts) == 12
    assert shown.stderr.startswith("12 posts, ")
    written = run(posts_file, "--to", tool, "--no-images", "--out", tmp_path / name)
    assert (written.stdout, written.exit_code) == (f"{tmp_path / name}\n", 0)
    assert (tmp_path / name).read_text(encoding="utf-8") == shown.stdout
    again = run(posts_file, "--to", tool, "--out", tmp_path / name)
    assert again.exit_code == 2 and "--force" in again.stderr


def test_tasks_need_posts_and_one_file(run: Run, posts_file: Path, tmp_path: Path) -> None:
    for arguments, reason in (
        (("--text", TEXT, "--to", "prodigy"), "goes with a file of posts"),
        ((posts_file, "--to", "prodigy", "--out", tmp_path / "folder"), "tasks go into one file"),
        ((posts_file, "--to", "brat"), "label-studio"),
    ):
        refused = run(*arguments)
        assert refused.exit_code == 2 and reason in refused.stderr
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--batch", "3"), "goes with --workers"),
        (("--force",), "goes with --out"),
        (("--shard-size", "5"), "goes with a folder"),
        (("--shard-size", "5", "--out", "out.jsonl"), "goes with a folder"),
    ],
)
def test_option_that_would_do_nothing_is_refused(
    run: Run, posts_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(posts_file, *options)
    assert result.exit_code == 2 and message in result.stderr
