"""Attributes by CLIP and SigLIP, on tiny random models in the hub's layout."""

from __future__ import annotations

import pytest
import torch
import transformers
from PIL import Image
from pydantic import ValidationError

from mner.config import VisionConfig
from mner.errors import DataError, ModelError
from mner.types import Tag
from mner.vision.attributes import zeroshot
from mner.vision.backends import Backends
from mner.vision.networks import compare
from mner.vision.networks.load import load
from mner.vision.vocabulary import read_names

PICTURE = Image.effect_noise((200, 100), 80).convert("RGB")
BOX = (10.0, 10.0, 90.0, 90.0)


def describer(tiny_vision, architecture="clip", **options) -> zeroshot.Describer:
    return zeroshot.Describer(zeroshot.Options(model=str(tiny_vision(architecture)), **options))


def with_fits(monkeypatch, rows):
    """Says how well each attribute of the list fits each crop; keeps the crops."""
    crops, left = [], list(rows)
    monkeypatch.setattr(compare, "fits", lambda network, crop, texts: crops.extend(crop) or [left.pop(0) for _ in crop])
    return crops


@pytest.mark.parametrize("architecture", ["clip", "siglip"])
def test_fits_are_the_models_own(tiny_vision, architecture):
    network = load(tiny_vision(architecture), architecture)
    prompts, crops = ["red", "blue sky", "old"], [PICTURE.crop((0, 0, 60, 60)), PICTURE.crop((50, 20, 190, 80))]
    result = compare.fits(network, crops, compare.texts(network, prompts))
    padding = "max_length" if architecture == "siglip" else True
    model = transformers.AutoModel.from_pretrained(tiny_vision(architecture)).eval()
    images = transformers.AutoImageProcessor.from_pretrained(tiny_vision(architecture))
    built = {**network.tokenizer(prompts, padding=padding, return_tensors="pt"), **images(crops, return_tensors="pt")}
    with torch.inference_mode():
        logits = model(**built).logits_per_image
    expected = logits.sigmoid() if architecture == "siglip" else logits.softmax(dim=-1)
    assert torch.allclose(torch.tensor(result), expected, atol=1e-5)


def test_three_attributes_over_the_threshold_by_probability(tiny_vision, monkeypatch, tmp_path):
    (tmp_path / "list.txt").write_text("red\nold\nround\nshiny\nwet\n")
    crops = with_fits(monkeypatch, [[0.11, 0.5, 0.1, 0.12, 0.13], [0.1, 0.0, 0.0, 0.0, 0.0]])
    describe = describer(tiny_vision, attributes=str(tmp_path / "list.txt"))
    tags = [Tag("ball", confidence=0.9, box=BOX), Tag("dog", confidence=0.8, box=(100, 0, 200, 100))]
    assert [tag.attributes for tag in describe(PICTURE, tags)] == [("old", "wet", "shiny"), ()]
    assert [crop.size for crop in crops] == [(80, 80), (100, 100)]


def test_people_get_no_colour(tiny_vision, monkeypatch, tmp_path):
    (tmp_path / "list.txt").write_text("Black\nold\n")
    with_fits(monkeypatch, [[0.6, 0.4]] * 3)
    tags = [Tag(name, box=BOX) for name in ("ball", "man", "Basketball Player")]
    described = describer(tiny_vision, attributes=str(tmp_path / "list.txt"))(PICTURE, tags)
    assert [tag.attributes for tag in described] == [("Black", "old"), ("old",), ("old",)]


def test_tags_that_need_none_stay_as_they_are(tiny_vision, monkeypatch):
    crops = with_fits(monkeypatch, [])
    tags = [
        Tag("ball", attributes=("old",), box=BOX),
        Tag("dog"),
        Tag(text="a red ball", box=BOX),
        Tag("speck", box=(0, 0, 7, 90)),
    ]
    assert describer(tiny_vision)(PICTURE, tags) == tags and crops == []


def test_crops_come_in_batches(tiny_vision, monkeypatch):
    sizes = []
    real = compare.fits
    monkeypatch.setattr(compare, "fits", lambda net, batch, texts: sizes.append(len(batch)) or real(net, batch, texts))
    described = describer(tiny_vision, batch=2, threshold=0.0)(PICTURE, [Tag("ball", box=BOX)] * 5)
    assert sizes == [2, 2, 1]
    assert all(len(tag.attributes) == 3 for tag in described) and described == described[:1] * 5


def test_learned_attributes_take_the_place_of_measured_ones_where_set(tiny_vision):
    model = {"hub": {"model": str(tiny_vision("rt_detr"))}}
    plain = Backends(VisionConfig(detector="hub", captioner="", ocr="", options=model))
    learned = {**model, "zeroshot": {"model": str(tiny_vision("clip")), "threshold": 0}}
    chosen = Backends(VisionConfig(detector="hub", captioner="", ocr="", options=learned))
    assert plain.fingerprint != chosen.fingerprint
    (tag,) = chosen["attributes"](PICTURE, [Tag("ball", box=(0, 0, 200, 100))])
    assert len(tag.attributes) == 3 and set(tag.attributes) <= set(read_names(zeroshot.PACKAGED))
    (tag,) = plain["attributes"](PICTURE, [Tag("ball", box=(0, 0, 200, 100))])
    assert tag.attributes[0] == "large"


def test_other_models_and_bad_lists_are_refused(tiny_vision, tmp_path):
    with pytest.raises(ModelError, match=r'zeroshot\.model.*architecture "blip"; this backend runs clip, siglip'):
        describer(tiny_vision, "blip")
    (tmp_path / "list.txt").write_text("red\nred\n")
    with pytest.raises(DataError, match=r"list\.txt:2: 'red' is in line 1"):
        describer(tiny_vision, attributes=str(tmp_path / "list.txt"))
    with pytest.raises(ValidationError, match="one"):
        zeroshot.Options(prompt="no place")


def test_packaged_list_is_short_and_plain():
    names = read_names(zeroshot.PACKAGED)
    assert 100 < len(names) < 250 and all(name == name.lower() for name in names)
