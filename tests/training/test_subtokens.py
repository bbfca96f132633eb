"""The label coding of appendix A.5: sub-tokens behind a word's first carry PAD, in training, evaluation, prediction."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mner
from mner import tags
from mner.config import Config
from mner.encoders import find
from mner.models import build
from mner.runs.evaluate import evaluate
from mner.runtime import read_model
from mner.runtime.torch import load_encoder, view_tensors
from mner.training import train
from mner.training.batches import Split, gather, gold_ids
from mner.types import Post, Span
from mner.views import Views

Make = Callable[..., Config]

POSTS = (
    "Kevinx\tB-PER\nLove\tI-PER\nis\tO\nback\tO\nin\tO\nClevelandish\tB-LOC\n\n",
    "Real\tB-ORG\nMadridzz\tI-ORG\nwon\tO\n!!\tO\n\n",
)


@pytest.fixture
def corpus(corpus: Path) -> Path:
    """The shared corpus with words that the tokenizer takes apart."""
    for name in ("train", "dev", "test"):
        (corpus / f"{name}.txt").write_text("".join(f"IMGID:{n}\n{POSTS[n % 2]}" for n in range(1, 13)))
    return corpus


@pytest.fixture
def padded(tiny_config: Make) -> Make:
    """Configurations in the coding ``pad``."""

    def make(**sections: Any) -> Config:
        model = {"subtoken_labels": "pad", **sections.pop("model", {})}
        return tiny_config(model=model, decode={"constrained": False}, **sections)

    return make


def test_gold_labels_are_those_of_the_paper(tiny_encoder: Path) -> None:
    words = ("newyorkxx", "york", "at", "kevin", "wonx", "in")
    post = Post("1", "", words, (), spans=(Span(0, 2, "X"), Span(3, 4, "X")))
    encoded = Views(find(str(tiny_encoder)), subtoken_labels="pad").encode_many([words])
    assert encoded[0].heads is not None
    pieces = np.diff([*encoded[0].heads, encoded[0].words]).tolist()
    assert pieces[1:] == [1, 1, 1, 2, 1] and pieces[0] > 2
    labels = tags.bioes_labels(["X"], padded=True)
    names = [labels[label] for label in gold_ids([post], labels, encoded)[0]]
    # B-X I-X O B-X O O of the paper in BIOES: B-X PAD.. E-X O S-X O PAD O
    assert names == ["B-X", *["PAD"] * (pieces[0] - 1), "E-X", "O", "S-X", "O", "PAD", "O"]


def test_loss_is_that_of_the_label_sequence_over_places(tiny_encoder: Path, padded: Make) -> None:
    config = padded(model={"name": "text", "word_dropout": 0.0}, loss={"views": ["T"], "cva": "none"})
    labels = tags.bioes_labels(["X"], padded=True)
    model = build(config, labels, load_encoder(tiny_encoder)).eval()
    torch.nn.init.normal_(model.tagger.crf.transitions)
    words = ("wonx", "kevin")
    views = Views(find(str(tiny_encoder)), subtoken_labels="pad")
    encoded = views.encode_many([words])
    post = Post("1", "", words, (), spans=(Span(1, 2, "X"),))
    split = Split([post], {"T": encoded}, gold_ids([post], labels, encoded))
    batch, gold = gather(split, [0], ("T",), pad_id=views.pad_id, packed=False)
    arrays = view_tensors(batch, model)
    scores = model.emissions(arrays, "T")[0].double()
    move = model.tagger.crf.transitions.double()
    best = [labels.index(name) for name in ("O", "PAD", "S-X")]
    count = range(len(labels))
    every = torch.stack(
        [
            scores[0, a] + scores[1, b] + scores[2, c] + move[a, b] + move[b, c]
            for a in count
            for b in count
            for c in count
        ]
    )
    of_gold = sum(scores[place, label] for place, label in enumerate(best)) + move[best[0], best[1]]
    expected = torch.logsumexp(every, 0) - of_gold - move[best[1], best[2]]
    loss = model.losses(arrays, torch.from_numpy(gold))["loss"]
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_text_model_learns_is_scored_by_word_and_predicts(corpus: Path, padded: Make, tmp_path: Path) -> None:
    config = padded(
        model={"name": "text"},
        loss={"views": ["T"], "cva": "none"},
        training={"epochs": 25, "encoder_lr": 5e-3},
    )
    run = train(config, root=corpus, out=tmp_path)
    record = json.loads((run / "record.json").read_text())
    assert record["labels"][-1] == "PAD"
    assert record["dev"]["T"]["micro"] == {
        **{"precision": 100.0, "recall": 100.0, "f1": 100.0},
        **{"correct": 18, "predicted": 18, "gold": 18},
    }
    assert "PAD" not in record["dev"]["T"]["labels"]
    assert evaluate(run, results=tmp_path / "results").to_dict() == record["dev"]
    assert record["dev"]["T"]["calibration"]["micro"]["entities"] == 18
    tagger = mner.load(run)
    assert tagger.labels == ("LOC", "ORG", "PER")
    prediction = tagger("Kevinx Love is back in Clevelandish")
    assert [(entity.text, entity.label) for entity in prediction.entities] == [
        ("Kevinx Love", "PER"),
        ("Clevelandish", "LOC"),
    ]
    assert all(0.1 < entity.score <= 1 for entity in prediction.entities)
    evidence = tagger.explain("Kevinx Love is back in Clevelandish").evidence
    assert [entity.entity.text for entity in evidence] == ["Kevinx Love", "Clevelandish"]
    assert evidence[0].without_image == pytest.approx(prediction.entities[0].score, abs=1e-5)
    card = (run / "model" / "README.md").read_text()
    assert "entity types: LOC, ORG, PER\n" in card


def test_both_views_train_aligned_and_export(corpus: Path, padded: Make, tmp_path: Path) -> None:
    from mner.export import export

    run = train(padded(training={"epochs": 8, "encoder_lr": 5e-3}), root=corpus, out=tmp_path)
    record = json.loads((run / "record.json").read_text())
    assert record["dev"]["I+T"]["micro"]["gold"] == 18
    assert record["dev"]["I+T"]["micro"]["f1"] > 0 and record["epochs"][-1]["losses"]["cva"] > 0
    exported = export(run, out=tmp_path / "onnx")
    assert exported.figures["model.onnx"].differing == 0
    saved = read_model(exported.folder)
    assert saved.labels == read_model(run).labels
    post = {"text": "Kevinx Love is back in Clevelandish", "context": {"captions": [{"text": "a team won a game"}]}}
    first, second = (mner.load(folder)(post) for folder in (run, exported.folder))
    assert [entity.to_dict() | {"score": 0} for entity in first.entities] == [
        entity.to_dict() | {"score": 0} for entity in second.entities
    ]
    assert first.view == "I+T"


def test_codings_start_from_each_other(corpus: Path, tiny_config: Make, padded: Make, tmp_path: Path) -> None:
    still = {"epochs": 1, "encoder_lr": 1e-12, "feature_lr": 1e-12, "crf_lr": 1e-12}
    first = train(tiny_config(training={"epochs": 1}), root=corpus, out=tmp_path)
    second = train(padded(name="second", model={"init": str(first)}, training=still), root=corpus, out=tmp_path)
    old, new = read_model(first), read_model(second)
    assert new.labels == (*old.labels, "PAD")
    np.testing.assert_allclose(new.head["crf.transitions"][:-1, :-1], old.head["crf.transitions"], atol=1e-6)
