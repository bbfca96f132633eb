"""Gold entities that texts name are counted, and the pages quote the count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab import leak, summary
from mner.types import Post, Span
from tests.records import GOLD, LESS, Commit, Make

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "named", "typed"),
    [
        ("1. KEVIN LOVE (person)", 1, 1),
        ("Kevin Love: a player (of Cleveland)", 1, 0),
        ("Kevin Lovely (person)", 0, 0),
        ("Love, Kevin (person)", 0, 0),
    ],
)
def test_entity_is_named_by_its_whole_words_in_order(text: str, named: int, typed: int) -> None:
    post = Post("Kevin Love won", image="IMGID:1", spans=(Span(0, 2, "PER"),))
    counted = leak.count([post, Post("Kevin Love won")], {"1.jpg": [text], "2.jpg": ["Kevin Love (person)"]})
    assert counted == {"posts": 2, "entities": 1, "named": named, "typed": typed}


def test_program_counts_each_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNER_DATA", str(tmp_path))
    for folder in ("twitter2015", "contexts"):
        (tmp_path / folder).mkdir()
    for file in ("train", "valid", "test"):
        (tmp_path / "twitter2015" / f"{file}.txt").write_text("IMGID:7\nOhio\tB-LOC\nwon\tO\n\n")
    texts = tmp_path / "contexts" / "twitter2015.knowledge.jsonl"
    texts.write_text(json.dumps({"image": "7.jpg", "text": "Ohio (a state)"}) + "\n")
    out = tmp_path / "leak.json"
    assert leak.main(["--out", str(out)]) == 0
    written = json.loads(out.read_text())["splits"]
    assert list(written) == ["train", "dev", "test"]
    assert all(split == {"posts": 1, "entities": 1, "named": 1, "typed": 1} for split in written.values())
    assert leak.shares(out) == (100.0, 100.0)
    texts.unlink()
    assert leak.main(["--out", str(out)]) == 2


def test_pages_quote_the_record(make_record: Make, commit: Commit) -> None:
    named, typed = (f"{share:.0f} %" for share in leak.shares())
    page = " ".join((ROOT / "docs" / "systems" / "texts.md").read_text(encoding="utf-8").split())
    assert f"names {named} of the gold entities" in page and f"mostly a type, behind {typed}" in page
    for name, spans in (("text-mpnet-warm-tuned", LESS), ("pgim-mpnet-tuned", GOLD)):
        file = commit(make_record(name, 1, {"T": spans, "I+T": spans}, data="twitter15"))
    page = summary.paper(file.parents[1])["paper.md"]
    assert f"names {named} of the gold entities, {typed} with something in brackets" in page
