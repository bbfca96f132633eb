import importlib.util
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

from mner.data import read

TOOL = Path(__file__).resolve().parents[2] / "tools" / "make_sample.py"
SAMPLE = Path(os.fspath(files("mner.data"))) / "sample"
SPLITS = ("train", "dev", "test")
TYPES = {"PER", "LOC", "ORG", "MISC"}


def rows(split):
    return [json.loads(line) for line in (SAMPLE / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]


def sentence(row):
    """The text with its entity left out, and the entity."""
    (entity,) = row["entities"]
    text = row["text"]
    return text[: entity["start"]] + "{}" + text[entity["end"] :], text[entity["start"] : entity["end"]]


@pytest.mark.parametrize("split", [*SPLITS, "unseen"])
def test_sample_reads_and_entities_are_whole_words(split):
    posts, written = list(read(SAMPLE / f"{split}.jsonl", images=SAMPLE / "images")), rows(split)
    assert len(posts) == len(written) == {"train": 156, "dev": 40, "test": 64, "unseen": 2}[split]
    for post, row in zip(posts, written, strict=True):
        entities = [(post.offsets[at.start][0], post.offsets[at.end - 1][1], at.label) for at in post.spans]
        assert entities == [(at["start"], at["end"], at["label"]) for at in row["entities"]]
        assert {label for *_, label in entities} <= TYPES
        assert all(post.text[start:end].strip("[]| ") == post.text[start:end] for start, end, _ in entities)
        assert "[" not in post.text and "|" not in post.text and " <- " not in post.text


def test_sample_ids_are_unique():
    ids = [row["id"] for split in (*SPLITS, "unseen") for row in rows(split)]
    assert len(ids) == len(set(ids)) == 262


def test_sample_pictures_exist_open_and_are_all_used():
    used = Counter(row["image"] for split in (*SPLITS, "unseen") for row in rows(split) if "image" in row)
    assert set(used) == {path.name for path in (SAMPLE / "images").iterdir()}
    for name in used:
        with Image.open(SAMPLE / "images" / name) as picture:
            picture.load()
            assert 280 <= max(picture.size) <= 640


def test_sample_splits_share_no_text_and_no_picture():
    texts = {split: {row["text"] for row in rows(split)} for split in (*SPLITS, "unseen")}
    images = {split: {row.get("image") for row in rows(split)} - {None} for split in (*SPLITS, "unseen")}
    contents = {
        split: {(SAMPLE / "images" / name).read_bytes() for name in images[split]} for split in (*SPLITS, "unseen")
    }
    for kind in (texts, images, contents):
        assert sum(map(len, kind.values())) == len(set().union(*kind.values()))


@pytest.mark.parametrize("split", SPLITS)
def test_sample_about_a_third_is_marked_and_has_a_picture(split):
    marked = [row for row in rows(split) if row["marked"]]
    assert 0.28 <= len(marked) / len(rows(split)) <= 0.4
    assert all("image" in row and len(row["entities"]) == 1 for row in marked)


@pytest.mark.parametrize("split", SPLITS)
def test_sample_marked_words_do_not_tell_the_type(split):
    by_sentence, by_surface = defaultdict(list), defaultdict(list)
    for row in rows(split):
        if row["marked"]:
            left, surface = sentence(row)
            by_sentence[left].append(row["entities"][0]["label"])
            by_surface[surface].append(row["entities"][0]["label"])
    assert all(sorted(labels) == sorted(TYPES) for labels in by_sentence.values())
    for labels in by_surface.values():
        assert len(labels) == len(set(labels)) >= 2
        assert split != "train" or set(labels) == TYPES


def test_sample_half_of_the_marked_test_surfaces_are_new():
    seen = {sentence(row)[1] for row in rows("train") if row["marked"]}
    tested = {sentence(row)[1] for row in rows("test") if row["marked"]}
    assert len(tested & seen) == len(tested - seen) == 6


def test_sample_unmarked_posts_do_not_bias_marked_surfaces():
    surfaces = {sentence(row)[1] for split in SPLITS for row in rows(split) if row["marked"]}
    for row in rows("train"):
        if not row["marked"]:
            assert not {row["text"][at["start"] : at["end"]] for at in row["entities"]} & surfaces


def test_sample_unseen_is_one_sentence_with_two_pictures_and_types():
    first, second = rows("unseen")
    assert first["text"] == second["text"]
    assert first["image"] != second["image"]
    assert first["entities"][0]["label"] != second["entities"][0]["label"]


def test_sample_is_small_and_has_its_notice():
    assert sum(path.stat().st_size for path in (SAMPLE / "images").iterdir()) <= 3_000_000
    notice = (SAMPLE / "NOTICE.md").read_text(encoding="utf-8")
    for path in (SAMPLE / "images").glob("*.jpg"):
        assert path.name in notice


def test_sample_is_what_its_tool_makes():
    done = subprocess.run([sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_sample_pictures_of_test_are_worded_unlike_those_of_train():
    spec = importlib.util.spec_from_file_location("sample_marked", TOOL.with_name("sample_marked.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lines = {
        split: {
            re.sub(r"[^A-Z ]", "", line.replace("{}", "")).strip()
            for (of, _), pictures in module.PICTURES.items()
            if of == split
            for _, *written in pictures
            for line in written
        }
        - {""}
        for split in SPLITS
    }
    assert not lines["train"] & lines["test"]
    assert not lines["dev"] & lines["test"]
    assert len(lines["test"]) > 30
