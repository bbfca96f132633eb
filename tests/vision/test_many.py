"""Several pictures in one forward pass: the same results as one by one, and no harm to neighbours."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from PIL import Image
from pydantic import BaseModel

from mner.config import VisionConfig
from mner.contexts.rows import to_line
from mner.contexts.store import Store
from mner.types import Caption, Tag, VisualContext
from mner.vision.build import build
from mner.vision.extract import Extractor
from mner.vision.networks.load import load

SIZES = [(120, 90), (90, 120), (120, 90), (100, 60), (180, 70), (120, 90), (90, 120)]
OFF = {"detector": "", "captioner": "", "ocr": ""}
Tiny = Callable[[str], Path]


def noise(size: tuple[int, int], seed: int) -> Image.Image:
    import numpy as np

    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


PICTURES = [(f"{number}.png", noise(size, number)) for number, size in enumerate(SIZES)]


PROMPTED = ["blip", "blip-2", "git", "smolvlm", "idefics3", "qwen2_vl", "qwen2_5_vl", "qwen3_vl"]


def contexts(batch: int, name: str, options: dict[str, Any], **parts: str) -> list[VisualContext]:
    config = VisionConfig(**{**OFF, **parts}, options={name: {**options, "batch": batch}})
    extractor = Extractor(config, threads=1)
    assert extractor.batch == batch
    return list(extractor.stream(PICTURES))


def assert_equal(several: Sequence[VisualContext], others: Sequence[VisualContext]) -> None:
    """Words, boxes and scores are the same, but for the rounding of another order of sums; and pictures differ."""

    def plain(rows: Sequence[VisualContext]) -> list[dict[str, Any]]:
        assert [(row.status, row.reason) for row in rows] == [("ok", None)] * len(rows)
        return [json.loads(to_line(row), parse_float=lambda text: pytest.approx(float(text), abs=2e-4)) for row in rows]

    assert plain(several) == [json.loads(to_line(row)) for row in others]
    assert len({to_line(replace(row, image="", sha256="")) for row in others}) > 1


@pytest.mark.parametrize(("architecture", "prompt"), [*product(PROMPTED, ["", "a picture of"]), ("florence2", "")])
def test_captions_of_a_beam_search_are_those_of_each_picture_alone(
    tiny_vision: Tiny, architecture: str, prompt: str
) -> None:
    options = {"model": str(tiny_vision(architecture)), "captions": 3, "beams": 4, "tokens": 12, "prompt": prompt}
    alone, together = (contexts(batch, "hub", options, captioner="hub") for batch in (1, 4))
    assert_equal(together, alone)
    assert all(row.captions for row in alone)


@pytest.mark.parametrize("architecture", ["detr", "rt_detr", "rt_detr_v2", "d_fine"])
def test_objects_are_those_of_each_picture_alone(tiny_vision: Tiny, architecture: str) -> None:
    options = {"model": str(tiny_vision(architecture)), "threshold": 0.2}
    alone, together = (contexts(batch, "hub", options, detector="hub") for batch in (1, 4))
    assert_equal(together, alone)
    assert all(row.tags for row in alone)


@pytest.mark.parametrize("architecture", ["owlv2", "grounding-dino"])
def test_named_objects_are_those_of_each_picture_alone(tiny_vision: Tiny, architecture: str, tmp_path: Path) -> None:
    names = ["cat", "red ball", "trophy", *(f"cat {letter}" for letter in "abcdefgh")]  # two questions
    (tmp_path / "names.txt").write_text("\n".join(names))
    options = {"model": str(tiny_vision(architecture)), "vocabulary": str(tmp_path / "names.txt"), "threshold": 0.3}
    alone, together = (contexts(batch, "openvocab", options, detector="openvocab") for batch in (1, 4))
    assert_equal(together, alone)
    assert all(row.tags for row in alone)


@pytest.mark.parametrize("task", ["regions", "objects"])
def test_one_network_reads_captions_and_finds_as_of_each_picture_alone(
    tiny_vision: Tiny, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = load(tiny_vision("florence2"), "florence2")
    encoded: list[int] = []
    real = network.model.get_image_features
    monkeypatch.setattr(network.model, "get_image_features", lambda pixels: encoded.append(len(pixels)) or real(pixels))
    options = {
        "model": str(tiny_vision("florence2")),
        "detector": {"task": task, "tokens": 24},
        "captioner": {"captions": 2, "beams": 2, "tokens": 8},
        "ocr": {"tokens": 24},
    }
    parts = {"detector": "hub", "captioner": "hub", "ocr": "hub"}
    alone, together = (contexts(batch, "hub", options, **parts) for batch in (1, 4))
    assert_equal(together, alone)
    assert encoded == [1] * 7 + [4, 3]  # once a picture, for all three


def test_attributes_are_those_of_each_picture_alone(tiny_vision: Tiny) -> None:
    def described(batch: int) -> list[VisualContext]:
        hub = {"model": str(tiny_vision("rt_detr")), "threshold": 0.2, "batch": batch}
        learned = {"model": str(tiny_vision("clip")), "threshold": 0.0, "batch": 5}
        config = VisionConfig(detector="hub", captioner="", ocr="", options={"hub": hub, "zeroshot": learned})
        return list(Extractor(config, threads=1).stream(PICTURES))

    alone, together = described(1), described(4)
    assert_equal(together, alone)
    assert all(len(tag.attributes) == 3 for row in alone for tag in row.tags if tag.box and _wide(tag))


def _wide(tag: Tag) -> bool:
    left, top, right, bottom = tag.box or (0, 0, 0, 0)
    return min(right - left, bottom - top) >= 8


def test_pictures_of_equal_shape_are_one_pass(tiny_vision: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    network = load(tiny_vision("blip"), "blip")
    passes: list[int] = []
    real = network.model.generate
    monkeypatch.setattr(
        network.model, "generate", lambda **given: passes.append(len(given["pixel_values"])) or real(**given)
    )
    options = {"model": str(tiny_vision("blip")), "captions": 1, "beams": 2, "tokens": 4}
    contexts(7, "hub", options, captioner="hub")
    assert passes == [7]


def test_batch_is_no_part_of_the_fingerprint(tiny_vision: Tiny) -> None:
    def fingerprint(batch: int) -> str:
        options = {"hub": {"model": str(tiny_vision("blip")), "batch": batch}}
        return Extractor(VisionConfig(detector="", captioner="hub", ocr="", options=options)).fingerprint

    assert fingerprint(1) == fingerprint(8)


class Options(BaseModel):
    batch: int = 3


class Captioner:
    """A captioner from outside, for which pictures of one size are too much."""

    calls: ClassVar[list[int]] = []
    short = 0

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        pass

    def __call__(self, picture: Image.Image, tags: Any, *, scenes: Any, ocr: Any) -> list[Caption]:
        self.calls.append(1)
        if picture.size == (100, 60):
            raise RuntimeError("too much")
        return [Caption(f"{picture.width} wide, {len(tags)} tags", source="mine")]

    def many(self, pictures: list[Image.Image], tags: Any, *, scenes: Any, ocr: Any) -> list[list[Caption]]:
        rows = zip(pictures, tags, scenes, ocr, strict=True)
        answers = [self(picture, result, scenes=labels, ocr=lines) for picture, result, labels, lines in rows]
        self.calls[-len(pictures) :] = [len(pictures)]
        return answers[: len(answers) - self.short]


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> VisionConfig:
    module = ModuleType("outside.many")
    for name, part in (("Options", Options), ("Captioner", Captioner), ("VERSION", 1)):
        monkeypatch.setattr(module, name, part, raising=False)
    monkeypatch.setitem(sys.modules, "outside", ModuleType("outside"))
    monkeypatch.setitem(sys.modules, "outside.many", module)
    monkeypatch.setattr(Captioner, "calls", [])
    return VisionConfig(detector="", captioner="outside.many", ocr="")


def png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def test_picture_that_fails_costs_its_neighbours_nothing(mine: VisionConfig, tmp_path: Path) -> None:
    items = [(name, png(picture)) for name, picture in PICTURES]
    items[1:1] = [("broken.png", b"no picture"), ("flat.png", Image.new("RGB", (0, 5)))]
    with Store(tmp_path / "s.sqlite") as store:
        rows = list(Extractor(mine).stream(items, store=store))
        assert len(store) == 6  # not the one that failed
    assert [row.image for row in rows] == [name for name, _ in items]
    message = {row.image: (row.status, row.reason) for row in rows if row.reason}
    assert message.pop("3.png") == ("ok", "the captioner failed: RuntimeError: too much")
    assert {name: status for name, (status, _) in message.items()} == {
        "broken.png": "unreadable",
        "flat.png": "unreadable",
    }
    good = [row for row in rows if not row.reason]
    assert [row.captions[0].text for row in good] == [f"{size[0]} wide, 0 tags" for size in SIZES if size != (100, 60)]


def test_batch_takes_the_place_of_calls_one_by_one(mine: VisionConfig) -> None:
    rows = list(Extractor(mine).stream(item for item in PICTURES if item[1].size != (100, 60)))
    assert Captioner.calls == [3, 3]
    assert [row.captions[0].source for row in rows] == ["mine"] * 6


def test_picture_that_is_twice_in_a_batch_is_looked_at_once(mine: VisionConfig) -> None:
    (first, each), (second, other) = PICTURES[:2]
    rows = list(Extractor(mine).stream([(first, png(each)), (second, png(other)), ("again.png", png(each))]))
    assert Captioner.calls == [2]
    assert rows[2] == replace(rows[0], image="again.png")
    assert [row.captions[0].text for row in rows[:2]] == ["120 wide, 0 tags", "90 wide, 0 tags"]


def test_backend_that_answers_too_little_is_asked_one_by_one(
    mine: VisionConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Captioner, "short", 1)
    with pytest.warns(UserWarning, match=r"captioner failed on 3 pictures at once .*\(2 answers\).* a smaller batch"):
        rows = list(Extractor(mine).stream(PICTURES[:3]))
    assert [len(row.captions) for row in rows] == [1, 1, 1]
    assert Captioner.calls == [3, 1, 1, 1]


def test_what_the_store_has_is_not_looked_at_again(mine: VisionConfig, tmp_path: Path) -> None:
    items = [(name, png(picture)) for name, picture in PICTURES if picture.size != (100, 60)]
    with Store(tmp_path / "s.sqlite") as store:
        first = list(Extractor(mine).stream(items[:2], store=store))
        rows = list(Extractor(mine).stream(items, store=store))
    assert Captioner.calls == [2, 1, 3]  # of the first three one is new, and goes alone
    assert rows[:2] == first


class WorkerPool:
    """One worker, in this process."""

    workers = idle = 1

    def __init__(self, begin: Callable[[], Callable[[list[Any]], Any]]) -> None:
        self.read, self.done, self.handed = begin(), [], []

    def give(self, task: int, items: Sequence[Any]) -> None:
        self.handed.append(len(items))
        self.done.append((task, list(self.read(list(items)))))

    def wait(self) -> Sequence[Any]:
        return [self.done.pop(0)]


@pytest.mark.parametrize(
    ("own", "batch_size", "handed", "examined"),
    [(3, None, [6, 3], [3, 3, 3]), (2, None, [4, 4, 1], [2, 2, 2, 2, 1]), (6, 5, [5, 4], [5, 4])],
)
def test_worker_is_handed_twice_as_many_as_its_backends_look_at(
    mine: VisionConfig, tmp_path: Path, own: int, batch_size: int | None, handed: list[int], examined: list[int]
) -> None:
    config = mine.model_copy(update={"options": {"outside.many": {"batch": own}}})
    items = [(f"{number}.png", png(noise((50 + number, 40), number))) for number in range(9)]
    pools: list[WorkerPool] = []

    def hire(begin: Any) -> Any:
        pools.append(WorkerPool(begin))
        return nullcontext(pools[0])

    build(items, tmp_path / "a.jsonl", config=config, store=tmp_path / "s.sqlite", hire=hire, batch_size=batch_size)
    assert pools[0].handed == handed
    assert Captioner.calls == examined
