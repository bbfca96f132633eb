"""Every benchmark runs at its smallest and writes a whole record; no time is judged."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from lab.performance import KEYS, performance
from mner.words import LINK
from tests.browser import CHROMIUM

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
PROGRAMS = {
    "crf",
    "train_throughput",
    "systems",
    "predict_throughput",
    "cold_start",
    "memory_stream",
    "scaling",
    "context_build",
    "context_memory",
    "serve",
    "gallery",
    "sub_tokens",
    "int8_peak",
    "ocr",
}


def run(name: str, out: Path, *options: object, recorded_as: str = "") -> dict[str, Any]:
    """The record of one small run, on the packaged sample and one thread."""
    recorded = recorded_as or name
    environment = {key: value for key, value in os.environ.items() if key != "MNER_DATA"} | {"OMP_NUM_THREADS": "1"}
    shared = ["--out", out, "--threads", 1, "--repetitions", 1]
    done = subprocess.run(
        [sys.executable, BENCHMARKS / f"{name}.py", *map(str, (*options, *shared))],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads((out / f"{recorded}.json").read_text(encoding="utf-8"))
    assert set(KEYS) <= set(record)
    assert {"cpu", "flags", "cores"} <= set(record["machine"])
    assert {"python", "torch", "mner"} <= set(record["versions"])
    assert record["ratios"]
    assert all(
        table["rows"] and {len(row) for row in table["rows"]} == {len(table["columns"])} for table in record["tables"]
    )
    assert f"## {recorded.replace('_', ' ').capitalize()}" in performance(out)
    assert str(out) not in json.dumps(record)
    return record


def test_crf_measures_both_sides_at_every_size(tmp_path: Path) -> None:
    record = run("crf", tmp_path, "--batches", 2, "--words", 1, 5, "--labels", 3, "--least-seconds", 0)
    assert len(record["seconds"]) == 2
    assert "Viterbi: geometric mean" in record["ratios"]


def test_int8_peak_measures_every_form_and_what_it_changes(tmp_path: Path) -> None:
    record = run("int8_peak", tmp_path, "--posts", 3)
    rows = {row[0]: row for row in record["tables"][1]["rows"]}
    assert rows["as packaged"][4] == rows["shift of each row within its product (Gemm)"][4] == 0
    assert sum(isinstance(row[4], int) for row in rows.values()) == 7
    assert record["ratios"]["share of the peak, whole prediction"] > 0


def test_train_throughput_measures_peers_price_and_profile(tiny_encoder: Path, tmp_path: Path) -> None:
    small = (
        "--posts",
        8,
        "--posts-per-step",
        4,
        "--warmup-steps",
        1,
        "--profile-steps",
        1,
        "--peers",
        "transformers",
        "--fp32-only",
    )
    record = run("train_throughput", tmp_path, *small, "--encoder", tiny_encoder)
    assert set(record["seconds"]) == {"mner text", "transformers", "mner ITA + CVA", "mner text, same tokens"}
    assert record["ratios"]["transformers / mner"] > 0
    shares = [value for name, value in record["ratios"].items() if "share outside" in name]
    assert len(shares) == 2
    assert all(0 < share < 1 for share in shares)
    cva, text = (row[1] for row in record["tables"][1]["rows"])
    assert cva == pytest.approx(text, rel=0.2)  # the same sub-tokens, but for padding


def test_systems_are_measured_beside_ita(tiny_encoder: Path, tmp_path: Path) -> None:
    small = ("--posts", 4, "--posts-per-step", 2, "--systems", "umt", "ocsga", "bert-vinvl")
    record = run("systems", tmp_path, *small, "--encoder", tiny_encoder)
    rows = {row[0]: row for row in record["tables"][0]["rows"]}
    assert rows.keys() == {"ita-ga", "text", "ita-ga-cva", "umt", "ocsga", "bert-vinvl"}
    assert (rows["ita-ga"][3], rows["ita-ga"][5]) == (1, 1)
    assert rows["umt"][1] > rows["ita-ga"][1] == rows["ita-ga-cva"][1] == rows["text"][1]
    assert all(row[6] > 0 for row in rows.values())


def test_predict_throughput_measures_whole_and_bare(tiny_model: Path, tmp_path: Path) -> None:
    of_post = ("--runtimes", "torch fp32", "onnx fp32", "--peers", "transformers")
    record = run("predict_throughput", tmp_path, "--model", tiny_model, "--posts", 8, *of_post)
    assert set(record["seconds"]) >= {"mner torch fp32", "encoder alone, torch fp32", "mner onnx fp32", "transformers"}
    assert "batch_size" in record["peers"]["transformers"]
    assert record["ratios"]["whole / encoder alone, torch fp32 (1 is best)"] > 0


def test_every_side_may_read_posts_with_a_known_word_for_each_link(tiny_model: Path, tmp_path: Path) -> None:
    sides = ("--runtimes", "torch fp32", "--peers", "transformers", "--links", "fold")
    run(
        "predict_throughput",
        tmp_path,
        *("--model", tiny_model, "--posts", 8, *sides),
        recorded_as="predict_throughput_folded",
    )


def test_folded_posts_have_a_word_for_each_link() -> None:
    path = list(sys.path)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        posts = importlib.import_module("posts")
    finally:
        sys.path[:] = path
    folded, _ = posts.training_posts(400, links="fold")
    plain, _ = posts.training_posts(400)
    links = [LINK.search(word) for post in plain for word in post.words]
    assert any(links)
    assert not any(LINK.search(word) for post in folded for word in post.words)
    for post, before in zip(folded, plain, strict=True):
        assert [post.text[start:end] for start, end in post.offsets] == list(post.words)
        assert len(post.words) == len(before.words)


def test_cold_start_counts_memory_with_and_without_vision(tiny_model: Path, tmp_path: Path) -> None:
    record = run("cold_start", tmp_path, "--model", tiny_model)
    assert len(record["seconds"]) == 5
    words, picture = record["tables"][1]["rows"]
    assert 0 < words[1] < picture[1]
    assert words[3] == "no"  # the exported model needs no torch


def test_memory_stream_samples_as_posts_pass(tiny_model: Path, tmp_path: Path) -> None:
    small = ("--tiny-posts", 300, "--posts", 200, "--first", 200, "--every", 50)
    record = run("memory_stream", tmp_path, "--tiny", tiny_model, *small)
    (shown,) = record["seconds"].values()
    assert [posts for posts, _ in shown["samples"]] == [0, 50, 100, 150, 200, 250, 300]


def test_scaling_fits_an_exponent_to_each_row(tiny_model: Path, tmp_path: Path) -> None:
    sizes = ("--posts", 2, 4, "--words", 8, 16, "--context-words", 8, 16, "--types", 1, 2, "--batch", 2)
    record = run("scaling", tmp_path, "--model", tiny_model, *sizes)
    assert len(record["ratios"]) == 5
    assert all(isinstance(value, float) for value in record["ratios"].values())


@pytest.mark.slow
def test_context_build_measures_builds_and_unit_costs(tmp_path: Path) -> None:
    record = run("context_build", tmp_path, "--pictures", 2, "--many", 3)
    assert {"models alone", "one worker", "two workers", "second run"} <= set(record["seconds"])
    units = record["seconds"]["units"]
    assert {"decoding", "detector", "scene", "ocr", "captioner", "row"} == set(units["seconds"])
    assert all(value > 0 for costs in units.values() for value in costs.values())
    assert any(name.startswith("memory") for name in record["ratios"])


def test_sub_tokens_are_counted_by_kind_of_word(tiny_encoder: Path, tmp_path: Path) -> None:
    record = run("sub_tokens", tmp_path, "--encoders", tiny_encoder)
    pieces, words = record["tables"]
    written, cut, folded, *_ = (row[3:] for row in pieces["rows"])
    assert all(sum(row[3:-1]) == pytest.approx(row[-1]) for row in pieces["rows"])
    assert folded[1:-1] == written[1:-1] and cut[-1] <= written[-1]
    assert [row[1] for row in words["rows"]] == list(pieces["columns"][3:-1])
    assert "data=sample/train@" in pieces["note"]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("(http://t.co/x)", "link"),
        ("@nba", "handle"),
        ("@", "other"),
        ("#Cavs", "hashtag"),
        ("555-0123", "long number"),
        ("2016", "number"),
        ("B2", "other"),
        ("...", "other"),
    ],
)
def test_kinds_of_words(monkeypatch: pytest.MonkeyPatch, word: str, kind: str) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    assert importlib.import_module("sub_tokens").kind_of(word) == kind


def test_run_script_knows_every_program() -> None:
    script = (BENCHMARKS / "run.sh").read_text(encoding="utf-8")
    assert [name for name in PROGRAMS if f"benchmarks/{name}.py" not in script] == []
    assert {path.stem for path in BENCHMARKS.glob("*.py")} >= PROGRAMS


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.enable_socket
def test_serve_measures_batches_pictures_and_the_tagger_alone(tmp_path: Path) -> None:
    record = run("serve", tmp_path, "--clients", 1, 2, "--seconds", 0.5, "--posts", 8)
    assert {"service / tagger.pipe, posts a second", "p99 / p50 of words alone while pictures are read"} <= set(
        record["ratios"]
    )
    assert any(name.startswith("batched / unbatched") for name in record["ratios"])
    assert "tagger alone, calls of 32 posts / of one, posts a second" in record["ratios"]
    assert len(record["seconds"]["ready"]) == len(record["seconds"]["first answer with a picture"]) == 1


def test_run_script_tells_its_usage_without_a_model() -> None:
    done = subprocess.run([BENCHMARKS / "run.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage: benchmarks/run.sh MODEL" in done.stderr


@pytest.mark.slow
def test_context_memory_is_sampled_as_pictures_pass(tmp_path: Path) -> None:
    record = run("context_memory", tmp_path, "--pictures", 4, "--first", 2, "--every", 2)
    assert [count for count, _ in record["seconds"]["memory"]] == [2, 4]
    assert record["ratios"]["most / most within 2 pictures (1 is best)"] >= 1


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here: apt-get install chromium")
def test_gallery_waits_for_opening_filters_and_steps(tmp_path: Path) -> None:
    record = run("gallery", tmp_path, "--posts", 12)
    assert len(record["seconds"]) == 1 + 5 + 3 + 1  # open, filters, steps, write
    waits, page = record["tables"]
    assert {row[0]: row[4] for row in waits["rows"]}["filter: words that no post has"] == "0 of 12 posts"
    assert page["rows"][0][0] == 12
    assert record["ratios"]["2 s / open"] > 0


def test_ocr_measures_sides_that_read_the_same(tmp_path: Path) -> None:
    picture = Image.new("RGB", (320, 160), "white")
    ImageDraw.Draw(picture).text((20, 40), "BOSTON", fill="black", font_size=48)
    (tmp_path / "pictures").mkdir()
    picture.save(tmp_path / "pictures" / "text.png")
    Image.new("RGB", (320, 320), "gray").save(tmp_path / "pictures" / "none.png")
    record = run("ocr", tmp_path, "--pictures", tmp_path / "pictures", "--fonts", 1)
    assert record["ratios"]["first look: characters kept (1 is best)"] == 1
    assert [row[1] for row in record["tables"][0]["rows"]] == [2, 1, 1]
