"""mner context build and show, as a user types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from mner.cli import app
from mner.contexts.artefact import read_contexts

PLAIN = ["--detector", "", "--captioner", "", "--ocr", ""]
"""No backends: what is tested here is what becomes of files, not what is seen."""


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for name, colour in (("b.png", "red"), ("a.jpg", "blue"), ("deep/c.png", "green")):
        Image.new("RGB", (40, 30), colour).save(folder / name)
    (folder / "notes.txt").write_text("not a picture")
    (folder / "bad.jpg").write_text("hello")
    (folder / "deep" / "loop").symlink_to(folder, target_is_directory=True)
    return folder


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


def test_folder_is_read_sorted_and_every_picture_has_a_status(photos: Path) -> None:
    code, out, err = run("context", "build", photos, "--out", "c.jsonl", *PLAIN)
    assert code == 0, err
    assert out == "c.jsonl\n"
    contexts = read_contexts("c.jsonl")
    assert [(name, row.status) for name, row in contexts.items()] == [
        ("a.jpg", "ok"),
        ("b.png", "ok"),
        ("bad.jpg", "unreadable"),
        ("deep/c.png", "ok"),
    ]
    assert "4 pictures: 3 ok, 1 unreadable" in err
    assert "bad.jpg: unreadable: the file is not a picture" in err


@pytest.mark.filterwarnings("default::mner.errors.MnerWarning")
@pytest.mark.parametrize("options", [(), ("--workers", 2)])
def test_default_store_is_done_without_where_it_cannot_be_used(
    photos: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[object, ...]
) -> None:
    Path("blocked").touch()
    monkeypatch.setenv("MNER_CACHE", "blocked")
    code, out, err = run("context", "build", photos, "--out", "c.jsonl", *PLAIN, *options)
    assert (code, out) == (0, "c.jsonl\n"), err
    assert "cannot be used as the store of contexts" in err and "Pictures are read without it" in err
    assert len(read_contexts("c.jsonl")) == 4
    code, out, err = run("context", "build", photos, "--out", "d.jsonl", *PLAIN, *options, "--store", "blocked/s")
    assert (code, out) == (2, "") and "blocked/s: cannot be used" in err, "a store that was named is needed"


@pytest.mark.parametrize("options", [(), ("--workers", 2, "--shard-size", 2)])
@pytest.mark.parametrize("kind", ["tar", "bytes", "paths"])
def test_archives_and_tables_give_what_their_pictures_give(
    photos: Path, kind: str, options: tuple[object, ...]
) -> None:
    paths = sorted(path for path in photos.rglob("*") if path.suffix in {".jpg", ".png"} and "loop" not in path.parts)
    names = [path.relative_to(photos).as_posix() for path in paths]
    source = Path("photos.tar" if kind == "tar" else "photos.parquet")
    if kind == "tar":
        with tarfile.open(source, "w") as archive:
            for path, name in zip(paths, names, strict=True):
                archive.add(path, name)
    else:
        arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        from pyarrow import parquet

        held = {"image": [path.read_bytes() for path in paths]} if kind == "bytes" else {}
        parquet.write_table(arrow.table({"path": names, **held}), source)
    assert run("context", "build", photos, "--out", "folder.jsonl", *PLAIN)[0] == 0
    images = ("--images", photos) if kind == "paths" else ()
    store = ("--store", "fresh.sqlite")  # nothing is known, so that workers read
    code, _, err = run("context", "build", source, *images, "--out", "c", *store, *PLAIN, *options)
    assert code == 0, err
    assert dict(read_contexts("c")) == dict(read_contexts("folder.jsonl"))


def test_posts_name_their_pictures(photos: Path) -> None:
    Path("posts.txt").write_text("IMGID:a\nKevin\tB-PER\n\nIMGID:gone\nhi\tO\n\nIMGID:a\nyo\tO\n\n")
    code, _, err = run("context", "build", "posts.txt", "--images", photos, "--out", "c.jsonl", *PLAIN)
    assert code == 0, err
    contexts = read_contexts("c.jsonl")
    assert {name: row.status for name, row in contexts.items()} == {"a.jpg": "ok", "gone.jpg": "missing"}


def test_names_that_no_file_can_have_cost_their_own_pictures(photos: Path) -> None:
    rows = [{"text": "hi", "image": name} for name in ("a.jpg", "x" * 5000 + ".jpg", "a\0b.jpg")]
    Path("posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, _, err = run("context", "build", "posts.jsonl", "--images", photos, "--out", "c.jsonl", *PLAIN)
    assert code == 0 and "3 pictures: 1 ok, 2 unreadable" in err
    assert run("context", "sheet", "c.jsonl", "--images", photos, "--out", "s.html")[0] == 0


def test_name_of_a_file_cannot_steer_the_terminal(photos: Path) -> None:
    (photos / "a\x1b[2Jb.jpg").write_text("hello")
    code, _, err = run("context", "build", photos, "--out", "c.jsonl", *PLAIN)
    assert code == 0
    assert "\x1b" not in err and r"a\x1b[2Jb.jpg: unreadable: the file is not a picture" in err
    assert "a\x1b[2Jb.jpg" in read_contexts("c.jsonl")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("gone", "no such file or folder"),
        ("empty", "holds no picture"),
        ("none.txt", "none of its posts names a picture"),
    ],
)
def test_source_without_pictures_says_what_is_expected(photos: Path, source: str, expected: str) -> None:
    Path("empty").mkdir()
    Path("none.txt").write_text("Kevin\tB-PER\n\n")
    code, _, err = run("context", "build", source, "--out", "c.jsonl", *PLAIN)
    assert code == 2 and expected in err
    assert not Path("c.jsonl").exists()


def test_unknown_backend_names_the_nearest(photos: Path) -> None:
    code, _, err = run("context", "build", photos, "--out", "c.jsonl", "--ocr", "rapdi")
    assert code == 2 and 'did you mean "rapid"?' in err


def test_show_prints_what_was_read(photos: Path) -> None:
    row = {
        "image": "a.jpg",
        "captions": [{"text": "a dog", "source": "catr"}],
        "tags": [{"object": "dog", "attributes": ["brown"], "confidence": 0.9}],
        "ocr": [{"text": "EXIT", "confidence": 0.95, "source": "rapid"}],
        "texts": [{"text": "background"}],
    }
    Path("c.jsonl").write_text(json.dumps(row) + "\n" + json.dumps({"image": "b.jpg", "status": "missing"}) + "\n")
    code, out, _ = run("context", "show", "c.jsonl")
    assert code == 0
    for part in (
        "a.jpg: ok",
        "caption  a dog  [catr]",
        "tag      brown dog  0.90",
        "text     EXIT  0.95",
        "b.jpg: missing",
    ):
        assert part in out
    assert "b.jpg" not in run("context", "show", "c.jsonl", "--image", "a.jpg")[1]
    assert (
        json.loads(run("context", "show", "c.jsonl", "--image", "IMGID:a", "--json")[1])["captions"] == row["captions"]
    )
    code, _, err = run("context", "show", "c.jsonl", "--image", "x.jpg")
    assert code == 2 and "no context of x.jpg" in err


def test_show_writes_what_would_steer_a_terminal_as_escapes(photos: Path) -> None:
    text = "a\x1b[2J caf\u00e9\nb.jpg: ok \ud83d"
    Path("c.jsonl").write_text(json.dumps({"image": "a.jpg", "captions": [{"text": text, "source": "x"}]}) + "\n")
    code, out, err = run("context", "show", "c.jsonl")
    assert code == 0, err
    assert out.splitlines() == [
        "a.jpg: ok",
        r"  caption  a\u001b[2J caf\u00e9\nb.jpg: ok \ud83d  [x]".replace(r"\u00e9", "\u00e9"),
    ]
    code, out, err = run("context", "show", "c.jsonl", "--json")
    assert code == 0, err
    assert json.loads(out)["captions"][0]["text"] == text


@pytest.mark.slow
def test_killed_build_keeps_what_it_read_and_ends_alike(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        Image.effect_noise((600, 400), 10 + number).convert("RGB").save(folder / f"{number:03d}.png")
    environment = {**os.environ, "MNER_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "mner", "context", "build", str(folder), "--captioner", "", "--ocr", "", "--out"]

    def stored() -> int:
        from mner.contexts.store import Store

        with Store(tmp_path / "cache" / "contexts.sqlite") as store:
            return len(store)

    first = subprocess.Popen([*command, str(tmp_path / "c.jsonl")], env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while stored() < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = stored()
    assert before >= 5
    assert not (tmp_path / "c.jsonl").exists()
    subprocess.run([*command, str(tmp_path / "c.jsonl")], env=environment, check=True, capture_output=True)
    other = {**environment, "MNER_CACHE": str(tmp_path / "other")}
    subprocess.run([*command, str(tmp_path / "d.jsonl")], env=other, check=True, capture_output=True)
    assert (tmp_path / "c.jsonl").read_bytes() == (tmp_path / "d.jsonl").read_bytes()
    assert len(read_contexts(tmp_path / "c.jsonl")) == 40


@pytest.mark.parametrize(("out", "suffix"), [("c", ".jsonl"), ("c.parquet", ".parquet")])
def test_shards_are_written_and_kept(photos: Path, out: str, suffix: str) -> None:
    shards = [Path(out) / f"part-{number:07d}{suffix}" for number in range(2)]
    times: list[list[int]] = []
    for _ in range(2):
        code, stdout, err = run("context", "build", photos, "--out", out, "--shard-size", 3, *PLAIN)
        assert (code, stdout) == (0, f"{out}\n"), err
        assert "4 pictures: 3 ok, 1 unreadable" in err
        assert sorted(Path(out).glob("part-*")) == shards
        times.append([shard.stat().st_mtime_ns for shard in shards])
    assert times[0] == times[1]
    assert len(read_contexts(out)) == 4
    shards[0].write_bytes(shards[0].read_bytes()[:-9])
    for words in (("stats", out), ("build", photos, "--out", out, "--shard-size", 3, *PLAIN)):
        code, _, err = run("context", *words)
        assert code == 2 and str(shards[0]) in err
    assert err.endswith(f"run the same command again: rm {shards[0]}")


def test_one_file_of_parquet_is_the_same_artefact(photos: Path) -> None:
    for out in ("c.jsonl", "c.parquet"):
        code, stdout, err = run("context", "build", photos, "--out", out, *PLAIN)
        assert (code, stdout) == (0, f"{out}\n"), err
    assert dict(read_contexts("c.parquet")) == dict(read_contexts("c.jsonl"))
    code, _, err = run("context", "build", photos, "--out", photos, *PLAIN)
    assert code == 2 and "is a folder; name a file" in err


@pytest.mark.parametrize("option", [("--gpus", "0.5"), ("--address", "auto")])
def test_options_of_ray_go_with_ray(photos: Path, option: tuple[str, str]) -> None:
    code, _, err = run("context", "build", photos, "--out", "c.jsonl", *PLAIN, *option)
    assert code == 2 and "goes with --engine ray" in err


def test_show_of_a_picture_that_cannot_be_read_is_a_finding(photos: Path) -> None:
    code, out, err = run("context", "show", photos / "nope.png")
    assert (code, out) == (2, "") and "nope.png: no such file" in err
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing else")
    code, out, _ = run("context", "show", photos / "broken.png")
    assert code == 1 and out.startswith("broken.png: unreadable")
