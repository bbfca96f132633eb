from __future__ import annotations

import os
import warnings
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from mner.errors import DataError
from mner.evaluation import score_files, score_tags

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


@st.composite
def tagged(draw, tags=TAGS):
    lengths = draw(st.lists(st.integers(1, 8), min_size=1, max_size=4))
    sides = [[draw(st.lists(st.sampled_from(tags), min_size=n, max_size=n)) for n in lengths] for _ in range(2)]
    return sides[0], sides[1]


def _conlleval(gold, predicted):
    """Precision, recall and F1 by the word-by-word rules of CoNLL-2000's conlleval, re-derived.

    One pass over all words, with an O between posts. An entity begins at a B-, or where an I- follows O or another
    type; it ends before the next beginning or O. It is correct if both sides begin it and end it at the same words
    with the same type.
    """
    rows = []
    for truth, guess in zip(gold, predicted, strict=True):
        rows += [*zip(truth, guess, strict=True), ("O", "O")]
    counts = Counter()
    before = [("O", ""), ("O", "")]
    together = False
    for row in rows:
        now = [(tag[0], tag[2:]) for tag in row]
        begins, ends = [], []
        for (last, last_type), (letter, kind) in zip(before, now, strict=True):
            changed = letter == "B" or letter == "O" or kind != last_type
            ends.append(last != "O" and changed)
            begins.append(letter != "O" and (letter == "B" or last == "O" or kind != last_type))
        if together:
            if ends[0] and ends[1]:
                counts["correct"] += 1
                together = False
            elif ends[0] != ends[1] or now[0][1] != now[1][1]:
                together = False
        if begins[0] and begins[1] and now[0][1] == now[1][1]:
            together = True
        counts["gold"] += begins[0]
        counts["predicted"] += begins[1]
        before = now
    precision = 100 * counts["correct"] / counts["predicted"] if counts["predicted"] else 0.0
    recall = 100 * counts["correct"] / counts["gold"] if counts["gold"] else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return precision, recall, f1


def _triple(prf):
    return prf.precision, prf.recall, prf.f1


@given(tagged())
def test_repaired_reading_equals_conlleval(sides):
    assert _triple(score_tags(*sides).micro) == pytest.approx(_conlleval(*sides))


@given(tagged())
def test_repaired_reading_equals_seqeval(sides):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns of every ratio over nothing
        expected = [100 * ratio(*sides) for ratio in (precision_score, recall_score, f1_score)]
        macro = [100 * ratio(*sides, average="macro") for ratio in (precision_score, recall_score, f1_score)]
    scores = score_tags(*sides)
    assert _triple(scores.micro) == pytest.approx(expected)
    if scores.labels:
        assert _triple(scores.macro) == pytest.approx(macro)


@given(tagged())
def test_strict_reading_equals_strict_seqeval(sides):
    scores = score_tags(*sides, labels="strict")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns of every ratio over nothing
        if not scores.labels:
            return
        expected = precision_recall_fscore_support(*sides, average="micro", scheme=IOB2)[:3]
        by_label = precision_recall_fscore_support(*sides, average=None, scheme=IOB2)
    assert _triple(scores.micro) == pytest.approx([100 * float(value) for value in expected])
    for scored, *prf in zip(scores.labels.values(), *(100 * values for values in by_label[:3]), strict=True):
        assert _triple(scored) == pytest.approx(prf)


def test_score_tags_refuses_another_number_of_words():
    with pytest.raises(DataError, match="post 1: 1 predicted tags for 2 words"):
        score_tags([["O"], ["O", "O"]], [["O"], ["O"]])


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_score_files_reads_conll_columns(tmp_path):
    gold = _file(tmp_path, "gold.conll", "Kevin\tB-PER\nLove\tI-PER\nin\tO\nOhio\tB-LOC\n\nhi\tO\n")
    predicted = _file(tmp_path, "out.conll", "kevin I-PER\nlove I-PER\nin O\nohio O\n\nhi B-PER\n\n")
    scores = score_files(gold, predicted)
    assert scores.posts == 2
    assert (scores.micro.correct, scores.micro.predicted, scores.micro.gold) == (1, 2, 2)
    assert score_files(gold, predicted, labels="strict").micro.correct == 0


def test_score_files_says_where_the_words_differ(tmp_path):
    gold = _file(tmp_path, "gold.conll", "a\tO\n\nb\tO\nc\tO\n")
    predicted = _file(tmp_path, "out.conll", "a\tO\n\nb\tO\n")
    with pytest.raises(DataError, match=r"out\.conll:3: 1 of the 2 words that .*gold\.conll:3 has"):
        score_files(gold, predicted)


@pytest.mark.parametrize("shorter", ["gold", "out"])
def test_score_files_says_which_file_ends_early(tmp_path, shorter):
    short, long = "a\tO\n", "a\tO\n\nb\tO\n"
    gold = _file(tmp_path, "gold.conll", short if shorter == "gold" else long)
    predicted = _file(tmp_path, "out.conll", short if shorter == "out" else long)
    longer = "out" if shorter == "gold" else "gold"
    with pytest.raises(DataError, match=rf"{longer}\.conll:3: the other file ends before this post, after 1"):
        score_files(gold, predicted)


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("MNER_DATA"), reason="set MNER_DATA to the folder of the real data")
@pytest.mark.parametrize(
    ("team", "f1"),
    [
        ("uh_ritual", 41.86),
        ("spinningbytes.txt", 40.78),
        ("sjtu_adapt.txt", 40.42),
        ("arcada", 39.98),
        ("flytxt", 38.35),
        ("mic-cis.txt", 37.06),
        ("drexel_cci", 26.30),
    ],
)
def test_score_files_gives_the_published_scores_of_wnut17(team, f1):
    folder = Path(os.environ["MNER_DATA"]) / "wnut17"
    scores = score_files(folder / "emerging.test.annotated", folder / "submissions" / team, format="conll")
    assert scores.micro.gold == 1079
    assert round(scores.micro.f1, 2) == f1
