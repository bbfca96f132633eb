"""Rows whose picture input is zeroed see no picture, and their searches are as wide as that of the words alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mner import config
from mner.config.space import read_space
from mner.training.search.defaults import fingerprint, searched

ROOT = Path(__file__).resolve().parents[2]
ZEROED = sorted(path for path in (ROOT / "lab" / "zeroed").glob("*.toml") if path.name != "space.toml")


def test_each_system_that_sees_pictures_as_numbers_has_a_row() -> None:
    assert [path.stem for path in ZEROED] == ["imgfeat", "rpbert", "umgf", "umt"]


@pytest.mark.parametrize("path", ZEROED, ids=lambda path: path.stem)
def test_zeroed_row_sees_no_picture_and_is_searched_like_the_text(path: Path) -> None:
    row, text = config.load(path), config.load(ROOT / "configs" / "rows" / "text.toml")
    assert (row.model.name, row.name) == (path.stem, f"{path.stem}-zeroed")
    assert (row.data.features, row.data.features_missing, row.data.contexts) == (None, "zero", ())
    assert row.training.encoder_lr == text.training.encoder_lr
    space = read_space(ROOT / "lab" / "zeroed" / "space.toml")
    wide = searched(row, space, epochs_max=5)[0]
    own = wide.pop("training.feature_lr")
    assert (own.low, own.high, row.training.lr) == (1e-4, 2e-3, {"feature": text.training.feature_lr})
    assert wide == searched(text, epochs_max=5)[0]


@pytest.mark.parametrize("name", ["rpbert", "umt"])
def test_search_on_record_can_go_on(name: str) -> None:
    record = json.loads((ROOT / "lab/results/tune/twitter15" / f"{name}-zeroed.json").read_text(encoding="utf-8"))
    row, space = config.load(ROOT / "lab/zeroed" / f"{name}.toml"), read_space(ROOT / "lab/zeroed/space.toml")
    chosen, left_out = searched(row, space, epochs_max=5)
    assert (fingerprint(chosen), left_out) == (record["space_fingerprint"], [])
