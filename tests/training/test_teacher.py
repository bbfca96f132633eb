"""A finished run teaches another: what it believes is its own, kept, learned, and refused where it could leak."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from mner import config as configs
from mner.config import Config
from mner.config.space import Space
from mner.decode.posterior import posteriors as exact
from mner.encoders import of_model
from mner.errors import ConfigError, MnerError, ModelError
from mner.evaluation.run import evaluate
from mner.runtime import read_model
from mner.runtime.torch import TorchRuntime
from mner.training import Event, teacher, train
from mner.training.job import prepare
from mner.training.search.defaults import searched
from mner.training.teacher import posteriors
from mner.types import Caption, VisualContext
from mner.views import Views, collate, compose

Make = Callable[..., Config]
Teach = Callable[..., Path]
TEXT: dict[str, Any] = {"model": {"name": "text"}, "loss": {"views": ["T"], "cva": "none"}}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "teachers"


@pytest.fixture(scope="session")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT whose tokenizer takes every word apart into letters."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("letters")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "!"]
    vocabulary += [sign + letter for sign in ("", "##") for letter in "abcdefghijklmnopqrstuvwxyz"]
    tokenizer = Tokenizer(models.WordPiece({t: i for i, t in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(vocabulary[:4])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 512}')
    sizes = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    torch.manual_seed(5)
    BertModel(BertConfig(vocab_size=len(vocabulary), **sizes), add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture
def teach(corpus: Path, tiny_config: Make, tmp_path: Path, letters: Path) -> Teach:
    """A function that trains a teacher on the letters; keywords are sections of its configuration."""

    def make(**sections: Any) -> Path:
        model = {"encoder": str(letters), **sections.pop("model", {})}
        training = {"epochs": 3, "encoder_lr": 3e-3, **sections.pop("training", {})}
        config = tiny_config(**{"name": "teacher", "model": model, "training": training, **sections})
        return train(config, root=corpus, out=tmp_path / "teachers")

    return make


def taught(tiny_config: Make, run: Path, **sections: Any) -> Config:
    return tiny_config(**{**sections, "loss": {"teacher": str(run), **sections.get("loss", {"cva": "posterior"})}})


def weights(run: Path) -> dict[str, bytes]:
    files = [run / "model" / "head.safetensors", run / "model" / "encoder" / "model.safetensors"]
    return {f"{path.name}:{name}": array.tobytes() for path in files for name, array in load_file(path).items()}


def alone(run: Path, words: Sequence[str], caption: str | None, labels: Sequence[str]) -> np.ndarray:
    """What the teacher of a run believes of one post, asked by itself."""
    saved = read_model(run)
    views = Views(of_model(saved.folder, saved.manifest["encoder"]), saved.config.context)
    context = None if caption is None else VisualContext("1.jpg", captions=(Caption(caption),))
    pieces = () if context is None else compose(context, views.options)
    runtime = TorchRuntime.load(saved)
    batch = collate(views.encode_many([words], [pieces]), pad_id=views.pad_id)
    found = exact(runtime.emissions(batch), batch.lengths, crf=runtime.chain).marginals[0]
    return found[:, [saved.labels.index(label) for label in labels]]


@pytest.mark.parametrize("kind", ["ita", "text"])
def test_posteriors_are_the_teachers_own_word_by_word(corpus: Path, tiny_config: Make, teach: Teach, kind: str) -> None:
    run = teach(**({} if kind == "ita" else {**TEXT, "model": {"name": "text"}}))
    rows = (corpus / "contexts.jsonl").read_text().splitlines()[:6]  # half of the posts have a context
    (corpus / "contexts.jsonl").write_text("\n".join(rows) + "\n")
    job = prepare(taught(tiny_config, run, data={"contexts_missing": 0.5}), corpus)
    assert job.teacher is not None
    assert job.teacher.about["view"] == ("I+T" if kind == "ita" else "T")
    assert job.teacher.about["contexts"] == {"used": 6, "unknown": 6}
    labels = job.labels[::-1]
    found = posteriors(job.teacher, labels)
    posts = job.splits["train"].posts
    assert [len(one) for one in found] == [len(post.words) for post in posts]
    for number in (0, 1, 8, 9):
        caption = None if kind == "text" or number > 5 else ("two people", "a team won a game")[(number + 1) % 2]
        expected = alone(run, posts[number].words, caption, labels)
        np.testing.assert_allclose(np.exp(found[number]), expected, atol=1e-4)
        assert found[number].dtype == np.float32


def test_posteriors_are_computed_once(
    corpus: Path, tiny_config: Make, teach: Teach, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = prepare(taught(tiny_config, teach()), corpus)
    assert job.teacher is not None
    first = posteriors(job.teacher, job.labels)
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:-9])  # damaged: computed again
    again = posteriors(job.teacher, job.labels)
    monkeypatch.setattr(teacher, "_computed", lambda *given: pytest.fail("it is in the cache"))
    third = posteriors(job.teacher, job.labels)
    for one, other, another in zip(first, again, third, strict=True):
        assert np.array_equal(one, other) and np.array_equal(one, another)


@pytest.mark.parametrize("kind", ["ita", "text"])
def test_student_comes_nearer_to_its_teacher(
    corpus: Path, tiny_config: Make, teach: Teach, tmp_path: Path, kind: str
) -> None:
    run = teach()
    told: list[Event] = []
    sections: dict[str, Any] = {"training": {"epochs": 8, "encoder_lr": 3e-3}}
    if kind == "text":
        sections |= TEXT
    config = taught(tiny_config, run, **sections)
    student = train(config, root=corpus, out=tmp_path, watch=told.append)
    record = json.loads((student / "record.json").read_text())
    assert record["teacher"]["model"] == read_model(run).fingerprint
    assert (record["teacher"]["row"], record["teacher"]["seed"]) == ("teacher", 1)
    losses = [epoch["losses"] for epoch in record["epochs"]]
    assert set(losses[0]) == {"loss", "T", "teacher"} | ({"I+T", "cva"} if kind == "ita" else set())
    assert losses[-1]["teacher"] < losses[0]["teacher"] / 2
    assert told[0].kind == "teacher" and str(run) in told[0].message
    assert evaluate(student, results=tmp_path / "results") == record["dev"]


def test_interrupted_run_continues_bit_for_bit(corpus: Path, tiny_config: Make, teach: Teach, tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if event.kind == "step" and event.step == 4:
            os.kill(os.getpid(), signal.SIGINT)

    config = taught(tiny_config, teach(), training={"tokens_per_batch": 40})
    whole = train(config, root=corpus, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(config, root=corpus, out=tmp_path / "broken", watch=stop)
    broken = train(config, root=corpus, out=tmp_path / "broken", resume=True)
    assert weights(broken) == weights(whole)
    told = [json.loads((one / "record.json").read_text())["epochs"] for one in (whole, broken)]
    assert [epoch["losses"] for epoch in told[0]] == [epoch["losses"] for epoch in told[1]]


def test_without_a_teacher_nothing_changes(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    job = prepare(tiny_config(), corpus)
    parts = (job.config.fingerprint, job.weights, job.splits["train"].fingerprint, job.splits["dev"].fingerprint)
    assert job.fingerprint == hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]
    record = json.loads((train(tiny_config(), root=corpus, out=tmp_path) / "record.json").read_text())
    assert "teacher" not in record and "teacher" not in record["config"]["loss"]
    assert set(record["epochs"][0]["losses"]) == {"loss", "T", "I+T", "cva"}


def test_another_teacher_in_the_same_place_is_another_run(
    corpus: Path, tiny_config: Make, teach: Teach, tmp_path: Path
) -> None:
    run = teach()
    config = taught(tiny_config, run, training={"epochs": 1})
    train(config, root=corpus, out=tmp_path)
    other = teach(seed=2)
    shutil.rmtree(run)
    other.rename(run)
    with pytest.raises(MnerError, match="other settings or data"):
        train(config, root=corpus, out=tmp_path)


@pytest.mark.parametrize("split", ["train", "dev"])
def test_teacher_of_other_posts_is_refused(corpus: Path, tiny_config: Make, teach: Teach, split: str) -> None:
    path, text = corpus / f"{split}.txt", (corpus / f"{split}.txt").read_text()
    path.write_text(text + "IMGID:1\nPhoenix\tB-LOC\n\n")
    run = teach()
    path.write_text(text)
    with pytest.raises(ModelError, match=rf"has other {split} posts, {split}@.* may know posts .* scored on"):
        prepare(taught(tiny_config, run), corpus)


def test_teacher_whose_posts_changed_since_is_refused(corpus: Path, tiny_config: Make, teach: Teach) -> None:
    shutil.copy(corpus / "train.txt", corpus / "old.txt")
    data = tiny_config().data.model_dump(mode="json", exclude_none=True)
    run = teach(data={**data, "train": "old.txt"})
    with (corpus / "old.txt").open("a") as stream:
        stream.write("IMGID:99\nPhoenix\tB-LOC\n\n")
    with pytest.raises(ModelError, match="has other train posts"):
        prepare(taught(tiny_config, run), corpus)


def test_teacher_without_a_record_of_its_own_model_is_refused(corpus: Path, tiny_config: Make, teach: Teach) -> None:
    run = teach()
    record = json.loads((run / "record.json").read_text())
    (run / "record.json").write_text(json.dumps({**record, "model": "0" * 12}))
    with pytest.raises(ModelError, match="changed since training ended"):
        prepare(taught(tiny_config, run), corpus)
    (run / "record.json").unlink()
    with pytest.raises(ModelError, match="no record of a finished run"):
        prepare(taught(tiny_config, run), corpus)
    with pytest.raises(ModelError, match=r"loss\.teacher: .*not a saved model"):
        prepare(taught(tiny_config, run / "gone"), corpus)


def test_teacher_continued_from_another_model_is_refused(
    corpus: Path, tiny_config: Make, teach: Teach, tmp_path: Path
) -> None:
    run = teach()
    second = teach(name="second", model={"init": str(run)})
    with pytest.raises(ModelError, match=r"was continued from .* may have learned from posts"):
        prepare(taught(tiny_config, second), corpus)


def test_labels_of_sub_tokens_cannot_be_taught(corpus: Path, tiny_config: Make, teach: Teach) -> None:
    padded: dict[str, Any] = {"model": {"subtoken_labels": "pad"}, "decode": {"constrained": False}}
    with pytest.raises(ModelError, match="only one of teacher and student knows PAD"):
        prepare(taught(tiny_config, teach(**padded)), corpus)
    with pytest.raises(ConfigError, match=r'set model\.subtoken_labels = "first"'):
        prepare(taught(tiny_config, teach(name="plain"), **padded), corpus)


def test_weight_is_searched_where_a_file_names_it_and_there_is_a_teacher() -> None:
    space = Space.model_validate({"loss": {"weight_teacher": {"low": 0.1, "high": 2.0, "log": True}}})
    plain = {"model": {"name": "text"}, "loss": {"views": ["T"]}}
    assert searched(configs.check(plain), space)[1] == ["loss.weight_teacher"]
    config = configs.check({**plain, "loss": {"views": ["T"], "teacher": "runs/a/b/1"}})
    assert set(searched(config, space)[0]) - set(searched(config)[0]) == {"loss.weight_teacher"}
    assert str(searched(config)[0]["loss.temperature"]) == "1..16 log"
