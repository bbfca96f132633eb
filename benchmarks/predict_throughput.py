"""Prediction: posts a second of the T view, against flair, transformers, SpanMarker, GLiNER and the bare encoder."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exported import onnx_copy
from peer_folder import peer_folder
from posts import training_posts
from record import Table, arguments, median, write
from sides import PEERS, Measured, Side, alternate

from mner.machine import has_bf16
from mner.runtime import SavedModel, read_model

ABOUT = """From words to entities with offsets and probabilities, pictures off; every side on the same posts and the
same fine-tuned encoder, in a process of its own, after a warm-up, taking turns. The peers run at the batch size that
was fastest for them. flair and transformers have our emission layer (flair our transitions too), so that they find a
like number of entities (transformers is run with its quickest way of joining sub-tokens, which knows no BIOES and so
counts more of them); SpanMarker and GLiNER have heads of their own, untrained, with a threshold that keeps almost
nothing. mner reads as many sub-tokens of a word as its model was trained on (word_pieces in the settings); the peers
read all."""

FOLDED = """Every side reads posts in which one known word stands for each link: the links of Twitter-15's posts are
half of their sub-tokens."""

RUNTIMES = ("torch fp32", "torch bf16", "onnx fp32", "onnx int8")
PEER_WORKERS = {
    "flair": ("flair_predict.py", True),
    "transformers": ("transformers_predict.py", False),
    "SpanMarker": ("span_marker_predict.py", True),
    "GLiNER": ("gliner_predict.py", True),
}

SHARE = {"SpanMarker": 8}
"""A peer that takes many times as long tags one post in so many; its posts a second are compared."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a trained model with its encoder")
    parser.add_argument("--onnx", type=Path, help="folder to keep the exported copies in; otherwise they are not kept")
    parser.add_argument("--posts", type=int, default=512, help="posts of one repetition")
    parser.add_argument("--links", default="keep", choices=("keep", "fold"), help="fold: one known word for each link")
    parser.add_argument("--runtimes", nargs="+", default=list(RUNTIMES), choices=RUNTIMES)
    parser.add_argument("--peers", nargs="*", default=list(PEER_WORKERS), choices=list(PEER_WORKERS))
    options = arguments(parser, argv)
    with tempfile.TemporaryDirectory() as folder:
        measured, facts = measure(options, Path(folder))
    ratios: dict[str, float] = {}
    tables = [speeds(measured, ratios), roofline(measured, ratios)]
    folded = options.links == "fold"
    write(
        "predict_throughput_folded" if folded else "predict_throughput",
        f"{FOLDED} {ABOUT}" if folded else ABOUT,
        tables,
        settings=argparse.Namespace(**vars(options), **facts),
        seconds={name: side.seconds for name, side in measured.items()},
        ratios=ratios,
        peers={name: measured[name].about for name in options.peers},
    )
    return 0


def measure(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Measured], dict[str, Any]]:
    """What every side measured; the data set's name, and what else the figures depend on."""
    posts, corpus = training_posts(options.posts, links=options.links)
    saved = read_model(options.model)
    facts: dict[str, Any] = {"data": corpus, "word_pieces": saved.config.context.word_pieces}
    shared: dict[str, Any] = {"posts": options.posts, "links": options.links, "threads": options.threads}
    sides: list[Side] = []
    for name in options.runtimes:
        backend, precision = name.split()
        model: Path | None = saved.folder
        if precision == "bf16" and not has_bf16():
            continue
        if backend == "onnx":
            model = (options.onnx or folder) / f"onnx-{precision}"
            if not model.exists():
                model = onnx_copy(saved.folder, model, posts[:64], int8=precision == "int8")
        if model is not None:
            if precision == "int8":
                facts["int8_layers_in_fp32"] = read_model(model).manifest["onnx"]["model.int8.onnx"]["layers_in_fp32"]
            job = {**shared, "model": str(model), "backend": backend, "precision": precision}
            sides.append(Side(f"mner {name}", "ours_predict.py", {**job, "bare": False}))
            sides.append(Side(f"encoder alone, {name}", "ours_predict.py", {**job, "bare": True}))
    peer = peer_job(saved, [post.words for post in posts], folder, shared)
    for name in options.peers:
        worker, apart = PEER_WORKERS[name]
        share = {**peer, "words": peer["words"][:: SHARE.get(name, 1)]}
        sides.append(Side(name, worker, share, PEERS) if apart else Side(name, worker, share))
    return alternate(sides, folder, repetitions=options.repetitions), facts


def peer_job(saved: SavedModel, words: list[Any], folder: Path, shared: dict[str, Any]) -> dict[str, Any]:
    """The job of the peers: our encoder as a folder, our head as numbers, the posts as words."""
    encoder = folder / "encoder"
    peer_folder(saved.folder / "encoder", saved.tokenizer, encoder, max_tokens=saved.manifest["encoder"]["max_tokens"])
    head = {"weight": "emission.weight", "bias": "emission.bias"}
    head |= {part: f"crf.{part}" for part in ("transitions", "start", "end")}
    arrays = {name: saved.head[key].tolist() for name, key in head.items()}
    return {**shared, "folder": str(encoder), "labels": saved.labels, "words": words, "head": arrays}


def speeds(measured: dict[str, Measured], ratios: dict[str, float]) -> Table:
    """Posts a second of whole predictions; how many times as fast the peers' best our best and our torch are."""
    base = [name for name in ("mner torch fp32", "mner onnx int8") if name in measured]
    table = Table(
        "Whole predictions",
        ["side", "posts/s", "seconds", "entities", *(f"{ours} is faster by" for ours in base)],
        note="Median of the repetitions. SpanMarker tags every eighth post, being slow.",
    )
    for name, side in measured.items():
        if name.startswith("encoder alone"):
            continue
        if side.unavailable:
            table.rows.append([name, *([None] * (3 + len(base)))])
            table.note += f" {name} could not be measured: {side.unavailable}."
            continue
        seconds, last = median(side.seconds), side.repetitions[-1]
        row = [name, last["posts"] / seconds, seconds, last["entities"]]
        for ours in base:
            faster = None
            if not name.startswith("mner"):
                each = median(measured[ours].seconds) / measured[ours].repetitions[-1]["posts"]
                faster = ratios[f"{name} / {ours}"] = seconds / last["posts"] / each
            row.append(faster)
        table.rows.append(row)
    return table


def roofline(measured: dict[str, Measured], ratios: dict[str, float]) -> Table:
    """Whole predictions over forward passes of the encoder alone, without padding."""
    table = Table(
        "Whole prediction over the encoder alone",
        ["runtime", "whole, s", "encoder alone, s", "whole / encoder"],
        note="The encoder alone: the same tokens in batches of equal length, no padding, one batch after the other on "
        "all cores. onnxruntime's whole prediction runs two batches beside each other, and can be faster.",
    )
    for name, side in measured.items():
        bare = measured.get(f"encoder alone, {name.removeprefix('mner ')}")
        if not name.startswith("mner") or bare is None or side.unavailable or bare.unavailable:
            continue
        posts = side.repetitions[-1]["posts"]
        whole, alone = median(side.seconds), median(bare.seconds) * posts / bare.repetitions[-1]["posts"]
        ratio = ratios[f"whole / encoder alone, {name.removeprefix('mner ')} (1 is best)"] = whole / alone
        table.rows.append([name, whole, alone, ratio])
    return table


if __name__ == "__main__":
    sys.exit(main())
