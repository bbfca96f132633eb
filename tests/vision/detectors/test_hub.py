"""Detectors of the hub, on tiny random models in the hub's layout, through the extractor a user runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from PIL import Image

from mner.config import VisionConfig
from mner.errors import ConfigError, DataError, ModelError
from mner.vision.detectors import hub, openvocab
from mner.vision.extract import Extractor
from mner.vision.networks import boxes
from mner.vision.networks.load import load

DETECTORS = ["detr", "rt_detr", "rt_detr_v2", "d_fine"]
PICTURE = Image.effect_noise((120, 90), 80).convert("RGB")


def extracted(detector: str, **options):
    config = VisionConfig(detector=detector, captioner="", ocr="", options={detector: options})
    context = Extractor(config, threads=1).read(PICTURE, image="1.jpg")
    assert (context.status, context.reason) == ("ok", None)
    return context.tags


def processors_own(folder: Path, threshold: float):
    """Scores, labels and boxes as transformers gives them by the way its documentation shows."""
    images = transformers.AutoImageProcessor.from_pretrained(folder)
    model = transformers.AutoModelForObjectDetection.from_pretrained(folder).eval()
    with torch.inference_mode():
        outputs = model(**images(images=PICTURE, return_tensors="pt"))
    sizes = torch.tensor([(PICTURE.height, PICTURE.width)])
    (result,) = images.post_process_object_detection(outputs, threshold=threshold, target_sizes=sizes)
    names = [model.config.id2label[each] for each in result["labels"].tolist()]
    return list(zip(names, result["scores"].tolist(), result["boxes"].tolist(), strict=True))


@pytest.mark.parametrize("architecture", DETECTORS)
def test_objects_are_the_processors_own(tiny_vision, architecture):
    folder = tiny_vision(architecture)
    expected = processors_own(folder, 0.2)
    tags = extracted("hub", model=str(folder), threshold=0.2)
    assert len(expected) == 12 and len(tags) >= 6  # a box that is less than a pixel in the picture is left out
    rows = [(name, pytest.approx(score, abs=1e-4)) for name, score, _ in expected]
    assert all((tag.object, tag.confidence) in rows for tag in tags)
    for tag in tags:
        near = [box for name, score, box in expected if name == tag.object and abs(score - tag.confidence) < 1e-4]
        cut = [[min(max(side, 0), end) for side, end in zip(box, PICTURE.size * 2, strict=True)] for box in near]
        assert any(tag.box == pytest.approx(box, abs=0.06) for box in cut)
    assert [tag.confidence for tag in tags] == sorted((tag.confidence for tag in tags), reverse=True)


def test_objects_are_at_most_as_many_as_told(tiny_vision):
    folder = str(tiny_vision("rt_detr"))
    every = extracted("hub", model=folder, threshold=0.05)
    assert extracted("hub", model=folder, threshold=0.05, most=3) == every[:3]
    assert extracted("hub", model=folder, threshold=0.99) == ()


def test_model_without_names_of_classes_is_refused(tiny_vision, tmp_path):
    folder = shutil.copytree(tiny_vision("rt_detr"), tmp_path / "unnamed")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {str(each): f"LABEL_{each}" for each in range(4)}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="names no classes"):
        hub.Detector(hub.Options(model=str(folder)))


def test_detr_on_timm_says_which_revision_needs_none(tiny_vision, tmp_path):
    folder = shutil.copytree(tiny_vision("detr"), tmp_path / "timm")
    config = json.loads((folder / "config.json").read_text())
    config.update(backbone_config=None, backbone="resnet50", use_timm_backbone=True)
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"timm.*no_timm"):
        hub.Detector(hub.Options(model=str(folder)))


@pytest.mark.parametrize(
    ("backend", "architecture", "said"),
    [
        (hub, "owlv2", 'architecture "owlv2".*detr, florence2, rt_detr.*vision.detector = "openvocab"'),
        (hub, "blip", 'architecture "blip"'),
        (openvocab, "rt_detr", 'architecture "rt_detr".*grounding-dino, owlv2.*vision.detector = "hub"'),
    ],
)
def test_model_of_another_architecture_is_refused_by_name(tiny_vision, tmp_path, backend, architecture, said):
    (tmp_path / "names.txt").write_text("cat\n")
    given = {"vocabulary": str(tmp_path / "names.txt")} if backend is openvocab else {}
    with pytest.raises(ModelError, match=said):
        backend.Detector(backend.Options(model=str(tiny_vision(architecture)), **given))


@pytest.fixture
def names(tmp_path) -> Path:
    path = tmp_path / "names.txt"
    path.write_text("cat\n# a comment\n\nred ball\ntraffic  light\nTrophy\n", encoding="utf-8")
    return path


def test_owl_finds_the_processors_own(tiny_vision, names):
    folder = tiny_vision("owlv2")
    tags = extracted("openvocab", model=str(folder), vocabulary=str(names), threshold=0.3)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    processor = transformers.Owlv2Processor(transformers.AutoImageProcessor.from_pretrained(folder), tokenizer)
    model = transformers.Owlv2ForObjectDetection.from_pretrained(folder).eval()
    listed = ["cat", "red ball", "traffic light", "Trophy"]
    texts = [[f"a photo of a {each}" for each in listed]]
    with torch.inference_mode():
        outputs = model(**processor(text=texts, images=PICTURE, truncation=True, return_tensors="pt"))
    (result,) = processor.post_process_grounded_object_detection(
        outputs, threshold=0.3, target_sizes=[(PICTURE.height, PICTURE.width)], text_labels=[listed]
    )
    assert tags
    for tag in tags:
        rows = zip(result["text_labels"], result["scores"].tolist(), result["boxes"].tolist(), strict=True)
        near = [box for name, score, box in rows if name == tag.object and abs(score - tag.confidence) < 1e-4]
        cut = [[min(max(side, 0), end) for side, end in zip(box, PICTURE.size * 2, strict=True)] for box in near]
        assert any(tag.box == pytest.approx(box, abs=0.06) for box in cut)


def test_grounding_gives_names_of_the_vocabulary(tiny_vision, names):
    folder = tiny_vision("grounding-dino")
    tags = extracted("openvocab", model=str(folder), vocabulary=str(names), threshold=0.3)
    assert tags and {tag.object for tag in tags} <= {"cat", "red ball", "traffic light", "Trophy"}
    network = load(folder, "grounding-dino")
    (question,) = boxes.ask(network, ["cat", "red ball"])
    words = network.tokenizer.convert_ids_to_tokens(question.text["input_ids"][0])
    stored = [[word for word, inside in zip(words, row, strict=True) if inside] for row in question.tokens.tolist()]
    assert stored == [["cat"], ["red", "ball"]]


def test_grounding_boxes_are_the_processors_own(tiny_vision):
    network = load(tiny_vision("grounding-dino"), "grounding-dino")
    built = network.processor(images=PICTURE, text=[["cat", "red ball"]], return_tensors="pt")
    with torch.inference_mode():
        outputs = network.model(**built)
    size = [(PICTURE.height, PICTURE.width)]
    (expected,) = network.processor.post_process_grounded_object_detection(
        outputs, built["input_ids"], threshold=0.3, target_sizes=size
    )
    (result,) = boxes.find(network, [PICTURE], boxes.ask(network, ["cat", "red ball"]), 0.3)
    pairs = sorted(zip(expected["scores"].tolist(), expected["boxes"].tolist(), strict=True), reverse=True)
    cut = [[min(max(side, 0), end) for side, end in zip(box, PICTURE.size * 2, strict=True)] for _, box in pairs]
    assert result and [score for _, score, _ in result] == pytest.approx([score for score, _ in pairs], abs=1e-4)
    assert [list(box) for _, _, box in result] == [pytest.approx(box, abs=0.06) for box in cut]


def test_grounding_chooses_the_name_with_the_best_token():
    #          [CLS]   cat    .    red  ball    .   [SEP]
    logits = torch.tensor([[9.0, -1.0, 9.0, -3.0, 2.0, 9.0, 9.0], [9.0, 3.0, 0.0, 2.0, 2.0, 0.0, 0.0], [-9.0] * 7])
    tokens = torch.zeros(2, 7, dtype=torch.bool)
    tokens[0, 1] = tokens[1, 3] = tokens[1, 4] = True
    assert boxes._kinds(logits, tokens, 0.3) == [1, 0]


def test_grounding_asks_twice_where_a_vocabulary_is_too_long(tiny_vision):
    network = load(tiny_vision("grounding-dino"), "grounding-dino")
    listed = [f"cat {letter}" for letter in "abcdefghijkl"]
    questions = boxes.ask(network, listed)
    assert len(questions) > 1
    assert [name for question in questions for name in question.names] == listed
    assert all(question.text["input_ids"].shape[1] <= 24 for question in questions)
    (result,) = boxes.find(network, [PICTURE], questions, 0.3)
    assert result and {name for name, _, _ in result} <= set(listed)


def test_vocabulary_must_be_named_and_its_faults_have_lines(tiny_vision, tmp_path):
    model = str(tiny_vision("owlv2"))
    with pytest.raises(ConfigError, match=r"openvocab\.vocabulary"):
        openvocab.Detector(openvocab.Options(model=model))
    path = tmp_path / "names.txt"
    for text, said in [
        ("cat\n\n# no\nCat\n", r"names\.txt:4: 'Cat' is in line 1 already"),
        ("cat\nMr. dog\n", r"names\.txt:2: expected a name without '\.'"),
        ("cat\nd\x07og\n", r"names\.txt:2: "),
        (f"{'x' * 61}\n", r"names\.txt:1: .* 60 characters, found 61"),
        ("# only\n", "no name in it"),
    ]:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=said):
            openvocab.Detector(openvocab.Options(model=model, vocabulary=str(path)))
    with pytest.raises(DataError, match="no such file"):
        openvocab.Detector(openvocab.Options(model=model, vocabulary=str(tmp_path / "none.txt")))


def test_fingerprint_follows_model_and_vocabulary(tiny_vision, names):
    def fingerprint(architecture: str) -> str:
        options = {"openvocab": {"model": str(tiny_vision(architecture)), "vocabulary": str(names)}}
        return Extractor(VisionConfig(detector="openvocab", captioner="", ocr="", options=options)).fingerprint

    each = fingerprint("owlv2")
    assert each == fingerprint("owlv2") != fingerprint("grounding-dino")
    names.write_text("cat\n")
    assert fingerprint("owlv2") != each


def test_older_image_settings_are_understood(tiny_vision, tmp_path):
    """The published DETR says "size": 800 and names a feature extractor."""
    folder = shutil.copytree(tiny_vision("detr"), tmp_path / "old")
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    del settings["image_processor_type"]
    settings.update(size=64, max_size=96, feature_extractor_type="DetrFeatureExtractor")
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    old, new = (extracted("hub", model=str(each), threshold=0.2) for each in (folder, tiny_vision("detr")))
    assert old == new
