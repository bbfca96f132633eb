"""The contexts of posts, from files."""

from __future__ import annotations

import json
from pathlib import Path

from mner import config as configs
from mner.types import Post
from mner.views.contexts import contexts_of


def test_texts_of_a_post_stand_beside_it_alone(tmp_path: Path) -> None:
    row = {"image": "1.jpg", "texts": [{"text": f"of {post}", "post": post} for post in ("p1", "p2")] + ["of both"]}
    (tmp_path / "c.jsonl").write_text(json.dumps(row) + "\n")
    config = configs.check({"data": {"contexts": ["c.jsonl"]}})
    posts = [Post(name, "Hi", ("Hi",), ((0, 2),), image=image) for name, image in
             (("p1", "1.jpg"), ("p2", "1.jpg"), ("p3", None), ("p4", "2.jpg"))]  # fmt: skip
    found = contexts_of(posts, config, tmp_path)
    assert [None if one is None else [text.text for text in one.texts] for one in found] == [
        ["of p1", "of both"],
        ["of p2", "of both"],
        None,
        None,
    ]
