"""How time grows: with posts, words of a post, words of context, labels; the exponent of each, fitted."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from posts import training_posts
from record import Table, arguments, in_turn, median, write

from mner import encoders, tags
from mner.config import ContextConfig
from mner.decode import Chain, Decoder
from mner.evaluation.views import decoder_of
from mner.models.parts.crf import ChainCRF
from mner.runtime import open_model, predict, read_model
from mner.views import Piece, Views

ABOUT = """Each size was timed after a warm-up, all sizes of a row taking turns. The exponent is the slope of a straight
line through log size and log time over all sizes; `last` is the slope between the two largest, where fixed costs weigh
least. 1 is linear. Posts and words run through a whole prediction (encode, forward, decode), context words likewise
with budgets wide open; labels through decoding alone and through the log-likelihood with its gradients."""

WORDS_OF_A_POST = 16


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a trained model")
    parser.add_argument("--posts", type=int, nargs="+", default=[64, 128, 256, 512, 1024])
    parser.add_argument("--words", type=int, nargs="+", default=[16, 32, 64, 128, 256, 512])
    parser.add_argument("--context-words", type=int, nargs="+", default=[32, 64, 128, 256, 384])
    parser.add_argument("--types", type=int, nargs="+", default=[2, 4, 8, 16, 32], help="entity types; 4n+1 labels")
    parser.add_argument("--batch", type=int, default=16, help="posts where posts do not vary")
    options = arguments(parser, argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    growth = Table("Exponents", ["time against", "sizes", "exponent", "last", "seconds at the largest"])
    every = Table("Seconds", ["time against", "size", "seconds"])
    raw: dict[str, dict[str, list[float]]] = {}
    ratios: dict[str, float] = {}
    for what, works in rows(options).items():
        print(f"  {what}", file=sys.stderr, flush=True)
        times = in_turn({str(size): work for size, work in works.items()}, repetitions=options.repetitions)
        raw[what] = times
        sizes, seconds = list(works), [median(times[str(size)]) for size in works]
        every.rows += [[what, size, second] for size, second in zip(sizes, seconds, strict=True)]
        exponent = ratios[f"exponent of {what}"] = slope(sizes, seconds)
        last = slope(sizes[-2:], seconds[-2:])
        span = f"{sizes[0]} to {sizes[-1]}"
        growth.rows.append([what, span, round(exponent, 2), round(last, 2), seconds[-1]])
    write("scaling", ABOUT, [growth, every], settings=options, seconds=raw, ratios=ratios)
    return 0


def slope(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The least-squares slope of log time over log size."""
    if len(sizes) < 2:
        return math.nan
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def rows(options: argparse.Namespace) -> dict[str, dict[int, Callable[[], object]]]:
    """What is timed, by what grows and by size."""
    saved = read_model(options.model)
    runtime = open_model(saved, threads=options.threads)
    wide = ContextConfig(budget={"captions": 100_000}, order=("captions",))
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), wide)
    decoder = decoder_of(saved.config, saved.labels, runtime.chain)
    times, _ = training_posts(2000)
    stream = [word for post in times for word in post.words if word.isascii() and word.isalpha()] or ["word"]

    def text(count: int, at: int) -> list[str]:
        return [stream[(at + number) % len(stream)] for number in range(count)]

    def whole(posts: int, words: int, context: int = 0) -> Callable[[], object]:
        longest = [text(words, post * words) for post in range(posts)]
        beside = [
            [Piece("captions", "made", " ".join(text(context, post)))] if context else [] for post in range(posts)
        ]
        return lambda: predict.spans(runtime, views.encode_many(longest, beside), decoder)

    return {
        "posts": {size: whole(size, WORDS_OF_A_POST) for size in options.posts},
        "words of a post": {size: whole(options.batch, size) for size in options.words},
        "words of context": {size: whole(options.batch, WORDS_OF_A_POST, size) for size in options.context_words},
        "labels, decoding": {4 * size + 1: decoding(size, options.batch) for size in options.types},
        "labels, log-likelihood": {4 * size + 1: likelihood(size, options.batch) for size in options.types},
    }


def decoding(types: int, batch: int) -> Callable[[], object]:
    """Spans with probabilities from random label scores."""
    labels = tags.bioes_labels([f"T{number:02}" for number in range(types)])
    random = np.random.default_rng(types)
    count = len(labels)
    chain = Chain(random.normal(size=(count, count)), random.normal(size=count), random.normal(size=count))
    decoder = Decoder(labels, chain)
    emissions = random.normal(size=(batch, WORDS_OF_A_POST, count)).astype(np.float32)
    emissions[..., labels.index("O")] += 4.0  # as many entities at every size
    return lambda: decoder.decode(emissions, np.full(batch, WORDS_OF_A_POST))


def likelihood(types: int, batch: int) -> Callable[[], object]:
    """The log-likelihood of random labels, with gradients."""
    labels = 4 * types + 1
    torch.manual_seed(types)
    crf = ChainCRF(labels)
    emissions = torch.randn(batch, WORDS_OF_A_POST, labels, requires_grad=True)
    gold = torch.randint(0, labels, (batch, WORDS_OF_A_POST))
    lengths = torch.full((batch,), WORDS_OF_A_POST)
    return lambda: crf.nll(emissions, gold, lengths).sum().backward()


if __name__ == "__main__":
    sys.exit(main())
