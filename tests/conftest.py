"""Small random encoders and models, saved in the real layouts, that every room's tests share."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run of continuous integration; by hand, new ones each time.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

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
