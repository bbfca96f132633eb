"""The rows on found or written text differ from ITA-GA + CVA on MPNet in the text they read and a longer warm-up."""

from __future__ import annotations

from pathlib import Path

import pytest

from mner import config

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted((ROOT / "lab" / "texts").glob("*.toml"))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_only_the_text_differs(path: Path) -> None:
    row, ita = (
        config.load(each).model_dump() for each in (path, ROOT / "lab/tuned/twitter15/ita-ga-cva-mpnet-warm.toml")
    )
    differing = {key for key in row if row[key] != ita[key]}
    assert differing == {"name", "identity", "data", "context", "training"}
    changed = (("data", {"contexts"}), ("context", {"order", "texts", "budget"}), ("training", {"warmup"}))
    for section, own in changed:
        assert {key for key in row[section] if row[section][key] != ita[section][key]} <= own
    assert "texts" in row["context"]["order"] and row["context"]["texts"]


def test_each_row_is_one_of_the_experiments() -> None:
    rows = {config.load(path).identity.experiment for path in TEXTS}
    assert rows == {"more", "pgim", "llm-labels-cva"}
    assert all((ROOT / "configs" / "rows" / f"{row}.toml").is_file() for row in rows)
