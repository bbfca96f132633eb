"""Evidence: exact scores of both views, of each source left out, verdicts, and texts that match."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mner import tags, words
from mner.decode import Chain, Decoder
from mner.evidence import Evidence, Explanation, weigh
from mner.types import Entity, OcrText, Post, Prediction, Span
from mner.views import Piece

LABELS = tags.bioes_labels(["LOC", "ORG", "PER"])
FLAT = Chain(np.zeros((len(LABELS),) * 2), np.zeros(len(LABELS)), np.zeros(len(LABELS)))
CAPTION = Piece("captions", "a", "alpha")
TAGS = Piece("tags", "b", "beta")


class ToyViews:
    """Stands for ``mner.views.Views``: an encoded post is its words and the kinds of context beside them."""

    def encode_many(self, posts: Any, pieces: Any, arrays: Any) -> list[Any]:
        return [
            SimpleNamespace(words=len(post), windows=(np.zeros(3),), tokens=3, kinds=kinds, heads=None, view="T")
            for post, kinds in zip(posts, [tuple(p.kind for p in each) for each in pieces], strict=True)
        ]


class ToyRuntime:
    """Label scores by the kinds of context: ``table[kinds][word]`` is (label, score)."""

    labels = LABELS
    note = ""
    pad_id = 0
    arrays = ()
    tokens_per_batch = 512
    chain = FLAT

    def __init__(self, table: dict[tuple[str, ...], list[tuple[str, float]]]) -> None:
        self.table = table

    def emissions(self, batch: Any, view: str) -> np.ndarray:
        rows = [self.table[member.kinds] for member in batch.members]
        scores = np.zeros((len(rows), max(map(len, rows)), len(LABELS)), np.float32)
        for post, row in enumerate(rows):
            for word, (label, score) in enumerate(row):
                scores[post, word, LABELS.index(label)] = score
        return scores

    def half(self, tokens: int) -> None:
        return None


@pytest.fixture
def weighed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Evidence, ...]]:
    """``weigh`` on toys."""

    def collate(members: Any, *, pad_id: int, arrays: Any) -> Any:
        lengths = np.array([member.words for member in members])
        return type("ToyBatch", (), {"members": members, "lengths": lengths})

    monkeypatch.setattr("mner.runtime.predict.collate", collate)

    def run(text: str, table: Any, pieces: Any = (), texts: Any = (), chosen: Any = None) -> tuple[Evidence, ...]:
        post = Post("1", text, *words.split(text))
        toys: Any = (ToyRuntime(table), ToyViews())
        return weigh(*toys, post, decoder=Decoder(LABELS, FLAT), pieces=pieces, texts=texts, chosen=chosen)

    return run


def test_words_alone_have_one_score(weighed: Callable[..., tuple[Evidence, ...]]) -> None:
    (evidence,) = weighed("Phoenix won", {(): [("S-LOC", 4.0), ("O", 9.0)]})
    assert (evidence.entity.text, evidence.entity.label, evidence.verdict) == ("Phoenix", "LOC", "no picture")
    assert evidence.with_image is None
    assert evidence.entity.score == evidence.without_image
    # The second word is O but for a chance in thousands, so the first is O, S-LOC, S-ORG or S-PER.
    assert evidence.without_image == pytest.approx(np.exp(4) / (np.exp(4) + 3), abs=2e-3)


def test_each_source_is_left_out_once(weighed: Callable[..., tuple[Evidence, ...]]) -> None:
    table = {
        (): [("S-LOC", 3.0)],
        ("captions", "tags"): [("S-LOC", 8.0)],
        ("tags",): [("S-LOC", 4.0)],
        ("captions",): [("S-LOC", 6.0)],
    }
    (evidence,) = weighed("Phoenix", table, [CAPTION, TAGS])
    legal = 3  # S-LOC against O, S-ORG and S-PER

    def exact(score: float) -> float:
        return float(np.exp(score) / (np.exp(score) + legal))

    assert evidence.without_image == pytest.approx(exact(3))
    assert evidence.with_image == pytest.approx(exact(8))
    assert evidence.without_source == pytest.approx({"captions": exact(4), "tags": exact(6)})
    assert evidence.verdict == "raised"
    assert evidence.entity.score == evidence.with_image


@pytest.mark.parametrize(
    ("without", "with_", "verdict"),
    [
        (("S-LOC", 5.0), ("S-LOC", 5.1), "same"),
        (("S-LOC", 1.5), ("S-LOC", 6.0), "raised"),
        (("S-LOC", 6.0), ("S-LOC", 1.5), "lowered"),
        (("S-LOC", 5.0), ("S-PER", 5.0), "label changed"),
        (("O", 5.0), ("S-PER", 5.0), "only with the picture"),
        (("S-PER", 5.0), ("O", 5.0), "lost with the picture"),
    ],
)
def test_verdict_says_what_the_picture_did(
    weighed: Callable[..., tuple[Evidence, ...]], without: Any, with_: Any, verdict: str
) -> None:
    # With one kind of context, the words without it are the T view.
    (evidence,) = weighed("Phoenix", {(): [without], ("captions",): [with_]}, [CAPTION])
    assert evidence.verdict == verdict
    assert evidence.without_source == pytest.approx({"captions": evidence.without_image})
    assert evidence.label_without == ("LOC" if verdict == "label changed" else None)
    lost = verdict == "lost with the picture"
    assert evidence.entity.score == (evidence.without_image if lost else evidence.with_image)


def test_other_boundaries_are_two_rows(weighed: Callable[..., tuple[Evidence, ...]]) -> None:
    table = {(): [("S-LOC", 9.0), ("O", 9.0)], ("captions",): [("B-ORG", 9.0), ("E-ORG", 9.0)]}
    rows = weighed("Phoenix Suns", table, [CAPTION])
    assert [(row.entity.text, row.verdict) for row in rows] == [
        ("Phoenix", "lost with the picture"),
        ("Phoenix Suns", "only with the picture"),
    ]


@pytest.mark.parametrize("pieces", [(), (CAPTION,)])
def test_entities_chosen_by_a_promise_stand_in_for_those_of_the_best_path(
    weighed: Callable[..., tuple[Evidence, ...]], pieces: Any
) -> None:
    """Curves by label may make another label of the same words the most probable one."""
    table = {kinds: [("S-PER", 5.0)] for kinds in ((), ("captions",))}
    org = [Span(0, 1, "ORG")]
    (evidence,) = weighed("Phoenix", table, pieces, chosen=(org, org))
    assert (evidence.entity.label, evidence.label_without) == ("ORG", None)
    assert evidence.verdict == ("same" if pieces else "no picture")
    rows = weighed("Phoenix", table, [CAPTION], chosen=(org, [Span(0, 1, "PER")]))
    assert [(row.entity.label, row.verdict, row.label_without) for row in rows] == [("PER", "label changed", "ORG")]


def test_no_words_have_no_evidence(weighed: Callable[..., tuple[Evidence, ...]]) -> None:
    assert weighed("", {}, [CAPTION]) == ()


def test_row_is_plain_json(weighed: Callable[..., tuple[Evidence, ...]]) -> None:
    table = {(): [("S-LOC", 5.0)], ("captions",): [("S-PER", 5.0)]}
    texts = [OcrText("PHOENIX", box=(1, 2, 3, 4))]
    (evidence,) = weighed("Phoenix", table, [CAPTION], texts)
    row = evidence.to_dict()
    assert row["ocr"] == [{"text": "PHOENIX", "whole": True, "box": [1, 2, 3, 4]}]
    assert row["label_without_image"] == "LOC"
    assert set(row["score_without"]) == {"captions"}


def test_real_model_scores_what_it_predicts(tiny_model: Any) -> None:
    import mner

    tagger = mner.load(tiny_model, threads=1)
    text, caption = "Kevin Love is back in Cleveland", "a man in a stadium"
    explanation = tagger.explain(text, context=caption)
    assert explanation.prediction == tagger(text, context=caption)
    plain = {(e.start, e.end, e.label): e.score for e in tagger(text).entities}
    with_ = {(e.start, e.end, e.label): e.score for e in explanation.prediction.entities}
    rows = {(row.entity.start, row.entity.end, row.entity.label): row for row in explanation.evidence}
    assert with_.keys() <= rows.keys()
    for key, row in rows.items():
        if key in with_:
            assert row.with_image == pytest.approx(with_[key], abs=1e-6)
        if key in plain:
            assert row.without_image == pytest.approx(plain[key], abs=1e-6)
        assert row.without_source == pytest.approx({"captions": row.without_image}, abs=1e-6)


def test_explanation_reads_line_by_line() -> None:
    entities = (Entity(0, 5, "Kevin", "PER", 0.98), Entity(9, 14, "Paris", "LOC", 0.7))
    used = Prediction("", "Kevin in Paris", entities, view="I+T", image_status="used")
    evidence = (
        Evidence(entities[0], "raised", 0.71, 0.98),
        Evidence(entities[1], "label changed", 0.2, 0.7, label_without="PER"),
    )
    assert str(Explanation(used, evidence, (CAPTION, TAGS))).split("\n") == [
        "[Kevin|PER 0.98] in [Paris|LOC 0.70]",
        "Kevin (PER): 0.98 with the picture, 0.71 without it; raised",
        "Paris (LOC): 0.70 with the picture, 0.20 without it; label changed (was PER)",
        "captions: alpha",
        "tags: beta",
    ]
    missing = Prediction("", "Kevin", entities[:1], image_status="missing", reason="no such file: 1.jpg")
    assert str(Explanation(missing, (Evidence(entities[0], "no picture", 0.98),))).split("\n") == [
        "[Kevin|PER 0.98]",
        "Kevin (PER): 0.98",
        "picture not used, missing: no such file: 1.jpg",
    ]
