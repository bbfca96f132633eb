"""mner features build and show, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from mner.cli import app

SMALL = ("--extractor", "projection", "--set", "cells=2", "--set", "width=8")


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(map(str, arguments)))
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name in ("a", "b"):
        Image.effect_noise((30, 20), 80).save(tmp_path / "photos" / f"{name}.png")
    (tmp_path / "photos" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    return tmp_path / "photos"


def test_build_counts_and_says_what_cannot_be_used(photos: Path) -> None:
    for _ in range(2):  # the second time all of it is there
        code, out, err = run("features", "build", photos, "--out", "f", *SMALL)
        assert (code, out) == (0, "f\n")
        assert (
            "bad.png: unreadable: the file is not a picture of a known format" in err
            and "3 pictures: 2 ok, 1 unreadable" in err
        )
    code, _, err = run("features", "build", photos, "--out", "f", *SMALL, "--set", "seed=2")
    assert code == 2 and "was begun with other input, model or options" in err


def test_show_prints_the_folder_and_its_pictures(photos: Path) -> None:
    run("features", "build", photos, "--out", "f", *SMALL)
    code, out, _ = run("features", "show", "f")
    assert code == 0
    assert "extractor  projection" in out and "grid       4 regions of 8 numbers" in out
    assert "pictures   2 ok, 1 unreadable" in out
    code, out, _ = run("features", "show", "f", "a.png", "bad.png")
    assert code == 1
    assert "a.png: ok\n" in out and "4 x 8  norm of a region:" in out and "bad.png: unreadable (" in out
    code, _, err = run("features", "show", "f", "zebra.png")
    assert code == 2 and "does not list zebra.png" in err


def test_show_prints_json(photos: Path) -> None:
    run("features", "build", photos, "--out", "f", *SMALL)
    whole = json.loads(run("features", "show", "f", "--json")[1])
    assert whole["arrays"] == {"grid": 8} and whole["pictures"] == {"ok": 2, "unreadable": 1}
    row = json.loads(run("features", "show", "f", "a.png", "--json")[1])
    assert row["shapes"] == {"grid": [4, 8]}
    least, mean, greatest = row["norms"]["grid"]
    assert 0 < least <= mean <= greatest


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--extractor", "nosuch"), 'no plug-in "nosuch" in features'),
        (("--set", "width"), '--set width: expected "section.key=value"'),
        (("--set", "width=wide"), "width:"),
        (("--shard-size", "0"), "expected a number from 1"),
    ],
)
def test_faulty_options_are_refused(photos: Path, options: tuple[str, ...], expected: str) -> None:
    code, _, err = run("features", "build", photos, "--out", "f", "--extractor", "projection", *options)
    assert code == 2 and expected in err
    assert not Path("f").exists()
