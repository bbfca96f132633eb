"""Published captions and texts: every form, by picture and by post, as rows and beside their posts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mner.contexts.artefact import Contexts, for_post
from mner.contexts.published.imports import rows
from mner.contexts.published.sentences import Captions, sentences
from mner.errors import DataError
from mner.types import Caption, ContextText

FORMS = {
    "coco.json": '[{"image_id": 1, "caption": "a dog"}, {"image_id": 1, "caption": "a cat"}]',
    "lines.jsonl": '{"image": "1.jpg", "captions": ["a dog", "a cat"]}\n\n',
    "scored.tsv": '1\t[{"caption": "a dog", "conf": 0.9}, {"caption": "a cat", "conf": 0.1}]\n',
    "plain.tsv": "1.jpg\ta dog\r\n1.jpg\ta cat\n",
    "CAPITALS.JSON": '[{"image_id": 1, "caption": "a dog"}, {"image_id": 1, "caption": "a cat"}]',
    "CAPITALS.TSV": "1\ta dog\n1\ta cat\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_captions_in_every_form(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FORMS[name])
    captions = Captions(tmp_path / name, source="vinvl")
    assert [(caption.text, caption.source) for caption in captions.find("1.jpg")] == [
        ("a dog", "vinvl"),
        ("a cat", "vinvl"),
    ]
    assert [caption.text for caption in Captions(tmp_path / name, source="vinvl", most=1).find("pics/1.jpg")] == [
        "a dog"
    ]
    with pytest.raises(DataError, match=r'holds nothing of "2.jpg"'):
        captions.find("2.jpg")


def test_score_and_unknown_keys_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "7", "knowledge": "K", "score": 0.5, "split": "train", "source": "x"}\n')
    (sentence,) = sentences(tmp_path / "a.jsonl")
    assert (sentence.name, sentence.text, sentence.score, sentence.extra) == ("7", "K", 0.5, {"split": "train"})


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", '{"image": "1", "text": "x"}\n{', "a.jsonl:2: expected JSON"),
        ("a.jsonl", "7", "a.jsonl:1: expected an object, found 7"),
        ("a.jsonl", '{"text": "x"}', "a.jsonl:1: expected whose text it is in one of image"),
        ("a.jsonl", '{"image": true, "text": "x"}', "a.jsonl:1: expected whose text it is"),
        ("a.jsonl", '{"image": "1"}', "a.jsonl:1: expected a text, or a list of texts, in one of text, caption"),
        ("a.jsonl", '{"image": "1", "texts": [1]}', "a.jsonl:1: expected a text, or a list"),
        ("a.jsonl", '{"image": "1", "text": "x", "score": NaN}', "a.jsonl:1: score: expected a number"),
        ("a.jsonl", f'{{"image": "1", "text": "x", "score": {"9" * 400}}}', "a.jsonl:1: score: expected a number"),
        ("a.tsv", "1.jpg", "a.tsv:1: expected a name, a TAB and a text"),
        ("a.tsv", "1.jpg\t[{]", "a.tsv:1: expected JSON"),
        ("a.json", "{}", "a.json: expected a list such as"),
        ("a.json", '[{"image_id": 1}]', r"a.json: \[0\]: expected a text"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, name: str, content: str, expected: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=expected):
        list(sentences(tmp_path / name))


def test_files_that_cannot_be_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"gone.jsonl: cannot be read"):
        list(sentences(tmp_path / "gone.jsonl"))
    (tmp_path / "a.tsv").write_bytes(b"1\t\xff\n")
    with pytest.raises(DataError, match=r"a.tsv: not UTF-8"):
        list(sentences(tmp_path / "a.tsv"))
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(DataError, match="holds no caption"):
        Captions(tmp_path / "a.json", source="x")
    monkeypatch.setattr("mner.contexts.published.sentences.LARGEST", 1)
    with pytest.raises(DataError, match="over 1 bytes; write it as JSON lines"):
        list(sentences(tmp_path / "a.json"))


def test_texts_by_picture_become_rows(tmp_path: Path) -> None:
    (tmp_path / "pgim.tsv").write_text("12\tKevin is a player\n13.png\tMadrid\n")
    records = list(rows(tmp_path / "pgim.tsv", "texts"))
    assert [row.image for row in records] == ["12.jpg", "13.png"]
    assert records[0].texts == (ContextText("Kevin is a player", "pgim"),)
    (row,) = rows(tmp_path / "pgim.tsv", "captions", source="x", posts={"12": "a.jpg"})
    assert (row.image, row.captions) == ("a.jpg", (Caption("Kevin is a player", None, "x", {"post": "12"}),))


def test_text_of_a_post_stands_beside_that_post_alone(tmp_path: Path) -> None:
    sentences_of_posts = [
        {"id": "p1", "text": "of one"},
        {"id": "p2", "text": "of two"},
        {"id": "gone", "text": "of none"},
    ]
    (tmp_path / "k.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in sentences_of_posts))
    left_out: list[str] = []
    posts = {"p1": "same.jpg", "p2": "same.jpg", "p3": None}
    contexts = Contexts(rows(tmp_path / "k.jsonl", "texts", posts=posts, left_out=left_out.append))
    assert left_out == ["gone"]
    assert len(contexts["same.jpg"].texts) == 2
    assert [[entry.text for entry in for_post(contexts["same.jpg"], post).texts] for post in ("p1", "p2", "p3")] == [
        ["of one"],
        ["of two"],
        [],
    ]


def test_names_of_pictures_in_place_of_ids_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "k.tsv").write_text("1.jpg\tof one\n2.jpg\tof two\n")
    with pytest.raises(DataError, match=r"names, such as '2\.jpg', are not ids .* such as '1'; if they are names"):
        list(rows(tmp_path / "k.tsv", "texts", posts={"1": "1.jpg", "2": "2.jpg"}))


def test_caption_of_a_post_stands_beside_that_post_alone(tmp_path: Path) -> None:
    (tmp_path / "k.tsv").write_text("p1\tof one\np2\tof two\n")
    contexts = Contexts(rows(tmp_path / "k.tsv", "captions", posts={"p1": "same.jpg", "p2": "same.jpg"}))
    assert [entry.text for entry in for_post(contexts["same.jpg"], "p2").captions] == ["of two"]
