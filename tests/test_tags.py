import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner import tags
from mner.errors import DataError
from mner.types import Span

SCHEMES = ("IOB1", "IOB2", "BIOES")
TYPES = st.sampled_from(["PER", "LOC", "geo-loc", "日本"])


@st.composite
def spans_and_length(draw):
    pieces = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), TYPES), max_size=6))
    spans, at = [], 0
    for gap, size, kind in pieces:
        spans.append(Span(at + gap, at + gap + size, kind))
        at += gap + size
    return tuple(spans), at + draw(st.integers(0, 3))


@given(spans_and_length(), st.sampled_from(SCHEMES), st.sampled_from(["repair", "strict"]))
def test_spans_survive_each_scheme_in_both_readings(case, scheme, reading):
    spans, length = case
    written = tags.from_spans(spans, length, scheme=scheme)
    assert len(written) == length
    assert tags.to_spans(written, scheme=scheme, labels=reading) == spans


@given(spans_and_length(), st.sampled_from(SCHEMES))
def test_detect_names_the_scheme_of_written_tags(case, scheme):
    spans, length = case
    detected = tags.detect([tags.from_spans(spans, length, scheme=scheme)])
    assert detected == (scheme if spans else "IOB2")


def test_detect_reads_several_sequences_together():
    assert tags.detect([["I-PER"], ["B-PER"]]) == "IOB2"
    assert tags.detect([["I-PER"], ["I-PER", "B-PER"]]) == "IOB1"
    assert tags.detect([["I-PER"], ["O", "S-LOC"]]) == "BIOES"
    assert tags.detect([["B-PER", "I-LOC"]]) == "IOB2"
    assert tags.detect([]) == "IOB2"


def test_strict_reading_drops_what_nothing_begins():
    sequence = ["I-PER", "B-LOC", "I-PER", "I-PER", "I-LOC"]
    assert tags.to_spans(sequence, labels="strict") == (Span(1, 2, "LOC"),)
    assert tags.to_spans(sequence) == (Span(0, 1, "PER"), Span(1, 2, "LOC"), Span(2, 4, "PER"), Span(4, 5, "LOC"))


def test_bioes_to_spans_reads_illegal_output_as_the_release_does():
    assert tags.bioes_to_spans(["B-X", "E-X", "I-X", "E-X"]) == (Span(0, 4, "X"),)
    assert tags.bioes_to_spans(["S-X", "S-X", "B-X", "O"]) == (Span(0, 1, "X"), Span(1, 2, "X"), Span(2, 3, "X"))
    assert tags.bioes_to_spans(["E-X", "O", "B-Y", "E-X"], labels="strict") == (Span(2, 3, "Y"),)


@pytest.mark.parametrize("tag", ["PERSON", "B_PER", "", "B-", "o", "U-PER", "b-PER", "-PER"])
def test_unknown_tag_is_named(tag):
    with pytest.raises(DataError, match=r'label ".*" is not IOB2: expected O or a type after B- or I-'):
        tags.to_spans(["O", tag])


def test_bioes_tag_in_iob2_is_refused():
    with pytest.raises(DataError, match='"S-PER" is not IOB2'):
        tags.to_spans(["S-PER"])


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([Span(0, 2, "X"), Span(1, 3, "Y")], "overlaps"),
        ([Span(2, 2, "X")], "not within"),
        ([Span(-1, 1, "X")], "not within"),
        ([Span(2, 4, "X")], "not within 3 words"),
    ],
)
def test_from_spans_refuses_what_tags_cannot_say(spans, message):
    with pytest.raises(DataError, match=message):
        tags.from_spans(spans, 3)


def test_bioes_labels_are_sorted_and_unique():
    assert tags.bioes_labels(["Y", "X", "Y"]) == (
        *("O", "B-X", "I-X", "E-X", "S-X"),
        *("B-Y", "I-Y", "E-Y", "S-Y"),
    )


def _legal_paths(labels, length):
    start, transitions, end = tags.legal(labels)
    for path in itertools.product(range(len(labels)), repeat=length):
        if start[path[0]] and end[path[-1]] and all(transitions[a, b] for a, b in itertools.pairwise(path)):
            yield tuple(labels[at] for at in path)


@pytest.mark.parametrize("length", [1, 2, 3, 4])
@pytest.mark.parametrize("scheme", ["BIOES", "IOB2"])
def test_legal_allows_exactly_the_sequences_that_spans_can_give(length, scheme):
    labels = tags.bioes_labels(["X", "Y"])
    if scheme == "IOB2":
        labels = tuple(label for label in labels if label[0] in "OBI")
    expected = {
        path
        for path in itertools.product(labels, repeat=length)
        if tuple(tags.from_spans(tags.to_spans(path, scheme=scheme), length, scheme=scheme)) == path
    }
    legal = list(_legal_paths(labels, length))
    assert len(legal) == len(set(legal))
    assert set(legal) == expected


def test_legal_gives_boolean_arrays_from_row_to_column():
    start, transitions, end = tags.legal(["E-X", "O", "B-X"])
    assert start.tolist() == [False, True, True]
    assert end.tolist() == [True, True, False]
    assert transitions.dtype == np.bool_
    assert transitions.tolist() == [[False, True, True], [False, True, True], [True, False, False]]


def test_legal_refuses_other_labels():
    with pytest.raises(DataError, match="X"):
        tags.legal(["O", "X"])


@given(TYPES, st.text(st.sampled_from(" \t\r\n\u00a0\u200b\u200d\ufeff\ufe0f\u2028\u00ad"), max_size=3))
def test_type_is_read_without_what_does_not_show_around_it(kind, blank):
    assert tags.check_type(blank + kind + blank) == kind
    if kind.isascii() and blank.strip(" "):
        with pytest.raises(ValueError, match="do not show"):
            tags.check_type(kind + blank + kind)


@pytest.mark.parametrize("kind", ["work of art", "geo-loc", "government/agency", "E-mail", "日本", "B", "non-O", "R&D"])
def test_type_of_any_single_name_is_kept(kind):
    assert tags.check_type(kind) == kind


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("", "is empty"),
        ("\u200b ", "is empty"),
        ("O", "means no entity"),
        ("B-PER", 'begins with a prefix; expected the bare name, "PER"'),
        ("S-PER", "begins with a prefix"),
        ("person,B-group", 'holds ",": several types'),
        ("PER|LOC", "several types"),
        ("PER B-LOC", "several names"),
        ("PER  LOC", "several names or spaces"),
        ("PE\x1bR", r"PE\\x1bR"),
        ("\ud83d", "do not show"),
    ],
)
def test_type_that_is_no_name_of_one_type_is_refused(kind, message):
    with pytest.raises(ValueError, match=message):
        tags.check_type(kind)


def test_types_that_differ_in_spelling_alone_are_named_together():
    names = ["PER", "Per", "LOC", "geo-loc", "geo_loc", "ORG", "organisation", "ＬＯＣ", "*", "+"]
    said = tags.similar_types(dict.fromkeys(names, 2))
    assert [line.split(" are ")[0] for line in said] == [
        "LOC (2) and ＬＯＣ (2)",
        "ORG (2) and organisation (2)",
        "PER (2) and Per (2)",
        "geo-loc (2) and geo_loc (2)",
    ]
    assert tags.similar_types(dict.fromkeys(["PER", "LOC", "ORG", "MISC", "PERCENT", "GPE"], 1)) == []
