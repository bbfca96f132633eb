"""mner config new: settings that suit the number of posts."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from tokenizers import Tokenizer, normalizers

from mner import config as configs
from mner import data
from mner.errors import DataError, MnerError
from mner.training.new import LEAST_STEPS, _parts, new_config, steps_for


@pytest.mark.parametrize("posts", [1, 4, 16, 99, 100, 250, 479, 480, 4000])
def test_few_posts_get_enough_steps(posts: int) -> None:
    training = configs.TrainingConfig(**steps_for(posts))
    steps = training.epochs * training.passes * -(-posts // training.posts_per_step)
    assert steps >= LEAST_STEPS
    assert (training == configs.TrainingConfig()) == (posts >= 480), "many posts keep the defaults"


def test_files_are_named_from_a_linked_folder(tmp_path: Path) -> None:
    (tmp_path / "far" / "deep").mkdir(parents=True)
    folder = tmp_path / "configs"
    folder.symlink_to(tmp_path / "far" / "deep")
    for name in ("train", "dev"):
        (tmp_path / f"{name}.jsonl").write_text('{"text": "Kevin Love won", "entities": []}\n')
    path = folder / "mine.toml"
    path.write_text(
        new_config(path, name="mine", train=tmp_path / "train.jsonl", dev=tmp_path / "dev.jsonl", images=tmp_path)
    )
    config = configs.load(path)
    for name in (config.data.train, config.data.dev, config.data.images):
        assert (configs.root_folder(config.data, folder) / str(name)).exists()


def test_posts_that_share_a_picture_stay_in_one_part(tmp_path: Path) -> None:
    rows = [{"text": f"post {number}", "entities": [], "images": [f"{number}.jpg"]} for number in range(30)]
    rows.append({"text": "both", "entities": [], "images": ["3.jpg", "9.jpg"]})  # joins two that shared nothing
    rows.append({"text": "last", "entities": [], "images": ["9.jpg", "new.jpg"]})
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    parts = list(_parts(tmp_path / "posts.jsonl", tmp_path).values())
    assert sum(map(len, parts)) == 32
    pictures = [{image for post in part for image in post.images} for part in parts]
    assert pictures[0].isdisjoint(pictures[1])
    assert len(pictures[1]) >= 2


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(f'{{"text": "post {number}", "entities": []}}\n' for number in range(30)))
    return path


def test_parts_are_written_when_all_else_is_right(posts: Path, tmp_path: Path) -> None:
    for fault in ({"name": "a/b"}, {"images": tmp_path / "none"}, {"test": tmp_path / "none.jsonl"}):
        with pytest.raises(MnerError):
            new_config(tmp_path / "mine.toml", **{"name": "mine", "train": posts, **fault})
        assert [path.name for path in tmp_path.iterdir()] == ["posts.jsonl"]
    own = tmp_path / "posts.dev.jsonl"
    own.write_text('{"text": "my own", "entities": []}\n')
    with pytest.raises(DataError, match=r"exists, with other content; if it holds your dev posts, name them: --dev"):
        new_config(tmp_path / "mine.toml", name="mine", train=posts, replace=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["posts.dev.jsonl", "posts.jsonl"]
    own.unlink()
    for _ in range(2):  # a second call finds the same content
        config = tomllib.loads(new_config(tmp_path / "mine.toml", name="mine", train=posts, replace=False))
    written = [list(data.read(tmp_path / config["data"][split])) for split in ("train", "dev")]
    assert [len(part) for part in written] == [27, 3]


def test_text_joins_posts_through_a_picture(tmp_path: Path) -> None:
    """The third post has the picture of neither, but the text of the second one."""
    shared = [("A", ["a.jpg"]), ("B", ["a.jpg"]), ("B", [])]
    rows = [{"text": text, "entities": [], "images": images} for text, images in shared]
    rows += [{"text": f"post {number}", "entities": []} for number in range(9)]
    for _ in rows:  # each place of the three among the groups
        rows = [*rows[1:], rows[0]]
        (tmp_path / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        parts = list(_parts(tmp_path / "posts.jsonl", tmp_path).values())
        assert sorted(map(len, parts)) in ([1, 11], [3, 9])
        assert {post.text for post in parts[0]}.isdisjoint({post.text for post in parts[1]})


@pytest.mark.parametrize(
    ("lower", "normalizer"), [(True, normalizers.Lowercase()), (False, normalizers.NFC()), (False, None)]
)
def test_case_of_letters_joins_encoders_that_do_not_see_it(
    lower: bool, normalizer: normalizers.Normalizer | None, tiny_encoder: Path, tmp_path: Path
) -> None:
    encoder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    tokenizer.normalizer = normalizer
    tokenizer.save(str(encoder / "tokenizer.json"))
    train = tmp_path / "train.txt"
    train.write_text("IMGID:1\nKevin\tB-PER\nwon\tO\n\n" * 20)
    text = new_config(tmp_path / "mine.toml", name="mine", train=train, dev=train, encoder=str(encoder))
    assert configs.check(tomllib.loads(text)).model.case_shape is lower


@pytest.mark.parametrize(("name", "lower"), [("bert-base-uncased", True), ("bert-base-cased", False)])
def test_case_is_taken_from_the_name_of_an_encoder_that_is_not_here(
    name: str, lower: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    train = tmp_path / "train.txt"
    train.write_text("IMGID:1\nKevin\tB-PER\nwon\tO\n\n" * 20)
    text = new_config(tmp_path / "mine.toml", name="mine", train=train, dev=train, encoder=name)
    assert configs.check(tomllib.loads(text)).model.case_shape is lower
