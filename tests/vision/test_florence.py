"""Florence-2 as detector, captioner and OCR engine at once, on a tiny random model in the hub's layout."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from PIL import Image
from transformers.modeling_outputs import ModelOutput

from mner.config import VisionConfig
from mner.errors import ConfigError, ModelError
from mner.vision.backends import Backends
from mner.vision.captioners import hub as captioners
from mner.vision.detectors import hub as detectors
from mner.vision.extract import Extractor
from mner.vision.networks import florence
from mner.vision.networks.load import load, quiet
from mner.vision.ocr import hub as ocr

PICTURE = Image.effect_noise((200, 100), 80).convert("RGB")


@pytest.fixture
def network(tiny_vision):
    return load(tiny_vision("florence2"), "florence2")


@pytest.fixture
def writes(network, monkeypatch):
    """Makes the network write a given text, whatever the picture; says which prompts it got."""

    def set_text(text: str) -> None:
        ids = network.tokenizer(f"</s><s>{text}</s>", add_special_tokens=False, return_tensors="pt")["input_ids"]
        monkeypatch.setattr(network.model, "generate", lambda **given: ModelOutput(sequences=ids))

    return set_text


def places(*numbers: int) -> str:
    return "".join(f"<loc_{number}>" for number in numbers)


def config(folder, **options) -> VisionConfig:
    return VisionConfig(detector="hub", captioner="hub", ocr="hub", options={"hub": {"model": str(folder), **options}})


def test_one_network_serves_all_three_and_sees_a_picture_once(tiny_vision, network, monkeypatch):
    backends = Backends(config(tiny_vision("florence2")), threads=1)
    assert all(backends[part]._network is network for part in ("detector", "captioner", "ocr"))
    seen = []
    real = network.model.get_image_features
    monkeypatch.setattr(network.model, "get_image_features", lambda pixels: seen.append(1) or real(pixels))
    short = {"detector": {"tokens": 16}, "ocr": {"tokens": 16}, "captioner": {"captions": 2, "beams": 2, "tokens": 4}}
    extractor = Extractor(config(tiny_vision("florence2"), **short), threads=1)
    for number in range(2):
        context = extractor.read(PICTURE.rotate(90 * number), image=f"{number}.jpg")
        assert (context.status, context.reason) == ("ok", None)
        assert len(seen) == number + 1


def test_writing_equals_the_models_own_way(network):
    (result,) = florence._written(network, [PICTURE], florence.CAPTION, tokens=12, beams=4, count=3)
    built = network.processor(images=PICTURE, text=florence.CAPTION, return_tensors="pt")
    with torch.inference_mode(), quiet():
        ids = network.model.generate(**built, num_beams=4, num_return_sequences=3, max_new_tokens=12, do_sample=False)
    assert [text for text, _ in result] == network.processor.batch_decode(ids)
    assert [score for _, score in result] == sorted((score for _, score in result), reverse=True)


def test_regions_become_tags_with_ready_texts(tiny_vision, writes):
    writes(f"a red ball{places(0, 0, 499, 499)}two dogs{places(500, 0, 999, 999)}")
    detector = detectors.Detector(detectors.Options(model=str(tiny_vision("florence2"))))
    tags = detector(PICTURE)
    assert [(tag.text, tag.object, tag.confidence, tag.source) for tag in tags] == [
        ("a red ball", "", None, "hub"),
        ("two dogs", "", None, "hub"),
    ]
    assert [tag.box for tag in tags] == [(0, 0, 99, 49), (100, 0, 199, 99)]  # thousandths of the picture, cut down


def test_objects_become_tags_with_names(tiny_vision, writes):
    writes(f"dog{places(0, 0, 499, 499)}{places(100, 100, 400, 400)}person{places(5, 5, 5, 900)}")
    detector = detectors.Detector(detectors.Options(model=str(tiny_vision("florence2")), task="objects"))
    assert [(tag.object, tag.text) for tag in detector(PICTURE)] == [("dog", None), ("dog", None)]


def test_regions_keep_their_texts_where_attributes_are_measured(tiny_vision, writes):
    writes(f"a red ball{places(0, 0, 999, 999)}")
    chosen = VisionConfig(
        detector="hub", captioner="", ocr="", options={"hub": {"model": str(tiny_vision("florence2"))}}
    )
    (tag,) = Extractor(chosen).read(PICTURE, image="1.jpg").tags
    assert (tag.text, tag.attributes) == ("a red ball", ())


def test_text_comes_in_reading_order_with_upright_boxes(tiny_vision, writes):
    right = places(600, 100, 900, 120, 900, 220, 600, 200)
    left, below = places(100, 110, 400, 110, 400, 210, 100, 210), places(100, 600, 400, 600, 400, 700, 100, 700)
    writes(f"EXIT{right}below{below}way{left}x{left}")
    lines = ocr.Reader(ocr.Options(model=str(tiny_vision("florence2"))))(PICTURE)
    assert [(line.text, line.confidence, line.source) for line in lines] == [
        ("way", None, "hub"),
        ("EXIT", None, "hub"),
        ("below", None, "hub"),
    ]
    assert lines[1].box == (120, 10, 180, 22)


@pytest.mark.parametrize("detail", ["short", "detailed", "more"])
def test_caption_has_no_special_tokens(tiny_vision, writes, detail):
    writes("A dog on a\nbeach.<pad><pad>")
    options = captioners.Options(model=str(tiny_vision("florence2")), detail=detail, captions=1, beams=1)
    (caption,) = captioners.Captioner(options)(PICTURE, [], scenes=[], ocr=[])
    assert (caption.text, caption.score) == ("A dog on a beach.", None)


def test_other_networks_cannot_read(tiny_vision):
    with pytest.raises(ModelError, match=r'architecture "blip"; this backend runs florence2'):
        ocr.Reader(ocr.Options(model=str(tiny_vision("blip"))))


def test_options_of_one_part_stay_with_it(tiny_vision):
    folder = tiny_vision("florence2")
    backends = Backends(config(folder, detector={"task": "objects"}, captioner={"captions": 1}))
    assert backends._options["detector"].task == "objects"
    assert backends._options["captioner"].captions == 1
    with pytest.raises(ConfigError) as caught:
        Backends(config(folder, tokens=30, captions=1, ocr={"captions": 1}, captioner={"tokens": 0}))
    said = str(caught.value)
    assert "vision.options.hub.ocr.captions: Extra inputs" in said
    assert "vision.options.hub.captioner.tokens: " in said
    assert "vision.options.hub.captions: Extra inputs" in said  # the detector has no such key


def test_network_is_freed_with_its_backends(tiny_vision, tmp_path):
    import shutil

    folder = shutil.copytree(tiny_vision("git"), tmp_path / "git")
    held = load(folder, "git")
    assert load(folder, "git") is held
    watch = weakref.ref(held)
    del held
    gc.collect()
    assert watch() is None
