from __future__ import annotations

import numpy as np
import pytest
import torch
from torchcrf import CRF

from mner.decode import Chain, posteriors
from mner.models.parts import one_pass
from mner.models.parts.crf import ChainCRF

LENGTHS = torch.tensor([4, 1, 3, 2])
PRECISIONS = [(torch.float64, 1e-9), (torch.float32, 1e-5)]


@pytest.fixture(params=["torch", "loops"], autouse=True)
def route(request, monkeypatch):
    """Both ways to compute; where numba is not installed, the loops run as Python."""
    monkeypatch.setattr(one_pass, "COMPILED", request.param == "loops")


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_every_quantity_equals_enumeration(crf, normal, enumerated, dtype, tolerance):
    chain = crf(3, dtype=dtype)
    emissions = normal(4, 4, 3, dtype=dtype)
    gold = torch.tensor([[2, 0, 1, 1], [1, 9, 9, 9], [0, 2, 2, -1], [2, 1, -100, 5]])
    total = chain.log_partition(emissions, LENGTHS)
    score = chain.path_score(emissions, gold, LENGTHS)
    loss = chain.nll(emissions, gold, LENGTHS)
    words = chain.posteriors(emissions, LENGTHS)
    pairs = chain.pair_posteriors(emissions, LENGTHS)
    assert {value.dtype for value in (total, score, loss, words, pairs)} == {dtype}
    for post, length in enumerate(LENGTHS.tolist()):
        truth = enumerated(chain, emissions[post, :length])
        row = int((truth.paths == gold[post, :length]).all(1).nonzero())
        assert total[post].item() == pytest.approx(truth.log_partition.item(), rel=tolerance)
        assert score[post].item() == pytest.approx(truth.scores[row].item(), rel=tolerance)
        assert loss[post].item() == pytest.approx(-truth.log[row].item(), rel=tolerance)
        chance = truth.log.exp()
        for word in range(length):
            expected = torch.zeros(3).double().index_add(0, truth.paths[:, word], chance)
            torch.testing.assert_close(words[post, word].exp().double(), expected, atol=tolerance, rtol=0)
        for word in range(length - 1):
            flat = truth.paths[:, word] * 3 + truth.paths[:, word + 1]
            expected = torch.zeros(9).double().index_add(0, flat, chance).view(3, 3)
            torch.testing.assert_close(pairs[post, word].double(), expected, atol=tolerance, rtol=0)
        assert not words[post, length:].any()
        assert not pairs[post, max(length - 1, 0) :].any()


@pytest.mark.parametrize("lengths", [[4, 1, 3], [1, 1, 1]])
@pytest.mark.parametrize("name", ["log_partition", "nll", "posteriors", "pair_posteriors"])
def test_gradients_pass_gradcheck(crf, normal, name, lengths):
    chain, counts = crf(3), torch.tensor(lengths)
    gold = torch.tensor([[0, 1, 2, 1], [2, 0, 0, 0], [1, 1, 0, 0]])

    def run(emissions, transitions, start, end):
        parameters = {"transitions": transitions, "start": start, "end": end}
        given = (gold,) if name == "nll" else ()
        return torch.func.functional_call(_Calls(chain, name), _prefixed(parameters), (emissions, *given, counts))

    inputs = [normal(3, 4, 3), *(part.detach().clone() for part in (chain.transitions, chain.start, chain.end))]
    assert torch.autograd.gradcheck(run, [part.requires_grad_() for part in inputs])


def test_gradient_of_the_log_partition_is_the_posterior(crf, normal):
    chain, emissions = crf(4), normal(4, 4, 4).requires_grad_()
    chain.log_partition(emissions, LENGTHS).sum().backward()
    real = torch.arange(4) < LENGTHS[:, None]
    words = chain.posteriors(emissions, LENGTHS).exp() * real[..., None]
    torch.testing.assert_close(emissions.grad, words)
    torch.testing.assert_close(chain.transitions.grad, chain.pair_posteriors(emissions, LENGTHS).sum((0, 1)))
    torch.testing.assert_close(chain.start.grad, words[:, 0].sum(0))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9])
def test_nothing_past_the_length_is_read(crf, normal, value):
    chain = crf(3)
    gold = torch.ones(4, 4, dtype=torch.long)

    def run(emissions):
        leaf = emissions.clone().requires_grad_()
        parts = [
            chain.nll(leaf, gold, LENGTHS),
            chain.posteriors(leaf, LENGTHS),
            chain.pair_posteriors(leaf, LENGTHS),
        ]
        chain.zero_grad()
        sum(part.square().sum() for part in parts).backward()
        return [*parts, leaf.grad, *(parameter.grad for parameter in chain.parameters())]

    clean = normal(4, 4, 3)
    dirty = clean.masked_fill((torch.arange(4) >= LENGTHS[:, None])[..., None], value)
    for before, after in zip(run(clean), run(dirty), strict=True):
        torch.testing.assert_close(after, before, rtol=0, atol=0)


@pytest.mark.parametrize("words", [1, 9, 30])
def test_crf_agrees_with_pytorch_crf(crf, normal, words):
    ours, theirs = crf(9, dtype=torch.float32), CRF(9, batch_first=True)
    with torch.no_grad():
        theirs.transitions.copy_(ours.transitions)
        theirs.start_transitions.copy_(ours.start)
        theirs.end_transitions.copy_(ours.end)
    lengths = torch.linspace(1, words, 5).long()
    real = torch.arange(words) < lengths[:, None]
    gold = torch.randint(9, (5, words), generator=torch.Generator().manual_seed(3))
    mine = normal(5, words, 9, dtype=torch.float32).requires_grad_()
    other = mine.detach().clone().requires_grad_()
    loss = ours.nll(mine, gold, lengths)
    expected = -theirs(other, gold, real, reduction="none")
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-4)
    loss.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(mine.grad, other.grad, rtol=1e-4, atol=1e-5)
    moves = theirs.transitions.grad if words > 1 else torch.zeros(9, 9)  # one word makes no move
    torch.testing.assert_close(ours.transitions.grad, moves, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.start.grad, theirs.start_transitions.grad, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.end.grad, theirs.end_transitions.grad, rtol=1e-4, atol=1e-4)


def test_crf_agrees_with_the_numpy_decoder(crf, normal):
    chain, emissions = crf(5), normal(4, 4, 5)
    plain = Chain(*(part.detach().numpy() for part in chain.chain))
    numpy_posterior = posteriors(emissions.numpy(), LENGTHS.numpy(), crf=plain)
    real = (torch.arange(4) < LENGTHS[:, None])[..., None]
    words = chain.posteriors(emissions, LENGTHS).exp() * real
    torch.testing.assert_close(words, torch.from_numpy(numpy_posterior.marginals), rtol=1e-9, atol=1e-12)
    total = chain.log_partition(emissions, LENGTHS)
    torch.testing.assert_close(total, torch.from_numpy(numpy_posterior.log_partition), rtol=1e-12, atol=0)


@pytest.mark.parametrize("scale", [100.0, 1e4])
def test_extreme_scores_stay_finite_with_finite_gradients(crf, normal, scale):
    chain = crf(5, scale=10.0, dtype=torch.float32)
    emissions = (scale * normal(4, 4, 5, dtype=torch.float32)).requires_grad_()
    gold = emissions.detach().argmax(-1)
    loss = chain.nll(emissions, gold, LENGTHS)
    (loss.sum() + chain.posteriors(emissions, LENGTHS).exp().sum()).backward()
    assert torch.isfinite(loss).all()
    assert (loss >= -1e-3 * scale).all()
    for grad in (emissions.grad, *(parameter.grad for parameter in chain.parameters())):
        assert torch.isfinite(grad).all()


@pytest.mark.parametrize(("scale", "move"), [(20.0, 1.0), (1e4, 1.0), (1.0, 1e4)])
def test_extreme_scores_give_the_posteriors_of_the_numpy_decoder(crf, normal, scale, move):
    # The numpy decoder takes its sums in log space, which no difference of scores is too large for.
    chain, emissions = crf(5), scale * normal(4, 4, 5)
    with torch.no_grad():
        chain.transitions[0, 2] = chain.transitions[3, 1] = chain.start[4] = -move
    plain = Chain(*(part.detach().numpy() for part in chain.chain))
    expected = posteriors(emissions.numpy(), LENGTHS.numpy(), crf=plain)
    real = (torch.arange(4) < LENGTHS[:, None])[..., None]
    words = chain.posteriors(emissions, LENGTHS).exp() * real
    torch.testing.assert_close(words, torch.from_numpy(expected.marginals), rtol=1e-9, atol=1e-12)
    gold = emissions.argmax(-1)
    total = chain.nll(emissions, gold, LENGTHS) + chain.path_score(emissions, gold, LENGTHS)
    torch.testing.assert_close(total, torch.from_numpy(expected.log_partition), rtol=1e-12, atol=1e-9)


def test_a_score_that_is_not_a_number_stays_visible(crf, normal):
    chain, emissions = crf(3), normal(4, 4, 3)
    emissions[2, 1, 0] = torch.nan
    gold = torch.ones(4, 4, dtype=torch.long)
    with np.errstate(all="ignore"):  # of loops that run as Python
        loss, words = chain.nll(emissions, gold, LENGTHS), chain.posteriors(emissions, LENGTHS)
    assert loss.isnan().tolist() == [False, False, True, False]
    assert words.isnan().flatten(1).any(1).tolist() == [False, False, True, False]


def test_both_ways_agree_to_the_last_digits_of_float64(monkeypatch, crf, normal):
    chain = crf(9)
    lengths = torch.tensor([30, 0, 1, 17, 30])
    gold = torch.randint(9, (5, 30), generator=torch.Generator().manual_seed(3))

    def run(compiled):
        monkeypatch.setattr(one_pass, "COMPILED", compiled)
        leaf = (3.0 * normal(5, 30, 9)).requires_grad_()
        loss, words = chain.nll(leaf, gold, lengths), chain.posteriors(leaf, lengths)
        chain.zero_grad()
        (loss.sum() + (normal(5, 30, 9, seed=2) * (words / 4.0).exp()).sum()).backward()
        return [loss, words, leaf.grad, *(parameter.grad for parameter in chain.parameters())]

    for ours, theirs in zip(run(True), run(False), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_tensors_of_any_layout_are_read(crf, normal):
    chain, gold = crf(3), torch.ones(4, 4, dtype=torch.long)
    plain = normal(4, 4, 3)
    turned = plain.transpose(0, 2).contiguous().transpose(0, 2)
    lengths = torch.stack([LENGTHS, LENGTHS], 1)[:, 0]
    assert not turned.is_contiguous()
    expected = chain.nll(plain, gold, LENGTHS)
    torch.testing.assert_close(chain.nll(turned, gold.T, lengths), expected, rtol=0, atol=0)
    torch.testing.assert_close(chain.posteriors(turned, lengths), chain.posteriors(plain, LENGTHS), rtol=0, atol=0)


@pytest.mark.parametrize(("gold", "length"), [(3, 4), (-1, 4), (0, 5)])
def test_labels_and_lengths_that_do_not_exist_are_refused(crf, normal, gold, length):
    with pytest.raises((IndexError, RuntimeError)):  # torch has either
        crf(3).nll(normal(1, 4, 3), torch.full((1, 4), gold), torch.tensor([length]))


def test_a_post_without_words_costs_nothing(crf, normal):
    chain = crf(3)
    emissions, gold = normal(2, 3, 3), torch.zeros(2, 3, dtype=torch.long)
    loss = chain.nll(emissions, gold, torch.tensor([0, 2]))
    assert loss[0] == 0.0
    alone = chain.nll(emissions[1:], gold[1:], torch.tensor([2]))
    assert loss[1].item() == pytest.approx(alone.item(), rel=1e-12)


def test_a_new_crf_finds_all_sequences_equally_likely():
    chain = ChainCRF(3)
    total = chain.log_partition(torch.zeros(1, 4, 3), torch.tensor([4]))
    assert total.item() == pytest.approx(4 * torch.log(torch.tensor(3.0)).item(), rel=1e-6)


class _Calls(torch.nn.Module):
    """Calls one method, so that ``functional_call`` can put other parameters in."""

    def __init__(self, crf: ChainCRF, name: str) -> None:
        super().__init__()
        self.crf, self.name = crf, name

    def forward(self, *given: torch.Tensor) -> torch.Tensor:
        return getattr(self.crf, self.name)(*given)


def _prefixed(parameters):
    return {f"crf.{name}": value for name, value in parameters.items()}
