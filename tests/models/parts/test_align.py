from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from mner.config import LossConfig
from mner.models.parts.align import Weights, alignment, loss_weights, posterior_alignment

LENGTHS = torch.tensor([4, 1, 3])
PRESETS = ["official", "paper"]


def _gradients(crf, student):
    return [student.grad, *(parameter.grad for parameter in crf.parameters())]


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_identical_views_align_at_zero_or_at_the_entropy(crf, normal, temperature):
    chain, scores = crf(5), 2 * normal(3, 4, 5)
    q = torch.softmax(chain.posteriors(scores, LENGTHS) / temperature, -1)
    entropy = -(q * q.log()).sum(-1) * (torch.arange(4) < LENGTHS[:, None])
    official = alignment(chain, scores, scores, LENGTHS, preset="official", temperature=temperature)
    paper = alignment(chain, scores, scores, LENGTHS, preset="paper", temperature=temperature)
    exact = alignment(chain, scores, scores, LENGTHS, kind="sequence", temperature=temperature)
    torch.testing.assert_close(official, torch.zeros(3).double(), rtol=0, atol=1e-12)
    torch.testing.assert_close(paper, temperature**2 * entropy.sum(1), rtol=1e-12, atol=0)
    torch.testing.assert_close(exact, torch.zeros(3).double(), rtol=0, atol=1e-11)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize(
    ("kind", "preset"), [("posterior", "official"), ("posterior", "paper"), ("sequence", "official")]
)
def test_identical_views_give_the_student_no_gradient(crf, normal, kind, preset, temperature):
    chain, scores = crf(5), 2 * normal(3, 4, 5)
    student = scores.clone().requires_grad_()
    alignment(chain, scores, student, LENGTHS, kind=kind, preset=preset, temperature=temperature).sum().backward()
    for grad in _gradients(chain, student):
        torch.testing.assert_close(grad, torch.zeros_like(grad), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["posterior", "sequence"])
@pytest.mark.parametrize("preset", PRESETS)
def test_no_gradient_reaches_the_teacher(crf, normal, kind, preset):
    chain = crf(5)
    teacher, student = normal(3, 4, 5, seed=2).requires_grad_(), normal(3, 4, 5, seed=3).requires_grad_()
    alignment(chain, teacher, student, LENGTHS, kind=kind, preset=preset, temperature=2.0).sum().backward()
    assert teacher.grad is None
    for grad in _gradients(chain, student):
        assert grad.abs().sum() > 0


@pytest.mark.parametrize("preset", PRESETS)
def test_no_gradient_reaches_the_chain_of_the_teacher(crf, normal, preset):
    chain, apart = crf(5), crf(5).requires_grad_(False)  # equal scores, of which only one can have a gradient
    teacher, student = normal(3, 4, 5, seed=2), normal(3, 4, 5, seed=3)
    computed = alignment(chain, teacher, student, LENGTHS, preset=preset)
    ours = torch.autograd.grad(computed.sum(), list(chain.parameters()))
    taught = posterior_alignment(
        apart.posteriors(teacher, LENGTHS), chain.posteriors(student, LENGTHS), LENGTHS, preset=preset
    )
    truth = torch.autograd.grad(taught.sum(), list(chain.parameters()))
    for gradient, other in zip(ours, truth, strict=True):
        torch.testing.assert_close(gradient, other)


def test_posterior_alignment_itself_detaches_the_teacher(normal):
    teacher, student = normal(3, 4, 5, seed=2).requires_grad_(), normal(3, 4, 5, seed=3).requires_grad_()
    posterior_alignment(teacher, student, LENGTHS).sum().backward()
    assert teacher.grad is None
    assert student.grad.abs().sum() > 0


def test_tau_squared_keeps_the_size_of_the_gradient(crf, normal):
    chain = crf(9, scale=0.0)
    teacher = 0.2 * torch.rand(3, 4, 9, generator=torch.Generator().manual_seed(4)).double() - 0.1
    norms = []
    for temperature in (1.0, 2.0, 4.0, 8.0):
        student = (teacher + 0.01 * normal(3, 4, 9).sign()).clamp(-0.1, 0.1).requires_grad_()
        alignment(chain, teacher, student, LENGTHS, temperature=temperature).sum().backward()
        norms.append(student.grad.norm().item())
    assert max(norms) / min(norms) < 1.05

    peaked = []
    for temperature in (1.0, 8.0):
        student = (200 * teacher).clone().requires_grad_()
        alignment(chain, -200 * teacher, student, LENGTHS, temperature=temperature).sum().backward()
        peaked.append(student.grad.norm().item())
    assert max(peaked) / min(peaked) > 1.05  # the scaling is no identity


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_sequence_alignment_equals_enumeration(crf, normal, enumerated, dtype, tolerance, temperature):
    chain = crf(3, dtype=dtype)
    teacher, student = normal(3, 4, 3, seed=5, dtype=dtype), normal(3, 4, 3, seed=6, dtype=dtype)
    student.requires_grad_()
    computed = alignment(chain, teacher, student, LENGTHS, kind="sequence", temperature=temperature)
    assert computed.dtype == dtype
    expected = []
    for post, length in enumerate(LENGTHS.tolist()):
        log_q = torch.log_softmax(enumerated(chain, teacher[post, :length]).scores.detach() / temperature, 0)
        log_p = torch.log_softmax(enumerated(chain, student[post, :length]).scores / temperature, 0)
        expected.append(temperature**2 * (log_q.exp() * (log_q - log_p)).sum())
    torch.testing.assert_close(computed.double(), torch.stack(expected), rtol=tolerance, atol=tolerance)

    leaves = [student, *chain.parameters()]
    ours = torch.autograd.grad(computed.sum(), leaves)
    truth = torch.autograd.grad(torch.stack(expected).sum(), leaves)
    for gradient, other in zip(ours, truth, strict=True):
        torch.testing.assert_close(gradient, other, rtol=10 * tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("kind", ["posterior", "sequence"])
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9])
def test_nothing_past_the_length_is_aligned(crf, normal, kind, preset, value):
    chain = crf(5)
    teacher, student = normal(3, 4, 5, seed=2), normal(3, 4, 5, seed=3)
    padding = (torch.arange(4) >= LENGTHS[:, None])[..., None]
    settings = {"kind": kind, "preset": preset, "temperature": 2.0}
    clean = alignment(chain, teacher, student, LENGTHS, **settings)
    dirty = student.masked_fill(padding, value).requires_grad_()
    computed = alignment(chain, teacher.masked_fill(padding, value), dirty, LENGTHS, **settings)
    torch.testing.assert_close(computed, clean, rtol=0, atol=0)
    computed.sum().backward()
    assert torch.isfinite(dirty.grad).all()
    assert not dirty.grad.masked_select(padding).any()
    for post, length in enumerate(LENGTHS.tolist()):
        gradient = slice(post, post + 1)
        alone = alignment(chain, teacher[gradient, :length], student[gradient, :length], LENGTHS[gradient], **settings)
        torch.testing.assert_close(alone, clean[gradient], rtol=1e-10, atol=1e-12)


def _toy():
    """Two posts of two words and of one, three labels: small round numbers, so that a reader can follow."""
    chain = np.array([[0.5, -0.2, 0.1], [0.0, 0.3, -0.4], [0.2, 0.1, -0.1]])
    start, end = np.array([0.1, 0.0, -0.3]), np.array([0.0, 0.2, -0.1])
    t = np.array([[[1.0, 0.2, -0.5], [0.3, 0.8, 0.0]], [[0.4, -0.1, 0.6], [0.0, 0.0, 0.0]]])
    it = np.array([[[2.0, -0.3, -0.9], [0.1, 1.9, 0.2]], [[-0.2, 0.1, 1.7], [0.0, 0.0, 0.0]]])
    return chain, start, end, t, it, np.array([[0, 1], [2, 0]]), np.array([2, 1])


def _golden(preset):
    """The whole ITA loss of the toy batch, re-derived from sums over label sequences; mean over posts."""
    chain, start, end, t, it, gold, lengths = _toy()
    w_t, w_it, w_cva, tau = (1.0, 0.5, 0.5, 4.0) if preset == "official" else (1.0, 1.0, 1.0, 1.0)
    total = 0.0
    for post, length in enumerate(lengths):
        paths = list(itertools.product(range(3), repeat=length))
        views = []
        for emissions in (t[post], it[post]):
            scores = np.array(
                [
                    start[y[0]]
                    + end[y[-1]]
                    + sum(emissions[i, y[i]] for i in range(length))
                    + sum(chain[y[i], y[i + 1]] for i in range(length - 1))
                    for y in paths
                ]
            )
            log = scores - np.log(np.exp(scores).sum())
            nll = -log[paths.index(tuple(gold[post, :length]))]
            words = [[np.exp(log)[[y[i] == label for y in paths]].sum() for label in range(3)] for i in range(length)]
            tempered = np.array(words) ** (1 / tau)  # softmax((alpha + beta) / tau), as a posterior is their softmax
            views.append((nll, tempered / tempered.sum(1, keepdims=True)))
        (nll_t, p), (nll_it, q) = views
        cva = tau**2 * (q * np.log(q / p)).sum() if preset == "official" else -(q * np.log(p)).sum()
        total += (w_t * nll_t + w_it * nll_it + w_cva * cva) / len(lengths)
    return total


def test_presets_give_different_losses_as_derived_by_hand(crf):
    chain, start, end, t, it, gold, lengths = (torch.from_numpy(part) for part in _toy())
    module = crf(3)
    with torch.no_grad():
        module.transitions.copy_(chain)
        module.start.copy_(start)
        module.end.copy_(end)
    losses = {}
    for preset in PRESETS:
        weights = loss_weights(LossConfig(preset=preset, cva="posterior"))
        cva = alignment(module, it, t, lengths, preset=preset, temperature=weights.temperature)
        losses[preset] = (
            weights.t * module.nll(t, gold, lengths) + weights.it * module.nll(it, gold, lengths) + weights.cva * cva
        ).mean()
        assert losses[preset].item() == pytest.approx(_golden(preset), rel=1e-12)
    assert abs(losses["official"].item() - losses["paper"].item()) > 0.1


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"cva": "posterior"}, Weights(1.0, 0.5, 0.5, 4.0)),
        ({"cva": "posterior", "preset": "paper"}, Weights(1.0, 1.0, 1.0, 1.0)),
        ({"cva": "posterior", "temperature": 2.0}, Weights(1.0, 0.5, 0.5, 2.0)),
        ({"cva": "sequence"}, Weights(1.0, 0.5, 0.5, 1.0)),
        ({"cva": "sequence", "temperature": 2.0}, Weights(1.0, 0.5, 0.5, 2.0)),
        ({}, Weights(1.0, 1.0, 0.0, 1.0)),
        ({"preset": "paper"}, Weights(1.0, 1.0, 0.0, 1.0)),
        ({"views": ("I+T",)}, Weights(0.0, 1.0, 0.0, 1.0)),
        ({"views": ("T",)}, Weights(1.0, 0.0, 0.0, 1.0)),
        ({"cva": "posterior", "weight_t": 0.0, "weight_it": 2.0, "weight_cva": 3.0}, Weights(0.0, 2.0, 3.0, 4.0)),
    ],
)
def test_loss_weights_follow_the_preset_unless_written(settings, expected):
    assert loss_weights(LossConfig(**settings)) == expected
