"""What mner wrote may be written over; what others wrote may not, whatever it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.contexts.artefact import write_contexts
from mner.errors import DataError
from mner.overwrite import (
    CONFIG,
    CONTEXTS,
    MODEL,
    PAGE,
    PAGES,
    PREDICTIONS,
    REPORT,
    RUN,
    SEARCH,
    check_file,
    check_folder,
)
from mner.types import Entity, Prediction, VisualContext

FILES = (CONTEXTS, PREDICTIONS, PAGE, REPORT, CONFIG)
FOREIGN = (
    b"Dear diary",
    b"\x00\xff" * 50,
    b"PAR1" + b"\x00" * 50,
    b'{"image": "1.jpg", "captions": []}\n',  # a file of contexts by hand
    b'{"text": "Kevin won", "entities": []}\n',  # posts with labels by hand
    b'{"id": "1", "text": "Kevin won", "label": []}\n',
    b"[" * 100_000,
    b"<!doctype html><title>mine</title>",
    b"# Results\n\nOf the year.\n",
    b'[data]\ntrain = "mine.jsonl"\n',
    b"Kevin B-PER\n",
)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("content", FOREIGN)
def test_files_of_others_are_refused(tmp_path: Path, kind: object, content: bytes) -> None:
    path = tmp_path / "out"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"out: exists.*--force"):
        check_file(path, kind)  # type: ignore[arg-type]
    check_file(path, kind, force=True)  # type: ignore[arg-type]


@given(st.binary(min_size=1, max_size=200).filter(lambda content: b"mner" not in content))
def test_no_content_of_others_is_taken_for_mners(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "out"
    path.write_bytes(content)
    for kind in FILES:
        with pytest.raises(DataError, match="--force"):
            check_file(path, kind)


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_contexts_of_mner_are_replaced(tmp_path: Path, name: str) -> None:
    write_contexts([VisualContext("1.jpg", extra={"note": "long" * 5000})] * 3, tmp_path / name)
    check_file(tmp_path / name, CONTEXTS)
    with pytest.raises(DataError, match="not a file of predictions that mner wrote"):
        check_file(tmp_path / name, PREDICTIONS)


def test_predictions_of_mner_are_replaced(tmp_path: Path) -> None:
    row = Prediction("1", "Kevin won", (Entity(0, 5, "Kevin", "PER", 0.9),), image="1.jpg").to_dict()
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    check_file(tmp_path / "a.jsonl", PREDICTIONS)
    with pytest.raises(DataError, match="not a file of contexts that mner wrote"):
        check_file(tmp_path / "a.jsonl", CONTEXTS)


def test_nothing_and_the_empty_file_may_be_written_over(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    for kind in FILES:
        check_file(tmp_path / "none", kind)
        check_file(tmp_path / "empty", kind)
        with pytest.raises(DataError, match="folder: is a folder; name a file"):
            check_file(tmp_path / "folder", kind, force=True)


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_device_may_be_written_to_and_what_a_link_leads_to_counts(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "mine.txt")
    check_file(Path("/dev/null"), CONTEXTS)
    with pytest.raises(DataError, match="link: exists"):
        check_file(tmp_path / "link", CONTEXTS)


@pytest.mark.parametrize(
    ("kind", "own"), [(MODEL, "model.json"), (RUN, "record.json"), (RUN, "config.toml"), (SEARCH, "trials.jsonl")]
)
def test_folders_of_others_are_refused(tmp_path: Path, kind: object, own: str) -> None:
    folder = tmp_path / "out"
    check_folder(folder, kind)  # type: ignore[arg-type]
    folder.mkdir()
    check_folder(folder, kind)  # type: ignore[arg-type]
    (folder / "thesis.tex").touch()
    with pytest.raises(DataError, match=r"out: exists, and is not .* that mner wrote; .*--force to write into it"):
        check_folder(folder, kind)  # type: ignore[arg-type]
    check_folder(folder, kind, force=True)  # type: ignore[arg-type]
    (folder / own).touch()
    check_folder(folder, kind)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="is a file; name a folder"):
        check_folder(folder / own, kind, force=True)  # type: ignore[arg-type]


def test_folder_of_pages_is_mners_by_its_pages(tmp_path: Path) -> None:
    (tmp_path / "00001.html").write_text('<head><meta name="generator" content="mner"></head>')
    (tmp_path / "style.css").touch()
    check_folder(tmp_path, PAGES)
    (tmp_path / "index.html").write_text("<title>my site</title>")
    with pytest.raises(DataError, match="not a folder of pages that mner wrote"):
        check_folder(tmp_path, PAGES)
