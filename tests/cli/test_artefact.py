"""mner context convert, diff, edit, import, sheet, stats and mner backends, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from mner.cli import app
from mner.contexts.artefact import read_contexts

ROWS: list[dict[str, Any]] = [
    {"image": "a.png", "captions": [{"text": "a dog", "source": "catr"}], "relation": 1},
    {"image": "b.png", "ocr": ["ON TOUR"], "status": "ok"},
    {"image": "gone.png", "status": "missing", "reason": "no such file"},
]


@pytest.fixture(autouse=True)
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    Path("pics").mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 30), "red").save(Path("pics") / name)


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


def test_convert_goes_to_parquet_and_back() -> None:
    assert run("context", "convert", "a.jsonl", "a.parquet") == (0, "a.parquet\n", "3 records")
    assert run("context", "convert", "a.parquet", "b.jsonl")[0] == 0
    assert dict(read_contexts("b.jsonl")) == dict(read_contexts("a.jsonl"))
    code, _, err = run("context", "convert", "a.jsonl", "a.csv")
    assert code == 2 and "ends in .jsonl or .parquet" in err


def test_diff_finds_what_edit_changed() -> None:
    assert run("context", "convert", "a.jsonl", "b.parquet")[0] == 0
    code, out, _ = run("context", "diff", "a.jsonl", "b.parquet")
    assert code == 0 and out.startswith("3 pictures the same, 0 differ")
    code, out, err = run("context", "edit", "b.parquet", "a.png", "--drop", "captions:catr", "--caption", "a cat")
    assert code == 0, err
    assert (json.loads(out)["edited"], json.loads(out)["relation"]) == (True, 1)
    code, out, _ = run("context", "diff", "a.jsonl", "b.parquet")
    assert code == 1
    assert out.splitlines() == [
        "a.png",
        "  - captions  a dog",
        "  + captions  a cat",
        "2 pictures the same, 1 differ, 0 only in the first, 0 only in the second",
        "  captions  1 only in the first, 0 in both, 1 only in the second",
        "  ocr       0 only in the first, 1 in both, 0 only in the second",
    ]
    (row,) = map(json.loads, run("context", "diff", "a.jsonl", "b.parquet", "--json")[1].splitlines())
    assert (row["first"], row["second"]) == ({"captions": ["a dog"]}, {"captions": ["a cat"]})


def test_diff_lists_as_many_as_asked_and_escapes_what_steers_terminals() -> None:
    Path("b.jsonl").write_text(json.dumps({"image": "a.png", "captions": ["\x1b[2J\n" + "x" * 10_000]}) + "\n")
    code, out, _ = run("context", "diff", "a.jsonl", "b.jsonl", "--limit", 1)
    assert code == 1 and "\x1b" not in out and r"\x1b[2J\n" in out
    assert "... and 2 more; --limit 0 lists all" in out
    assert "gone.png: missing -> no record" in run("context", "diff", "a.jsonl", "b.jsonl", "--limit", 0)[1]


def test_diff_in_json_lists_all_unless_limited() -> None:
    Path("a.jsonl").write_text("".join(json.dumps({"image": f"{n}.png", "tags": ["dog"]}) + "\n" for n in range(30)))
    Path("b.jsonl").write_text("")
    for limit, count in (((), 30), (("--limit", 0), 30), (("--limit", 1), 1)):
        code, out, _ = run("context", "diff", "a.jsonl", "b.jsonl", "--json", *limit)
        assert code == 1 and [json.loads(line)["image"] for line in out.splitlines()][:1] == ["0.png"]
        assert len(out.splitlines()) == count
    assert "... and 10 more; --limit 0 lists all" in run("context", "diff", "a.jsonl", "b.jsonl")[1]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("posts.jsonl", '{"text": "Love Paris", "image": "a.png", "entities": [[5, 10, "LOC"]]}'),
        ("posts.jsonl", '{"id": "p1", "text": "Love Paris", "image": "a.png"}'),
        ("posts.json", '[{"id": "p1", "text": "Love Paris", "image": "a.png"}]'),
        ("posts.tsv", "Love\tO\nParis\tB-LOC"),
    ],
)
def test_import_refuses_posts_unless_their_kind_is_named(name: str, line: str) -> None:
    Path(name).write_text(line + "\n")
    code, out, err = run("context", "import", name, "--source", "x", "--out", "texts.jsonl")
    assert (code, out, Path("texts.jsonl").exists()) == (2, "", False)
    assert "looks like a file of posts" in err and "mner context build" in err and "--kind texts" in err
    assert run("context", "import", name, "--kind", "texts", "--out", "texts.jsonl")[0] == 0


def test_import_of_texts_needs_no_kind() -> None:
    Path("texts.jsonl").write_text('{"image": "a.png", "text": "Paris is in France"}\n')
    Path("texts.tsv").write_text("a.png\tParis is in France\nb.png\tOn tour\n")
    for name in ("texts.jsonl", "texts.tsv"):
        assert run("context", "import", name, "--out", "c.jsonl")[0] == 0


def test_stats_counts_shares() -> None:
    code, out, _ = run("context", "stats", "a.jsonl")
    assert code == 0
    assert "pictures  3: 2 ok, 1 missing\n" in out
    assert "ocr       1 in 33.3% of the pictures, 2.0 words in each of them on average; 2 words in all, 2 in" in out
    assert "\ntags      none\n" in out and "0.0" not in out
    assert json.loads(run("context", "stats", "a.jsonl", "--json")[1])["kinds"]["captions"]["sources"] == {"catr": 1}


def test_import_makes_texts_of_posts() -> None:
    Path("posts.txt").write_text("IMGID:a\nKevin\tB-PER\n\nIMGID:b\nhi\tO\n\n")
    Path("wiki.tsv").write_text("a\tKevin is a player\nz\tnobody\n")
    code, out, err = run("context", "import", "wiki.tsv", "--posts", "posts.txt", "--out", "t.jsonl")
    assert (code, out) == (0, "t.jsonl\n"), err
    assert "left out: 1 whose post is missing or has no picture (z)" in err
    (text,) = read_contexts("t.jsonl")["a.jpg"].texts
    assert (text.text, text.source, text.extra) == ("Kevin is a player", "wiki", {"post": "a"})


def test_import_refuses_an_id_of_two_posts_with_other_pictures() -> None:
    Path("a.jsonl").write_text('{"id": "1", "text": "hi", "image": "a.jpg"}\n')
    Path("b.jsonl").write_text('{"id": "1", "text": "ho", "image": "b.jpg"}\n')
    Path("wiki.tsv").write_text("1\tKevin is a player\n")
    files = ("--posts", "a.jsonl", "--posts", "a.jsonl")
    assert run("context", "import", "wiki.tsv", *files, "--out", "t.jsonl")[0] == 0
    code, _, err = run("context", "import", "wiki.tsv", *files, "--posts", "b.jsonl", "--out", "t.jsonl", "--force")
    assert code == 2
    assert 'b.jsonl:1: another post with the id "1" has the picture a.jpg' in " ".join(err.split())


def test_import_says_that_posts_have_no_picture() -> None:
    Path("posts.jsonl").write_text('{"id": "1", "text": "a"}\n{"id": "2", "text": "b", "image": "b.png"}\n')
    Path("texts.jsonl").write_text('{"id": "1", "text": "hello"}\n')
    words = ("context", "import", "texts.jsonl", "--out", "t.jsonl", "--kind", "texts", "--posts", "posts.jsonl")
    code, _, err = run(*words)
    assert code == 2 and "its names, such as '1', are ids of posts without a picture" in err
    Path("texts.jsonl").write_text('{"id": "9", "text": "hello"}\n')
    assert "such as '9', are not ids of posts with a picture, such as '2';" in run(*words)[2]


@pytest.mark.parametrize(
    "words",
    [
        ("context", "import", "a.jsonl", "--kind", "captions", "--out", "x.csv"),
        ("context", "build", "pics/a.png", "--out", "x.csv"),
        ("store", "export", "x.csv", "--store", "s.sqlite"),
        ("context", "sheet", "a.jsonl", "--images", "pics", "--out", "x.txt"),
    ],
)
def test_file_is_not_named_like_one_of_another_kind(words: tuple[str, ...]) -> None:
    assert run("store", "import", "a.jsonl", "--store", "s.sqlite")[0] == 0
    code, _, err = run(*words)
    assert code == 2 and "expected a name that ends in ." in err
    assert not list(Path().glob("x.*"))


def test_parquet_may_be_written_large() -> None:
    assert run("context", "convert", "a.jsonl", "a.PARQUET")[0] == 0
    assert Path("a.PARQUET").read_bytes().startswith(b"PAR1")
    assert dict(read_contexts("a.PARQUET")) == dict(read_contexts("a.jsonl"))


def test_store_is_not_made_for_files_that_are_not_there() -> None:
    code, _, err = run("store", "import", "none.jsonl", "--store", "new.sqlite")
    assert code == 2 and "none.jsonl: no such file" in err
    assert not Path("new.sqlite").exists()


def test_import_of_objects_takes_a_threshold_for_attributes() -> None:
    objects = [{"class": "dog", "conf": 0.9, "attributes": ["brown", "wet"], "attr_scores": [0.4, 0.05]}]
    Path("d.tsv").write_text(f"a\t{json.dumps(objects)}\n")
    for options, expected in (((), ("brown", "wet")), (("--attribute-threshold", 0.1), ("brown",))):
        code, _, err = run("context", "import", "d.tsv", "--kind", "vinvl", "--out", "o.jsonl", *options)
        assert code == 0, err
        assert read_contexts("o.jsonl")["a.jpg"].tags[0].attributes == expected
    code, _, err = run("context", "import", "d.tsv", "--out", "o.jsonl", "--attribute-threshold", 0.1)
    assert code == 2 and "goes with --kind vinvl or bottomup" in err


def test_sheet_shows_pictures_up_to_the_limit() -> None:
    code, out, err = run("context", "sheet", "a.jsonl", "--images", "pics", "--out", "s.html", "--limit", 2)
    assert (code, out, err) == (0, "s.html\n", "2 pictures, 1 more not shown; --limit 0 shows all")
    assert Path("s.html").read_text().count("data:image/jpeg") == 2
    code, _, err = run("context", "sheet", "a.jsonl", "--images", "pics", "--out", "s.html", "--image", "x.png")
    assert code == 2 and "no context of x.png" in err
    assert run("context", "sheet", "a.jsonl", "--images", "nowhere", "--out", "s.html")[0] == 2


def test_backends_are_listed_and_told() -> None:
    code, out, _ = run("backends")
    assert code == 0
    for line in ("detector   nanodet      ready", "captioner  template     ready", "detector   vinvl        not here"):
        assert line in out
    code, out, _ = run("backends", "vinvl")
    assert code == 1 and "licence: " in out and "missing: the published output" in out
    Path("v.toml").write_text('[vision.options.vinvl]\ndetections = "pics"\ncaptions = "a.jsonl"\n')
    assert run("backends", "vinvl", "--config", "v.toml")[0] == 0
    assert {backend["name"] for backend in json.loads(run("backends", "--json")[1])} >= {
        "nanodet",
        "rapid",
        "tesseract",
    }
    code, _, err = run("backends", "nosuch")
    assert code == 2 and "no backend nosuch" in err


@pytest.mark.parametrize("command", ["stats", "diff", "edit", "sheet"])
def test_damaged_files_end_with_their_name(command: str) -> None:
    Path("bad.parquet").write_bytes(b"PAR1 and then something else")
    more = {
        "stats": [],
        "diff": ["a.jsonl"],
        "edit": ["a.png", "--caption", "x"],
        "sheet": ["--images", "pics", "--out", "s.html"],
    }
    code, _, err = run("context", command, "bad.parquet", *more[command])
    assert code == 2 and "bad.parquet: damaged, or not a Parquet file" in err
