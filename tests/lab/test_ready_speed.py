"""How fast ready models are beside each other: the page says what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.ready import speed

ROOT = Path(__file__).resolve().parents[2]


def test_page_holds_the_table_of_the_record() -> None:
    record = json.loads((ROOT / "lab" / "ready" / "scores" / "speed.json").read_text("utf-8"))
    assert "\n".join(speed.table(record)) in (ROOT / "docs" / "reference" / "labels.md").read_text("utf-8")


def test_models_are_measured_and_named(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in speed.FILES.values():
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_text("IMGID:1\nKevin\tB-PER\nwins\tO\n\n")
    monkeypatch.setenv("MNER_DATA", str(tmp_path))
    assert speed.main([str(tiny_model), "social-en", "--out", str(tmp_path / "speed.json")]) == 0
    rows = json.loads((tmp_path / "speed.json").read_text())["models"]
    assert len(rows) == 2 and all(row[key] > 0 for row in rows.values() for key in ("ms", "megabytes", *speed.FILES))
    assert capsys.readouterr().out.count("\n") == 4


def test_the_quickest_round_counts_and_the_first_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = iter([0.0, 0.1, 0.0, 3.0, *[0.0, 2.0] * (speed.ROUNDS - 1)])
    monkeypatch.setattr("lab.ready.speed.time.process_time", lambda: next(ends))
    assert list(speed.in_turns({"one": None}, lambda tagger, texts: None, [])) == [("one", 2.0)]


def test_without_data_the_message_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MNER_DATA", raising=False)
    with pytest.raises(SystemExit):
        speed.main(["social-en"])
    assert "set MNER_DATA" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no such model"),
        (["social-en", "social-en"], "several of the 2 models are called social-en; name each once"),
        (["social-en", "--posts", "0"], "--posts must be at least 1"),
    ],
)
def test_what_cannot_be_measured_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.setenv("MNER_DATA", str(tmp_path))
    with pytest.raises(SystemExit):
        speed.main(arguments)
    assert message in capsys.readouterr().err
