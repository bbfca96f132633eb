"""The card's section on ONNX files."""

from __future__ import annotations

from typing import Any

from mner.export.card import with_section

ENTRY: dict[str, Any] = {
    "megabytes": 23.94,
    "posts": 1000,
    "differing": 26,
    "agreement": 98.63,
    "difference": 0.341,
    "f1": {"T": 68.52},
    "f1_torch": {"T": 68.66},
    "posts_per_second": 56.4,
    "torch_posts_per_second": 35.2,
    "compared_on": "mine/dev@abc, 1000 posts, views T",
    "threads": 1,
}


def test_section_holds_the_figures() -> None:
    card = with_section("# m\n\nA model.\n", {"model.int8.onnx": ENTRY})
    assert card.startswith("# m\n\nA model.\n\n## ONNX\n")
    row = next(line for line in card.splitlines() if line.startswith("| model.int8.onnx"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    compared_on = "mine/dev@abc, 1000 posts, views T; 1 thread"
    assert cells == ["model.int8.onnx", "23.9", "T 68.52, 68.66", "26", "98.6", "0.3", "56, 35", compared_on]
    heads = next(line for line in card.splitlines() if line.startswith("| file"))
    assert heads.count("|") == row.count("|")


def test_section_takes_the_place_of_an_older_one() -> None:
    first = with_section("# m\n\n## Use\n\nSo.\n", {"model.onnx": ENTRY}) + "\n## Licence\n\nFree.\n"
    second = with_section(first, {"model.int8.onnx": {**ENTRY, "f1": {}}})
    assert second.count("## ONNX") == 1
    assert "| model.onnx" not in second
    assert "| no labels |" in second
    assert second.index("## Use") < second.index("## ONNX") < second.index("## Licence")
    assert second.endswith("## Licence\n\nFree.\n")
