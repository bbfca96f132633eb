"""The pages of docs/systems: figures and parameter counts are current, each row has a page, each command loads."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lab.systems import SYSTEMS
from mner import config as configs
from mner import models, plugins
from mner.errors import ModelError
from mner.training.job import prepare
from mner.vision.networks.folder import find

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "systems").glob("*.md"))
FIGURES = sorted((ROOT / "docs" / "systems").glob("*.svg"))
BLOCK = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
COMMAND = re.compile(r"^    (mner train (?:.*\\\n)*.*)$", re.MULTILINE)


def test_figures_and_parameters_are_current() -> None:
    command = [sys.executable, ROOT / "tools" / "draw_systems.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_system_gains_from_pictures_on_the_sample() -> None:
    record = json.loads((ROOT / "lab" / "systems.json").read_text(encoding="utf-8"))
    gains = {each["system"]: each["seen"] - max(each["unseen"], each["zeros"]) for each in record["systems"]}
    assert list(gains) == list(SYSTEMS)
    posts = record["systems"][0]["posts"]
    assert {system: gain for system, gain in gains.items() if round(gain * posts / 100) <= 1} == {}


def test_tables_say_that_riva_is_a_re_implementation() -> None:
    page = (ROOT / "docs" / "systems" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith(("| [RIVA]", "| `riva`"))]
    assert len(rows) == 4
    assert [row for row in rows if "(re-implementation from the paper's description)" not in row.split("|")[1]] == []


def test_rpbert_names_its_shorter_windows() -> None:
    page = (ROOT / "docs" / "systems" / "rpbert.md").read_text(encoding="utf-8")
    for row in ("rpbert", "rpbert-without-rp"):
        config = configs.load(ROOT / "configs" / "rows" / f"{row}.toml")
        assert f"windows of {config.context.max_tokens} sub-tokens" in page


@pytest.mark.parametrize("row", ["umt", "umt-pad"])
def test_parameters_are_those_of_the_model_that_training_builds(row: str, tiny_encoder: Path, tmp_path: Path) -> None:
    from torch import device
    from transformers import BertConfig, BertModel

    words = [("Kevin", "PER"), ("Paris", "LOC"), ("NBA", "ORG"), ("Emmys", "MISC")]
    posts = "".join(f"IMGID:{number}\n{word}\tB-{kind}\n\n" for number, (word, kind) in enumerate(words))
    (tmp_path / "posts.txt").write_text(posts)
    base = ROOT / "configs" / "twitter15-bert-base-cased.toml"
    table = configs.load(ROOT / "configs" / "rows" / f"{row}.toml", base=base).model_dump()
    table["model"]["encoder"] = str(tiny_encoder)
    table["data"] = {"train": "posts.txt", "dev": "posts.txt", "features_missing": "zero"}
    job = prepare(configs.check(table), tmp_path)
    with device("meta"):
        encoder = BertModel(BertConfig(vocab_size=28996), add_pooling_layer=False)
        model = models.build(job.config, job.labels, encoder)
    own, every = (sum(each.numel() for each in network.parameters()) for network in (encoder, model))
    page = (ROOT / "docs" / "systems" / "umt.md").read_text(encoding="utf-8")
    assert f"| `{row}` | {own:,} | {every - own:,} | {every:,} |" in page


def line_to_type(model: str, folder: Path, patch: pytest.MonkeyPatch) -> str:
    """The line that the program shows where a model of the hub is not on this machine."""
    patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    with pytest.raises(ModelError) as missing:
        find(model, option="model")
    return str(missing.value).partition("type: ")[2].partition("\n")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_models_of_an_extractor_are_fetched_before_it_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for name, options in (("resnet", ("model",)), ("crops", ("model", "detector"))):
            before, runs, _ = block.partition(f"--extractor {name}")
            if not runs:
                continue
            defaults: Any = plugins.load("mner.vision.features", name).Options()
            lines = [line_to_type(getattr(defaults, option), tmp_path, monkeypatch) for option in options]
            wanted = ['pip install "mner[vision-hub]"', *lines]
            assert [line for line in wanted if f"    {line}\n" not in before] == []


@pytest.mark.parametrize("figure", FIGURES, ids=lambda path: path.stem)
def test_figure_fits_its_frame_and_is_shown(figure: Path) -> None:
    drawn = ElementTree.fromstring(figure.read_text(encoding="utf-8"))
    width, height = (float(drawn.get(side) or 0) for side in ("width", "height"))
    boxes = [box for box in drawn.iter("{http://www.w3.org/2000/svg}rect") if box.get("x")]
    places = [[float(box.get(key) or 0) for key in ("x", "y", "width", "height")] for box in boxes]
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in places)
    overlapping = [
        (first, second)
        for at, first in enumerate(places)
        for second in places[:at]
        if abs(2 * (first[0] - second[0]) + first[2] - second[2]) < first[2] + second[2]
        and abs(2 * (first[1] - second[1]) + first[3] - second[3]) < first[3] + second[3]
    ]
    assert overlapping == []
    assert any(f"]({figure.name})" in page.read_text(encoding="utf-8") for page in PAGES)


def test_each_model_has_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    own = {"ita", "text"}
    assert [name for name in plugins.names("mner.models") if f"models/{name}.py" not in text and name not in own] == []


def test_overview_shows_how_each_extractor_is_run() -> None:
    text = (ROOT / "docs" / "systems" / "README.md").read_text(encoding="utf-8")
    assert [name for name in plugins.names("mner.vision.features") if f"--extractor {name} " not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_lines_are_no_wider_than_the_project_writes(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 125 and not line.startswith("|")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_commands_train_the_network_whose_parameters_are_counted(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    draw_systems = importlib.import_module("draw_systems")
    for command in COMMAND.findall(page.read_text(encoding="utf-8")):
        _, _, row, *rest = shlex.split(command.replace("\\\n", " "))
        given = list(pairwise(rest))
        settings = [value for option, value in given if option == "--set"]
        base = next((value for option, value in given if option == "--base"), None)
        config = configs.load(ROOT / row, base=None if base is None else ROOT / base, set_values=settings)
        assert config.identity.variant, "beside a run on MiniLM, a folder of its own"
        vectors = draw_systems.WORD_VECTORS.get(Path(row).stem)
        if vectors is None:
            assert base == draw_systems.base_of(Path(row).stem)
        else:
            assert (base, config.model.encoder) == (None, f"embedded:glove-6b-{min(vectors)}d")
