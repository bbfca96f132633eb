"""What every backend's file must have, by the folder listing: a new file is tested unasked."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image
from pydantic import ValidationError

from mner import plugins
from mner.errors import ConfigError, MissingExtraError
from mner.types import Caption, OcrText, Tag
from mner.vision.backends import KINDS

EVERY = [(key, name) for key, (folder, _) in KINDS.items() for name in plugins.names(folder)]


def module_of(key: str, name: str):
    return plugins.load(KINDS[key][0], name)


HEAVY = {"torch", "onnxruntime", "rapidocr", "cv2", "pytesseract", "transformers", "paddleocr"}
TINY = {"detector": "rt_detr_v2", "captioner": "blip", "ocr": "florence2"}
"""What stands for the models of the hub, which are not here."""


def made(key: str, name: str, tiny_vision, folder):
    module = module_of(key, name)
    told = {}
    if name == "hub":
        told = {"model": str(tiny_vision(TINY[key])), **({"tokens": 16} if key == "ocr" else {})}
    elif name == "openvocab":
        (folder / "names.txt").write_text("cat\nred ball\n")
        told = {"model": str(tiny_vision("owlv2")), "vocabulary": str(folder / "names.txt"), "threshold": 0.1}
    elif name == "paddle":
        told = {"download": True}
    try:
        return getattr(module, KINDS[key][1])(module.Options(**told), threads=1)
    except MissingExtraError as error:
        pytest.skip(f"{name} is not installed here: {error}")
    except ConfigError as error:
        assert module.NAMED, "only what looks results up may need options"
        pytest.skip(f"{name} needs a file of published results: {error}")


def test_folders_hold_the_default_backends():
    assert {("detector", "nanodet"), ("captioner", "template"), ("ocr", "rapid"), ("ocr", "tesseract")} <= set(EVERY)


@pytest.mark.parametrize(("key", "name"), EVERY)
def test_plugin_says_what_it_costs(key, name):
    text = module_of(key, name).__doc__
    assert all(word in text for word in ("Downloads", "Licence", "Speed"))


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


@pytest.mark.parametrize(("key", "name"), EVERY)
@pytest.mark.parametrize("size", [(320, 200), (1, 1), (3, 900), (900, 3)])
def test_backend_gives_legal_results(key, name, size, tiny_vision, tmp_path):
    backend, picture = made(key, name, tiny_vision, tmp_path), Image.effect_noise(size, 80).convert("RGB")
    if key == "captioner":
        tags = [Tag("person", confidence=0.9, box=(0.0, 0.0, 1.0, 1.0), source="test")]
        found = backend(picture, tags, scenes=[], ocr=[])
        assert found and all(isinstance(one, Caption) and one.text for one in found)
    else:
        found = backend(picture)
        assert all(isinstance(one, Tag if key == "detector" else OcrText) for one in found)
        for one in found:
            left, top, right, bottom = one.box
            assert 0 <= left < right <= size[0]
            assert 0 <= top < bottom <= size[1]
    assert {one.source for one in found} <= {name}
