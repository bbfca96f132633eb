"""A model with further tasks: order and weight of the steps, records, checkpoint and resume."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from mner.config import Config
from mner.errors import ConfigError
from mner.training import Event, train
from mner.training.batches import Split, plan
from mner.views import Task

MODEL = '''
from torch import nn

from mner.config.schema import Section
from mner.models.text import Model as Text
from mner.views import Needs, Task


class Options(Section):
    relation: float = 0.05


class Model(Text):
    """The text model, trained on relations too; it starts with a task without targets."""

    def __init__(self, config, labels, encoder):
        super().__init__(config, labels, encoder)
        self.adds = nn.Linear(encoder.config.hidden_size, 2)
        self.parameter_groups = self.groups

    @staticmethod
    def needs(config):
        weight = Options(**config.model.options).relation
        relation = Task("relation", data="pairs", target="image_adds", weight=weight)
        return Needs((config.model.encoder,), tasks=(relation, Task("warm", data="pairs", once=True, passes=2)))

    def groups(self):
        return {**self.tagger.parameter_groups(), "relation": list(self.adds.parameters())}

    def losses(self, batch, gold, task="ner"):
        if task == "ner":
            return super().losses(batch, gold)
        first = self.adds(self.tagger.words.hidden(batch["T"])[:, 0])
        if task == "warm":
            assert not gold.any()
            return {"loss": first.square().sum(1)}
        return {"loss": nn.functional.cross_entropy(first, gold, reduction="none")}

    forward = losses
'''


@pytest.fixture
def two_tasks(
    corpus: Path, tiny_config: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Config]:
    """A function that makes a configuration of a model with further tasks, on posts of the corpus."""
    (tmp_path / "tasks_lab").mkdir()
    (tmp_path / "tasks_lab" / "two.py").write_text(MODEL)
    monkeypatch.syspath_prepend(tmp_path)
    rows = [{"text": "Kevin is back" + " !" * n, "image": f"{n + 1}.jpg", "image_adds": n % 2 == 0} for n in range(7)]
    (corpus / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def make(**sections: Any) -> Config:
        settings = {"data": {"tasks": {"pairs": "pairs.jsonl"}}, "loss": {"views": ["T"], "cva": "none"}}
        return tiny_config(**{**settings, **sections, "model": {"name": "tasks_lab.two", **sections.get("model", {})}})

    return make


def test_plan_runs_tasks_before_entities(split: Split, two_tasks: Callable[..., Config]) -> None:
    often, once = Task("often", "pairs", passes=2), Task("once", "pairs", once=True)
    settings = two_tasks(training={"epochs": 2, "passes": 2, "posts_per_step": 3}).training
    passes = [
        (part.epoch, part.task and part.task.name, part.turn, part.last)
        for part in plan(split, {often: split, once: split}, settings)
    ]
    assert passes == [
        (0, "once", 0, False),
        *[(1, "often", 0, False), (1, "often", 1, False), (1, None, 0, False), (1, None, 1, True)],
        *[(2, "often", 2, False), (2, "often", 3, False), (2, None, 2, False), (2, None, 3, True)],
    ]


def test_tasks_are_trained_and_recorded(corpus: Path, two_tasks: Callable[..., Config], tmp_path: Path) -> None:
    events: list[Event] = []
    run = train(two_tasks(), root=corpus, out=tmp_path / "runs", watch=events.append)
    record = json.loads((run / "record.json").read_text())
    assert record["steps"] == {"taken": 14, "planned": 14}, "2 passes of 2 steps, then 2 epochs of 2 and 3 steps"
    assert record["splits"]["pairs"]["file"] == "pairs.jsonl" and record["splits"]["pairs"]["posts"] == 7
    assert [sorted(epoch["losses"]) for epoch in record["epochs"]] == [
        ["T", "loss", "relation.loss", "warm.loss"],
        ["T", "loss", "relation.loss"],
    ]
    keys = Counter("T" in (event.losses or {}) for event in events if event.kind == "step")
    assert keys == {True: 6, False: 8}


def test_weight_zero_leaves_a_task_without_effect(
    corpus: Path, two_tasks: Callable[..., Config], tmp_path: Path
) -> None:
    heads = []
    for weight in (0.0, 1.0):
        config = two_tasks(name=f"weight-{weight}", model={"options": {"relation": weight}})
        run = train(config, root=corpus, out=tmp_path / "runs")
        heads.append([json.loads(line)["losses"] for line in (run / "metrics.jsonl").read_text().splitlines()])
    assert heads[0][0]["warm.loss"] == heads[1][0]["warm.loss"]
    assert heads[0][1]["relation.loss"] > heads[1][1]["relation.loss"], "with a weight the second epoch is better"


@pytest.mark.parametrize("step", [2, 5, 8, 10])
def test_broken_run_with_tasks_continues_exactly(
    corpus: Path, two_tasks: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    class Killed(BaseException):
        """Nothing catches it."""

    def watch(event: Event) -> None:
        if event.kind == "step" and event.step == step + 1:
            raise Killed

    monkeypatch.setattr("mner.training.run.CHECKPOINT_SECONDS", -1.0)  # after each step
    whole = train(two_tasks(), root=corpus, out=tmp_path / "whole")
    with pytest.raises(Killed):
        train(two_tasks(), root=corpus, out=tmp_path / "broken", watch=watch)
    broken = train(two_tasks(), root=corpus, out=tmp_path / "broken")
    weights = [load_file(run / "model" / "head.safetensors") for run in (whole, broken)]
    assert weights[0].keys() == weights[1].keys() >= {"adds.weight"}
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])
    epochs = [json.loads((run / "record.json").read_text())["epochs"] for run in (whole, broken)]
    assert [epoch["losses"] for epoch in epochs[0]] == [epoch["losses"] for epoch in epochs[1]]


def test_model_whose_task_has_no_posts_is_refused(
    corpus: Path, two_tasks: Callable[..., Config], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"data\.tasks\.pairs: not set"):
        train(two_tasks(data={"tasks": {}}), root=corpus, out=tmp_path / "runs")
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").rglob("record.json"))
