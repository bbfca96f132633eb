"""The CRF: log-likelihood, posteriors and Viterbi against pytorch-crf, over batch, words and labels."""

from __future__ import annotations

import argparse
import importlib
import itertools
import statistics
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

import numpy as np
import torch
from record import Table, arguments, in_turn, median, write
from torchcrf import CRF

from mner.decode import Chain, viterbi
from mner.models.parts import one_pass
from mner.models.parts.crf import ChainCRF

ABOUT = """Random label scores and chains, the same on both sides; posts of half to all of the named words. Both sides
in one process, taking turns after a warm-up. The log-likelihood is timed with its gradients. mner sums in float64 and
gives float32, pytorch-crf computes in float32. With numba, the extra `fast`, mner runs compiled loops on one core; its
route without numba is torch for log-likelihoods and posteriors, numpy for Viterbi, and was measured in the same run.
Every cell first checks that both give the same log-likelihood and paths of the same score."""

BOTH, PLAIN = "NLL + posteriors", "without numba"
SIDES = (
    "NLL", "pytorch-crf NLL", BOTH, f"{BOTH} {PLAIN}", "posteriors", "Viterbi", "pytorch-crf Viterbi",
    f"Viterbi {PLAIN}",
)  # fmt: skip
RATIOS = {
    "NLL": ("pytorch-crf NLL", "NLL"),
    f"{BOTH} against pytorch-crf's NLL alone": ("pytorch-crf NLL", BOTH),
    f"{BOTH} against pytorch-crf's NLL alone, {PLAIN}": ("pytorch-crf NLL", f"{BOTH} {PLAIN}"),
    "Viterbi": ("pytorch-crf Viterbi", "Viterbi"),
    f"Viterbi, {PLAIN}": ("pytorch-crf Viterbi", f"Viterbi {PLAIN}"),
}


def without_numba(work: Callable[[], object]) -> Callable[[], None]:
    """The same work on the route of an install without the extra ``fast``."""
    module = importlib.import_module("mner.decode.viterbi")

    def plain() -> None:
        before = one_pass.COMPILED, module._loop
        one_pass.COMPILED, module._loop = False, lambda: None
        try:
            work()
        finally:
            one_pass.COMPILED, module._loop = before

    return plain


def works(batch: int, words: int, labels: int) -> dict[str, Callable[[], object]]:
    """What is timed at one size, both sides on the same numbers, once they agree."""
    random = np.random.default_rng(labels * words + batch)
    lengths = torch.from_numpy(random.integers((words + 1) // 2, words + 1, batch))
    lengths[0] = words
    emissions = torch.from_numpy(random.normal(size=(batch, words, labels)).astype(np.float32)).requires_grad_()
    gold = torch.from_numpy(random.integers(0, labels, (batch, words)))
    mask = torch.arange(words) < lengths[:, None]
    ours, theirs = ChainCRF(labels), CRF(labels, batch_first=True)
    with torch.no_grad():
        for mine, other in ((ours.transitions, theirs.transitions), (ours.start, theirs.start_transitions)):
            mine.copy_(other)
        ours.end.copy_(theirs.end_transitions)
    chain = Chain(*(part.detach().numpy() for part in ours.chain))
    plain, counts = emissions.detach(), lengths.numpy()

    def our_nll() -> torch.Tensor:
        return ours.nll(emissions, gold, lengths).sum()

    def their_nll() -> torch.Tensor:
        result: torch.Tensor = -theirs(emissions, gold, mask=mask, reduction="sum")
        return result

    def with_gradients(loss: Callable[[], torch.Tensor]) -> Callable[[], None]:
        def work() -> None:
            emissions.grad = None
            loss().backward()

        return work

    def posteriors() -> torch.Tensor:
        with torch.no_grad():
            return ours.posteriors(plain, lengths)

    def both() -> None:
        with_gradients(our_nll)()
        posteriors()

    def our_viterbi() -> object:
        return viterbi(plain.numpy(), counts, crf=chain)

    def their_viterbi() -> list[list[int]]:
        with torch.no_grad():
            result: list[list[int]] = theirs.decode(plain, mask=mask)
        return result

    torch.testing.assert_close(our_nll(), their_nll(), rtol=1e-3, atol=1e-3)
    paths, scores = viterbi(plain.numpy(), counts, crf=chain)
    padded = torch.zeros_like(gold)
    for row, path in enumerate(their_viterbi()):
        padded[row, : len(path)] = torch.tensor(path)
    with torch.no_grad():
        torch.testing.assert_close(
            ours.path_score(plain, padded, lengths).double(), torch.from_numpy(scores), rtol=1e-4, atol=1e-3
        )
    assert paths.shape == tuple(gold.shape)
    return {
        "NLL": with_gradients(our_nll),
        "pytorch-crf NLL": with_gradients(their_nll),
        BOTH: both,
        f"{BOTH} {PLAIN}": without_numba(both),
        "posteriors": posteriors,
        "Viterbi": our_viterbi,
        "pytorch-crf Viterbi": their_viterbi,
        f"Viterbi {PLAIN}": without_numba(our_viterbi),
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--words", type=int, nargs="+", default=[10, 40, 160])
    parser.add_argument("--labels", type=int, nargs="+", default=[9, 17, 37])
    parser.add_argument("--least-seconds", type=float, default=1.0, help="least time spent on one size")
    options = arguments(parser, argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    times = Table("Milliseconds", ["batch", "words", "labels", *SIDES])
    faster = Table("Times as fast as pytorch-crf", ["batch", "words", "labels", *RATIOS])
    raw: dict[str, dict[str, list[float]]] = {}
    ratios: dict[str, float] = {}
    for batch, words, labels in itertools.product(options.batches, options.words, options.labels):
        result = in_turn(works(batch, words, labels), repetitions=options.repetitions, least=options.least_seconds)
        size = f"batch {batch}, words {words}, labels {labels}"
        print(f"  {size}", file=sys.stderr, flush=True)
        raw[size] = result
        middle = {side: median(seconds) for side, seconds in result.items()}
        times.rows.append([batch, words, labels, *(middle[side] * 1e3 for side in SIDES)])
        row = {name: middle[theirs] / middle[ours] for name, (theirs, ours) in RATIOS.items()}
        ratios.update({f"{name}, {size}": ratio for name, ratio in row.items()})
        faster.rows.append([batch, words, labels, *row.values()])
    for name in RATIOS:
        of_name = [ratio for key, ratio in ratios.items() if key.startswith(f"{name}, batch ")]
        ratios[f"{name}: median"] = statistics.median(of_name)
        ratios[f"{name}: geometric mean"] = statistics.geometric_mean(of_name)
        ratios[f"{name}: least"] = min(of_name)
    if not one_pass.COMPILED:
        faster.note = "numba is not installed: all of it is the route without numba."
    write(
        "crf",
        ABOUT,
        [times, faster],
        settings=options,
        seconds=raw,
        ratios=ratios,
        peers={"pytorch-crf": {"versions": {"pytorch-crf": version("pytorch-crf")}}},
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
