"""The artefacts of the real data: what of them can divide posts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mner.analysis.captions import sources
from mner.analysis.ocr import artefact_statistics
from mner.analysis.slices import relations, thirds
from mner.contexts.artefact import read_contexts

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not os.environ.get("MNER_DATA"), reason="set MNER_DATA to the folder of the real data"),
]


def test_twitter15_contexts_have_relations_and_little_text() -> None:
    path = Path(os.environ["MNER_DATA"]) / "contexts" / "twitter2015.jsonl"
    contexts = list(read_contexts(path).values())
    result = relations(contexts)
    assert {"tmr_strong", "tmr_weak", "m2df_whole"} <= set(result)
    parts = thirds(result["m2df_whole"])
    assert parts is not None
    sizes = [sum(part is not None and part.startswith(str(number)) for part in parts) for number in (1, 2, 3)]
    assert sum(sizes) == sum(value is not None for value in result["m2df_whole"])
    assert max(sizes) - min(sizes) < 0.1 * sum(sizes)
    assert sources(contexts)[:3] == ["catr", "cimodel", "blip2"]
    statistics = artefact_statistics(path)
    assert statistics.pictures == 8257
    assert 5 < statistics.share < 15  # what a language model quoted, not what an engine read
