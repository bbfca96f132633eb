from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lab import nouns
from lab.simulate import OCR_WORDS, main, simulate
from mner.contexts.artefact import read_contexts, write_contexts
from mner.types import Caption, VisualContext
from mner.vision.captioners import template
from mner.vision.detectors.nanodet import CLASSES
from mner.vision.scene.scene import SETTINGS


def rows(*captions: str, count: int = 300) -> list[VisualContext]:
    shown = tuple(Caption(text, source=f"c{number}") for number, text in enumerate(captions))
    return [VisualContext(image=f"{number}.jpg", captions=shown) for number in range(count)]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("A man in a suit and tie standing next to a man.", {"person": (2, 2), "tie": (1, 1)}),
        ("two women holding a cell phone", {"person": (2, 2), "cell phone": (1, 1)}),
        ("a group of young men playing soccer", {"person": (3, 6)}),
        ("a couple of people on a couch", {"person": (2, 2), "couch": (1, 1)}),
        ("a pair of scissors on a table", {"scissors": (1, 1), "dining table": (1, 1)}),
        ("a baseball player swinging a baseball bat", {"person": (1, 1), "baseball bat": (1, 1)}),
        ("a hot dog and a teddy bear", {"hot dog": (1, 1), "teddy bear": (1, 1)}),
        ("people in a parking lot next to a train station", {"person": (2, 4)}),
        ("an orange sky over the city", {}),
        ("", {}),
    ],
)
def test_objects_are_named_as_the_detector_names_them(caption: str, expected: dict[str, tuple[int, int]]) -> None:
    result = nouns.objects(caption)
    result.pop("sports ball", None)
    assert result == expected


def test_tables_hold_names_of_the_backends_alone() -> None:
    assert set(nouns.SYNONYMS) | set(nouns.PHRASES.values()) <= set(CLASSES)
    assert set(nouns.SCENES) <= SETTINGS


def test_simulate_gives_the_same_row_for_the_same_name_and_seed() -> None:
    given = rows("two men on a stage", "a man with a microphone")
    first, backwards = list(simulate(given)), list(simulate(given[::-1]))
    assert first == backwards[::-1]
    assert first != list(simulate(given, seed=2))


def test_simulate_lets_no_name_through() -> None:
    given = rows("Donald Trump and Xyzzy at Wembley on a stage", 'the words "Kevin Love" in front of a red car')
    allowed = {word.lower() for word in OCR_WORDS}
    for row in simulate(given):
        text = json.dumps([each.text for each in row.captions] + [tag.object for tag in row.tags])
        assert not any(word in text for word in ("Trump", "Xyzzy", "Wembley", "Kevin", "Love"))
        assert {tag.object for tag in row.tags} <= set(CLASSES)
        for word in re.findall(r"[^\W\d]+", " ".join(each.text for each in row.ocr).lower()):
            assert any(word.startswith(each) or each.startswith(word) for each in allowed), word  # glued, or cut


def test_simulate_writes_the_template_captioners_own_sentence() -> None:
    for row in simulate(rows("a man with a dog on a beach", "a dog and two people")):
        objects = [tag.object for tag in row.tags]
        shown = row.captions[0].text if row.captions else ""
        if "look" not in shown:
            assert shown == template.sentence(objects, [])
        else:
            assert any(shown == template.sentence(objects, [label]) for label in nouns.SCENES)
        assert [tag.confidence for tag in row.tags] == sorted((tag.confidence for tag in row.tags), reverse=True)


def test_simulate_misses_and_finds_at_the_rates_of_the_backends() -> None:
    result = list(simulate(rows("a man on a street", "a woman in front of a building", count=1000)))
    assert 0.8 < sum(any(tag.object == "person" for tag in row.tags) for row in result) / 1000 < 0.9
    assert 0.3 < sum(bool(row.ocr) for row in result) / 1000 < 0.4
    assert any(not (row.tags or row.ocr or row.captions) for row in result)
    assert any(tag.object != "person" for row in result for tag in row.tags)
    tags = [tag for row in result for tag in row.tags]
    assert 0.2 < sum("large" in tag.attributes for tag in tags) / len(tags) < 0.3
    assert not any(set(tag.attributes) - {"large", "small"} for tag in tags if tag.object == "person")


def test_simulate_reads_chosen_captions_alone() -> None:
    result = simulate(rows("a man", "two dogs and a horse"), captions=["c0"])
    assert sum(tag.object in {"dog", "horse"} for row in result for tag in row.tags) < 5


def test_simulate_keeps_a_placeholder_and_nothing_of_it() -> None:
    given = VisualContext("1.jpg", captions=(Caption("a man"),), status="placeholder", reason="no picture")
    (result,) = simulate([given])
    assert (result.image, result.status, result.reason, result.empty) == ("1.jpg", "placeholder", "no picture", True)


def test_simulated_rows_say_so_in_the_artefact(tmp_path: Path) -> None:
    write_contexts(simulate(rows("a man", count=3)), tmp_path / "simulated.jsonl")
    read = read_contexts(tmp_path / "simulated.jsonl")
    assert len(read) == 3
    assert {dict(row.extractor or {})["name"] for row in read.values()} == {"mner-simulated"}


def test_program_makes_contexts_without_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "captions.jsonl"
    given.write_text(
        "".join(
            json.dumps({"image": f"{number}.jpg", "captions": [{"text": "two men", "source": "a"}, "a dog"]}) + "\n"
            for number in range(20)
        )
    )
    out = tmp_path / "s.jsonl"
    assert main([str(given), "--out", str(out), "--captions", "a", "--seed", "3"]) == 0
    printed = capsys.readouterr()
    assert printed.out.strip() == str(out) and "20 simulated contexts" in printed.err
    read = read_contexts(out)
    assert len(read) == 20
    assert any(tag.object == "person" for row in read.values() for tag in row.tags)
    assert main([str(tmp_path / "nowhere.jsonl"), "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
