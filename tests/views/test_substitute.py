from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from mner import config as configs
from mner.config import Config
from mner.errors import DataError
from mner.types import Caption, VisualContext
from mner.views import Views
from mner.views.split import ViewSplit, read_split
from mner.views.substitute import substituted

COUNT = 30


def rows(count: int = COUNT) -> list[VisualContext]:
    return [VisualContext(f"{n}.jpg", captions=(Caption(f"scene {n}"),)) for n in range(count)]


def images(replaced: list[VisualContext | None]) -> list[str | None]:
    return [original.image if original else None for original in replaced]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("count", [2, 3, COUNT])
def test_shuffled_gives_each_context_to_another_picture_once(count: int, seed: int) -> None:
    own = rows(count)
    replaced = images(substituted(own, "shuffled", seed=seed))
    assert all(original != other.image for original, other in zip(replaced, own, strict=True))
    assert sorted(filter(None, replaced)) == sorted(original.image for original in own)


def test_shuffled_follows_the_seed_and_not_the_order_of_posts() -> None:
    own = rows()
    first = images(substituted(own, "shuffled", seed=1))
    assert first == images(substituted(own, "shuffled", seed=1))
    assert first != images(substituted(own, "shuffled", seed=2))
    backwards = images(substituted(own[::-1], "shuffled", seed=1))
    assert backwards[::-1] == first


def test_posts_of_one_picture_share_its_substitute() -> None:
    a, b, c = rows(3)
    replaced = images(substituted([a, b, a, None, c, a], "shuffled", seed=3))
    assert replaced[0] == replaced[2] == replaced[5] != "0.jpg"
    assert replaced[3] is None


def test_unreadable_pictures_neither_give_nor_take() -> None:
    placeholder = VisualContext("p.jpg", status="placeholder", captions=(Caption("not found"),))
    for kind in ("shuffled", "empty"):
        replaced = substituted([*rows(2), placeholder, None], kind, seed=1)
        assert replaced[2:] == [placeholder, None]
        assert "p.jpg" not in images(replaced)[:2]


def test_empty_leaves_nothing_and_none_leaves_all() -> None:
    assert all(
        original is not None and original.empty and original.status == "ok"
        for original in substituted(rows(), "empty", seed=1)
    )
    assert substituted(rows(), "none", seed=1) == rows()


def test_one_picture_alone_has_no_other() -> None:
    with pytest.raises(DataError, match=r"shuffled.*0\.jpg is the only picture"):
        substituted([*rows(1), None], "shuffled", seed=1)
    assert substituted([None], "shuffled", seed=1) == [None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, numbers in (("train", range(1, 9)), ("dev", range(9, 15))):
        (tmp_path / f"{name}.txt").write_text("".join(f"IMGID:{n}\nKevin\tB-PER\nwon\tO\n\n" for n in numbers))
    captions = [{"image": f"{n}.jpg", "captions": [{"text": "dog " * n}]} for n in range(1, 15)]
    (tmp_path / "contexts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in captions))
    return tmp_path


def split(folder: Path, encoder: Path, name: str, **context: object) -> tuple[Config, ViewSplit]:
    data = {"train": "train.txt", "dev": "dev.txt", "contexts": ["contexts.jsonl"]}
    config = configs.check({"data": data, "context": context, "model": {"encoder": str(encoder)}, "seed": 5})
    return config, read_split(config, folder, name, Views(encoder / "tokenizer.json", config.context))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["train", "dev"])
def test_a_split_is_encoded_with_the_contexts_of_its_own_other_pictures(
    folder: Path, tiny_encoder: Path, name: str
) -> None:
    _, plain = split(folder, tiny_encoder, name)
    _, shuffled = split(folder, tiny_encoder, name, substitute="shuffled")
    sizes = [[original.tokens for original in part.encoded["I+T"]] for part in (plain, shuffled)]
    assert Counter(sizes[0]) == Counter(sizes[1]), "of the same split"
    assert all(original != other for original, other in zip(*sizes, strict=True)), "each picture's size is its own here"
    assert shuffled.coverage == plain.coverage == {"used": len(plain.posts)}
    assert shuffled.stamp == plain.stamp and shuffled.fingerprint != plain.fingerprint
    for original, other in zip(plain.encoded["T"], shuffled.encoded["T"], strict=True):
        assert original.windows[0].tolist() == other.windows[0].tolist()


def test_an_empty_split_has_two_equal_views(folder: Path, tiny_encoder: Path) -> None:
    _, part = split(folder, tiny_encoder, "train", substitute="empty")
    assert part.coverage == {"empty": 8}
    for original, other in zip(part.encoded["T"], part.encoded["I+T"], strict=True):
        assert original.windows[0].tolist() == other.windows[0].tolist()
