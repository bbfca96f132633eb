from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mner.config import Source
from mner.views import Piece
from mner.views.budget import Context, fit
from mner.views.tokenize import Coded

SEP = 3


class Letters(dict[str, Coded]):
    """Every letter of a word is a sub-token."""

    def __missing__(self, word: str) -> Coded:
        return Coded(tuple(map(ord, word)), (1,) * len(word))


def fitted(*pieces: tuple[Source, str], budget: dict[Source, int] | None = None, room: int | None = None) -> Context:
    context_pieces = [Piece(kind, "", text) for kind, text in pieces]
    return fit(context_pieces, Letters(), sep_id=SEP, budget=budget or {}, room=room)


def text(context: Context) -> str:
    return "".join("|" if id_ == SEP else chr(id_) for id_ in context.ids)


def test_fit_puts_a_separator_before_each_piece() -> None:
    context = fitted(("captions", "a man"), ("captions", "dog"), ("ocr", "x y"))
    assert text(context) == "|aman|dog|xy"
    assert context.parts == [("captions", 0, 5), ("captions", 5, 9), ("ocr", 9, 12)]
    assert context.shapes == [0, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1]
    assert context.cut == {}


def test_fit_cuts_each_kind_between_words_and_counts() -> None:
    context = fitted(("captions", "aa bb cc"), ("captions", "d"), ("tags", "ee f"), budget={"captions": 5, "tags": 3})
    assert text(context) == "|aabb|eef"  # the "d" would fit, but it must not stand in for "cc"
    assert context.cut == {"captions": 3}


def test_fit_drops_a_cut_piece_with_its_separator() -> None:
    context = fitted(("captions", "aa"), ("captions", "bbb"), budget={"captions": 2})
    assert text(context) == "|aa"
    assert context.cut == {"captions": 3}


def test_fit_cuts_within_a_first_word_that_is_too_long() -> None:
    context = fitted(("ocr", "猫猫猫猫 x"), budget={"ocr": 3})
    assert text(context) == "|猫猫猫"
    assert context.cut == {"ocr": 2}


def test_fit_takes_lack_of_room_from_the_last_kinds() -> None:
    context = fitted(("captions", "aa bb"), ("tags", "cc dd"), ("ocr", "ee"), room=8)
    assert text(context) == "|aabb|cc"
    assert context.cut == {"tags": 2, "ocr": 2}


def test_fit_without_budget_turns_a_kind_off() -> None:
    context = fitted(("captions", "aa"), ("ocr", "bb"), budget={"captions": 0})
    assert text(context) == "|bb"
    assert context.cut == {"captions": 2}


def test_fit_skips_a_piece_without_subtokens() -> None:
    known = {"\ufe0f": Coded((), ())}
    context = fit([Piece("ocr", "", "\ufe0f")], known, sep_id=SEP, budget={}, room=None)
    assert (context.ids, context.cut) == ([], {})


@given(
    st.lists(st.tuples(st.sampled_from(["captions", "tags", "ocr"]), st.text("ab ", min_size=1))),
    st.integers(0, 20),
    st.integers(0, 40),
)
def test_fit_loses_nothing_uncounted(pieces: list[tuple[Source, str]], budget: int, room: int) -> None:
    pieces = sorted(pieces)
    context = fitted(*pieces, budget={"captions": budget, "tags": budget}, room=room)
    assert len(context.ids) <= room
    used = sum(end - start - 1 for _, start, end in context.parts)
    assert used + sum(context.cut.values()) == sum(len(text) - text.count(" ") for _, text in pieces)
    for kind in ("captions", "tags"):
        assert sum(end - start - 1 for kind_of_part, start, end in context.parts if kind_of_part == kind) <= budget


def several(*pieces: tuple[Source, str, int], budget: dict[Source, int], room: int | None = None) -> Context:
    context_pieces = [Piece(kind, "", words, picture) for kind, words, picture in pieces]
    return fit(context_pieces, Letters(), sep_id=SEP, budget=budget, room=room)


def test_pictures_share_a_budget_equally() -> None:
    pieces: list[tuple[Source, str, int]] = [("ocr", "a " * 50, 0), ("ocr", "b " * 50, 1), ("ocr", "c c", 2)]
    context = several(*pieces, budget={"ocr": 20})
    assert text(context) == f"|{'a' * 9}|{'b' * 9}|cc"
    assert context.cut == {"ocr": 82}


def test_pictures_share_the_room_equally() -> None:
    pieces: list[tuple[Source, str, int]] = [("captions", "x", 0), ("ocr", "a " * 50, 0), ("ocr", "b " * 50, 1)]
    assert text(several(*pieces, budget={}, room=12)) == "|x|aaaa|bbbb"
    crowded: list[tuple[Source, str, int]] = [("ocr", "a", place) for place in range(16)]
    assert len(several(*crowded, budget={}, room=12).ids) <= 12


def test_a_cut_caption_is_not_replaced_by_a_later_one_of_its_picture() -> None:
    pieces: list[tuple[Source, str, int]] = [
        ("captions", "aa aa aa", 0),
        ("captions", "z", 0),
        ("captions", "b", 1),
        ("captions", "c", 1),
    ]
    assert text(several(*pieces, budget={"captions": 7})) == "|aaaa|b|c"


@given(
    st.lists(st.tuples(st.text("ab ", max_size=20), st.just(0)), max_size=6),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_one_picture_is_cut_as_if_there_were_no_pictures(pieces: list[tuple[str, int]], most: int, room: int) -> None:
    context = fitted(*(("captions", words) for words, _ in pieces), budget={"captions": most}, room=room)
    left, expected = most, ""
    stopped = False
    for words, _ in pieces:
        taken = ""
        for word in words.split():
            limit = min(left, room - len(expected) - 1)
            if stopped or len(taken) + len(word) > limit:
                if not taken and not stopped and limit > 0:
                    taken = word[:limit]
                stopped = True
                break
            taken += word
        left -= len(taken)
        expected += f"|{taken}" if taken else ""
    assert text(context) == expected
