"""Training runs end to end on a tiny encoder: what they leave behind, and that a broken one continues exactly."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import mner
from mner.analysis.parts.loaded_run import row_runs
from mner.config import Config
from mner.errors import ConfigError, DataError, DivergedError, MnerError, ModelError
from mner.runtime import read_model
from mner.training import Event, train
from mner.training.job import prepare

Make = Callable[..., Config]


def weights(run: Path) -> dict[str, bytes]:
    files = [run / "model" / "head.safetensors", run / "model" / "encoder" / "model.safetensors"]
    return {f"{path.name}:{name}": array.tobytes() for path in files for name, array in load_file(path).items()}


def stop_at(step: int) -> Callable[[Event], None]:
    def watch(event: Event) -> None:
        if event.kind == "step" and event.step == step:
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does

    return watch


def test_train_leaves_a_model_a_record_and_metrics(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    run = train(tiny_config(), root=corpus, out=tmp_path / "runs")
    assert run == tmp_path / "runs" / "corpus" / "tiny" / "1"
    record = json.loads((run / "record.json").read_text())
    assert record["splits"]["train"]["posts"] == 12
    assert record["splits"]["train"]["context_kinds"] == {"captions": 12, "tags": 0, "ocr": 0}
    assert record["splits"]["train"]["contexts"] == {"used": 12}
    assert record["steps"] == {"taken": 6, "planned": 6}
    assert set(record["dev"]) == {"T", "I+T"}
    assert f"corpus/dev@{record['splits']['dev']['fingerprint'][:6]}" in record["dev"]["T"]["signature"]
    assert record["machine"]["cpu"] and "test" not in record
    assert record["cpu_seconds"] > 0
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 2
    assert read_model(run).fingerprint == record["model"]
    assert not list(run.rglob("*.part")) and not (run / "checkpoint.safetensors").exists()


def test_train_learns_the_corpus(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    config = tiny_config(training={"epochs": 25, "encoder_lr": 5e-3})
    record = json.loads((train(config, root=corpus, out=tmp_path) / "record.json").read_text())
    assert record["dev"]["T"]["micro"]["f1"] == 100
    assert record["dev"]["I+T"]["micro"]["f1"] == 100
    assert record["epochs"][-1]["losses"]["loss"] < record["epochs"][0]["losses"]["loss"] / 4


@pytest.mark.parametrize("step", [1, 3, 5])
def test_interrupted_run_continues_bit_for_bit(corpus: Path, tiny_config: Make, tmp_path: Path, step: int) -> None:
    config = tiny_config()
    whole = train(config, root=corpus, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(config, root=corpus, out=tmp_path / "broken", watch=stop_at(step))
    begun: list[Event] = []
    broken = train(config, root=corpus, out=tmp_path / "broken", resume=True, watch=begun.append)
    assert begun[0].step == step
    assert weights(broken) == weights(whole)
    losses = [json.loads((run / "record.json").read_text())["epochs"] for run in (whole, broken)]
    assert [epoch["losses"] for epoch in losses[0]] == [epoch["losses"] for epoch in losses[1]]


def test_killed_run_continues_from_its_last_epoch(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    class Killed(BaseException):
        """Nothing catches it, as nothing catches SIGKILL."""

    def watch(event: Event) -> None:
        if event.kind == "step" and event.step == 5:
            raise Killed

    config = tiny_config()
    whole = train(config, root=corpus, out=tmp_path / "whole")
    with pytest.raises(Killed):
        train(config, root=corpus, out=tmp_path / "broken", watch=watch)
    begun: list[Event] = []
    assert weights(train(config, root=corpus, out=tmp_path / "broken", watch=begun.append)) == weights(whole)
    assert begun[0].step == 3


def test_run_goes_on_only_with_its_best_model(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config(), root=corpus, out=tmp_path, watch=stop_at(4))
    head = tmp_path / "corpus" / "tiny" / "1" / "model" / "head.safetensors"
    head.write_bytes(head.read_bytes()[:40])
    with pytest.raises(MnerError, match=r"tiny.1: would go on from its checkpoint, but .*head\.safetensors.*--restart"):
        train(tiny_config(), root=corpus, out=tmp_path)
    assert read_model(train(tiny_config(), root=corpus, out=tmp_path, restart=True))


def test_micro_batches_do_not_change_the_result(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    quiet = {"word_dropout": 0.0}
    losses = []
    for tokens in (4096, 40, 1):
        config = tiny_config(model=quiet, training={"tokens_per_batch": tokens, "epochs": 1})
        steps: list[Event] = []
        train(config, root=corpus, out=tmp_path / str(tokens), watch=steps.append)
        losses.append([event.losses["loss"] for event in steps if event.losses])
    # Dropout inside the encoder draws per micro-batch, so later steps drift; the first step's forward is alike.
    assert losses[0][0] == pytest.approx(losses[1][0], rel=0.2)
    assert losses[0][0] == pytest.approx(losses[2][0], rel=0.2)


def test_finished_run_is_left_alone(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    run = train(tiny_config(), root=corpus, out=tmp_path)
    before = (run / "record.json").stat().st_mtime_ns
    assert train(tiny_config(), root=corpus, out=tmp_path) == run
    assert (run / "record.json").stat().st_mtime_ns == before
    with pytest.raises(MnerError, match="other settings"):
        train(tiny_config(training={"crf_lr": 0.01}), root=corpus, out=tmp_path)
    train(tiny_config(training={"crf_lr": 0.01}), root=corpus, out=tmp_path, restart=True)


def test_finished_run_loses_a_checkpoint_that_it_was_killed_before_deleting(
    corpus: Path, tiny_config: Make, tmp_path: Path
) -> None:
    run = train(tiny_config(), root=corpus, out=tmp_path)
    (run / "checkpoint.safetensors").write_bytes(b"left over")
    with pytest.raises(MnerError, match="not finished; continue with mner train CONFIG"):
        row_runs(run.parent)
    assert train(tiny_config(), root=corpus, out=tmp_path) == run
    assert row_runs(run.parent) == [run]


def test_checkpoint_of_other_settings_is_refused(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config(), root=corpus, out=tmp_path, watch=stop_at(2))
    with pytest.raises(ModelError, match="holds an interrupted run with other settings"):
        train(tiny_config(loss={"temperature": 2.0}), root=corpus, out=tmp_path)


def test_checkpoint_in_another_number_format_is_refused(
    corpus: Path, tiny_config: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mner.training.optimizer.has_bf16", lambda: False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    config = tiny_config(training={"precision": "auto"})
    with pytest.raises(KeyboardInterrupt):
        train(config, root=corpus, out=tmp_path, watch=stop_at(2))
    path = tmp_path / "corpus" / "tiny" / "1" / "checkpoint.safetensors"
    with safe_open(path, framework="np") as opened:
        progress = json.loads(opened.metadata()["progress"])
    assert progress.pop("precision") == "no"
    state = load_file(path)
    save_file(state, path, metadata={"progress": json.dumps(progress | {"precision": "bf16"})})
    with pytest.raises(ModelError, match=r"computed in bf16, but here .* is fp32; .*precision=fp32 --restart"):
        train(config, root=corpus, out=tmp_path)
    save_file(state, path, metadata={"progress": json.dumps(progress)})
    begun: list[Event] = []
    train(config, root=corpus, out=tmp_path, watch=begun.append)
    assert begun[0].step == 2, "a checkpoint from before the format was kept goes on"


def test_resume_without_a_run_fails(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    with pytest.raises(MnerError, match="no run to resume"):
        train(tiny_config(), root=corpus, out=tmp_path, resume=True)


def test_resume_and_restart_are_not_both_obeyed(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config(), root=corpus, out=tmp_path, watch=stop_at(2))
    with pytest.raises(MnerError, match="--resume continues a run and --restart discards it; pass one of them"):
        train(tiny_config(), root=corpus, out=tmp_path, resume=True, restart=True)
    begun: list[Event] = []
    train(tiny_config(), root=corpus, out=tmp_path, resume=True, watch=begun.append)
    assert begun[0].step == 2


def test_last_step_that_goes_too_far_is_divergence(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    one_step = {"epochs": 1, "posts_per_step": 1000, "encoder_lr": 1e30, "precision": "fp32"}
    with pytest.raises(DivergedError, match=r"label scores are not numbers; lower training\.encoder_lr or"):
        train(tiny_config(training=one_step), root=corpus, out=tmp_path)


def test_threads_are_those_of_one_run(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    train(tiny_config(training={"threads": before + 1, "epochs": 1}), root=corpus, out=tmp_path)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("split", ["train", "dev"])
def test_nothing_is_trained_on_test_or_chosen_by_it(
    corpus: Path, tiny_config: Make, tmp_path: Path, split: str
) -> None:
    with pytest.raises(ConfigError, match=rf"data\.{split}: \.\./corpus/test\.txt is the test split"):
        train(tiny_config(data={split: "../corpus/test.txt"}), root=corpus, out=tmp_path)


def test_image_view_with_hardly_a_context_is_refused(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    posts = "".join(f"IMGID:{number}\nKevin\tB-PER\n\n" for number in range(1, 202))
    (corpus / "train.txt").write_text(posts)
    (corpus / "contexts.jsonl").write_text(
        "".join(f'{{"image": "{n}.jpg", "captions": ["{"a game" if n < 3 else ""}"]}}\n' for n in range(1, 202))
    )
    with pytest.raises(DataError, match=r"train\.txt: 2 of its 201 posts have a visual context with captions or "):
        train(tiny_config(), root=corpus, out=tmp_path)
    few = {"data": {"contexts_missing": 1.0}, "training": {"epochs": 1, "posts_per_step": 201}}
    assert (train(tiny_config(**few), root=corpus, out=tmp_path) / "record.json").exists()


def test_image_view_without_any_context_is_refused(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of its 12 posts has a visual context"):
        train(tiny_config(data={"contexts": []}), root=corpus, out=tmp_path)


@pytest.mark.parametrize(
    ("context", "refused"),
    [
        ({"captions": ["catr", "cart"]}, r"context\.captions names cart, which no context .*; there are catr"),
        ({"order": ["captions", "tags"], "tags": ["vinvl"]}, r"context\.tags names vinvl, .*; there are no tags"),
        ({"order": ["captions"], "tags": ["vinvl"]}, ""),
        ({"ocr": ["tesseract", "rapid"]}, ""),
        ({"captions": ["cart"], "substitute": "empty"}, ""),
        ({"captions": ["catr"], "substitute": "shuffled"}, ""),
    ],
)
def test_a_source_that_no_context_has_is_refused(
    corpus: Path, tiny_config: Make, context: dict[str, Any], refused: str
) -> None:
    path = corpus / "contexts.jsonl"
    path.write_text(path.read_text().replace('"text":', '"source": "catr", "text":'))
    if refused:
        with pytest.raises(DataError, match=rf"train\.txt: {refused}"):
            prepare(tiny_config(context=context, data={"contexts_missing": 1.0}), corpus)
    else:
        assert prepare(tiny_config(context=context), corpus)
    text = {"model": {"name": "text"}, "loss": {"views": ["T"], "cva": "none"}}
    assert prepare(tiny_config(context=context, **text), corpus), "it reads no picture"


def test_encoder_that_an_option_names_is_missing_under_that_option(
    corpus: Path, tiny_config: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    system = {"model": {"name": "bert_vinvl", "options": {"vinvl": "vinvl"}}, "loss": {"views": ["I+T"], "cva": "none"}}
    remedy = r"mner encoder import CHECKPOINT --out FOLDER\) and set model\.options\.vinvl = \"FOLDER\""
    with pytest.raises(ModelError, match=rf"model\.options\.vinvl: no folder {re.escape(str(tmp_path))}.*{remedy}"):
        prepare(tiny_config(data={"features_missing": "zero"}, **system), corpus)


@pytest.mark.parametrize("known", [0, 6, 11])
def test_contexts_of_few_of_the_pictures_are_refused(
    corpus: Path, tiny_config: Make, tmp_path: Path, known: int
) -> None:
    path = corpus / "contexts.jsonl"
    rows = path.read_text().splitlines()[:known] or ['{"image": "other.jpg", "captions": [{"text": "two people"}]}']
    path.write_text("\n".join(rows) + "\n")
    lacking = rf'train\.txt: of its 12 pictures {12 - known} have no record in contexts\.jsonl, such as ".*{known + 1}'
    with pytest.raises(DataError, match=lacking):
        prepare(tiny_config(), corpus)
    if known:
        split = prepare(tiny_config(data={"contexts_missing": 0.5}), corpus).splits["dev"]
        assert split.coverage == {"used": known, "unknown": 12 - known}
    text = {"model": {"name": "text"}, "loss": {"views": ["T"], "cva": "none"}}
    for free in (text, {"context": {"substitute": "empty"}}):
        assert prepare(tiny_config(**free), corpus), "it trains on no context"


def test_training_never_opens_the_test_split(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    (corpus / "test.txt").unlink()
    train(tiny_config(training={"epochs": 1}), root=corpus, out=tmp_path)


def test_patience_ends_a_run_early(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    config = tiny_config(training={"epochs": 30, "patience": 1, "encoder_lr": 5e-3})
    record = json.loads((train(config, root=corpus, out=tmp_path) / "record.json").read_text())
    assert record["steps"]["taken"] < record["steps"]["planned"]
    assert len(record["epochs"]) == record["best_epoch"] + 1


def test_init_carries_shared_labels_over(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    first = train(tiny_config(training={"epochs": 1}), root=corpus, out=tmp_path)
    for name in ("train", "dev"):
        path = corpus / f"{name}.txt"
        path.write_text(path.read_text().replace("ORG", "TEAM"))
    config = tiny_config(
        name="second",
        model={"init": str(first)},
        training={"epochs": 1, "encoder_lr": 1e-12, "feature_lr": 1e-12, "crf_lr": 1e-12},
    )
    second = train(config, root=corpus, out=tmp_path)
    old, new = read_model(first), read_model(second)
    assert set(new.labels) - set(old.labels) == {f"{part}-TEAM" for part in "BIES"}
    for label in set(new.labels) & set(old.labels):
        row, was = new.labels.index(label), old.labels.index(label)
        assert new.head["emission.bias"][row] == pytest.approx(old.head["emission.bias"][was], abs=1e-6)
        assert new.head["crf.start"][row] == pytest.approx(old.head["crf.start"][was], abs=1e-6)
    assert new.head["words.shapes.weight"] == pytest.approx(old.head["words.shapes.weight"], abs=1e-6)


def test_first_layers_alone_are_trained_and_saved(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    whole = train(tiny_config(training={"epochs": 1}), root=corpus, out=tmp_path)
    run = train(tiny_config(name="short", model={"layers": 1}, training={"epochs": 1}), root=corpus, out=tmp_path)
    layers = [
        {name.split(".layer.")[1].split(".")[0] for name in weights(folder) if ".layer." in name}
        for folder in (whole, run)
    ]
    assert layers == [{"0", "1"}, {"0"}]
    config = json.loads((run / "model" / "encoder" / "config.json").read_text())
    assert config["num_hidden_layers"] == 1
    assert mner.load(run, use_images=False)("Kevin wins").entities is not None
    with pytest.raises(ConfigError, match=r"model\.layers: 9, but the encoder has 2"):
        train(tiny_config(name="long", model={"layers": 9}), root=corpus, out=tmp_path)
    with pytest.raises(ModelError, match=r"its encoder is not the one of model\.encoder"):
        train(tiny_config(name="more", model={"init": str(run)}), root=corpus, out=tmp_path)
