"""What an exported model must show before it is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mner.errors import ModelError
from mner.export.figures import Figures, Run, compare, refuse_worse, with_section
from mner.types import Post, Span

GOOD = Figures(
    megabytes=1.0,
    posts=100,
    differing=0,
    agreement=100.0,
    difference=0.0,
    f1={"T": 80.0},
    f1_torch={"T": 80.0},
    posts_per_second=2.0,
    torch_posts_per_second=1.0,
)

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


def run_with(*spans: Span, shift: float = 0.0) -> Run:
    return Run({"T": [spans, ()]}, {"T": [np.full((2, 3), shift), np.zeros((0, 3))]}, 5.0)


def test_compare_counts_what_differs() -> None:
    posts = [
        Post(id="1", text="a b", words=("a", "b"), offsets=((0, 1), (2, 3)), spans=(Span(0, 1, "X"),)),
        Post(id="2", text="", words=(), offsets=(), spans=()),
    ]
    compared = compare(run_with(Span(0, 2, "X"), shift=0.5), run_with(Span(0, 1, "X")), megabytes=2.0, posts=posts)
    assert (compared.posts, compared.differing, compared.agreement, compared.difference) == (2, 1, 0.0, 0.5)
    assert (compared.f1, compared.f1_torch) == ({"T": 0.0}, {"T": 100.0})
    same = compare(run_with(), run_with(), megabytes=2.0, posts=[replace(post, spans=None) for post in posts])
    assert (same.differing, same.agreement, same.f1) == (0, 100.0, {})


def test_fp32_must_find_the_same_entities() -> None:
    refuse_worse(GOOD, "fp32", entities=1000)
    with pytest.raises(ModelError, match=r"other entities than torch in 1 of 100 posts"):
        refuse_worse(replace(GOOD, differing=1), "fp32", entities=1000)


@pytest.mark.parametrize(("f1", "entities", "allowed"), [(79.81, 1000, True), (79.7, 1000, False), (79.2, 100, True)])
def test_int8_may_lose_little_f1(f1: float, entities: int, allowed: bool) -> None:
    figures = replace(GOOD, differing=3, f1={"T": f1})
    if allowed:
        refuse_worse(figures, "int8", entities=entities)
    else:
        with pytest.raises(ModelError, match=r"loses 0\.30 F1 on 100 posts, at most 0\.20"):
            refuse_worse(figures, "int8", entities=entities)


def test_int8_without_labels_must_agree() -> None:
    figures = replace(GOOD, f1={}, f1_torch={}, agreement=95.5)
    refuse_worse(figures, "int8", entities=0)
    with pytest.raises(ModelError, match=r"agree with those in fp32 to 94\.5 F1"):
        refuse_worse(replace(figures, agreement=94.5), "int8", entities=0)


def test_int8_on_posts_without_entities_must_agree() -> None:
    figures = replace(GOOD, f1={"T": 0.0}, f1_torch={"T": 0.0}, agreement=0.0)
    with pytest.raises(ModelError, match=r"agree with those in fp32 to 0\.0 F1 on 100 posts"):
        refuse_worse(figures, "int8", entities=0)


def test_small_difference_is_not_said_to_be_none() -> None:
    entry = {**replace(GOOD, difference=2.43e-5).to_dict(), "threads": 1, "compared_on": "x"}
    assert entry["difference"] == 2.4e-5
    assert "| 2e-05 |" in with_section("# m", {"model.onnx": entry})


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
