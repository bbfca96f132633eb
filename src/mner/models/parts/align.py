"""Cross-view alignment: the I+T view teaches the T view (ITA, section 3.3, Eqs. 4 and 5)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from mner.config import LossConfig
from mner.models.parts import chain
from mner.models.parts.chain import ChainScores
from mner.models.parts.crf import ChainCRF

Preset = Literal["official", "paper"]


class Weights(NamedTuple):
    """Weights of L_T, L_IT and L_CVA, and the temperature of the alignment."""

    t: float
    it: float
    cva: float
    temperature: float


def loss_weights(config: LossConfig) -> Weights:
    """The weights that [loss] asks for: the preset's, with those written in the configuration put over them.

    official, with alignment: 1, 0.5, 0.5 and temperature 4. paper: 1, 1, 1 and temperature 1. Without alignment
    each trained view weighs 1 in both. A view that is not trained weighs 0. The exact sequence alignment needs no
    tempering: its temperature is 1 unless the configuration says otherwise.

    >>> loss_weights(LossConfig(cva="posterior"))
    Weights(t=1.0, it=0.5, cva=0.5, temperature=4.0)
    >>> loss_weights(LossConfig(views=("T",)))
    Weights(t=1.0, it=0.0, cva=0.0, temperature=1.0)
    """
    aligned = config.cva != "none"
    halved = aligned and config.preset == "official"
    t, it, cva = (1.0, 0.5, 0.5) if halved else (1.0, 1.0, 1.0)
    temperature = 4.0 if halved and config.cva == "posterior" else 1.0
    return Weights(
        t=_chosen(config.weight_t, t) if "T" in config.views else 0.0,
        it=_chosen(config.weight_it, it) if "I+T" in config.views else 0.0,
        cva=_chosen(config.weight_cva, cva) if aligned else 0.0,
        temperature=_chosen(config.temperature, temperature),
    )


def _chosen(written: float | None, preset: float) -> float:
    return preset if written is None else written


def posterior_alignment(
    teacher: Tensor, student: Tensor, lengths: Tensor, *, preset: Preset = "official", temperature: float = 1.0
) -> Tensor:
    """Alignment (batch,) of per-word posteriors, summed over words and labels (Eq. 5).

        official: tau^2 * sum_i KL(q_i || p_i)        paper: tau^2 * sum_i sum_y q_i(y) * -log p_i(y)

    with q_i = softmax(teacher_i / tau) and p_i = softmax(student_i / tau). The two differ by the entropy of q,
    which has no gradient. The paper prints Eqs. 4 and 5 without the minus sign, at tau = 1.

    Args:
        teacher: alpha + beta under I+T, up to a constant per word (batch, word, label). No gradient reaches it.
        student: The same under T.
        lengths: Words of each post (batch,).
        preset: Which of the two forms.
        temperature: tau; alpha and beta themselves belong to tau = 1.
    """
    log_q = torch.log_softmax(teacher.detach() / temperature, -1)
    log_p = torch.log_softmax(student / temperature, -1)
    gap = log_q - log_p if preset == "official" else -log_p
    by_word = (log_q.exp() * gap).sum(-1)  # (batch, word)
    return temperature**2 * by_word.masked_fill(~chain.mask(student, lengths), 0.0).sum(1)


def sequence_alignment(
    crf: ChainCRF, teacher_emissions: Tensor, student_emissions: Tensor, lengths: Tensor, *, temperature: float = 1.0
) -> Tensor:
    """tau^2 * KL (batch,) between the two views' distributions over whole label sequences, computed exactly.

    The score of a sequence is a sum over words and neighbours, so its expectation under the teacher needs no more
    than the teacher's posteriors of words and of pairs:

        KL(q || p) = E_q[score_q - score_p] - log Z_q + log Z_p

    At a temperature other than 1 both are distributions over sequences, with every score divided by it. No
    gradient reaches the teacher, neither its emissions nor its use of the chain. For the arguments see ``alignment``.
    """
    taught = chain.exact_scores(student_emissions, lengths) / temperature  # (batch, word, label)
    scores = ChainScores(*(part.to(taught.dtype) / temperature for part in crf.chain))
    with torch.no_grad():
        teacher = chain.exact_scores(teacher_emissions, lengths) / temperature
        words = chain.posteriors(scores, teacher, lengths).exp() * chain.mask(teacher, lengths)[..., None]
        pairs = chain.pair_posteriors(scores, teacher, lengths).sum(1)  # (batch, label, label)
        entropy = chain.log_partition(scores, teacher, lengths) - _expected(scores, teacher, words, pairs, lengths)
    cross = chain.log_partition(scores, taught, lengths) - _expected(scores, taught, words, pairs, lengths)
    return (temperature**2 * (cross - entropy)).to(student_emissions.dtype)


def alignment(
    crf: ChainCRF,
    teacher_emissions: Tensor,
    student_emissions: Tensor,
    lengths: Tensor,
    *,
    kind: Literal["posterior", "sequence"] = "posterior",
    preset: Preset = "official",
    temperature: float = 1.0,
) -> Tensor:
    """L_CVA (batch,): how far the T view is from what the I+T view believes about the same words.

    Args:
        crf: The chain both views share. Its scores get the student's gradient and none of the teacher's.
        teacher_emissions: Label scores under I+T (batch, word, label). No gradient reaches them.
        student_emissions: Label scores under T (batch, word, label).
        lengths: Words of each post (batch,).
        kind: "posterior" for the per-word form of Eq. 5, "sequence" for the exact divergence it approximates.
        preset: Form of the per-word loss, see ``posterior_alignment``; the exact divergence has one form.
        temperature: tau.
    """
    if kind == "sequence":
        return sequence_alignment(crf, teacher_emissions, student_emissions, lengths, temperature=temperature)
    with torch.no_grad():
        teacher = crf.posteriors(teacher_emissions, lengths)
    student = crf.posteriors(student_emissions, lengths)
    return posterior_alignment(teacher, student, lengths, preset=preset, temperature=temperature)


def _expected(scores: ChainScores, emissions: Tensor, words: Tensor, pairs: Tensor, lengths: Tensor) -> Tensor:
    """Expected path score (batch,) under word (batch, word, label) and summed pair (batch, label, label) posteriors."""
    last = words[torch.arange(len(words), device=words.device), (lengths - 1).clamp_min(0)]
    local = (words * emissions).sum((1, 2))
    moves = (pairs * scores.transitions).sum((1, 2))
    return local + moves + words[:, 0] @ scores.start + last @ scores.end
