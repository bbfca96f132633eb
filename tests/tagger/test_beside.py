"""What goes beside the words, and what became of each picture, of one and of several."""

from __future__ import annotations

import io
import struct
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import mner
from mner.config import ContextConfig, VisionConfig
from mner.errors import DataError
from mner.tagger.beside import Beside, judge
from mner.tagger.pictures import Pictures
from mner.tagger.requests import Request, request
from mner.types import Caption, PictureStatus, VisualContext
from mner.views import Array, Piece

TEXT = "Kevin Love is back in Cleveland"
DOG = VisualContext("1.jpg", captions=(Caption("a dog"),))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("placeholder", "placeholder"),
        ("unreadable", "unreadable"),
        ("missing", "missing"),
        ("too_large", "too_large"),
        ("timeout", "timeout"),
        ("skipped", "disabled"),
    ],
)
def test_every_fallback_has_a_reason(status: Any, expected: str) -> None:
    wanted = Request(request("Hi").post, picture=b"x")
    context = VisualContext("x", status=status, reason="because")
    assert judge(wanted, context, ()) == (expected, "because")
    outcome, reason = judge(wanted, replace(context, reason=None), ())
    assert outcome == expected
    assert reason


def test_judge_distinguishes_used_none_and_empty() -> None:
    wanted = request("Hi", image="1.jpg")
    piece = Piece("captions", "x", "a dog")
    assert judge(request("Hi"), None, ()) == ("none", None)
    assert judge(wanted, DOG, (piece,)) == ("used", None)
    assert judge(wanted, VisualContext("1.jpg"), ()) == ("empty", "nothing was read from the picture")
    failed = replace(DOG, reason="the ocr failed")
    assert judge(wanted, failed, (piece,)) == ("used", "the ocr failed")
    assert judge(wanted, VisualContext("1.jpg", reason="the ocr failed"), ()) == ("empty", "the ocr failed")
    status, reason = judge(wanted, DOG, ())
    assert status == "empty"
    assert reason is not None
    assert "[context]" in reason


def png(size: tuple[int, int] = (48, 32)) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(stream, "PNG")
    return stream.getvalue()


def bomb(side: int = 60_000) -> bytes:
    """A PNG whose head says that it has far too many pixels."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    crc = zlib.crc32(b"IHDR" + head)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + head
        + struct.pack(">I", crc)
        + struct.pack(">I", 0)
        + b"IDAT"
    )


@pytest.fixture
def tagger(tiny_model: Path, tmp_path: Path) -> mner.Tagger:
    contexts = {
        "dog.jpg": DOG,
        "gate.jpg": VisualContext("gate.jpg", captions=(Caption("a gate"),)),
        "gone.jpg": VisualContext("gone.jpg", status="placeholder", reason="the picture is a placeholder"),
        "slow.jpg": VisualContext("slow.jpg", status="timeout", reason="the picture was not read within 1 seconds"),
    }
    return mner.load(tiny_model, threads=1, contexts=contexts, images=tmp_path, store=tmp_path / "store.sqlite")


FAULTS: dict[str, tuple[Any, str]] = {
    "missing": ("none.jpg", "missing"),
    "placeholder": ("gone.jpg", "placeholder"),
    "time-out": ("slow.jpg", "timeout"),
    "damaged": (png()[:60], "unreadable"),
    "no picture": (b"<html>404 not found</html>", "unreadable"),
    "bomb": (bomb(), "too_large"),
    "address": ("https://example.org/1.jpg", "disabled"),
}


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("kind", FAULTS)
def test_one_bad_picture_takes_nothing_from_the_others(tagger: mner.Tagger, kind: str, at: int) -> None:
    bad, status = FAULTS[kind]
    images: list[Any] = ["dog.jpg", "gate.jpg"]
    images.insert(at, bad)
    prediction = tagger({"text": TEXT, "images": images})
    assert [picture.status for picture in prediction.pictures] == [
        status if place == at else "used" for place in range(3)
    ]
    assert (prediction.view, prediction.image_status) == ("I+T", "used")
    assert prediction.reason is not None
    assert prediction.reason.startswith(f"picture {at + 1}")
    assert prediction.pictures[at].reason
    assert [piece.text for piece in tagger.explain({"text": TEXT, "images": images}).pieces] == ["a dog", "a gate"]
    good = tagger({"text": TEXT, "images": ["dog.jpg", "gate.jpg"]})
    assert prediction.entities == good.entities


def test_where_all_pictures_are_bad_the_words_alone_are_read(tagger: mner.Tagger) -> None:
    prediction = tagger({"text": TEXT, "images": [bad for bad, _ in FAULTS.values()]})
    assert (prediction.view, prediction.image_status) == ("T", "missing")
    assert [picture.status for picture in prediction.pictures] == [status for _, status in FAULTS.values()]
    assert prediction.entities == tagger(TEXT).entities


def test_a_list_of_a_single_picture_is_that_picture(tagger: mner.Tagger) -> None:
    alone = tagger({"id": "7", "text": TEXT, "image": "dog.jpg"})
    for row in ({"images": ["dog.jpg"]}, {"image": ["dog.jpg"]}, {"image": "dog.jpg", "images": ["dog.jpg"]}):
        assert tagger({"id": "7", "text": TEXT, **row}) == alone
    assert alone.to_dict()["image"] == "dog.jpg"
    assert "pictures" not in alone.to_dict()


def test_row_of_several_pictures_names_each(tagger: mner.Tagger) -> None:
    row = tagger({"text": TEXT, "images": ["dog.jpg", "none.jpg"]}).to_dict()
    assert row["images"] == ["dog.jpg", "none.jpg"]
    assert "image" not in row
    assert [sorted(picture) for picture in row["pictures"]] == [["image", "status"], ["image", "reason", "status"]]
    assert row["pictures"][0] == {"image": "dog.jpg", "status": "used"}


def test_pictures_given_as_bytes_have_no_names(tagger: mner.Tagger) -> None:
    prediction = tagger(TEXT, image=[png(), b"", png((32, 48))])
    assert [picture.image for picture in prediction.pictures] == [None, None, None]
    assert prediction.pictures[1].status == "unreadable"
    assert "images" not in prediction.to_dict()
    assert prediction.context is not None


def test_contexts_stand_for_pictures_one_by_one(tagger: mner.Tagger) -> None:
    prediction = tagger(
        TEXT, context=["a dog", {"status": "missing"}, VisualContext("x", captions=(Caption("a gate"),))]
    )
    assert [picture.status for picture in prediction.pictures] == ["used", "missing", "used"]
    assert prediction.context is not None
    assert [(caption.text, caption.picture) for caption in prediction.context.captions] == [("a dog", 0), ("a gate", 2)]
    assert tagger(TEXT, image=["dog.jpg", "b.jpg"], context="a gate").image_status == "used"


def test_pictures_turned_off_are_disabled_each(tiny_model: Path) -> None:
    prediction = mner.load(tiny_model, threads=1, use_images=False)(TEXT, image=["a.jpg", "b.jpg"])
    assert [picture.status for picture in prediction.pictures] == ["disabled", "disabled"]


def test_too_many_pictures_are_refused(tagger: mner.Tagger, tiny_model: Path) -> None:
    post = {"text": TEXT, "images": ["dog.jpg"] * 17}
    with pytest.raises(DataError, match="17 pictures, the most of one post is 16"):
        tagger(post)
    with pytest.raises(DataError, match="post 1: 17 pictures"):
        tagger.batch([post])
    allowed = mner.load(tiny_model, threads=1, max_pictures=17, contexts={"dog.jpg": DOG})
    assert len(allowed(post).pictures) == 17
    with pytest.raises(ValueError, match="max_pictures"):
        mner.load(tiny_model, max_pictures=0)


def test_explanation_leaves_out_each_picture(tagger: mner.Tagger) -> None:
    post = {"text": TEXT, "images": ["dog.jpg", "none.jpg", "gate.jpg"]}
    explanation = tagger.explain(post)
    row = explanation.evidence[0]
    assert len(row.without_picture) == 3
    assert row.without_picture[1] == pytest.approx(row.with_image)
    rest = tagger.explain({"text": TEXT, "images": ["gate.jpg"]})
    expected = {(each.entity.text, each.entity.label): each.with_image for each in rest.evidence}
    for each in explanation.evidence:
        if (same := expected.get((each.entity.text, each.entity.label))) is not None:
            assert each.without_picture[0] == pytest.approx(same, abs=1e-5)
    assert row.to_dict()["score_without_picture"] == [round(score, 6) for score in row.without_picture]
    assert len(explanation.more_pictures) == 2
    assert [piece.to_dict().get("picture") for piece in explanation.pieces] == [None, 2]


def test_a_post_with_pictures_is_read_like_its_row(tagger: mner.Tagger) -> None:
    post = mner.Post(TEXT, image="dog.jpg", more_images=("gate.jpg",))
    assert tagger(post) == tagger({"text": TEXT, "images": ["dog.jpg", "gate.jpg"]})
    assert tagger(post).pictures == (PictureStatus("used", "dog.jpg"), PictureStatus("used", "gate.jpg"))


class Features:
    """Stands for ``PictureFeatures``: regions of ones, or none."""

    declared = (Array("grid", ("post", "region", 2)),)

    def __init__(self, **regions: int) -> None:
        self.regions = regions

    def read(self, name: str, source: Any) -> Any:
        count = self.regions.get(name, 0)
        if not count:
            return {}, "missing", "there is no such picture"
        return {"grid": np.full((count, 2), count)}, "used", None


def test_arrays_of_several_pictures_stand_side_by_side() -> None:
    features: Any = Features(a=1, c=3)
    beside = Beside(ContextConfig(), Pictures(VisionConfig()), reads_context=False, features=features)
    reading = beside.look(request("Hi", image=["a", "b", "c"]))
    assert reading.status == "used"
    assert reading.arrays["grid"].tolist() == [[1, 1], *[[3, 3]] * 3]
    assert [len(reading.without(place)[1].get("grid", ())) for place in range(3)] == [3, 4, 1]
    assert reading.reason == "picture 2 (b): there is no such picture"


@pytest.mark.parametrize("reads_context", [False, True])
def test_context_that_says_why_a_picture_is_unusable_holds_for_its_features(reads_context: bool) -> None:
    features: Any = Features(a=1, b=2)
    beside = Beside(ContextConfig(), Pictures(VisionConfig()), reads_context=reads_context, features=features)
    late = VisualContext("a", status="timeout", reason="too slow")
    reading = beside.look(request("Hi", image="a", context=late))
    assert (reading.status, reading.reason, dict(reading.arrays)) == ("timeout", "too slow", {})
    reading = beside.look(request("Hi", image=["a", "b"], context=[late, None]))
    assert [each.status for each in reading.apart] == ["timeout", "used"]
    assert reading.arrays["grid"].shape == (2, 2)
    assert reading.reason is not None
    assert reading.reason.startswith("picture 1 (a): too slow")


def test_each_of_several_pictures_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def read(self, source: Any, *, image: str, store: Any = None) -> VisualContext:
            time.sleep(0.5 if image == "slow.jpg" else 0)
            return replace(DOG, image=image)

    monkeypatch.setattr("mner.tagger.pictures._open", lambda vision, store: (Slow(), None))
    beside = Beside(ContextConfig(), Pictures(VisionConfig(), timeout=0.2), reads_context=True)
    reading = beside.look(request("Hi", image=["a.jpg", "slow.jpg"]))
    assert [each.status for each in reading.apart] == ["used", "timeout"]
    assert (reading.status, [piece.picture for piece in reading.pieces]) == ("used", [0])
    assert reading.reason == "picture 2 (slow.jpg): the picture was not read within 0.2 seconds"


def test_an_empty_slot_among_several_pictures_takes_nothing_from_the_others() -> None:
    tagger = mner.load(threads=1)
    row = {"image": "b.jpg", "captions": ["a dog"]}
    for prediction in (
        tagger(TEXT, context=[None, row]),
        tagger({"text": TEXT, "images": ["", "b.jpg"], "context": [None, row]}),
    ):
        assert (prediction.view, prediction.image_status) == ("I+T", "used")
        assert prediction.context is not None and [each.text for each in prediction.context.captions] == ["a dog"]
        assert [each.status for each in prediction.pictures] == ["none", "used"]
