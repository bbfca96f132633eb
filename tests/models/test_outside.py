"""A model that mner does not know: one file outside it, with an array, an extractor and encoders of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import mner
from mner.config import Config
from mner.data.listing import pictures
from mner.errors import ModelError
from mner.export import export
from mner.training.run import train
from mner.types import Post
from mner.vision.features import build

EXTRACTOR = """
import numpy as np
from pydantic import BaseModel

VERSION = 1


class Options(BaseModel):
    pass


class FeatureExtractor:
    def __init__(self, options, *, threads=0):
        pass

    def __call__(self, pictures, *, images):
        means = [np.asarray(picture.pixels, np.float32).mean((0, 1)) / 255 for picture in pictures]
        return [{"colour": mean[None]} for mean in means]  # (1, red green blue)
"""

MODEL = '''
import torch
from torch import nn

from mner.config.schema import Section
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import embedding_width, pool
from mner.views import Array, Needs


class Options(Section):
    networks: int = 1
    size: int = 16


class Model(nn.Module):
    """Embedded tokens, or one or two encoders summed, and a gate that the picture's colour opens."""

    def __init__(self, config, labels, *encoders):
        super().__init__()
        options = Options(**config.model.options)
        self.views = config.loss.views
        self.networks = nn.ModuleList(encoders)
        self.bare = None if encoders else nn.Embedding(200, options.size)
        width = encoders[0].config.hidden_size if encoders else options.size
        self.gate = nn.Linear(3, width)
        self.score = nn.Linear(width, len(labels))
        self.links = ChainCRF(len(labels))

    @property
    def crf(self):
        return self.links

    @staticmethod
    def needs(config):
        count = Options(**config.model.options).networks
        return Needs(encoders=(config.model.encoder,) * count, arrays=(Array("colour", ("post", 1, 3)),), context=False)

    def encoders(self):
        return tuple(self.networks)

    def parameter_groups(self):
        own = [p for name, p in self.named_parameters() if not name.startswith(("networks", "links"))]
        return {"encoder": list(self.networks.parameters()), "own": own, "crf": list(self.links.parameters())}

    def word_vectors(self, batch, view):
        arrays = batch[view]
        if "segments" in arrays:
            raise ValueError("windows that share a row have no place for their pictures")
        ids = {"input_ids": arrays["input_ids"], "attention_mask": arrays["attention_mask"]}
        hidden = [network(**ids).last_hidden_state for network in self.networks]
        words = pool(torch.stack(hidden).sum(0) if hidden else self.bare(arrays["input_ids"]), arrays["word_index"])
        return words + torch.tanh(self.gate(arrays["colour"])) * arrays["colour_mask"][..., None]

    def emissions(self, batch, view):
        return self.score(self.word_vectors(batch, view)).float()

    def losses(self, batch, gold):
        parts = {view: self.crf.nll(self.emissions(batch, view), gold, batch[view]["lengths"]) for view in self.views}
        return {"loss": sum(parts.values()), **parts}

    forward = losses
'''


@pytest.mark.parametrize("folders", [[], ["encoder"], ["encoder", "encoder2"]])
def test_model_of_one_file_trains_saves_loads_predicts_and_exports(
    folders: list[str],
    pictured: Callable[..., Config],
    album: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = tmp_path / "their_lab"
    package.mkdir()
    for name, text in (("__init__", ""), ("colour", EXTRACTOR), ("gated", MODEL)):
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    build(pictures(album / "photos"), album / "colours", extractor="their_lab.colour")
    config = pictured(
        data={"features": "colours"},
        vision={"features": "their_lab.colour", "options": {}},
        model={"name": "their_lab.gated", "options": {"networks": len(folders)}, "case_shape": False},
        loss={"views": ["T", "I+T"]},
        training={"epochs": 3, "encoder_lr": 5e-3, "lr": {"own": 2e-2}},
    )
    run = train(config, root=album, out=tmp_path / "runs")
    assert sorted(path.name for path in (run / "model").iterdir() if path.is_dir()) == folders
    head = load_file(run / "model" / "head.safetensors")
    assert {"gate.weight", "score.bias", "crf.transitions", "crf.start", "crf.end"} <= head.keys()
    losses = [json.loads(line)["losses"]["loss"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert losses[-1] < losses[0]

    with pytest.raises(ModelError, match=r"names code outside mner: their_lab\.colour, their_lab\.gated"):
        mner.load(run)
    tagger = mner.load(run, allow_plugins=True)
    post = Post("Kevin Love is back in Cleveland")
    seen = tagger(post, image=album / "photos" / "1.jpg")
    assert seen.image_status == "used"
    assert tagger(post).image_status == "none"
    export(run, out=tmp_path / "onnx", dev_config=run / "config.toml", threads=1, allow_plugins=True)
    small = mner.load(tmp_path / "onnx", backend="onnx", allow_plugins=True)(post, image=album / "photos" / "1.jpg")
    assert [(entity.start, entity.label) for entity in small.entities] == [
        (entity.start, entity.label) for entity in seen.entities
    ]
    np.testing.assert_allclose([e.score for e in small.entities], [e.score for e in seen.entities], atol=1e-4)
