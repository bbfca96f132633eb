"""Text in pictures that repeats the post: estimated, simulated, measured."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from lab.ready import overlap
from lab.ready.constructed import READS, overlap_effect, read_constructed
from lab.ready.ocr import Rates, read_rates, repeats, writer
from lab.ready.report import kinds_of, slices
from lab.ready.sources import rebuilt
from lab.ready.unlabelled import READY, suspects
from lab.simulate import simulate
from mner.types import Caption, Post, Span, VisualContext

NONE = Rates(entity=0, entity_in_part=0, other=0, glued=0, garbled=0, upper=0)


def post(text: str, *spans: tuple[int, int, str], image: str = "1.jpg") -> Post:
    return rebuilt(Post(text, spans=tuple(Span(*span) for span in spans), image=image))


def test_counts_of_what_a_picture_repeats() -> None:
    given = post("Kevin Love wins the trophy in Cleveland", (0, 2, "PER"), (6, 7, "LOC"))
    counted = overlap.measure([(given, ["KEVIN", "big trophyday", "Clevelond", "12"])])
    assert counted["entities"] == 2 and "entities repeated" in counted
    assert counted["entities repeated"] == 0 and counted["entities repeated in part"] == 1
    assert (counted["other words"], counted["other words repeated"]) == (2, 1)  # wins, trophy
    assert (counted["repeats: whole"], counted["repeats: glued"], counted["repeats: garbled"]) == (1, 1, 1)
    assert counted["read words: entity"] == 1
    assert counted["lines a picture"] == {"4": 1} and counted["case: upper"] == 1
    assert overlap.rates(counted)["entity_in_part"] == 0.5


@pytest.mark.parametrize(
    ("word", "other", "near"),
    [("apple", "app1e", True), ("apple", "aple", True), ("apple", "appple", True), ("apple", "apple", False),
     ("apple", "appel", False), ("abc", "abcde", False)],
)  # fmt: skip
def test_a_word_with_one_wrong_letter_is_near(word: str, other: str, near: bool) -> None:
    assert overlap._near(word, other) is overlap._near(other, word) is near


def test_committed_estimates_hold_numbers_alone_and_names_are_repeated_more_than_words() -> None:
    def leaves(node: object) -> list[object]:
        return [leaf for part in node.values() for leaf in leaves(part)] if isinstance(node, dict) else [node]

    estimates = json.loads(overlap.FILE.read_text(encoding="utf-8"))
    assert all(isinstance(leaf, int | float) for leaf in leaves(estimates))
    rates = read_rates()
    assert 0 < rates.other < rates.entity < 0.5


def test_repeats_come_at_the_rates_given() -> None:
    given = post("Kevin Love wins a trophy", (0, 2, "PER"))
    dice = random.Random(1)
    assert repeats(given, NONE, dice) == []
    names = Rates(entity=1, entity_in_part=0, other=0, glued=0, garbled=0, upper=0)
    assert repeats(given, names, dice) == ["Kevin Love"]
    parts = Rates(entity=0, entity_in_part=1, other=0, glued=0, garbled=0, upper=0)
    assert {repeats(given, parts, dice)[0] for _ in range(20)} == {"Kevin", "Love"}
    others = Rates(entity=0, entity_in_part=0, other=1, glued=0, garbled=0, upper=0)
    assert not {word for piece in repeats(given, others, dice) for word in piece.split()} & {"Kevin", "Love"}


def test_simulated_text_repeats_the_post_and_reads_other_posts() -> None:
    posts = {
        f"{n}.jpg": post(f"Xanadu{n} shines tonight over you", (0, 1, "LOC"), image=f"{n}.jpg") for n in range(300)
    }
    rates = Rates(entity=0.5, entity_in_part=0, other=0, glued=0, garbled=0, upper=0)
    rows = [VisualContext(image, captions=(Caption("a sign", source="catr"),)) for image in posts]
    result = list(simulate(rows, written=writer(posts, rates)))
    read = {row.image: " ".join(entry.text for entry in row.ocr).lower().split() for row in result if row.ocr}
    own = sum(f"xanadu{image.removesuffix('.jpg')}" in words for image, words in read.items())
    other = sum(
        any(w.startswith("xanadu") and w != f"xanadu{image[:-4]}" for w in words) for image, words in read.items()
    )
    assert 0.35 < own / len(read) < 0.65 and other > 10
    assert result == list(simulate(rows, written=writer(posts, rates)))


def test_simulated_text_has_the_faults_of_ocr() -> None:
    posts = {"1.jpg": post("Kevin Love wins", (0, 2, "PER"))}
    glued = Rates(entity=1, entity_in_part=0, other=0, glued=1, garbled=0, upper=1)
    lines = [line for seed in range(20) for line in writer(posts, glued)("1.jpg", random.Random(seed))]
    assert not any(" " in line for line in lines) and all(line == line.upper() for line in lines)
    garbled = Rates(entity=1, entity_in_part=0, other=0, glued=0, garbled=1, upper=0)
    words = {
        word
        for seed in range(20)
        for line in writer(posts, garbled)("1.jpg", random.Random(seed))
        for word in line.split()
    }
    assert "Kevin" not in words and any(word.startswith("Kev") for word in words)


def test_constructed_posts_are_read_and_a_broken_one_is_named(tmp_path: Path) -> None:
    rows = read_constructed()
    assert len(rows) >= 60 and {row.post.spans[0].label for row in rows if row.post.spans} == {
        "PER",
        "LOC",
        "ORG",
        "MISC",
    }
    for row in rows:
        (span,) = row.post.spans or ()
        name = "".join(row.post.words[span.start : span.end]).casefold()
        assert not span.start <= row.word < span.end
        read = {reads: "".join("".join(row.reads[reads]).split()).casefold() for reads in READS}
        assert row.post.words[row.word].casefold() in read["the word"]
        assert name not in read["neither"] and name not in read["another name"], row.post.text
    (tmp_path / "bad.jsonl").write_text('{"text": "Rome", "entities": [{"start": 1, "end": 4, "label": "LOC"}]}\n')
    with pytest.raises(SystemExit, match=r"bad\.jsonl:1: expected text, entities, word and reads"):
        read_constructed(tmp_path / "bad.jsonl")


def test_effect_of_text_in_pictures_is_measured_on_the_packaged_model() -> None:
    effect = overlap_effect(READY, read_constructed()[:4])
    assert effect["posts"] == 4 and list(effect["readings"]) == ["words alone", *READS]
    assert all(0 <= row["name"] <= 100 and 0 <= row["found"] <= 4 for row in effect["readings"].values())
    assert len({row["name"] for row in effect["readings"].values()}) > 1  # the text is read


def test_posts_that_may_hold_an_unlabelled_type_are_named() -> None:
    from lab.ready.probe import Probe

    given = [post("Watching Game of Thrones tonight"), post("i am so tired today")]
    probe = Probe(READY)
    assert suspects(probe, given, ["MISC"], 0.1) == [0]
    labelled = [rebuilt(given[0], spans=[Span(0, 5, "PER")]), given[1]]
    assert suspects(probe, labelled, ["MISC"], 0.1) == []


def test_recall_is_reported_by_kind_of_name() -> None:
    given = post("kevin saw #Cubs and BRAZIL # Rome", (0, 1, "PER"), (2, 3, "ORG"), (4, 5, "LOC"), (6, 7, "LOC"))
    known = frozenset({"cubs"})
    kinds = [kinds_of(given, span, known) for span in given.spans or ()]
    assert kinds == [["unseen", "lower case"], ["seen", "hashtag"], ["unseen", "upper case"], ["unseen", "hashtag"]]
    table = slices([given], [[Span(2, 3, "ORG"), Span(6, 7, "PER")]], known)
    assert table["hashtag"] == {"names": 2, "recall": 50.0} and table["unseen"]["recall"] == 0.0
