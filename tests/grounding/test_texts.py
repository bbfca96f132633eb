"""Which lines of text in a picture hold an entity's words."""

from __future__ import annotations

import random
import string
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mner.grounding.misread import LEAST, likenesses
from mner.grounding.texts import MOST, Match, PictureTexts, Shared, letters_of, neighbours
from mner.types import Box, OcrText


def places(entity: str, *lines: str, least: float = 0.85) -> list[tuple[tuple[str, ...], str]]:
    texts = PictureTexts([OcrText(line) for line in lines], least=least)
    return [(tuple(lines[at] for at in entry.lines), entry.match) for entry in texts.shared(entity)]


def shared(entity: str, lines: list[OcrText], least: float = LEAST) -> list[Shared]:
    return list(PictureTexts(lines, least=least).shared(entity))


def matches(entity: str, lines: list[OcrText]) -> tuple[Match, ...]:
    return PictureTexts(lines).matches(entity)


@pytest.mark.parametrize(
    ("entity", "line", "match"),
    [
        ("Cleveland", "I love Cleveland!", "exact"),
        ("Cleveland", "CLEVELAND", "case"),
        ("Cleveland", "CLEVELANO", "fuzzy 0.89"),
        ("Chicago", "CHlCAGO", "fuzzy 0.86"),
        ("#ChicagoCubs", "Chicago Cubs", "exact"),
        ("Chicago Cubs", "#chicagocubs", "case"),
        ("@kevin_love", "KEVIN LOVE 42", "case"),
        ("São Paulo", "SÃO PAULO", "case"),
        ("Kevin Love", "LOVE", "part"),
        ("Cleveland Cavaliers", "CLEVELAND", "part"),
        ("Real Madrid C.F.", "hala real madrid", "part"),
        ("Super Bowl 50", "SUPER BOWL 51", "part"),
    ],
)
def test_each_kind_of_match(entity: str, line: str, match: str) -> None:
    assert places(entity, "OTHER WORDS", line) == [((line,), match)]


@pytest.mark.parametrize(
    ("entity", "line"),
    [
        ("Cleveland", "CLEVER"),
        ("Love", "gloves"),
        ("Love", "LIVE"),
        ("I", "I"),
        ("!!", "!!"),
        ("New York", "Old York Road"),
        ("The Beatles", "THE"),
        ("Windows 10", "WINDOWS 11S"),
        ("कि", "का की"),
        ("Cleveland", ""),
    ],
)
def test_what_is_no_match(entity: str, line: str) -> None:
    assert places(entity, line) == []


def test_misread_names_are_left_out_where_all_letters_must_agree() -> None:
    assert places("Cleveland", "CLEVELANO", least=1.0) == []
    assert places("Cleveland", "CLEVELAND", least=1.0) == [(("CLEVELAND",), "case")]


def test_the_best_come_first_and_parts_only_where_none_is_whole() -> None:
    assert places("New York", "NEW", "NEW YORK", "New York") == [(("New York",), "exact"), (("NEW YORK",), "case")]
    assert places("Kevin Love", "LOVE", "KEVlN LOVE") == [(("KEVlN LOVE",), "fuzzy 0.89")]


def test_a_line_that_says_it_twice_counts_once() -> None:
    assert places("Chelsea", "CHELSEA CHELSEA") == [(("CHELSEA CHELSEA",), "case")]


def test_neighbouring_lines_hold_it_together() -> None:
    near = [OcrText("CHICAGO", box=(0, 0, 90, 10)), OcrText("CUBS", box=(0, 12, 90, 22))]
    assert shared("Chicago Cubs", near, least=0.85) == [Shared((0, 1), "case", 1.0)]
    far = [near[0], OcrText("CUBS", box=(0, 500, 90, 510))]
    assert [entry.match for entry in shared("Chicago Cubs", far, least=0.85)] == ["part"]


def test_lines_of_two_pictures_are_no_neighbours() -> None:
    lines = [OcrText("CHICAGO", box=(0, 0, 90, 10)), OcrText("CUBS", box=(0, 12, 90, 22), picture=1)]
    assert [(entry.lines, entry.match) for entry in shared("Chicago Cubs", lines, least=0.85)] == [((0,), "part")]


def test_three_lines_hold_a_misread_name() -> None:
    assert places("Bank of America", "BANK", "0F", "AMERICA") == [
        (("AMERICA",), "part")
    ]  # a digit is no misread letter
    assert places("Bank of America", "BANK", "OF", "AMERlCA") == [(("BANK", "OF", "AMERlCA"), "fuzzy 0.92")]


@given(st.text(max_size=30), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_may_be_compared(entity: str, lines: list[str]) -> None:
    for entry in shared(entity, [OcrText(line) for line in lines], least=0.85):
        assert 0 < entry.likeness <= 1
        assert set(entry.lines) <= set(range(len(lines)))


HEADLINE = "Federation Business Data Lake Solution"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["DATA", "FEDERATION BUSINESS DATA LAKE 1.0", "BUSINESS"], ["FEDERATION BUSINESS DATA LAKE 1.0"]),
        (["DATA", "by", "FEDERATION BUSINESS", "DATA LAKE 1.0"], ["FEDERATION BUSINESS", "DATA LAKE 1.0"]),
        (["FEDERATIONBUSINESS", "DATALAKE 1.0", "DATA"], ["FEDERATIONBUSINESS", "DATALAKE 1.0"]),
        (["the data lake of the firm", "LAKE"], []),
    ],
)
def test_matches_are_those_that_share_most_over_neighbouring_lines(lines: list[str], expected: list[str]) -> None:
    matched = matches(HEADLINE, [OcrText(line) for line in lines])
    assert [match.text for match in matched] == expected
    assert not any(match.whole for match in matched)


def test_lines_far_apart_share_nothing_together() -> None:
    near = [OcrText("I LOVE NEW", box=(0, 0, 90, 10)), OcrText("YORK CITY", box=(0, 12, 90, 22))]
    far = [near[0], OcrText("YORK CITY", box=(0, 500, 90, 510))]
    assert [match.text for match in matches("New York", near)] == ["I LOVE NEW", "YORK CITY"]
    assert matches("New York", far) == ()


def test_a_match_may_have_no_box_and_says_whether_it_is_whole() -> None:
    lines = [OcrText("NEWYORK", box=(0, 0, 1, 1)), OcrText("new york", picture=1)]
    assert matches("#NewYork", lines) == (
        Match("NEWYORK", (0, 0, 1, 1), True),
        Match("new york", None, True, 1),
    )
    assert matches("Kevin Love", [OcrText("LOVE")]) == (Match("LOVE", None, False),)


def plain_shared(entity: str, lines: list[OcrText], least: float) -> list[Shared]:
    """The same by its definition: every run of words is compared."""
    words = [letters for word in entity.split() if (letters := letters_of(word))]
    name, folded = "".join(words), "".join(words).casefold()
    if len(name) < 2:
        return []
    runs: dict[str, int] = {}
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            run = "".join(words[start:end]).casefold()
            runs[run] = max(runs.get(run, 0), end - start)
    tokens = [
        (at, letters) for at, line in enumerate(lines) for word in line.text.split() if (letters := letters_of(word))
    ]
    starts = {at for at, (line, _) in enumerate(tokens) if at == 0 or tokens[at - 1][0] != line} | {len(tokens)}
    candidates = []
    for start in range(len(tokens)):
        for end in range(start + 1, len(tokens) + 1):
            covered = list(dict.fromkeys(line for line, _ in tokens[start:end]))
            if not all(neighbours(lines[line], lines[other]) for line, other in pairwise(covered)):
                continue
            written = "".join(word for _, word in tokens[start:end])
            match, alike = "", 1.0
            if written == name:
                match = "exact"
            elif (run := written.casefold()) == folded:
                match = "case"
            elif run in runs:
                alike, lone = len(run) / len(folded), start in starts and end in starts and len(run) > 1
                match = "part" if alike >= 0.4 and (lone or (runs[run] > 1 and alike >= 0.5)) else ""
            elif (
                least < 1
                and len(run) * least <= len(folded)
                and (alike := dict(likenesses(folded, run, least)).get(len(run), 0.0))
            ):
                match = f"fuzzy {alike:.2f}"
            if match:
                rank = match == "part", -alike, match != "exact", len(covered), start, end
                candidates.append((rank, Shared(tuple(covered), match, alike), range(start, end)))
    chosen: list[Shared] = []
    taken: set[int] = set()
    for _, entry, places in sorted(candidates, key=lambda candidate: candidate[0]):
        if taken.isdisjoint(places):
            taken.update(places)
            chosen.append(entry)
    whole = [entry for entry in chosen if entry.match != "part"]
    best = whole or [entry for entry in chosen if 2 * entry.likeness >= chosen[0].likeness]
    return list({entry.lines: entry for entry in reversed(best)}.values())[::-1]


BOXES: list[Box | None] = [None, (0, 0, 90, 10), (0, 12, 90, 22), (0, 500, 90, 510)]
SPOKEN = st.text("abAß1 -", max_size=14)
LINES = st.lists(st.builds(OcrText, SPOKEN, box=st.sampled_from(BOXES), picture=st.sampled_from([0, 0, 1])), max_size=5)


@given(SPOKEN, LINES, st.sampled_from([0.3, 0.5, 0.7, 0.85, 1.0]))
@settings(max_examples=400)
def test_matches_are_those_of_the_definition(entity: str, lines: list[OcrText], least: float) -> None:
    assert shared(entity, lines, least) == plain_shared(entity, lines, least)


NAMES = st.sampled_from(["Cleveland Cavaliers", "Bank of America", "#ChicagoCubs", "São Paulo", "Super Bowl 50"])


@given(NAMES, st.data())
@settings(max_examples=300)
def test_matches_of_misread_names_are_those_of_the_definition(entity: str, data: st.DataObject) -> None:
    letters = list(f"see {entity.upper()} and {entity} here")
    for at in data.draw(st.lists(st.integers(0, len(letters) - 1), max_size=5)):
        letters[at] = data.draw(st.sampled_from(["", "l", "O", "  ", "\n", "ee"]))
    lines = [OcrText(line) for line in "".join(letters).split("\n")]
    assert shared(entity, lines) == plain_shared(entity, lines, LEAST)


def hostile() -> dict[str, tuple[list[str], list[OcrText]]]:
    """Names and lines of at most 20,000 characters that are alike at as many places as can be."""
    shuffled = "".join(random.Random(1).sample(list("abcdefghij" * 1900), 19_000))
    runs = ["a" * length for length in range(2, 200)]
    ends = [f"{'a' * 7}{first}{second}" for first in "abcdefghijklmnop" for second in "abcdefghijklmnop"]
    rows = ["a " * 38 + f"{last} a" for last in string.ascii_lowercase]
    short = [OcrText("a")] * 4_000
    return {
        "two long words": (["Kevin L" + "abcdefghij" * 1900], [OcrText("Kevin L" + shuffled)]),
        "lines of a letter": (["a" * 19_000], short),
        "names of all lengths": (runs, short),
        "names of all lengths, almost": ([f"{name}bb" for name in runs], short),
        "many like names": (ends * 8, [OcrText("a " * 10_000)]),
        "many words": (rows * 2, [OcrText("a " * 10_000)]),
        "one name, written everywhere": (["Kevin"] * 1_000, [OcrText("Kevin", box=(0, 0, 9, 9))] * 600),
        "names of one letter more": ([f"kevin{letter}love" for letter in ends], [OcrText("kev inlo ve " * 1_600)]),
    }


@pytest.mark.parametrize("case", hostile())
def test_no_texts_take_long(case: str) -> None:
    names, lines = hostile()[case]
    begin = time.process_time()
    texts = PictureTexts(lines)
    for name in names:
        assert len(texts.shared(name)) <= MOST
        assert len(texts.matches(name)) <= MOST
    assert time.process_time() - begin < 5.0


def test_each_letter_counts_once_for_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mner.grounding.texts.EFFORT", 100)
    texts = PictureTexts([OcrText("CLEVELANO")])
    assert [texts.shared("Cleveland")[0].match for _ in range(1_000)] == ["fuzzy 0.89"] * 1_000


def test_past_the_effort_nothing_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mner.grounding.texts.EFFORT", 60)
    texts = PictureTexts([OcrText("CLEVELANO"), OcrText("KEVlN LOVE"), OcrText("CHlCAGO"), OcrText("PARIS")])
    names = [
        "Cleveland",
        "Kevin Love",
        "Chicago",
        *("Cleveland"[:at] + "x" + "Cleveland"[at:] for at in range(9)),
        "Paris",
    ]
    numbers = [len(texts.shared(name)) for name in names]
    assert (numbers[:3], numbers[-1]) == ([1, 1, 1], 0)
