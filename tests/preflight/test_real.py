import os
from pathlib import Path

import pytest

from mner.preflight import check

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not os.environ.get("MNER_DATA"), reason="set MNER_DATA to the folder of the real data"),
]


@pytest.mark.parametrize(
    ("name", "leaks"),
    [
        ("twitter2015", {"same text: train/test": 4, "same text: dev/test": 3, "same text: train/dev": 2}),
        ("twitter2017", {"same text: train/dev": 1}),
        ("wnut17", {}),
    ],
)
def test_texts_in_two_splits_are_counted(name, leaks):
    report = check([Path(os.environ["MNER_DATA"]) / name])
    assert {kind: count for kind, count in report.counts.items() if kind.startswith("same")} == leaks
    assert "bad line" not in report.counts


@pytest.mark.parametrize(("name", "placeholders"), [("twitter2015", 0), ("twitter2017", 308)])
def test_placeholder_contexts_are_counted(name, placeholders):
    root = Path(os.environ["MNER_DATA"])
    report = check([root / name], contexts=[root / "contexts" / f"{name}.jsonl"])
    assert report.counts.get("placeholder context", 0) == placeholders
    assert "no context" not in report.counts
