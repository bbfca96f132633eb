"""Training: posts a second, against flair and a plain transformers loop; the price of CVA; where a step's time goes."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peer_folder import peer_folder
from posts import training_posts
from record import Table, arguments, median, write
from sides import PEERS, Measured, Side, alternate

from mner import encoders, tags
from mner.machine import has_bf16
from mner.training.batches import steps

ABOUT = """One epoch over the same posts, in the same order, with the same number of posts a step; each side warmed up
first, then the sides took turns. All start from the same encoder and compute in fp32 unless said otherwise. mner and
flair train a CRF, transformers a softmax over labels."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=384, help="posts of one repetition")
    parser.add_argument("--posts-per-step", type=int, default=16)
    parser.add_argument("--warmup-steps", type=int, default=6)
    parser.add_argument("--profile-steps", type=int, default=8)
    parser.add_argument("--peers", nargs="*", default=["transformers", "flair"], choices=["transformers", "flair"])
    parser.add_argument("--fp32-only", action="store_true", help="leave bf16 out even where the CPU supports it")
    parser.add_argument("--encoder", default="embedded:minilm", help="name or folder")
    options = arguments(parser, argv)
    with tempfile.TemporaryDirectory() as folder:
        measured, corpus = measure(options, Path(folder))
    ours = {"encoder": Path(options.encoder).name, "data": corpus}
    settings = argparse.Namespace(**{**vars(options), **ours})
    ratios: dict[str, float] = {}
    tables = [speeds(measured, ratios), price(measured, ratios), inside(measured, ratios)]
    write(
        "train_throughput",
        ABOUT,
        tables,
        settings=settings,
        seconds={name: side.seconds for name, side in measured.items()},
        ratios=ratios,
        peers={name: side.about for name, side in measured.items() if not name.startswith("mner")},
    )
    return 0


def measure(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Measured], str]:
    """What every side measured, and the data set's name."""
    posts, corpus = training_posts(options.posts)
    files = encoders.find(options.encoder)
    shared = {
        "posts": options.posts,
        "posts_per_step": options.posts_per_step,
        "warmup_steps": options.warmup_steps,
        "threads": options.threads,
        "encoder": options.encoder,
        "precision": "fp32",
    }
    peer: dict[str, Any] = {
        **shared,
        "folder": str(peer_folder(files.folder, files.tokenizer, folder / "encoder", max_tokens=files.max_tokens)),
        "labels": tags.bioes_labels({span.label for post in posts for span in post.spans or ()}),
        "words": [post.words for post in posts],
        "tags": [tags.from_spans(post.spans or (), len(post.words), scheme="BIOES") for post in posts],
        "spans": [[(span.start, span.end, span.label) for span in post.spans or ()] for post in posts],
        "batches": [
            members.tolist() for members in steps(len(posts), posts_per_step=options.posts_per_step, seed=1, epoch=0)
        ],
    }
    theirs = {
        "transformers": Side("transformers", "transformers_train.py", peer),
        "flair": Side("flair", "flair_train.py", peer, PEERS),
    }
    sides = [
        Side("mner text", "ours_train.py", {**shared, "kind": "text", "profile": options.profile_steps}),
        *(theirs[name] for name in options.peers),
        Side("mner ITA + CVA", "ours_train.py", {**shared, "kind": "cva", "profile": options.profile_steps}),
        Side("mner text, same tokens", "ours_train.py", {**shared, "kind": "tokens"}),
    ]
    if has_bf16() and not options.fp32_only:
        sides.append(Side("mner text bf16", "ours_train.py", {**shared, "kind": "text", "precision": "bf16"}))
        bf16 = {**peer, "precision": "bf16"}
        sides.append(Side("transformers bf16", "transformers_train.py", bf16))
    return alternate(sides, folder, repetitions=options.repetitions), corpus


def speeds(measured: dict[str, Measured], ratios: dict[str, float]) -> Table:
    """Posts a second of the text models, and how many times as fast ours is."""
    table = Table(
        "Text models",
        ["side", "posts/s", "tokens/s", "seconds", "mner is faster by"],
        note="Median of the repetitions. tokens/s counts padding, where the side tells it.",
    )
    for name, side in measured.items():
        if name in {"mner ITA + CVA", "mner text, same tokens"}:
            continue
        if side.unavailable:
            table.rows.append([name, None, None, None, None])
            table.note += f" {name} could not be measured: {side.unavailable}."
            continue
        seconds, last = median(side.seconds), side.repetitions[-1]
        base = measured["mner text bf16" if name.endswith("bf16") else "mner text"]
        faster = None
        if not name.startswith("mner"):
            faster = ratios[f"{name} / mner"] = seconds / median(base.seconds)
        tokens = last["tokens"] / seconds if "tokens" in last else None
        table.rows.append([name, last["posts"] / seconds, tokens, seconds, faster])
    return table


def price(measured: dict[str, Measured], ratios: dict[str, float]) -> Table:
    """The time of ITA with CVA over that of a text model which trains on the very tokens of both views."""
    cva, text = measured["mner ITA + CVA"], measured["mner text, same tokens"]
    ratio = ratios["CVA / text on the same tokens (1 is best)"] = median(cva.seconds) / median(text.seconds)
    table = Table(
        "The price of cross-view alignment",
        ["side", "tokens", "seconds", "posts/s"],
        note=f"CVA takes {ratio:.3f} times the time of a text model on the same sub-tokens.",
    )
    for name in ("mner ITA + CVA", "mner text, same tokens"):
        side = measured[name]
        seconds, last = median(side.seconds), side.repetitions[-1]
        table.rows.append([name, last["tokens"], seconds, last["posts"] / seconds])
    return table


def inside(measured: dict[str, Measured], ratios: dict[str, float]) -> Table:
    """What part of a step is not the encoder's matrix products."""
    table = Table(
        "Inside a step",
        ["side", "encoder's products, s", "all operations, s", "outside", "largest outside"],
        note="By torch.profiler, whose own cost falls mostly on the small operations outside. Attention is a product.",
    )
    for name in ("mner text", "mner ITA + CVA"):
        profile = measured[name].about["profile"]
        ratios[f"{name}: share outside the encoder's products (0 is best)"] = profile["share_outside"]
        largest = ", ".join(
            f"{op.removeprefix('aten::')} {share:.1%}" for op, share in profile["largest_outside"].items()
        )
        row = [
            name,
            profile["products_seconds"],
            profile["profiled_seconds"],
            f"{profile['share_outside']:.1%}",
            largest,
        ]
        table.rows.append(row)
    return table


if __name__ == "__main__":
    sys.exit(main())
