"""Terminal form: the same facts, and no control of the terminal by the texts of others."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mner.evidence import Explanation
from mner.show.display import COLOURS, colour, number, shown
from mner.show.terminal import cut, explanation, sentence, status
from mner.types import Entity, Prediction


def printed(what: object, *, colours: bool = False) -> str:
    stream = io.StringIO()
    Console(file=stream, width=140, force_terminal=colours, color_system="standard" if colours else None).print(what)
    return stream.getvalue()


def test_sentence_names_labels_and_scores(explained: Explanation) -> None:
    assert sentence(explained.prediction).plain == "Love PER 0.91 is back in Cleveland LOC 0.88"


def test_explanation_shows_scores_and_what_was_read(explained: Explanation) -> None:
    lines = [" ".join(line.split()) for line in printed(explanation(explained)).splitlines()]
    assert "entity label with picture without w/o captions w/o ocr what the picture did" in lines
    assert "Love PER 0.91 0.62 0.70 0.90 raised" in lines
    assert "back ORG 0.20 0.51 0.40 0.21 lost with the picture" in lines
    assert 'Cleveland LOC 0.88 0.30 0.86 0.35 label changed (was ORG); reads "CLEVELAND"' in lines
    assert "captions a dog in the city template" in lines
    assert "view I+T · picture used · cut: 7 sub-tokens of captions" in lines


def test_arrays_have_a_column(explained: Explanation) -> None:
    row = replace(explained.evidence[0], without_source={"captions": 0.7, "grid": 0.8})
    shown_ = printed(explanation(replace(explained, evidence=(row,), pieces=explained.pieces[:1])))
    lines = [" ".join(line.split()) for line in shown_.splitlines()]
    assert "entity label with picture without w/o captions w/o grid what the picture did" in lines
    assert "Love PER 0.91 0.62 0.70 0.80 raised" in lines


def test_explanation_of_words_alone_says_why(fallen: Explanation) -> None:
    lines = [" ".join(line.split()) for line in printed(explanation(fallen)).splitlines()]
    assert "view T · unreadable picture: not a JPEG" in lines
    assert "entity label probability" in lines
    assert "Love PER 0.62" in lines


def test_texts_of_others_do_not_steer_the_terminal() -> None:
    evil = "a\x1b[2J\x07\x9b31m\u202e b"
    prediction = Prediction("", evil, (Entity(0, 1, "a", "\x1b[1m", 0.5),), "T", "missing", "\x1b[0m")
    for what in (sentence(prediction), status(prediction)):
        assert not set(printed(what)) & set("\x1b\x07\x9b\u202e")
    assert "[bold]x[/bold]" in printed(sentence(Prediction("", "[bold]x[/bold]", ())))


@given(st.text())
def test_shown_keeps_offsets_and_is_utf8(text: str) -> None:
    assert len(shown(text)) == len(text)
    shown(text).encode()


@given(st.text())
def test_colour_is_one_of_eight_and_stable(label: str) -> None:
    assert 0 <= colour(label) < COLOURS
    assert colour(label) == colour(label)


def test_usual_labels_differ_in_colour() -> None:
    assert len({colour(label) for label in ("PER", "LOC", "ORG", "MISC")}) == 4
    assert colour("OTHER") == colour("MISC")


@pytest.mark.parametrize(("score", "text"), [(0, "0.00"), (0.5, "0.50"), (0.994, "0.99"), (0.995, "0.99"), (1, "1.00")])
def test_number_has_two_decimals(score: float, text: str) -> None:
    assert number(score) == text


def test_ends_of_links_are_not_worth_a_word(explained: Explanation) -> None:
    short = replace(explained.prediction, cut={"links": 18})
    assert cut(short) == ""
    assert "cut" not in status(short).plain
    assert cut(replace(short, cut={"links": 18, "words": 2})) == "2 sub-tokens of long words"
    assert short.to_dict()["cut"] == {"links": 18}, "the row holds it"


def test_cut_is_told_by_kind(explained: Explanation) -> None:
    assert cut(replace(explained.prediction, cut={"ocr": 1, "words": 0, "tags": 2})) == (
        "1 sub-token of ocr, 2 sub-tokens of tags"
    )


def test_each_of_several_pictures_has_a_line_and_a_column(several: Explanation) -> None:
    text = printed(explanation(several))
    assert "2  4.jpg \u00b7 picture missing: there is no such picture" in text
    assert "w/o picture 3" in text
    assert "0.40" in text
    assert "3  captions a bus at night" in text
    assert "picture 2 (4.jpg) not used, missing: there is no such picture" in str(several)
    assert "captions of picture 3: a bus at night" in str(several)
