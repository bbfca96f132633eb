"""Data sets of the hub: names of labels, pictures, and the way back."""

from __future__ import annotations

import io
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mner.data import read, write
from mner.errors import DataError, MissingExtraError
from mner.integrations.datasets import from_dataset, to_dataset
from mner.types import Post, Span

datasets: Any = pytest.importorskip("datasets", reason='datasets is not installed: pip install "mner[hub-data]"')

NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
WORDS = ["Kevin", "Love", "is", "in", "Cleveland"]


def png(colour: str) -> bytes:
    Image.new("RGB", (8, 8), colour).save(stream := io.BytesIO(), "PNG")
    return stream.getvalue()


def conll(rows: dict[str, list[Any]], **more: Any) -> Any:
    features = {
        "tokens": datasets.List(datasets.Value("string")),
        "ner_tags": datasets.List(datasets.ClassLabel(names=NAMES)),
        **more,
    }
    return datasets.Dataset.from_dict(rows, features=datasets.Features(features))


def test_numbers_of_class_labels_become_entities() -> None:
    (post,) = from_dataset(conll({"tokens": [WORDS], "ner_tags": [[1, 2, 0, 0, 3]]}))
    assert (post.id, post.text, post.words) == ("1", "Kevin Love is in Cleveland", tuple(WORDS))
    assert post.spans == (Span(0, 2, "PER"), Span(4, 5, "LOC"))
    assert post.where == "row 1"


@pytest.mark.parametrize("tags", [[-1] * 5, None])
def test_unknown_labels_are_not_the_same_as_no_entities(tags: Any) -> None:
    unknown, none = from_dataset(conll({"tokens": [WORDS, WORDS], "ner_tags": [tags, [0] * 5]}))
    assert (unknown.spans, none.spans) == (None, ())
    assert unknown.words == tuple(WORDS)


def test_class_labels_within_entities_are_named() -> None:
    entity = {
        "start": datasets.Value("int32"),
        "end": datasets.Value("int32"),
        "label": datasets.ClassLabel(names=["LOC"]),
    }
    features = datasets.Features({"text": datasets.Value("string"), "entities": [entity]})
    rows = {"text": ["Go to Oslo"], "entities": [[{"start": 6, "end": 10, "label": 0}]]}
    (post,) = from_dataset(datasets.Dataset.from_dict(rows, features=features))
    assert post.spans == (Span(2, 3, "LOC"),)


def test_stream_is_read_lazily() -> None:
    taken: list[int] = []

    def rows() -> Any:
        for number in range(1000):
            taken.append(number)
            yield {"text": f"post {number}"}

    posts = from_dataset(datasets.IterableDataset.from_generator(rows))
    assert next(posts).text == "post 0"
    assert len(taken) < 1000


def test_pictures_go_to_their_folder_by_name_and_content(tmp_path: Path) -> None:
    red, blue = png("red"), png("blue")
    pictures = [
        {"bytes": red, "path": "../../1.png"},
        {"bytes": blue, "path": "a/1.png"},
        {"bytes": blue, "path": None},
        {"bytes": blue, "path": ".."},
        {"bytes": blue, "path": "x" * 300 + ".png"},
        None,
        {"bytes": blue, "path": "写" * 100 + ".png"},  # 300 bytes
        {"bytes": blue, "path": "folder.png"},
    ]
    (tmp_path / "photos" / "folder.png").mkdir(parents=True)
    rows = {"tokens": [WORDS] * 8, "ner_tags": [None] * 8, "photo": pictures}
    posts = list(from_dataset(conll(rows, photo=datasets.Image()), images=tmp_path / "photos"))
    assert posts[0].image == "1.png"
    assert [(tmp_path / "photos" / post.image).read_bytes() for post in posts[:5] if post.image] == [red, *[blue] * 4]
    assert posts[2].image == posts[3].image == posts[4].image == posts[6].image != posts[1].image
    assert (tmp_path / "photos" / str(posts[7].image)).read_bytes() == blue
    assert posts[5].image is None
    assert {path.parent for path in tmp_path.rglob("*.*g*") if path.is_file()} == {tmp_path / "photos"}
    again = list(from_dataset(conll(rows, photo=datasets.Image()), images=tmp_path / "photos"))
    assert again == posts


def test_pictures_need_a_folder_and_are_never_fetched(tmp_path: Path) -> None:
    rows = {"tokens": [WORDS], "ner_tags": [None]}
    held = conll({**rows, "image": [{"bytes": png("red"), "path": None}]}, image=datasets.Image())
    with pytest.raises(DataError, match=r"row 1: the data set holds pictures; .*images="):
        next(from_dataset(held))
    absent = conll({**rows, "image": [{"bytes": None, "path": "https://example.org/1.jpg"}]}, image=datasets.Image())
    with pytest.raises(DataError, match=r"row 1: https://example\.org/1\.jpg: the picture is not in the data set"):
        next(from_dataset(absent, images=tmp_path))
    (tmp_path / "secret").write_text("not for others")
    for path in (tmp_path, tmp_path / "secret", "/dev/zero"):
        named = conll({**rows, "image": [{"bytes": None, "path": str(path)}]}, image=datasets.Image())
        with pytest.raises(DataError, match=rf"row 1: {path}: the picture is not in the data set"):
            next(from_dataset(named, images=tmp_path / "photos"))
    assert not (tmp_path / "photos").exists()


def test_columns_and_lists_of_pictures_are_several_pictures(tmp_path: Path) -> None:
    red, blue = ({"bytes": png(colour), "path": f"{colour}.png"} for colour in ("red", "blue"))
    rows = {"tokens": [WORDS] * 2, "ner_tags": [None] * 2}
    two = conll({**rows, "a": [red, None], "b": [blue, blue]}, a=datasets.Image(), b=datasets.Image())
    assert [post.images for post in from_dataset(two, images=tmp_path)] == [("red.png", "blue.png"), ("blue.png",)]
    listed = conll({**rows, "images": [[red, blue], []]}, images=datasets.List(datasets.Image()))
    posts = list(from_dataset(listed, images=tmp_path))
    assert [post.images for post in posts] == [("red.png", "blue.png"), ()]
    assert [post.images for post in from_dataset(to_dataset(posts))] == [post.images for post in posts]
    again = from_dataset(to_dataset(posts, images=tmp_path), images=tmp_path / "again")
    assert [post.images for post in again] == [post.images for post in posts]
    assert (tmp_path / "again" / "blue.png").read_bytes() == blue["bytes"]


def test_faults_name_the_row_and_what_to_type() -> None:
    with pytest.raises(DataError, match=r'row 1: expected "text" or "words"'):
        next(from_dataset(datasets.Dataset.from_dict({"body": ["Hi"]})))
    split = conll({"tokens": [WORDS], "ner_tags": [None]})
    with pytest.raises(TypeError, match=r'got DatasetDict; name a split: dataset\["train"\]'):
        from_dataset(datasets.DatasetDict({"train": split}))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="got list"):
        from_dataset([])  # type: ignore[arg-type]


def test_data_set_of_posts_names_its_labels_and_opens_its_pictures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "1.png").write_bytes(png("red"))
    posts = [
        Post("a", "Bo won", image="1.png", spans=(Span(0, 1, "PER"),)),
        Post("b", "Oslo", image="none.png", spans=None),
        Post("c", "Oslo", image="../secret.png", spans=()),
    ]
    with caplog.at_level("WARNING", "mner"):
        dataset = to_dataset(posts, images=tmp_path)
    assert f"{tmp_path}: 2 of 3 pictures are not there, such as none.png; the data set leaves them out" in caplog.text
    assert dataset.column_names == ["id", "text", "tokens", "ner_tags", "image"]
    assert dataset.features["ner_tags"].feature.names == ["O", "B-PER", "I-PER"]
    assert dataset["ner_tags"][:] == [[1, 0], None, [0]]
    assert dataset[0]["image"].size == (8, 8)
    assert dataset["image"][1:] == [None, None]
    back = list(from_dataset(dataset, images=tmp_path / "back"))
    assert [(post.id, post.text, post.spans) for post in back] == [(post.id, post.text, post.spans) for post in posts]
    assert [post.image for post in back] == ["1.png", None, None]


def test_folder_without_any_of_the_pictures_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    posts = [
        Post("a", "Bo won", image="1.png"),
        Post("b", "Oslo", image="2.png", more_images=("3.png",)),
        Post("c", "Go"),
    ]
    with pytest.raises(DataError, match=r"elsewhere: holds no picture of these posts, such as 1\.png; name the folder"):
        to_dataset(posts, images=tmp_path / "elsewhere")
    assert to_dataset(posts)["images"][:] == [["1.png"], ["2.png", "3.png"], []]
    assert to_dataset(posts[2:], images=tmp_path)["image"][:] == [None]
    (tmp_path / "1.png").write_bytes(png("red"))
    to_dataset(posts[:1], images=tmp_path)
    assert not caplog.text


words = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=4)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.lists(words, max_size=4), st.sampled_from([None, "PER", "LOC"])), max_size=4))
def test_posts_come_back_as_they_were(drawn: list[tuple[list[str], str | None]]) -> None:
    posts = []
    for number, (own, label) in enumerate(drawn, 1):
        text = " ".join(own)
        ends = [len(" ".join(own[: place + 1])) for place in range(len(own))]
        offsets = tuple((end - len(word), end) for word, end in zip(own, ends, strict=True))
        spans = None if label is None else ((Span(0, 1, label),) if own else ())
        posts.append(Post(str(number), text, tuple(own), offsets, spans, f"{number}.jpg", f"row {number}"))
    assert list(from_dataset(to_dataset(posts))) == posts


def test_words_that_stand_at_several_places_keep_theirs() -> None:
    post = Post("1", "Bo and Bo", ("Bo",), ((7, 9),), (Span(0, 1, "PER"),), None, "row 1")
    dataset = to_dataset([post])
    assert dataset["offsets"][:] == [[[7, 9]]]
    assert list(from_dataset(dataset)) == [post]


def test_absent_library_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    for call in (from_dataset, to_dataset):
        with pytest.raises(MissingExtraError, match=r'pip install "mner\[hub-data\]"'):
            call([])  # type: ignore[operator]


def test_null_in_a_list_leaves_the_others(tmp_path: Path) -> None:
    image, text = datasets.Image(), datasets.Value("string")
    red = {"bytes": png("red"), "path": "red.png"}
    features = {"text": text, "topics": datasets.List(text), "images": datasets.List(image)}
    rows = {"text": ["Bo"], "topics": [["nba", None]], "images": [[red, None]]}
    (post,) = from_dataset(datasets.Dataset.from_dict(rows, features=datasets.Features(features)), images=tmp_path)
    assert (post.images, post.extra) == (("red.png",), {"topics": ["nba", None]})


def test_name_of_a_picture_beside_a_column_of_pictures_is_kept(tmp_path: Path) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "image": datasets.Value("string"), "photo": datasets.Image()}
    )
    red = {"bytes": png("red"), "path": "red.png"}

    def post(name: str, photo: Any) -> Post:
        rows = {"text": ["Bo"], "image": [name], "photo": [photo]}
        return next(from_dataset(datasets.Dataset.from_dict(rows, features=features), images=tmp_path))

    assert post("a.jpg", None).images == ("a.jpg",)
    assert post("red.png", red).images == ("red.png",)
    with pytest.raises(DataError, match=r'row 1: "image" names \'a\.jpg\', which is not the first of "images"'):
        post("a.jpg", red)


def test_columns_that_json_lacks_can_be_written(tmp_path: Path) -> None:
    rows = datasets.Dataset.from_dict({"text": ["Bo won"], "when": [datetime(2026, 1, 31)]})
    assert write(from_dataset(rows), tmp_path / "posts.jsonl") == 1
    (post,) = read(tmp_path / "posts.jsonl")
    assert post.extra == {"when": "2026-01-31T00:00:00"}


def test_posts_that_a_data_set_cannot_hold_are_named() -> None:
    assert to_dataset([Post("Bo \ud83d\ude00 won")])[0]["tokens"] == ["Bo", "\U0001f600", "won"]
    with pytest.raises(DataError, match=r'x\.jsonl:3: post "7": holds half a surrogate pair'):
        to_dataset([Post("1", "Hi"), Post("7", "Bo \ud83d won", ("Bo",), ((0, 2),), where="x.jsonl:3")])
    with pytest.raises(DataError, match=r'post "": entity 1-2 LOC overlaps the one before it'):
        to_dataset([Post("Bo won it", spans=(Span(0, 2, "PER"), Span(1, 2, "LOC")))])
