"""Rows on found or written text differ from ITA-GA + CVA in the text they read; on MPNet in a longer warm-up, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from mner import config

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted((ROOT / "lab" / "texts").glob("*.toml"))


@pytest.mark.parametrize(
    ("row", "base", "further"),
    [
        ("more", "ita-ga-cva-mpnet-warm", {"training"}),
        ("pgim", "ita-ga-cva-mpnet-warm", {"training"}),
        ("llm-labels", "ita-ga-cva", set()),
    ],
)
def test_only_the_text_and_the_warm_up_differ(row: str, base: str, further: set[str]) -> None:
    changed, ita = (
        config.load(each).model_dump()
        for each in (ROOT / f"lab/texts/{row}.toml", ROOT / f"lab/tuned/twitter15/{base}.toml")
    )
    differing = {key for key in changed if changed[key] != ita[key]}
    assert differing == {"name", "identity", "data", "context"} | further
    own = {"data": {"contexts"}, "context": {"order", "texts", "budget"}, "training": {"warmup"}}
    for section, keys in own.items():
        assert {key for key in changed[section] if changed[section][key] != ita[section][key]} <= keys
    assert "texts" in changed["context"]["order"] and changed["context"]["texts"]


def test_each_row_is_one_of_the_experiments() -> None:
    rows = {config.load(path).identity.experiment for path in TEXTS}
    assert rows == {"more", "pgim", "llm-labels-cva"}
    assert all((ROOT / "configs" / "rows" / f"{row}.toml").is_file() for row in rows)
