"""The contexts of posts, from files."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from mner import config as configs
from mner.types import Post
from mner.views.contexts import contexts_of


def test_texts_of_a_post_stand_beside_it_alone(tmp_path: Path) -> None:
    row = {"image": "1.jpg", "texts": [{"text": f"of {post}", "post": post} for post in ("p1", "p2")] + ["of both"]}
    (tmp_path / "c.jsonl").write_text(json.dumps(row) + "\n")
    config = configs.check({"data": {"contexts": ["c.jsonl"]}})
    posts = [Post(name, "Hi", ("Hi",), ((0, 2),), image=image) for name, image in
             (("p1", "1.jpg"), ("p2", "1.jpg"), ("p3", None), ("p4", "2.jpg"))]  # fmt: skip
    read = contexts_of(posts, config, tmp_path)
    assert [None if of_post is None else [text.text for text in of_post.texts] for of_post in read] == [
        ["of p1", "of both"],
        ["of p2", "of both"],
        None,
        None,
    ]


def test_pictures_of_training_stay_inside_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))
    (tmp_path / "pics").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "pics" / "1.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    stream = io.BytesIO()
    Image.new("RGB", (9, 9)).save(stream, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    config = configs.check({"data": {"images": "pics"}, "vision": {"detector": "", "captioner": "", "ocr": ""}})
    names = ["1.png", "../secret.png", uri, "https://example.org/1.png"]
    posts = [Post(str(number), "Hi", ("Hi",), ((0, 2),), image=name) for number, name in enumerate(names)]
    read = contexts_of(posts, config, tmp_path)
    assert [context.status for context in read if context is not None] == ["ok", "skipped", "ok", "skipped"]
    assert all(context is not None and len(context.image) < 60 for context in read)


def test_contexts_of_several_pictures_are_one(tmp_path: Path) -> None:
    rows = [{"image": f"{name}.jpg", "captions": [{"text": name}]} for name in "ab"]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = configs.check({"data": {"contexts": ["c.jsonl"]}})
    posts = [
        Post("1", "Hi", image="a.jpg", more_images=("none.jpg", "b.jpg")),
        Post("2", "Hi", image="none.jpg", more_images=("gone.jpg",)),
    ]
    both, nothing = contexts_of(posts, config, tmp_path)
    assert both is not None
    assert [(caption.text, caption.picture) for caption in both.captions] == [("a", 0), ("b", 2)]
    assert both.reason == "picture 2 (none.jpg): the files of contexts do not have it"
    assert nothing is None
