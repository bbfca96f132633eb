"""mner export: folder on stdout, figures on stderr."""

from __future__ import annotations

import shutil
from pathlib import Path

from typer.testing import CliRunner

from mner import cli
from mner.runtime import read_model


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, ["export", *map(str, arguments)], prog_name="mner")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_export_writes_both_files_and_tells_the_figures(tiny_model: Path, posts_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--onnx", "--int8", "--out", out, "--posts", posts_file, "--threads", "1", "--no-encoder")
    code, stdout, figures = run(tiny_model, *options)
    assert (code, stdout) == (0, f"{out}\n")
    assert "model.onnx: " in figures
    assert "model.int8.onnx: " in figures
    assert "posts/s" in figures
    assert set(read_model(out).manifest["onnx"]) == {"model.onnx", "model.int8.onnx"}
    assert not (out / "encoder").exists()


def test_export_needs_to_know_what_to_write(tiny_model: Path) -> None:
    code, out, error = run(tiny_model)
    assert (code, out) == (2, "")
    assert "--int8" in error


def test_export_takes_posts_from_one_source(tiny_model: Path, posts_file: Path) -> None:
    code, _, error = run(tiny_model, "--onnx", "--posts", posts_file, "--dev-config", "dev.toml")
    assert code == 2
    assert "--dev-config" in error


def test_export_without_posts_says_what_to_type(tiny_model: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "model")
    code, out, error = run(tmp_path / "model", "--onnx")
    assert (code, out) == (2, "")
    assert "--posts FILE" in error
