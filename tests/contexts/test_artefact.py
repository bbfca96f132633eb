"""The artefact: read and written without loss, joined over files, faults named by file and line."""

from __future__ import annotations

import gzip
import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mner.contexts.artefact import key, read_contexts, write_contexts
from mner.contexts.rows import from_row, to_row
from mner.errors import DataError
from mner.types import Caption, OcrText, Tag, VisualContext

FULL: dict[str, Any] = {
    "image": "pics/1.jpg",
    "status": "ok",
    "sha256": "ab",
    "reason": "the ocr failed",
    "extractor": {"name": "mner", "version": "0.1.0", "fingerprint": "0123"},
    "tags": [
        {
            "object": "dog",
            "attributes": ["brown"],
            "confidence": 0.9,
            "box": [1, 2, 3.5, 4],
            "source": "nanodet",
            "track": 7,
        },
        {"text": "red ball", "source": "hand"},
    ],
    "captions": [{"text": "a <unk> dog\u2028\x00", "score": -1.5, "source": "catr", "beam": 2}],
    "ocr": [{"text": "EXIT", "confidence": 1, "box": [0, 0, 9, 9], "source": "rapid"}],
    "texts": [{"text": "background", "source": "wiki"}],
    "relation": {"score": 0.5},
    "note": None,
}


def lines(path: Path, *rows: Any) -> Path:
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def test_row_survives_with_all_it_holds(tmp_path: Path) -> None:
    context = from_row(FULL)
    assert to_row(context) == FULL
    assert write_contexts([context], tmp_path / "a.jsonl") == 1
    assert dict(read_contexts(tmp_path / "a.jsonl")) == {"pics/1.jpg": context}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(deadline=None, max_examples=60)
@given(
    captions=st.lists(st.builds(Caption, TEXT, st.none() | st.floats(-9, 0), TEXT), max_size=3),
    tags=st.lists(st.builds(Tag, TEXT.filter(bool), st.tuples(TEXT)), max_size=3),
    ocr=st.lists(st.builds(OcrText, TEXT, st.floats(0, 1)), max_size=3),
)
def test_any_context_survives(
    tmp_path_factory: pytest.TempPathFactory, captions: list[Caption], tags: list[Tag], ocr: list[OcrText]
) -> None:
    context = VisualContext("1.jpg", tuple(tags), tuple(captions), tuple(ocr))
    path = tmp_path_factory.mktemp("artefact") / "a.jsonl"
    write_contexts([context], path)
    assert read_contexts(path)["1.jpg"] == context


def test_hand_written_rows_are_legal(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl", {"image": "IMGID:5", "captions": ["a dog"], "tags": ["ball"]}, "", {"image": "x"}
    )
    contexts = read_contexts(path)
    assert contexts["5.jpg"].captions == (Caption("a dog"),)
    assert contexts["5.jpg"].tags == (Tag(text="ball"),)
    assert contexts["x"].empty


def test_keys_of_pictures() -> None:
    assert [key(name) for name in ("IMGID:7", "a/b.png", "./a/b.png")] == ["7.jpg", "a/b.png", "a/b.png"]


def test_lookup_by_last_part(tmp_path: Path) -> None:
    contexts = read_contexts(lines(tmp_path / "a.jsonl", {"image": "deep/1.jpg"}))
    assert contexts.get("1.jpg") is contexts.get("other/1.jpg") is contexts["deep/1.jpg"]
    assert contexts.get("2.jpg") is None and "2.jpg" not in contexts


def test_later_files_add_to_earlier_rows(tmp_path: Path) -> None:
    first = lines(tmp_path / "a.jsonl", {"image": "1.jpg", "status": "unreadable", "captions": []})
    second = lines(tmp_path / "b.jsonl", {"image": "1.jpg", "captions": [{"text": "a dog", "source": "x"}], "k": 1})
    third = lines(tmp_path / "c.jsonl", {"image": "1.jpg", "captions": [{"text": "a cat", "source": "y"}]})
    joined = read_contexts([first, second, third])["1.jpg"]
    assert [(caption.text, caption.source) for caption in joined.captions] == [("a dog", "x"), ("a cat", "y")]
    assert joined.status == "ok" and joined.extra == {"k": 1}


def test_placeholder_stays_one_in_either_order(tmp_path: Path) -> None:
    mark = lines(tmp_path / "a.jsonl", {"image": "1.jpg", "status": "placeholder", "reason": "not there any more"})
    text = lines(tmp_path / "b.jsonl", {"image": "1.jpg", "texts": [{"text": "background"}]})
    for files in ([mark, text], [text, mark]):
        joined = read_contexts(files)["1.jpg"]
        assert (joined.status, joined.reason) == ("placeholder", "not there any more")
        assert [entry.text for entry in joined.texts] == ["background"]


def test_a_file_read_twice_adds_nothing(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", FULL, {"image": "2.jpg", "tags": ["dog", "dog"]})
    twice = read_contexts([path, path])
    assert dict(twice) == dict(read_contexts(path))
    assert len(twice["2.jpg"].tags) == 2  # a row may say the same twice: two dogs


def test_lookup_looks_past_backslashes_and_the_composition_of_accents(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "caf\u00e9.jpg") for form in ("NFC", "NFD"))
    contexts = read_contexts(lines(tmp_path / "a.jsonl", {"image": f"red/{apart}"}, {"image": f"blue\\{composed}"}))
    assert contexts[f"red/{composed}"] is contexts[f"red\\{apart}"] is contexts[f"red/{apart}"]
    assert contexts[f"pics/blue/{apart}"] is contexts[f"blue\\{composed}"]
    assert contexts.get(apart) is None


def test_data_uri_goes_by_its_digest(tmp_path: Path) -> None:
    uri = "data:image/png;base64,AAAA"
    contexts = read_contexts(lines(tmp_path / "a.jsonl", {"image": "data:image/png;sha256=709e80c88487"}))
    assert contexts[uri].image == key(uri) == "data:image/png;sha256=709e80c88487"


def test_last_part_of_two_pictures_finds_neither_without_a_folder(tmp_path: Path) -> None:
    rows = [{"image": f"{folder}/1.jpg", "captions": [folder]} for folder in ("red", "blue")]
    contexts = read_contexts(lines(tmp_path / "a.jsonl", *rows))
    assert contexts.get("1.jpg") is None and contexts.get("green/1.jpg") is None
    assert contexts["/home/pics/blue/1.jpg"].captions == (Caption("blue"),)


def test_folder_with_other_contexts_does_not_take_those_of_another_folder(tmp_path: Path) -> None:
    rows = [{"image": name} for name in ("red/1.jpg", "red/old/2.jpg", "/pics/blue/3.jpg", "4.jpg")]
    contexts = read_contexts(lines(tmp_path / "a.jsonl", *rows))
    for missing in ("blue/1.jpg", "/home/red/3.jpg", "red/2.jpg", "pics/red/2.jpg", "blue\\2.jpg"):
        assert contexts.get(missing) is None
    found = {"other/1.jpg": "red/1.jpg", "old/2.jpg": "red/old/2.jpg", "/x/blue/3.jpg": "/pics/blue/3.jpg"}
    for wanted, name in {**found, "red/4.jpg": "4.jpg", "3.jpg": "/pics/blue/3.jpg"}.items():
        assert contexts[wanted].image == name


def test_extractor_survives_with_values_of_any_kind(tmp_path: Path) -> None:
    row = {"image": "1.jpg", "status": "ok", "extractor": {"name": "mine", "version": 2, "options": {"beam": 3}}}
    assert to_row(from_row(row)) == row


@pytest.mark.parametrize("text", ["half \ud83d a character", "\x00\x1b[31m\x85\r\n\u2029\x1c"])
def test_odd_characters_survive_the_file(tmp_path: Path, text: str) -> None:
    context = VisualContext("1.jpg", captions=(Caption(text),), extra={"note": text})
    assert write_contexts([context], tmp_path / "a.jsonl") == 1
    assert read_contexts(tmp_path / "a.jsonl")["1.jpg"] == context


def test_byte_order_mark_of_an_editor_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"image": "1.jpg"}\r\n{"image": "2.jpg"}\r\n')
    assert list(read_contexts(tmp_path / "a.jsonl")) == ["1.jpg", "2.jpg"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("{", "a.jsonl:2: expected a JSON object"),
        ([], 'a.jsonl:2: expected an object with the key "image"'),
        ({"captions": []}, 'a.jsonl:2: expected an object with the key "image"'),
        ({"image": "x", "status": "good"}, "a.jsonl:2: status: expected one of ok, placeholder"),
        ({"image": "x", "captions": "a dog"}, "a.jsonl:2: captions: expected a list"),
        ({"image": "x", "captions": [{"txt": 1}]}, r'a.jsonl:2: captions\[0\]: expected the key "text"'),
        ({"image": "x", "tags": [{"attributes": ["red"]}]}, r'a.jsonl:2: tags\[0\]: expected "object"'),
        ({"image": "x", "ocr": [{"text": "a", "box": [1]}]}, r"a.jsonl:2: ocr\[0\]: box: expected \[left"),
        ({"image": "x", "ocr": [{"text": "a", "confidence": "high"}]}, r"ocr\[0\]: confidence: expected a number"),
        ('{"image": "x", "ocr": [{"text": "a", "confidence": NaN}]}', r"ocr\[0\]: confidence: expected a number"),
        ('{"image": "x", "tags": [{"text": "a", "box": [0, 0, Infinity, 1]}]}', r"tags\[0\]: box: expected \[left"),
        (f'{{"image": "x", "captions": [{{"text": "a", "score": {"9" * 400}}}]}}', "score: expected a number"),
        ("[" * 100_000, "a.jsonl:2: expected a JSON object"),
    ],
)
def test_faulty_row_names_file_and_line(tmp_path: Path, row: Any, expected: str) -> None:
    path = lines(tmp_path / "a.jsonl", {"image": "1.jpg"}, row)
    with pytest.raises(DataError, match=expected):
        read_contexts(path)


def test_message_shows_the_beginning_of_a_long_value(tmp_path: Path) -> None:
    for row in ({"tags": {"all": "dog " * 9999}}, {"tags": [["dog"] * 9999]}, {"captions": [{"text": [0] * 9999}]}):
        with pytest.raises(DataError, match="found") as caught:
            read_contexts(lines(tmp_path / "a.jsonl", {"image": "1.jpg", **row}))
        assert len(str(caught.value)) < 300


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file; make one"):
        read_contexts(tmp_path / "gone.jsonl")
    (tmp_path / "b.jsonl").write_bytes(b'{"image": "\xff"}\n')
    with pytest.raises(DataError, match="not UTF-8"):
        read_contexts(tmp_path / "b.jsonl")
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(b'{"image": "1.jpg"}\n'))
    with pytest.raises(DataError, match=r"c\.jsonl\.gz: is packed with gzip; unpack it: gunzip .*c\.jsonl\.gz"):
        read_contexts(tmp_path / "c.jsonl.gz")


def test_write_that_breaks_leaves_the_old_file(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", {"image": "1.jpg"})

    def rows() -> Any:
        yield VisualContext("2.jpg")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_contexts(rows(), path)
    assert list(read_contexts(path)) == ["1.jpg"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_fault_of_the_rows_is_not_taken_for_one_of_the_file(tmp_path: Path, name: str) -> None:
    def rows() -> Any:
        yield VisualContext("2.jpg")
        raise FileNotFoundError(2, "No such file or directory", "weights.bin")

    with pytest.raises(FileNotFoundError, match=r"weights\.bin"):
        write_contexts(rows(), tmp_path / name)
    with pytest.raises(DataError, match="cannot be written"):
        write_contexts([VisualContext("2.jpg")], tmp_path / ("x" * 300 + name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("MNER_DATA"), reason="set MNER_DATA to the folder of the real data")
@pytest.mark.parametrize(("name", "rows", "placeholders"), [("twitter2015", 8257, 0), ("twitter2017", 4096, 308)])
def test_real_contexts_load_and_survive(tmp_path: Path, name: str, rows: int, placeholders: int) -> None:
    contexts = read_contexts(Path(os.environ["MNER_DATA"]) / "contexts" / f"{name}.jsonl")
    assert len(contexts) == rows
    assert sum(row.status == "placeholder" for row in contexts.values()) == placeholders
    assert all("relation" in row.extra for row in contexts.values())
    write_contexts(contexts.values(), tmp_path / "a.jsonl")
    assert dict(read_contexts(tmp_path / "a.jsonl")) == dict(contexts)
