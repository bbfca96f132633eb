"""What every backend's file must have, by the folder listing: a new file is tested unasked."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
from types import ModuleType

import pytest
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from mner import plugins
from mner.config import VisionConfig
from mner.errors import PluginError
from mner.types import Caption, OcrText, Tag
from mner.vision import attributes as attributes_folder
from mner.vision.backends import KINDS, Backends, find_plugin
from mner.vision.extract import Extractor
from mner.vision.protocols import About, Scene, Sought
from tests.contexts.published.test_bottomup import line
from tests.contexts.published.test_vinvl import npz
from tests.vision.paddle import answer, corners

NAMES = plugins.names
EVERY = [(key, name) for key, (folder, _) in KINDS.items() for name in plugins.names(folder)]


def module_of(key: str, name: str):
    return plugins.load(KINDS[key][0], name)


HEAVY = {"torch", "onnxruntime", "rapidocr", "cv2", "pytesseract", "transformers", "paddleocr", "httpx"}
PICTURE = "1.jpg"
TINY = {"detector": "rt_detr_v2", "captioner": "blip", "ocr": "florence2", "attributes": "clip"}
"""What stands for the models of the hub, which are not here."""


def built(key: str, name: str, tiny_vision, folder):
    module = module_of(key, name)
    given = {}
    if name == "hub":
        given = {"model": str(tiny_vision(TINY[key])), **({"tokens": 16} if key == "ocr" else {})}
    elif name == "openvocab":
        (folder / "names.txt").write_text("cat\nred ball\n")
        given = {"model": str(tiny_vision("owlv2")), "threshold": 0.1}
        given |= {"vocabulary": str(folder / "names.txt")} if key == "detector" else {}
    elif name == "c4":
        given = {"model": str(tiny_vision("c4-vinvl")), "device": "cpu"}
    elif name in ("oscar", "updown"):
        folders = {"model": str(tiny_vision(name)), "detector": str(tiny_vision("c4-vinvl"))}
        given = {**folders, "device": "cpu", "tokens": 6}
    elif name == "zeroshot":
        given = {"model": str(tiny_vision(TINY[key])), "threshold": 0.0}
    elif name == "vinvl":
        given = {"detections": str(npz(folder / f"{PICTURE}.npz").parent), "captions": captions_in(folder)}
    elif name == "bottomup":
        (folder / "objects_vocab.txt").write_text("yolk\ngoggles\nbath\n")
        (folder / "attributes_vocab.txt").write_text("red\nold\n")
        (folder / "found.tsv").write_text(line(img_id=PICTURE) + "\n")
        given = {"detections": str(folder / "found.tsv"), "captions": captions_in(folder)}
    elif name == "paddle":
        given = {"download": True}
    elif name == "tesseract" and shutil.which("tesseract") is None:
        pytest.skip("the program tesseract is not installed")
    return getattr(module, KINDS[key][1])(module.Options(**given), threads=1)


def captions_in(folder):
    """A file of published captions."""
    (folder / "captions.tsv").write_text(f"{PICTURE}\ta dog on a bike\n")
    return str(folder / "captions.tsv")


def test_folders_hold_the_default_backends():
    assert {("detector", "nanodet"), ("captioner", "template"), ("ocr", "rapid"), ("ocr", "tesseract")} <= set(EVERY)


@pytest.mark.parametrize(("key", "name"), EVERY)
def test_plugin_says_what_it_costs(key, name):
    about = module_of(key, name).ABOUT
    assert isinstance(about, About)
    assert all(text.endswith(".") for text in (about.downloads, about.licence, about.speed))


@pytest.mark.parametrize(("key", "name"), EVERY)
def test_plugin_can_do_what_it_says_and_no_more(key, name):
    """What a file declares is what its class is able to do; nothing else is called."""
    plugin = find_plugin(key, name)
    assert plugin.about.batch == hasattr(plugin.make, "many")
    takes_name = "image" in inspect.signature(plugin.make.__call__).parameters
    assert plugin.about.named == takes_name or key == "features"  # all of these are given the names
    assert not {"VERSION", "NEEDS", "PROGRAMS", "CHECKPOINTS", "NAMED"} & set(vars(module_of(key, name)))


@pytest.mark.parametrize(("key", "name"), EVERY)
def test_options_are_frozen_and_refuse_unknown_keys(key, name):
    options = module_of(key, name).Options
    with pytest.raises(ValidationError):
        options.model_validate({"no such key": 1})
    with pytest.raises(ValidationError):
        setattr(options(), next(iter(options.model_fields)), 1)


def test_plugins_import_without_heavy_packages():
    folders = [folder for folder, _ in KINDS.values()]
    code = (
        "import sys; from mner import plugins\n"
        f"for folder in {folders!r}:\n"
        "    for name in plugins.names(folder): plugins.load(folder, name)\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# What endpoint gives is what a server says: tests/vision/endpoint.
@pytest.mark.parametrize(("key", "name"), [row for row in EVERY if row[0] != "features" and row[1] != "endpoint"])
@pytest.mark.parametrize("size", [(320, 200), (1, 1), (3, 900), (900, 3)])
def test_backend_gives_legal_results(key, name, size, tiny_vision, tmp_path, paddleocr):
    paddleocr.answers = [answer(("EXIT", 0.97, corners(-2, 0, size[0] + 3, size[1])))]  # Paddle's boxes may stand out
    backend, picture = built(key, name, tiny_vision, tmp_path), Image.effect_noise(size, 80).convert("RGB")
    named = {"image": PICTURE} if module_of(key, name).ABOUT.named else {}
    if key == "captioner":
        tags = [Tag("person", confidence=0.9, box=(0.0, 0.0, 1.0, 1.0), source="test")]
        result = backend(picture, tags, scenes=[], ocr=[], **named)
        assert result and all(isinstance(each, Caption) and each.text for each in result)
    elif key == "grounder":
        answers = backend(picture, [Sought("Kevin Love", "person"), Sought("...", "")])
        assert len(answers) == 2
        for score, (left, top, right, bottom) in (area for answer in answers for area in answer):
            assert 0 <= score <= 1 and 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]
        return
    elif key == "scene":
        labels = backend(picture)
        assert all(isinstance(each, Scene) and each.label and 0 <= each.confidence <= 1 for each in labels)
        return
    elif key == "attributes":
        tags = [Tag("car", box=(0.0, 0.0, float(size[0]), float(size[1])), source=name), Tag("dog", source=name)]
        result = backend(picture, tags)
        assert [(each.object, each.box) for each in result] == [(each.object, each.box) for each in tags]
        assert all(len(each.attributes) <= 3 for each in result)
    else:
        result = backend(picture, **named)
        assert all(isinstance(each, Tag if key == "detector" else OcrText) for each in result)
        for each in (each for each in result if each.box or not named):  # one of no size has no box
            left, top, right, bottom = each.box
            assert 0 <= left < right <= size[0]
            assert 0 <= top < bottom <= size[1]
    assert {each.source for each in result} <= {name}


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    level: int = 1


class Reader:
    def __init__(self, options, *, threads=0):
        pass

    def __call__(self, picture, **more):
        return [OcrText(f"read {sorted(more)}", source="mine")]


def outside(monkeypatch, **names):
    module = ModuleType("outside.reader", "Mine.")
    vars(module).update({"Options": Options, "Reader": Reader, **names})
    monkeypatch.setitem(sys.modules, "outside", ModuleType("outside"))
    monkeypatch.setitem(sys.modules, "outside.reader", module)
    return VisionConfig(detector="", captioner="", ocr="outside.reader")


def test_file_from_outside_may_say_nothing_of_itself(monkeypatch):
    about = find_plugin("ocr", outside(monkeypatch).ocr).about
    assert (about.version, about.named, about.batch, list(about.models(None)), about.lacking(None)) == (
        1, False, False, [], None,
    )  # fmt: skip


def test_file_written_for_the_first_release_is_read_as_before(monkeypatch, tmp_path):
    (tmp_path / "model").write_text("1")
    former = {"VERSION": 3, "NEEDS": ("numpy",), "PROGRAMS": ("sh",), "NAMED": True, "MODELS": (tmp_path / "model",)}
    about = find_plugin("ocr", outside(monkeypatch, **former, lacking=lambda options: options.level).ocr).about
    assert (about.version, about.needs, about.programs, about.named) == (3, ("numpy",), ("sh",), True)
    assert about.lacking(Options()) == 1 and list(about.models(Options())) == [tmp_path / "model"]
    config = outside(monkeypatch, ABOUT=About(version=3, named=True, models=lambda options: [tmp_path / "model"]))
    assert Backends(config).fingerprint == Backends(outside(monkeypatch, **former)).fingerprint
    (read,) = Extractor(config).read(Image.new("RGB", (9, 9)), image="x").ocr
    assert read.text == "read ['image']"


def test_description_that_cannot_be_true_is_refused(monkeypatch):
    with pytest.raises(PluginError, match=r'"outside\.reader".*the method "many" and its Options the number "batch"'):
        Backends(outside(monkeypatch, ABOUT=About(batch=True)))
    with pytest.raises(PluginError, match=r"expected an About of mner\.vision\.protocols"):
        Backends(outside(monkeypatch, ABOUT={"version": 1}))


def test_attributes_of_a_new_file_are_used_where_its_options_are_set(monkeypatch):
    """A kind that no key names has its plug-ins by presence, too."""
    module = ModuleType("mner.vision.attributes.shiny", "All shines.")
    vars(module).update(ABOUT=About(version=2), Options=Options, Describer=lambda options, *, threads: options)
    monkeypatch.setattr(plugins, "names", lambda folder: [*NAMES(folder), *["shiny"] * folder.endswith("attributes")])
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(attributes_folder, "shiny", module, raising=False)
    plain = Backends(VisionConfig())
    chosen = Backends(VisionConfig(options={"shiny": {"level": 5}}))
    assert chosen["attributes"].level == 5
    assert plain.fingerprint != chosen.fingerprint
