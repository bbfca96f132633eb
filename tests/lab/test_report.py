"""The project's own pages: written from the committed records, and current."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.report import ROOT, main, pages


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return pages()


@pytest.mark.parametrize(
    "name",
    [
        "results.md",
        "images/results.svg",
        "results-tables.md",
        "paper.md",
        "images/paper.svg",
        "paper-tables.md",
        "performance.md",
        "scale.md",
    ],
)
def test_committed_page_is_current(name: str, written: dict[str, str]) -> None:
    text = (ROOT / "docs" / name).read_bytes().decode()
    assert text == written[name], f"docs/{name} does not match the records; run: python -m lab.report"


def test_program_writes_and_checks_the_pages(
    written: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.report.pages", lambda: written)
    assert main(["--docs", str(tmp_path), "--check"]) == 1
    assert main(["--docs", str(tmp_path)]) == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8") for path in files} == written
    assert main(["--docs", str(tmp_path), "--check"]) == 0
