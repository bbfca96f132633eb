"""The list of backends: all of them, what each needs, without importing anything heavy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel, create_model

from mner import plugins
from mner.config import VisionConfig
from mner.errors import ModelError, PluginError
from mner.vision.backends import KINDS
from mner.vision.listing import FACTS, Backend, backends
from mner.vision.protocols import About


def result(kind: str, name: str, config: VisionConfig | None = None) -> Backend:
    (each,) = [each for each in backends(config) if (each.kind, each.name) == (kind, name)]
    return each


def test_every_file_of_the_folders_is_listed_with_its_facts() -> None:
    listed = {(each.kind, each.name): each for each in backends()}
    named = {(kind, name) for kind, (folder, _) in KINDS.items() for name in plugins.names(folder)}
    assert set(listed) == named >= {("attributes", "attributes"), ("attributes", "zeroshot"), ("scene", "scene")}
    for each in listed.values():
        assert set(each.facts) == set(FACTS), each.name
        assert each.summary and "\n" not in each.summary and "``" not in str(each.to_dict())
        assert ("transformers" in each.needs) == bool(each.models)


@pytest.mark.parametrize(("kind", "name"), [("detector", "nanodet"), ("captioner", "template"), ("ocr", "rapid")])
def test_default_backends_are_ready(kind: str, name: str) -> None:
    assert result(kind, name).ready


@pytest.mark.parametrize(("kind", "folder"), [(kind, folder) for kind, (folder, _) in KINDS.items()])
def test_backend_of_an_extra_names_its_packages(kind: str, folder: str) -> None:
    for name in plugins.names(folder):
        about = plugins.load(folder, name).ABOUT
        if re.search(r'pip install "?mner\[', about.downloads):
            assert about.needs, f"{kind} {name}: it names an extra, but needs nothing"


def test_missing_package_program_and_model_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = plugins.load(KINDS["ocr"][0], "tesseract")
    about = About(needs=("no_such_package",), programs=("no-such-program",))
    monkeypatch.setattr(module, "ABOUT", about)
    each = result("ocr", "tesseract")
    assert each.needs == ("no_such_package", "the program no-such-program")
    assert each.missing == ("the package no_such_package", "the program no-such-program")
    about = About(models=lambda options: [tmp_path / "gone.onnx"], lacking=lambda options: options.language)
    monkeypatch.setattr(module, "ABOUT", about)
    each = result("ocr", "tesseract")
    assert each.missing == ("eng", f"the file {tmp_path}/gone.onnx")
    assert not each.ready and each.to_dict()["ready"] is False


def test_files_that_options_name_make_a_reader_ready(tmp_path: Path) -> None:
    assert "vision.options.vinvl.detections" in result("detector", "vinvl").missing[0]
    gone = VisionConfig(options={"vinvl": {"detections": str(tmp_path / "gone"), "captions": str(tmp_path)}})
    assert result("detector", "vinvl", gone).missing == (f"{tmp_path}/gone: no such file or folder",)
    assert result("captioner", "vinvl", gone).ready
    wrong = VisionConfig(options={"bottomup": {"treshold": 1}})
    assert "options that can be used" in result("detector", "bottomup", wrong).missing[0]


def test_models_that_options_name_are_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Options(BaseModel):
        model: str = ""

    def models(options: Options) -> list[Path]:
        if not options.model:
            raise ModelError("no model; put one in a folder")
        return [tmp_path / options.model]

    module = ModuleType("outside.hub", "Mine.")
    for name, part in (("Reader", object), ("Options", Options), ("models", models)):
        monkeypatch.setattr(module, name, part, raising=False)
    monkeypatch.setitem(sys.modules, "outside", ModuleType("outside"))
    monkeypatch.setitem(sys.modules, "outside.hub", module)
    (tmp_path / "here").touch()

    def missing(model: str) -> tuple[str, ...]:
        config = VisionConfig(ocr="outside.hub", options={"outside.hub": {"model": model}})
        return result("ocr", "outside.hub", config).missing

    assert missing("") == ("no model; put one in a folder",)
    assert missing("gone") == (f"the file {tmp_path}/gone",)
    assert missing("here") == ()


def test_plugin_from_outside_is_listed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("outside.caption", "Mine.\n\nFor all of us.")
    monkeypatch.setattr(module, "ABOUT", About(downloads="a lot."), raising=False)
    monkeypatch.setattr(module, "Captioner", object, raising=False)
    monkeypatch.setattr(module, "Options", create_model("Options"), raising=False)
    monkeypatch.setitem(sys.modules, "outside", ModuleType("outside"))
    monkeypatch.setitem(sys.modules, "outside.caption", module)
    each = result("captioner", "outside.caption", VisionConfig(captioner="outside.caption"))
    assert (each.summary, each.facts, each.ready) == ("Mine.", {"Downloads": "a lot."}, True)
    assert [other.kind for other in backends(outside=["outside.caption"]) if other.name == each.name] == ["captioner"]
    monkeypatch.delattr(module, "Captioner")
    with pytest.raises(PluginError, match=r'"outside\.caption" has none of the classes Detector, Captioner, Reader'):
        backends(outside=["outside.caption"])


def test_listing_imports_nothing_heavy() -> None:
    code = (
        "import sys; from mner.vision.listing import backends; backends()\n"
        "heavy = {'torch', 'onnxruntime', 'rapidocr', 'cv2', 'pytesseract', 'transformers', 'pyarrow', 'paddleocr'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
