"""Small random encoders and models, saved in the real layouts, that every room's tests share."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.browser import browse as browse
from tests.browser import browser as browser

# The same examples in every run of continuous integration; by hand, new ones each time. No deadlines: machines differ.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("hand", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "hand")

# Workers share the cores: threads of one that spin while they wait take the time of another. Read when torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A script that starts the tests in its background has them ignore Ctrl-C, and so would all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)

WORDS = (
    "kevin love is back in cleveland the city new york jordan was unreal last night a an of and on at for with "
    "paris phoenix team won game photo two people dog it looks like stadium poster ticket boarding pass gate map "
    "museum open today concert band album out now we are going to see real madrid @ # http : / . , ! ? ' - & "
    "rt i you he she they my your our good bad"
).split()


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of two layers, 32 wide, with a WordPiece tokenizer, in the Hugging Face layout."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny-encoder")
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + [str(d) for d in range(10)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(WORDS + letters)]
    vocabulary += [f"##{letter}" for letter in letters]
    tokenizer = Tokenizer(models.WordPiece({t: i for i, t in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "BertTokenizerFast",
                "pad_token": "[PAD]",
                "unk_token": "[UNK]",
                "cls_token": "[CLS]",
                "sep_token": "[SEP]",
                "mask_token": "[MASK]",
                "model_max_length": 512,
            }
        )
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory of an untrained ITA with the labels LOC, MISC, ORG, PER on the tiny encoder."""
    import torch

    from mner import config as configs
    from mner import tags
    from mner.encoders import find
    from mner.models import build
    from mner.runtime.torch import load_encoder, save
    from mner.views import Views

    config = configs.check({"name": "tiny", "model": {"encoder": str(tiny_encoder), "case_shape": True}})
    labels = tags.bioes_labels(["PER", "LOC", "ORG", "MISC"])
    torch.manual_seed(1)
    model = build(config, labels, load_encoder(tiny_encoder))
    torch.nn.init.normal_(model.tagger.emission.weight, std=1.0)  # untrained, yet it finds something
    torch.nn.init.normal_(model.tagger.words.shapes.weight, std=0.5)
    files = find(str(tiny_encoder))
    folder = tmp_path_factory.mktemp("tiny-model") / "model"
    save(
        model,
        folder,
        config=config,
        labels=labels,
        tokenizer=files.tokenizer,
        encoder={"name": files.name, "max_tokens": files.max_tokens, "pad_id": Views(files, config.context).pad_id},
        card="# tiny\n\nA random model for tests.\n",
    )
    return folder


@pytest.fixture(scope="session")
def posts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve short posts in the twitter layout, with pictures named 1.jpg to 12.jpg."""
    text = "".join(
        f"IMGID:{number}\n"
        + (
            "Kevin\tB-PER\nLove\tI-PER\nis\tO\nback\tO\nin\tO\nCleveland\tB-LOC\n\n"
            if number % 2
            else "Real\tB-ORG\nMadrid\tI-ORG\nwon\tO\n!\tO\n\n"
        )
        for number in range(1, 13)
    )
    path = tmp_path_factory.mktemp("posts") / "train.txt"
    path.write_text(text, encoding="utf-8")
    return path


CONTEXTS: dict[str, dict[str, Any]] = {
    "blip2": {"context": {"captions": ["blip2", "catr"]}},
    "standin": {
        "context": {"order": ["captions", "tags"]},
        "data": {"contexts": ["contexts/twitter2015.nouns.jsonl"]},
    },
}
"""What the experiments of a variant read, where that is another kind of contexts."""


def identity(name: str) -> dict[str, Any]:
    """What a record of this name says of itself in these tests; its name may end with an encoder and "-tuned"."""
    experiment = name.removesuffix("-tuned")
    variants = ("mpnet-warm", "mpnet", "e5", "blip2", "standin")
    variant = next((end for end in variants if experiment.endswith(f"-{end}")), "")
    experiment = experiment.removesuffix(f"-{variant}")
    return {"experiment": experiment, "variant": variant, "tuned": name.endswith("-tuned")}


@pytest.fixture
def make_record() -> Callable[..., dict[str, Any]]:
    """A function that makes a finished run's record on four posts, from what each view finds in them.

    Gold: LOC and PER in the first post, PER in the third, LOC in the fourth. Keywords replace keys of the record.
    """
    from mner.data import stamp
    from mner.evaluation import Signature, evaluate_views
    from mner.evaluation.outcomes import outcomes
    from mner.types import Post, Span

    gold = ((Span(0, 1, "LOC"), Span(1, 3, "PER")), (), (Span(0, 2, "PER"),), (Span(0, 1, "LOC"),))
    offsets = ((0, 1), (2, 3), (4, 5))
    posts = [Post(str(number), "a b c", ("a", "b", "c"), offsets, spans) for number, spans in enumerate(gold)]
    posts_stamp = stamp(posts)

    def make(
        row: str,
        seed: int,
        spans: Mapping[str, Sequence[Sequence[Span]]],
        *,
        scored: Sequence[str] = ("dev", "test"),
        decode: str = "unconstrained",
        **changes: Any,
    ) -> dict[str, Any]:
        tables: dict[str, Any] = {split: {} for split in scored}
        for view, scores in evaluate_views(posts, spans).items():  # type: ignore[arg-type]
            for split in scored:
                data = f"tiny/{split}@{posts_stamp.fingerprint[:6]}"
                signature = Signature(f1=(scores.micro.f1,), view=view, data=data, decode=decode, mner="0.1")
                tables[split][view] = scores.to_dict(str(signature))
        own = identity(row)
        return {
            "format": 1,
            "data": "tiny",
            "row": row,
            "seed": seed,
            "identity": own,
            "config_fingerprint": f"c{seed}",
            "config": {
                "seed": seed,
                "model": {"name": "text" if row.startswith("text") else "ita"},
                "loss": {"views": ["T"] if row.startswith("text") else ["T", "I+T"]},
                "training": {"epochs": 2, "threads": seed},
                "decode": {"constrained": decode == "constrained"},
                **CONTEXTS.get(own["variant"], {}),
            },
            "encoder": {"name": "tiny"},
            "model": f"m{seed}",
            "parameters": 1_500_000,
            "splits": {
                "train": {"fingerprint": "aaaaaaaaaaaa", "posts": 4},
                "dev": {"fingerprint": posts_stamp.fingerprint},
            },
            "best_epoch": 1,
            "epochs": [{}, {}],
            "outcomes": {split: outcomes(posts, spans, posts_stamp) for split in scored},
            "seconds": 60.0 * seed,
            "cpu_seconds": 150.0,
            "peak_memory_mib": 100.0 + seed,
            "precision": "no",
            "machine": {"cpu": "a CPU", "flags": ["avx2"], "cores": 2},
            "finished": "2026-01-01",
            "versions": {"mner": "0.1"},
            **tables,
            **changes,
        }

    return make


@pytest.fixture
def commit(tmp_path: Path) -> Callable[[Mapping[str, Any]], Path]:
    """A function that writes a record to ``results/<data>/<row>/<seed>.json`` and returns the row's folder."""

    def write(record: Mapping[str, Any]) -> Path:
        folder = tmp_path / "results" / record["data"] / record["row"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{record['seed']}.json").write_text(json.dumps(record))
        return folder

    return write
