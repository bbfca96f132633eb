"""Tables of a report have a cell for each column, and entities are written with their words."""

from __future__ import annotations

import pytest

from mner.analysis.parts.report import Column, Table, entities
from mner.types import Span


def test_table_with_a_cell_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match='table "F1": 1 cells under 2 columns'):
        Table("F1", (Column("row"), Column("F1")), (("d/one",),))


def test_entities_are_written_in_their_order() -> None:
    words = ("Kevin", "Love", "in", "Cleveland")
    assert entities(words, (Span(3, 4, "LOC"), Span(0, 2, "PER"))) == "Kevin Love PER; Cleveland LOC"
    assert entities(words, ()) == "none"
