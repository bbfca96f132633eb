"""Students on a tiny encoder: closer to their teachers, the same again, and what is refused."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

import mner.training.teachers as module
from mner.config import Config
from mner.errors import ConfigError, DataError, ModelError
from mner.files import writing_bytes
from mner.runtime import read_model
from mner.tags import bioes_labels
from mner.training import Event, train
from mner.training.job import beliefs_of, prepare
from mner.training.teachers import Teacher, beliefs, find_teachers

Make = Callable[..., Config]
UNLABELLED = ["Kevin is open", "now we go to the city", "Madrid won today http://t.co/x", "Cleveland is back"]


@pytest.fixture
def teacher(corpus: Path, tiny_config: Make, tmp_path: Path) -> Path:
    """A run that knows the corpus, and whose sub-tokens are not the students'."""
    config = tiny_config(name="teacher", training={"epochs": 12, "encoder_lr": 5e-3}, context={"word_pieces": 1})
    return train(config, root=corpus, out=tmp_path / "teachers")


@pytest.fixture
def unlabelled(corpus: Path) -> Path:
    path = corpus / "more.jsonl"
    path.write_text("".join(json.dumps({"text": text, "image": "1.jpg"}) + "\n" for text in UNLABELLED))
    return path


def record(run: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((run / "record.json").read_text())
    return read


def believed(run: Path, config: Config, corpus: Path, folder: Path) -> dict[Any, list[np.ndarray]]:
    """What a run believes of the training posts, in our labels."""
    job = prepare(config, corpus)
    saved = read_model(run)
    same = Teacher(str(run), saved, np.eye(len(saved.labels), dtype=np.float32))
    return beliefs([same], job.splits["train"], config, corpus, folder, ("T", "I+T"))


def divergence(q: dict[Any, list[np.ndarray]], p: dict[Any, list[np.ndarray]], view: str) -> float:
    return sum(float((np.exp(a) * (a - b)).sum()) for a, b in zip(q[view], p[view], strict=True))


def test_student_comes_closer_to_its_teachers_than_without(
    corpus: Path, tiny_config: Make, teacher: Path, unlabelled: Path, tmp_path: Path
) -> None:
    alone = tiny_config(name="alone")
    taught = tiny_config(name="taught", teachers={"models": [str(teacher)], "weight": 4.0})
    more = tiny_config(
        name="more", teachers={"models": [str(teacher)], "weight": 4.0}, data={"tasks": {"unlabelled": unlabelled.name}}
    )
    runs = [train(config, root=corpus, out=tmp_path / "runs") for config in (alone, taught, more)]
    truth = believed(teacher, alone, corpus, tmp_path / "kept")
    for view in ("T", "I+T"):
        without, with_, with_more = (
            divergence(truth, believed(run, alone, corpus, tmp_path / "kept"), view) for run in runs
        )
        assert with_ < 0.9 * without
        assert with_more < without
    assert record(runs[1])["teachers"] == [read_model(teacher).fingerprint]
    assert "teachers" not in record(runs[0])
    assert {"teachers", "T", "I+T", "cva", "loss"} == set(record(runs[1])["epochs"][0]["losses"])
    losses = record(runs[2])["epochs"][0]["losses"]
    assert losses["taught.loss"] == pytest.approx(4 * losses["taught.teachers"], rel=1e-4)
    assert record(runs[2])["steps"]["taken"] == record(runs[1])["steps"]["taken"] + 2
    assert record(runs[2])["splits"]["unlabelled"]["posts"] == len(UNLABELLED)


def test_teachers_teach_the_mean_of_their_posteriors(
    corpus: Path, tiny_config: Make, teacher: Path, tmp_path: Path
) -> None:
    other = train(tiny_config(name="other"), root=corpus, out=tmp_path / "teachers")
    config = tiny_config(teachers={"models": [str(teacher), str(other)]})
    mean = beliefs_of(prepare(config, corpus), corpus, tmp_path / "kept", ("T", "I+T"), print)["train"]
    first, second = (believed(run, config, corpus, tmp_path / "kept") for run in (teacher, other))
    for view in ("T", "I+T"):
        for ours, a, b in zip(mean[view], first[view], second[view], strict=True):
            np.testing.assert_allclose(np.exp(ours), (np.exp(a) + np.exp(b)) / 2, atol=1e-6)
            np.testing.assert_allclose(np.exp(ours).sum(1), 1, atol=1e-5)
    one_view = tiny_config(teachers={"models": [str(teacher)], "view": "I+T"})
    both = beliefs_of(prepare(one_view, corpus), corpus, tmp_path / "kept", ("T", "I+T"), print)["train"]
    for view in ("T", "I+T"):
        np.testing.assert_allclose(np.concatenate(both[view]), np.concatenate(first["I+T"]), atol=1e-6)


def test_in_bfloat16_a_teacher_says_about_the_same(
    corpus: Path, tiny_config: Make, teacher: Path, tmp_path: Path
) -> None:
    job = prepare(tiny_config(teachers={"models": [str(teacher)]}), corpus)
    exact, rounded = (
        beliefs_of(job, corpus, tmp_path / str(bf16), ("T",), print, bf16=bf16)["train"]["T"] for bf16 in (False, True)
    )
    exact, rounded = np.exp(np.concatenate(exact)), np.exp(np.concatenate(rounded))
    assert not np.array_equal(exact, rounded)
    np.testing.assert_allclose(rounded, exact, atol=0.05)


def test_what_teachers_say_is_computed_once(
    corpus: Path, tiny_config: Make, teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 5)
    config = tiny_config(teachers={"models": [str(teacher)]})
    watched: list[Event] = []
    train(config, root=corpus, out=tmp_path / "runs", watch=watched.append)
    assert "computed once" in next(event.message for event in watched if event.kind == "teachers")
    folder = tmp_path / "runs" / "corpus" / "tiny" / "teachers"
    parts = sorted(folder.iterdir())
    assert len(parts) == 2 * 3  # views, and parts of 5 of the 12 posts

    opened: list[Any] = []
    original = module.open_model
    monkeypatch.setattr(module, "open_model", lambda *given, **options: opened.append(1) or original(*given, **options))
    train(config.model_copy(update={"seed": 2}), root=corpus, out=tmp_path / "runs")
    assert not opened
    before = parts[1].read_bytes()
    parts[1].write_bytes(before[:-40])
    parts[2].unlink()
    watched.clear()
    train(config.model_copy(update={"seed": 3}), root=corpus, out=tmp_path / "runs", watch=watched.append)
    assert opened and parts[1].read_bytes() == before and parts[2].exists()


def test_seeds_write_the_same_part_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, table = tmp_path / "part.safetensors", np.ones((3, 2), np.float32)
    with ExitStack() as other:
        other.enter_context(writing_bytes(path)).write(save({"posteriors": table}))
        monkeypatch.setattr(module.time, "sleep", lambda seconds: other.close())
        module._keep(path, table)
    np.testing.assert_array_equal(module._cached(path, (3, 2)), table)


@pytest.mark.skipif(sys.platform == "win32", reason="files have no limit of size there")
def test_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(module, "WAIT", -1)
    _, most = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most))
    try:
        with pytest.raises(DataError, match="cannot be written: File too large; make room"):
            module._keep(tmp_path / "part.safetensors", np.zeros((4000, 9), np.float32))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_interrupted_student_continues_bit_for_bit(
    corpus: Path, tiny_config: Make, teacher: Path, unlabelled: Path, tmp_path: Path
) -> None:
    class Cut(BaseException):
        """Ends a run."""

    def cut(event: Event) -> None:
        if event.kind == "epoch":
            raise Cut

    config = tiny_config(teachers={"models": [str(teacher)]}, data={"tasks": {"unlabelled": unlabelled.name}})
    whole = train(config, root=corpus, out=tmp_path / "whole")
    with pytest.raises(Cut):
        train(config, root=corpus, out=tmp_path / "broken", watch=cut)
    broken = train(config, root=corpus, out=tmp_path / "broken", resume=True)
    assert read_model(broken).fingerprint == read_model(whole).fingerprint


def ours(teacher: Path, types: list[str], **rename: str) -> np.ndarray:
    return module._ours("there", read_model(teacher).labels, bioes_labels(types), rename)


def test_labels_are_mapped_by_name(tiny_model: Path) -> None:
    saved = read_model(tiny_model)
    assert (ours(tiny_model, ["PER", "ORG", "MISC", "LOC"]).sum(1) == 1).all()
    merged = ours(tiny_model, ["PER", "PLACE"], LOC="PLACE", ORG="PLACE", MISC="")
    names = bioes_labels(["PER", "PLACE"])
    mapped = {label: names[int(row.argmax())] for label, row in zip(saved.labels, merged, strict=True)}
    assert mapped["B-LOC"] == mapped["B-ORG"] == "B-PLACE"
    assert (mapped["S-MISC"], mapped["E-PER"], mapped["O"]) == ("O", "E-PER", "O")


def test_other_labels_are_refused(corpus: Path, tiny_config: Make, teacher: Path, tiny_model: Path) -> None:
    with pytest.raises(
        ModelError, match=r"there has no entity type OTHER.* LOC, MISC, ORG, PER; .*rename=\{MISC=.OTHER"
    ):
        ours(tiny_model, ["LOC", "ORG", "OTHER", "PER"])
    with pytest.raises(ModelError, match=r"has no entity type CITY, .*; name another teacher"):
        ours(tiny_model, ["LOC", "ORG", "MISC", "PER", "CITY"])
    with pytest.raises(ModelError, match=r"has the entity type MISC, which no training post has .*rename=\{MISC="):
        ours(tiny_model, ["LOC", "ORG", "PER"])
    config = tiny_config(teachers={"models": [str(teacher)], "rename": {"CITY": "LOC"}})
    with pytest.raises(ConfigError, match=r"teachers\.rename: no teacher has the type CITY; they have LOC"):
        prepare(config, corpus)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_unlabelled_posts_that_are_scored_are_refused(
    corpus: Path, tiny_config: Make, teacher: Path, unlabelled: Path, split: str
) -> None:
    other = "dev" if split == "test" else "test"
    (corpus / f"{other}.txt").write_text("IMGID:1\nParis\tB-LOC\n\n")
    words = (corpus / f"{split}.txt").read_text().split("\n\n")[0].splitlines()
    text = " ".join(line.split("\t")[0] for line in words if not line.startswith("IMGID")).upper()
    with unlabelled.open("a") as file:
        file.write(json.dumps({"text": f"{text} http://t.co/abc", "image": None}) + "\n")
    config = tiny_config(teachers={"models": [str(teacher)]}, data={"tasks": {"unlabelled": unlabelled.name}})
    with pytest.raises(DataError, match=rf"1 of the 5 posts of .*more\.jsonl:5 is .*{split}\.txt:\d+"):
        prepare(config, corpus)


def test_who_cannot_be_taught_is_refused(
    corpus: Path, tiny_config: Make, teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_students").mkdir()
    (tmp_path / "their_students" / "plain.py").write_text(
        "from mner.views import Needs\n"
        "class Model:\n"
        "    def needs(config):\n"
        "        return Needs(encoders=(config.model.encoder,))\n"
        "    def losses(self, batch, gold):\n"
        "        ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    models = {"models": [str(teacher)]}
    theirs = tiny_config(teachers=models, model={"name": "their_students.plain"}, loss={"cva": "none"})
    with pytest.raises(
        ConfigError, match=r"\"their_students\.plain\" does not learn from teachers .* every model of mner"
    ):
        prepare(theirs, corpus)
    padded = tiny_config(teachers=models, model={"subtoken_labels": "pad"}, decode={"constrained": False})
    with pytest.raises(ConfigError, match='set model\\.subtoken_labels = "first"'):
        prepare(padded, corpus)


def test_other_teacher_is_another_run(corpus: Path, tiny_config: Make, teacher: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(teacher, copy)
    first = prepare(tiny_config(teachers={"models": [str(teacher)]}), corpus)
    assert first.fingerprint == prepare(tiny_config(teachers={"models": [str(teacher)]}), corpus).fingerprint
    assert first.fingerprint != prepare(tiny_config(), corpus).fingerprint
    assert find_teachers(tiny_config(), corpus, first.splits, first.labels) == ()


def test_posts_without_labels_need_words(corpus: Path, tiny_config: Make, teacher: Path, unlabelled: Path) -> None:
    unlabelled.write_text('{"text": ""}\n{"text": " "}\n')
    config = tiny_config(teachers={"models": [str(teacher)]}, data={"tasks": {"unlabelled": unlabelled.name}})
    with pytest.raises(DataError, match=r"more\.jsonl: no post has a word; data\.tasks\.unlabelled needs texts"):
        prepare(config, corpus)


def test_files_that_nothing_reads_are_named(
    corpus: Path, tiny_config: Make, unlabelled: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prepare(tiny_config(data={"tasks": {"unlabelled": unlabelled.name, "relation": "none.jsonl"}}), corpus)
    assert "data.tasks.unlabelled: not read: teachers.models names no teacher" in caplog.text
    assert 'data.tasks.relation: not read: no task of "ita"' in caplog.text
