from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from PIL import Image, ImageDraw
from pydantic import BaseModel, ConfigDict

from mner.config import VisionConfig
from mner.contexts.store import Store
from mner.contexts.tag_limit import MOST_TAGS
from mner.errors import ConfigError, PluginError
from mner.types import OcrText, Tag
from mner.vision.extract import AHEAD, LONGEST_SIDE, Extractor

OFF = {"detector": "", "captioner": "", "ocr": ""}


@pytest.fixture
def plugin(monkeypatch):
    """Puts a plug-in made of functions where a dotted name finds it; returns the number of calls by part."""

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)
        level: int = 1

    calls: dict[str, int] = {}

    def install(name: str, kind: str, run, version: int = 1) -> str:
        def call(*args, **kwargs):
            calls[kind] = calls.get(kind, 0) + 1
            return run(*args, **kwargs)

        module = ModuleType(f"outside.{name}")
        module.Options, module.VERSION = Options, version
        setattr(module, kind, lambda options, *, threads=0: call)
        monkeypatch.setitem(sys.modules, "outside", ModuleType("outside"))
        monkeypatch.setitem(sys.modules, f"outside.{name}", module)
        return f"outside.{name}"

    return SimpleNamespace(install=install, calls=calls)


def picture(colour: str = "white", size: tuple[int, int] = (120, 90)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


def text_detector(plugin, result):
    return VisionConfig(**{**OFF, "detector": plugin.install("det", "Detector", lambda _: list(result))})


def test_read_with_the_default_backends_reads_text():
    drawn = Image.new("RGB", (500, 200), "white")
    ImageDraw.Draw(drawn).text((40, 60), "HARBOUR MARKET", fill="black", font_size=50)
    extractor = Extractor(VisionConfig(), threads=1)
    context = extractor.read(drawn, image="1.jpg")
    assert (context.status, context.reason, context.image) == ("ok", None, "1.jpg")
    assert [line.text for line in context.ocr] == ["HARBOUR MARKET"]
    assert context.extractor == {
        "name": "mner",
        "version": context.extractor["version"],
        "fingerprint": extractor.fingerprint,
    }
    assert len(context.sha256) == 64


def test_read_with_everything_off_is_an_empty_ok():
    context = Extractor(VisionConfig(**OFF)).read(picture(), image="a")
    assert (context.status, context.empty) == ("ok", True)


@pytest.mark.parametrize(
    ("source", "status"), [(b"no picture", "unreadable"), ("/nowhere/1.jpg", "missing"), (b"", "unreadable")]
)
def test_read_of_a_bad_picture_gives_status_and_reason(source, status):
    context = Extractor(VisionConfig()).read(source, image="bad.jpg")
    assert (context.status, context.image, context.empty) == (status, "bad.jpg", True)
    assert context.reason


def test_failing_backend_leaves_the_others_and_is_named(plugin):
    def fail(_):
        raise RuntimeError("no memory")

    tags = [Tag("dog", confidence=0.9, source="det")]
    config = VisionConfig(
        detector=plugin.install("det", "Detector", lambda _: tags),
        captioner="template",
        ocr=plugin.install("bad", "Reader", fail),
    )
    context = Extractor(config, threads=1).read(picture(), image="a")
    assert (context.status, context.reason) == ("ok", "the ocr failed: RuntimeError: no memory")
    assert context.tags == tuple(tags)
    assert [caption.text for caption in context.captions] == ["a photo of a dog"]


def test_context_of_a_failing_backend_is_not_stored(plugin, tmp_path):
    def fail(_):
        raise RuntimeError("no memory")

    config = VisionConfig(**{**OFF, "ocr": plugin.install("bad", "Reader", fail)})
    with Store(tmp_path / "s.sqlite") as store:
        for _ in range(2):
            list(Extractor(config).stream([("a", picture())], store=store))
        assert len(store) == 0
    assert plugin.calls["Reader"] == 2


def test_stream_reads_a_stored_picture_once_under_any_name(plugin, tmp_path):
    extractor = Extractor(text_detector(plugin, [Tag("dog", confidence=0.9)]))
    with Store(tmp_path / "s.sqlite") as store:
        contexts = list(extractor.stream([("a", picture()), ("b", picture()), ("c", picture("red"))], store=store))
    assert [context.image for context in contexts] == ["a", "b", "c"]
    assert contexts[0].tags == contexts[1].tags
    assert plugin.calls["Detector"] == 2


def test_stream_keeps_the_order_and_outlives_bad_pictures(plugin, tmp_path):
    extractor = Extractor(text_detector(plugin, [Tag("dog", confidence=0.9)]))
    items = [(f"{n}", b"broken" if n % 3 == 1 else picture(size=(n + 1, 5))) for n in range(20)]
    with Store(tmp_path / "s.sqlite") as store:
        contexts = list(extractor.stream(iter(items), store=store))
    assert [context.image for context in contexts] == [name for name, _ in items]
    assert [context.status for context in contexts] == ["unreadable" if n % 3 == 1 else "ok" for n in range(20)]


def test_stream_takes_items_as_they_are_needed(plugin):
    extractor, taken = Extractor(text_detector(plugin, [])), []

    def endless():
        while True:
            taken.append(1)
            yield "a", picture()

    stream = extractor.stream(endless())
    next(stream), next(stream)
    stream.close()
    assert len(taken) <= 1 + AHEAD


class Place:
    """A picture's place that tells each time it is read."""

    def __init__(self, content: bytes, given: list[threading.Event], number: int) -> None:
        self._content, self._told, self._number, self.reads = content, given, number, 0

    def read(self) -> bytes:
        self.reads += 1
        self._told[self._number].set()
        return self._content


def places(count: int) -> tuple[list[tuple[str, Place]], list[threading.Event]]:
    given = [threading.Event() for _ in range(count)]
    return [(f"{n}", Place(picture(size=(n + 1, 5)), given, n)) for n in range(count)], given


def test_next_picture_is_opened_while_the_backends_see_one(plugin, tmp_path):
    items, given = places(8)
    in_time: list[bool] = []

    def detect(pixels):
        in_time.append(given[min(pixels.width, 7)].wait(5))  # the width is the number of the next picture
        assert sum(each.is_set() for each in given) - pixels.width < AHEAD
        return []

    config = VisionConfig(**{**OFF, "detector": plugin.install("det", "Detector", detect)})
    with Store(tmp_path / "s.sqlite") as store:
        contexts = list(Extractor(config).stream(items, store=store))
    assert [(each.image, each.status, each.reason) for each in contexts] == [(f"{n}", "ok", None) for n in range(8)]
    assert in_time == [True] * 8
    assert [place.reads for _, place in items] == [1] * 8


def test_picture_in_the_store_is_read_once_and_not_decoded(plugin, tmp_path, monkeypatch):
    extractor = Extractor(text_detector(plugin, [Tag("dog", confidence=0.9)]))
    with Store(tmp_path / "s.sqlite") as store:
        first = list(extractor.stream(places(5)[0], store=store))
        monkeypatch.setattr("mner.vision.extract.decode", lambda file: pytest.fail("decoded"))
        items, _ = places(5)
        assert list(extractor.stream(items, store=store)) == first
        assert [place.reads for _, place in items] == [1] * 5
        assert extractor.known(items, store) == first
        assert extractor.known([*items, ("new", picture(size=(9, 9)))], store) is None
    assert plugin.calls["Detector"] == 5


def test_one_picture_is_read_without_another_thread(plugin, tmp_path):
    threads: list[threading.Thread] = []

    class Here:
        def read(self):
            threads.append(threading.current_thread())
            return picture()

    extractor = Extractor(text_detector(plugin, [Tag("dog", confidence=0.9)]))
    with Store(tmp_path / "s.sqlite") as store:
        first, second = (extractor.read(Here(), image="a", store=store) for _ in range(2))
    # A thread of a pool would hold up the end of a process that has given a slow picture up.
    assert threads == [threading.current_thread()] * 2
    assert (first, plugin.calls["Detector"]) == (second, 1)


def test_pictures_that_wait_are_small(plugin):
    extractor = Extractor(text_detector(plugin, []))
    opened = extractor._open(("large", picture(size=(4 * LONGEST_SIDE, 40))), None)
    assert (opened.picture.width, opened.picture.pixels.size) == (4 * LONGEST_SIDE, (LONGEST_SIDE, 10))


def test_place_that_raises_anything_costs_its_own_picture(plugin):
    class Broken:
        def read(self):
            raise ValueError("no such member")

    items = [("a", picture()), ("b", Broken()), ("c", picture("red"))]
    contexts = list(Extractor(text_detector(plugin, [])).stream(items))
    assert [(each.image, each.status) for each in contexts] == [("a", "ok"), ("b", "unreadable"), ("c", "ok")]
    assert contexts[1].reason == "the picture cannot be read: no such member"


def test_tags_are_sorted_and_cut_with_their_attributes_and_counted(plugin):
    tags = [Tag("x", attributes=("a", "b"), confidence=n / 100, source="det") for n in range(50)]
    context = Extractor(text_detector(plugin, tags)).read(picture(), image="a")
    stored = [tag.confidence for tag in context.tags]
    assert stored == sorted(stored, reverse=True)
    assert sum(1 + len(tag.attributes) for tag in context.tags) <= MOST_TAGS
    assert (len(stored), context.extra) == (33, {"cut": {"tags": 17}})


def test_boxes_are_in_pixels_of_the_whole_picture(plugin):
    seen = []

    def read(pixels):
        seen.append(pixels.size)
        return [OcrText("word", 0.9, (10.0, 20.0, float(pixels.width), float(pixels.height)))]

    config = VisionConfig(**{**OFF, "ocr": plugin.install("read", "Reader", read)})
    context = Extractor(config).read(picture(size=(3200, 1000)), image="a")
    assert seen == [(1600, 500)]
    assert context.ocr[0].box == (20.0, 40.0, 3200.0, 1000.0)


def fingerprint(**settings) -> str:
    return Extractor(VisionConfig(**settings)).fingerprint


def test_fingerprint_changes_with_backends_and_options_only():
    each = fingerprint()
    assert len(each) == 12 and int(each, 16) >= 0
    assert (
        each
        == fingerprint()
        == fingerprint(options={"nanodet": {"threshold": 0.5}})
        == fingerprint(options={"tesseract": {}})
    )
    others = {
        fingerprint(options={"nanodet": {"threshold": 0.7}}),
        fingerprint(options={"scene": {"threshold": 0.9}}),
        fingerprint(options={"attributes": {"most": 0}}),
        fingerprint(ocr=""),
        fingerprint(ocr="tesseract"),
    }
    assert len(others) == 5 and each not in others


def test_fingerprint_changes_with_a_plugins_version(plugin):
    names = [
        plugin.install("det", "Detector", lambda _: [], version=version)
        and fingerprint(**{**OFF, "detector": "outside.det"})
        for version in (1, 2)
    ]
    assert names[0] != names[1]


def test_unknown_backend_is_told_with_those_that_exist():
    with pytest.raises(PluginError, match='did you mean "nanodet"'):
        Extractor(VisionConfig(detector="nanodte"))


def test_bad_options_are_told_all_at_once():
    options = {"nanodet": {"treshold": 0.5}, "rapid": {"threshold": 7}, "nobody": {}}
    with pytest.raises(ConfigError) as caught:
        Extractor(VisionConfig(options=options))
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "vision.options.nobody",
        "vision.options.nanodet.treshold",
        "vision.options.rapid.threshold",
    ]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("MNER_DATA"), reason="set MNER_DATA to the folder of the real data")
def test_real_pictures_are_all_read():
    paths = sorted((Path(os.environ["MNER_DATA"]) / "images").glob("*.jpg"))
    contexts = list(Extractor(VisionConfig(), threads=1).stream((path.name, path) for path in paths))
    assert [context.image for context in contexts] == [path.name for path in paths]
    assert all((context.status, context.reason) == ("ok", None) for context in contexts)
    result = {context.image: context for context in contexts}
    assert result["16_05_01_127.jpg"].ocr[0].text.strip('"') == "Phillies"
    assert [caption.text for caption in result["1.jpg"].captions] == ["a photo of two people"]
    assert sum(bool(context.tags) for context in contexts) >= 18
    assert sum(bool(context.ocr) for context in contexts) >= 12
