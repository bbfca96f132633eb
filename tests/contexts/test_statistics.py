"""Counts over an artefact."""

from __future__ import annotations

import json

from mner.contexts.statistics import statistics
from mner.types import Caption, OcrText, Tag, VisualContext

ROWS = [
    VisualContext("1.jpg", ocr=(OcrText("ON  TOUR", source="rapid"), OcrText("2016", source="rapid"))),
    VisualContext("2.jpg", captions=(Caption("a dog and a cat", source="catr"),), extra={"edited": True}),
    VisualContext("3.jpg", tags=(Tag("dog", ("old", "brown")), Tag(text="cat", source="hand")), reason="ocr failed"),
    VisualContext("4.jpg", extractor={"name": "mner", "version": "1", "fingerprint": "ab"}),
    VisualContext("5.jpg", status="placeholder", captions=(Caption("never counted"),)),
]


def test_rows_are_counted_by_status_kind_and_source() -> None:
    counts = statistics(iter(ROWS))
    assert (counts.pictures, counts.empty, counts.edited, counts.failed) == (5, 1, 1, 1)
    assert counts.statuses == {"ok": 4, "placeholder": 1}
    assert counts.extractors == {"": 4, "mner 1 ab": 1}
    ocr = counts.kinds["ocr"]
    assert (ocr.pictures, ocr.entries, ocr.words, ocr.characters, ocr.longest) == (1, 2, 3, 12, 2)
    assert (counts.share("ocr"), ocr.words_a_picture, ocr.sources) == (0.2, 3.0, {"rapid": 2})
    assert (counts.kinds["tags"].words, counts.kinds["tags"].sources) == (4, {"": 1, "hand": 1})
    assert (counts.kinds["captions"].entries, counts.kinds["captions"].longest) == (1, 5)


def test_counts_are_json_and_nothing_is_divided_by_zero() -> None:
    assert json.loads(json.dumps(statistics([]).to_dict()))["kinds"]["ocr"]["share"] == 0.0
    assert statistics(ROWS).to_dict()["kinds"]["ocr"]["words_a_picture"] == 3.0
