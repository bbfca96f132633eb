"""VinVL-CRF: its layer for regions starts from the published weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from derivation import at_words, linear, oscar, windows
from safetensors.torch import load_file, save_file
from systems import TAGS, WIDTH, assert_scores, batch_of, built, scores, settings, three, windowed

from mner import config as configs
from mner import encoders, models
from mner.errors import ConfigError
from mner.models.parts.regions import BOX
from mner.runtime.torch import head_state
from mner.training.initial import start_layers
from mner.training.records import size
from mner.views import Views

ROWS = Path(__file__).resolve().parents[2] / "configs" / "rows"


def test_scores_equal_their_derivation(tiny_encoder: Path) -> None:
    model, arrays = windowed("vinvl", tiny_encoder, TAGS)
    words = model.tagger.words
    hidden = [oscar(model.regions, arrays, window) for window in windows(arrays, words.encoder, words.shapes)]
    assert_scores(model, arrays, [linear(model.tagger.emission, at_words(arrays, hidden, post)) for post in range(3)])


def published(encoder: Path, folder: Path, width: int = WIDTH) -> Path:
    """The tiny encoder with layers for regions beside it, as ``mner encoder import`` leaves them."""
    shutil.copytree(encoder, folder)
    state = load_file(folder / "model.safetensors")
    hidden = next(value.shape[1] for name, value in state.items() if "word_embeddings" in name)
    generator = torch.Generator().manual_seed(3)
    state["img_embedding.weight"] = torch.randn(hidden, width + BOX, generator=generator)
    state["img_embedding.bias"] = torch.randn(hidden, generator=generator)
    state["img_norm.weight"], state["img_norm.bias"] = torch.ones(hidden) * 2, torch.ones(hidden)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize("norm", [True, False])
def test_regions_layer_starts_from_the_published_weights(norm: bool, tiny_encoder: Path, tmp_path: Path) -> None:
    folder = published(tiny_encoder, tmp_path / "vinvl")
    config = settings("vinvl", folder, start="published", norm=norm)
    model, _ = built(config)
    start_layers(model, models.needs(config).start, [folder])
    weights = load_file(folder / "model.safetensors")
    assert torch.equal(model.regions.visual.weight, weights["img_embedding.weight"])
    assert torch.equal(model.regions.visual.bias, weights["img_embedding.bias"])
    if norm:
        assert torch.equal(model.regions.norm.weight, weights["img_norm.weight"])


def test_encoder_without_the_layer_and_one_of_another_width_are_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    config = settings("vinvl", tiny_encoder, start="published")
    model, _ = built(config)
    with pytest.raises(ConfigError, match=r"has no img_embedding\.weight, from which regions\.visual starts"):
        start_layers(model, models.needs(config).start, [tiny_encoder])
    wider = published(tiny_encoder, tmp_path / "wider", width=WIDTH + 1)
    with pytest.raises(ConfigError, match=r"img_embedding\.weight has the shape .* but regions\.visual needs"):
        start_layers(model, models.needs(config).start, [wider])


@pytest.mark.parametrize("row", ["vinvl", "bert-vinvl"])
def test_regions_take_no_room_from_the_longest_text(row: str, tiny_encoder: Path) -> None:
    own = configs.load(ROWS / f"{row}.toml").context
    name = row.replace("-", "_")
    config = settings(name, tiny_encoder)
    model, _ = built(config)
    views = Views(encoders.find(config.model.encoder), own)
    words = [["kevin"] * 600, ["phoenix"], ["jordan"]]
    batch = batch_of(views, config, three(name, 1, 2), words)
    longest = batch["I+T"].attention_mask.sum(1).max()
    assert longest == model.encoders()[0].config.max_position_embeddings == 512
    assert scores(model, batch).isfinite().all()


def test_encoder_that_two_parts_share_is_saved_and_counted_once(tiny_encoder: Path) -> None:
    model, _ = built(settings("vinvl", tiny_encoder))
    chain = {"crf.transitions", "crf.start", "crf.end"}
    regions = {f"regions.{part}.{kind}" for part in ("visual", "norm") for kind in ("weight", "bias")}
    assert head_state(model).keys() == {*chain, *regions, "emission.weight", "emission.bias", "words.shapes.weight"}
    assert size(model) == sum(parameter.numel() for parameter in model.parameters())
