from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from mner import config as configs
from mner import data
from mner.config import Config
from mner.errors import ConfigError, DataError
from mner.types import Caption, Tag, VisualContext
from mner.views import Views
from mner.views.split import contexts_fingerprint, read_posts, read_split

FIRST = "IMGID:1\nKevin\tB-PER\nwins\tO\n\n"
SECOND = "IMGID:2\nOscars\tB-OTHER\n\nIMGID:3\nGrammys\tB-MISC\n\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(FIRST)
    (tmp_path / "b.txt").write_text(SECOND)
    (tmp_path / "empty.txt").write_text("")
    return tmp_path


def config(**table: object) -> Config:
    return configs.check({"data": {"format": "twitter", **table}})


def test_several_training_files_are_read_in_order(folder: Path) -> None:
    posts = read_posts(config(train=["b.txt", "a.txt"]), folder, "train")
    assert [post.id for post in posts] == ["2", "3", "1"]
    assert read_posts(config(train="a.txt"), folder, "train") == posts[2:]


def test_renamed_types_are_those_of_the_stamp(folder: Path) -> None:
    files = ["a.txt", "b.txt"]
    plain = data.stamp(read_posts(config(train=files), folder, "train"))
    renamed = data.stamp(read_posts(config(train=files, rename={"OTHER": "MISC"}), folder, "train"))
    assert plain.labels == {"MISC": 1, "OTHER": 1, "PER": 1}
    assert renamed.labels == {"MISC": 2, "PER": 1}
    assert renamed.fingerprint != plain.fingerprint


def test_each_file_of_a_split_must_hold_posts(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no\.txt: no such file"):
        read_posts(config(train=["a.txt", "no.txt"]), folder, "train")
    with pytest.raises(DataError, match=r"empty\.txt"):
        read_posts(config(train=["a.txt", "empty.txt"]), folder, "train")
    with pytest.raises(ConfigError, match=r"data\.dev: not set"):
        read_posts(config(train="a.txt"), folder, "dev")


def test_posts_with_unknown_entities_are_not_trained_on_and_refused_elsewhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        '{"text": "Kevin", "label": [[0, 5, "PER"]]}',
        '{"text": "Ohio"}',
        '{"text": "Oslo", "entities": []}',
        '{"text": "Rome", "entities": [], "answer": "reject"}',
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    (tmp_path / "bare.jsonl").write_text(rows[1])
    (tmp_path / "checked.jsonl").write_text("\n".join(rows[::2] + rows[3:]))
    partly = configs.check({"data": {"train": "a.jsonl", "dev": "a.jsonl", "test": "bare.jsonl"}})
    assert [post.text for post in read_posts(partly, tmp_path, "train")] == ["Kevin", "Oslo"]
    assert 'a.jsonl: posts left out: 1 answer "reject", 1 without labels' in caplog.text
    for split, count in (("dev", "1 of the 3 dev"), ("test", "1 of the 1 test")):
        with pytest.raises(DataError, match=rf'jsonl:\d: post ".*" has no labels to score against \({count} posts'):
            read_posts(partly, tmp_path, split)  # type: ignore[arg-type]
    none = configs.check({"data": {"train": "bare.jsonl", "dev": "checked.jsonl"}})
    assert [post.text for post in read_posts(none, tmp_path, "dev")] == ["Kevin", "Oslo"]
    with pytest.raises(DataError, match="no post has labels; training needs some"):
        read_posts(none, tmp_path, "train")


def test_some_training_posts_are_drawn_once_for_all_seeds(tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("".join(f"IMGID:{number}\nKevin\tB-PER\n\n" for number in range(50)))

    def drawn(count: int, split: str = "train", seed: int = 1) -> list[str]:
        table = {"format": "twitter", "train": "many.txt", "dev": "many.txt", "train_posts": count}
        read = read_posts(configs.check({"seed": seed, "data": table}), tmp_path, split)  # type: ignore[arg-type]
        return [post.id for post in read]

    assert drawn(0) == drawn(50) == [str(number) for number in range(50)]
    assert drawn(20) == drawn(20, seed=7) == sorted(drawn(20), key=int)
    assert len(drawn(20)) == 20 and set(drawn(5)) < set(drawn(20))
    assert drawn(20) != drawn(50)[:20], "not the first ones"
    assert len(drawn(20, "dev")) == 50
    with pytest.raises(ConfigError, match=r"data\.train_posts: 51, but many\.txt holds 50"):
        drawn(51)


def test_fingerprint_of_contexts_is_of_what_a_row_reads() -> None:
    def read(order: list[str], *captions: str, **context: object) -> str:
        row = VisualContext(
            "1.jpg", tags=(Tag("cat"),), captions=tuple(Caption(caption, source="a") for caption in captions)
        )
        config = configs.check({"context": {"order": order, **context}})
        return contexts_fingerprint([row, None], config)

    assert read(["captions"], "a cat") == read(["captions"], "a cat", budget={"captions": 2}, substitute="empty")
    assert read(["captions"], "a cat") != read(["captions"], "a dog")
    assert read(["tags"], "a cat") == read(["tags"], "a dog") != read(["captions"], "a cat")


def test_all_posts_leave_the_fingerprint_as_it_was() -> None:
    plain = configs.check({"data": {"train": "a.txt"}})
    assert configs.check({"data": {"train": "a.txt", "train_posts": 0}}).fingerprint == plain.fingerprint
    assert configs.check({"data": {"train": "a.txt", "train_posts": 9}}).fingerprint != plain.fingerprint


def test_post_with_several_pictures_is_trained_on_all_of_them(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    posts = [
        {"text": "kevin love", "entities": [], "images": ["1.jpg", "none.jpg", "2.jpg"]},
        {"text": "jordan", "entities": [], "images": ["none.jpg", "gone.jpg"]},
    ]
    rows = [{"image": f"{number}.jpg", "captions": [{"text": text}]} for number, text in ((1, "a dog"), (2, "a bike"))]
    rows.append({"image": "gone.jpg", "status": "missing"})
    for name, lines in (("posts", posts), ("contexts", rows)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    settings = configs.check({"data": {"train": "posts.jsonl", "contexts": ["contexts.jsonl"]}})
    views = Views(tokenizers["bert"], settings.context)
    split = read_split(settings, tmp_path, "train", views)
    assert split.coverage == {"used": 1, "missing": 1}
    both = VisualContext("", captions=(Caption("a dog"), Caption("a bike")))
    expected = views.encode(split.posts[0], both).windows[0].tolist()
    assert split.encoded["I+T"][0].windows[0].tolist() == expected
    assert split.encoded["I+T"][1].windows[0].tolist() == split.encoded["T"][1].windows[0].tolist()
