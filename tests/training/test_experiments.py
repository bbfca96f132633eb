"""Hub encoders, controls, and several passes an epoch: one step or two of each on tiny encoders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

from mner import config as configs
from mner.config import Config
from mner.errors import DataError
from mner.runs.evaluate import evaluate
from mner.training import Event, train

Make = Callable[..., Config]
CONFIGS = Path(__file__).resolve().parents[2] / "configs"
WORDS = "Kevin kevin Love love is back in Cleveland Real Madrid won a team game two people !".split()
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def bert(folder: Path) -> Path:
    """A random cased BERT as the hub lays it out, with the heads of its pretraining."""
    from transformers import BertConfig, BertForPreTraining

    letters = sorted({letter for word in WORDS for letter in word})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(WORDS + letters)]
    vocabulary += [f"##{letter}" for letter in letters]
    tokenizer = Tokenizer(models.WordPiece({t: i for i, t in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(vocabulary[:5])
    BertForPreTraining(BertConfig(vocab_size=len(vocabulary), **SIZES)).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false, "model_max_length": 512}')
    return folder


def xlmr(folder: Path) -> Path:
    """A random XLM-R as the hub lays it out: SentencePiece, positions from 2 on, one segment, its language head."""
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *(f"▁{word}" for word in WORDS)]
    pieces += sorted({letter for word in WORDS for letter in word} - {*pieces})
    vocabulary = [(piece, 0.0 if number < 4 else -float(number)) for number, piece in enumerate(pieces)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    sizes = {"vocab_size": len(pieces) + 1, "max_position_embeddings": 514, "type_vocab_size": 1}
    config = XLMRobertaConfig(pad_token_id=1, bos_token_id=0, eos_token_id=2, **sizes, **SIZES)
    XLMRobertaForMaskedLM(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 512}')
    return folder


@pytest.mark.parametrize("data", ["twitter15", "twitter17"])
@pytest.mark.parametrize(
    ("name", "make", "prefix", "posts", "rate"),
    [
        ("bert-base-cased", bert, "bert.", 16, 5e-5),
        ("xlm-roberta-large", xlmr, "roberta.", 4, 5e-6),
    ],
)
def test_hub_encoder_takes_a_step_at_the_rates_of_the_paper(
    corpus: Path,
    tmp_path: Path,
    data: str,
    name: str,
    make: Callable[[Path], Path],
    prefix: str,
    posts: int,
    rate: float,
) -> None:
    torch.manual_seed(0)
    encoder = make(tmp_path / "encoder")
    with safe_open(encoder / "model.safetensors", "np") as weights:
        assert any(key.startswith(prefix) for key in weights.keys())  # noqa: SIM118 (no mapping)
    loaded = configs.load(CONFIGS / "rows" / "ita-ga-cva.toml", base=CONFIGS / f"{data}-{name}.toml")
    assert loaded.model.encoder == name and loaded.name == f"ita-ga-cva-{name}"
    assert not loaded.model.case_shape, "the encoder sees capitals itself"
    settings = loaded.training
    assert (settings.posts_per_step, settings.encoder_lr, settings.crf_lr, settings.epochs) == (posts, rate, 0.05, 10)
    text = (corpus / "train.txt").read_text().split("\n\n")[:12]
    (corpus / "train.txt").write_text("\n\n".join((text * 2)[:posts]) + "\n\n")
    table = loaded.model_dump(mode="json", exclude_none=True)
    table["data"] |= {"root": ".", "train": "train.txt", "dev": "dev.txt", "contexts": ["contexts.jsonl"]}
    table["context"]["captions"] = [""]
    table["model"]["encoder"] = str(encoder)
    table["training"] |= {"epochs": 1, "device": "cpu", "threads": 1, "precision": "fp32"}
    steps: list[Event] = []
    run = train(configs.check(table), root=corpus, out=tmp_path / "runs", watch=steps.append)
    record = json.loads((run / "record.json").read_text())
    assert record["steps"] == {"taken": 1, "planned": 1}
    assert record["splits"]["train"]["contexts"] == {"used": posts}
    losses = [event.losses for event in steps if event.losses]
    assert len(losses) == 1 and set(losses[0] or {}) == {"loss", "T", "I+T", "cva"}
    assert all(torch.isfinite(torch.tensor(loss)) for loss in (losses[0] or {}).values())


def test_passes_double_the_steps_and_not_the_looks_at_dev(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    once = train(tiny_config(), root=corpus, out=tmp_path)
    twice = train(tiny_config(name="twice", training={"passes": 2}), root=corpus, out=tmp_path)
    records = [json.loads((run / "record.json").read_text()) for run in (once, twice)]
    assert [record["steps"]["taken"] for record in records] == [6, 12]
    assert [len(record["epochs"]) for record in records] == [2, 2]
    # Another pass is another order, so the first epoch's second pass does not repeat the first.
    assert records[0]["epochs"][0]["losses"] != records[1]["epochs"][0]["losses"]


def test_broken_run_of_several_passes_continues_exactly(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    class Killed(BaseException):
        """Nothing catches it."""

    def watch(event: Event) -> None:
        if event.kind == "step" and event.step == 8:  # in the second epoch; the last checkpoint is at its beginning
            raise Killed

    config = tiny_config(training={"passes": 2})
    whole = train(config, root=corpus, out=tmp_path / "whole")
    with pytest.raises(Killed):
        train(config, root=corpus, out=tmp_path / "broken", watch=watch)
    broken = train(config, root=corpus, out=tmp_path / "broken")
    loaded = [json.loads((run / "record.json").read_text())["epochs"] for run in (whole, broken)]
    assert [epoch["losses"] for epoch in loaded[0]] == [epoch["losses"] for epoch in loaded[1]]


@pytest.mark.parametrize(("kind", "coverage"), [("empty", {"empty": 12}), ("shuffled", {"used": 12})])
def test_controls_train_and_are_evaluated_on_what_stands_for_the_context(
    corpus: Path, tiny_config: Make, tmp_path: Path, kind: str, coverage: dict[str, int]
) -> None:
    run = train(tiny_config(context={"substitute": kind}, training={"epochs": 1}), root=corpus, out=tmp_path)
    record = json.loads((run / "record.json").read_text())
    assert record["splits"]["train"]["contexts"] == record["splits"]["dev"]["contexts"] == coverage
    scores = evaluate(run, results=tmp_path / "results").to_dict()
    calibrated = [scores[view]["calibration"]["micro"]["entities"] for view in ("T", "I+T")]
    assert calibrated == [scores[view]["micro"]["predicted"] for view in ("T", "I+T")]
    assert scores == record["dev"]
    if kind == "empty":
        assert scores["T"]["micro"] == scores["I+T"]["micro"], "without a context both views are one"


def test_seed_draws_other_pictures(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"image": f"{number}.jpg", "captions": [{"text": "dog " * number}]} for number in range(1, 13)
    ]
    (corpus / "contexts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    from mner.training.job import prepare

    jobs = [prepare(tiny_config(seed=seed, context={"substitute": "shuffled"}), corpus) for seed in (1, 1, 2)]
    prints = [job.splits["train"].fingerprint for job in jobs]
    assert prints[0] == prints[1] != prints[2]


def test_shuffling_one_picture_is_refused(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    (corpus / "contexts.jsonl").write_text('{"image": "1.jpg", "captions": [{"text": "a dog"}]}\n')
    with pytest.raises(DataError, match=r"1\.jpg is the only picture"):
        train(tiny_config(context={"substitute": "shuffled"}), root=corpus, out=tmp_path)
