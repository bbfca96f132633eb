"""Label scores -> entities over words, each with its exact probability under the CRF that decoded it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mner.decode.chain import Chain, Floats, Ints, masked
from mner.decode.posterior import posteriors
from mner.decode.scaling import Scaling
from mner.decode.viterbi import viterbi
from mner.errors import DataError, ModelError
from mner.tags import PAD, bioes_to_spans, legal
from mner.types import Span


@dataclass(frozen=True, slots=True, order=True)
class ScoredSpan:
    """An entity over words, ``end`` exclusive, with the probability of exactly its labels."""

    start: int
    end: int
    label: str
    score: float

    @property
    def span(self) -> Span:
        """The entity without its probability."""
        return Span(self.start, self.end, self.label)


def span_probability(
    emissions: ArrayLike, lengths: ArrayLike, *, crf: Chain, post: Ints, start: Ints, end: Ints, labels: Ints
) -> Floats:
    """The probability (span,) that the words of each span carry exactly the given labels.

    Everything outside a span is summed out: exp(alpha[s, y_s] + scores inside + beta[e, y_e] - log Z).

    Args:
        emissions: Label scores (batch, word, label).
        lengths: Words of each post (batch,).
        crf: The chain under which the probability is taken; illegal moves removed or not.
        post: Row of the batch each span lies in (span,).
        start: First word of each span (span,).
        end: One past the last word of each span (span,).
        labels: Label index of every word of every span, span after span (word of a span,).

    >>> chain = Chain(np.zeros((2, 2)), np.zeros(2), np.zeros(2))
    >>> post, start, end = np.array([[0], [1], [3]])
    >>> labels = np.array([1, 0])
    >>> span_probability(np.zeros((1, 3, 2)), [3], crf=chain, post=post, start=start, end=end, labels=labels)
    array([0.25])
    """
    if not post.size:
        return np.zeros(0)
    scores, counts, _ = masked(emissions, lengths, crf)
    rows, post = np.unique(post, return_inverse=True)  # a post without a span needs no forward-backward
    longest = int(counts[rows].max())
    scores, counts = scores[rows, :longest], counts[rows]
    posterior = posteriors(scores, counts, crf=crf)
    widths = end - start
    head = np.cumsum(widths) - widths  # where each span begins in ``labels``
    owner = np.repeat(np.arange(len(post)), widths)
    place = np.arange(len(labels)) - head[owner] + start[owner]
    steps = scores[post[owner], place, labels]
    steps[1:] += crf.transitions[labels[:-1], labels[1:]]
    steps[head] = 0.0  # alpha holds the first word's emission and the way to it
    inside = np.add.reduceat(steps, head)
    first, last = labels[head], labels[head + widths - 1]
    log = posterior.alpha[post, start, first] + inside + posterior.beta[post, end - 1, last]
    log -= posterior.log_partition[post]
    probability: Floats = np.minimum(np.exp(log), 1.0)
    return probability


def span_scores(
    emissions: ArrayLike,
    lengths: ArrayLike,
    spans: Sequence[Sequence[Span]],
    *,
    labels: Sequence[str],
    crf: Chain,
    heads: Sequence[ArrayLike] | None = None,
) -> list[Floats]:
    """The exact probability of each given span of each post, whether or not it would be decoded.

    A span of type X has the labels S-X, or B-X I-X .. E-X. A type the labels do not know has probability 0. Where
    sub-tokens carry labels too, those between the span's first and last word carry PAD.

    Args:
        emissions: Label scores (batch, word, label).
        lengths: Words of each post (batch,).
        spans: Spans of each post, in any order; they may overlap, each is scored alone.
        labels: The BIOES labels, in the order of the label scores.
        crf: The chain under which the probability is taken.
        heads: Where sub-tokens carry labels too, the place of each word's first one in each post.

    Raises:
        DataError: A span does not lie within its post.
    """
    index = {label: number for number, label in enumerate(labels)}
    counts = np.asarray(lengths, dtype=np.int64)
    first = first_places(counts, heads)
    answers = [np.zeros(len(of_post)) for of_post in spans]
    known: list[tuple[int, int, int, int]] = []  # post, number of the span, its first place, one past its last
    carried: list[int] = []
    for row, of_post in enumerate(spans):
        for place, span in enumerate(of_post):
            words = len(first[row])
            if not 0 <= span.start < span.end <= words:
                raise DataError(f"post {row} of the batch has {words} words; {span} does not lie within it")
            inner = span.end - span.start - 2
            parts = "S" if inner < 0 else "B" + "I" * inner + "E"
            names = [f"{part}-{span.label}" for part in parts]
            if all(name in index for name in names):
                places = first[row][span.start : span.end]
                within = np.full(places[-1] - places[0] + 1, index.get(PAD, 0))
                within[places - places[0]] = [index[name] for name in names]
                known.append((row, place, int(places[0]), int(places[-1]) + 1))
                carried += within.tolist()
    probabilities = span_probability(
        emissions,
        counts,
        crf=crf,
        post=np.array([row for row, *_ in known], dtype=np.int64),
        start=np.array([start for _, _, start, _ in known], dtype=np.int64),
        end=np.array([end for *_, end in known], dtype=np.int64),
        labels=np.array(carried, dtype=np.int64),
    )
    for (row, place, *_), probability in zip(known, probabilities, strict=True):
        answers[row][place] = probability
    return answers


def first_places(counts: Ints, heads: Sequence[ArrayLike] | None) -> list[Ints]:
    """The place of each word's label scores (word,) in each post."""
    if heads is None:
        return [np.arange(count) for count in counts]
    return [np.asarray(places, dtype=np.int64) for places in heads]


class Decoder:
    """Turns label scores into entities.

    Args:
        labels: BIOES labels, in the order of the label scores, as ``mner.tags.bioes_labels`` gives them; with PAD
            among them each sub-token is labelled, and a word is read by its first one (ITA, appendix A.5).
        crf: The learned transition, start and end scores.
        constrained: Decode legal BIOES paths only, and take probabilities with the illegal ones removed.
        repair: How an unconstrained, perhaps illegal path is read; see ``mner.tags.bioes_to_spans``.
        scaling: What turns exact probabilities into calibrated ones; None leaves them. It changes no entity.

    >>> decoder = Decoder(("O", "B-PER", "I-PER", "E-PER", "S-PER"), Chain(np.zeros((5, 5)), np.zeros(5), np.zeros(5)))
    >>> [(span.start, span.end, span.label) for span in decoder.decode(np.eye(5)[None, [0, 1, 3]] * 9, [3])[0]]
    [(1, 3, 'PER')]
    """

    def __init__(
        self,
        labels: Sequence[str],
        crf: Chain,
        *,
        constrained: bool = True,
        repair: Literal["repair", "strict"] = "repair",
        scaling: Scaling | None = None,
    ) -> None:
        if len(labels) != crf.labels:
            raise ModelError(f"{len(labels)} labels cannot be decoded with the transitions of {crf.labels}")
        if PAD in labels and constrained:
            raise ModelError(f"the label {PAD} has no place in constrained decoding; set decode.constrained = false")
        self.labels = tuple(labels)
        self._padded = PAD in labels
        self.constrained = constrained
        self.repair = repair
        self.crf = crf.constrained(legal(self.labels)) if constrained else crf
        self.scaling = scaling
        self._scored = self.crf if scaling is None else scaling.chain(self.crf)
        self._opens = np.array([label[0] in "BS" and label != "O" for label in self.labels])
        self._closes = np.array([label[0] in "ES" and label != "O" for label in self.labels])
        self._paired = constrained and bool(self._closes.any())  # each opening of a legal path has its closing
        self._outside = np.array([label in ("O", PAD) for label in self.labels])

    def decode(
        self, emissions: ArrayLike, lengths: ArrayLike, *, heads: Sequence[ArrayLike] | None = None
    ) -> list[tuple[ScoredSpan, ...]]:
        """The entities of each post, in order of appearance; none for a post without words.

        Args:
            emissions: Label scores (batch, word, label); what stands past a length is ignored.
            lengths: Words of each post (batch,).
            heads: For labels with PAD, the place of each word's first sub-token in each post (word,); emissions and
                lengths are of places then. PAD at a word's first place reads as O. An entity's probability is that
                of the labels decoded from its first word's first place to its last word's.

        Raises:
            ModelError: Shapes that do not fit, scores that are not finite, or heads for labels without PAD.
        """
        if self._padded is (heads is None):
            raise ModelError(
                f"labels {'with' if self._padded else 'without'} {PAD} need views made with subtoken_labels = "
                f'"{"pad" if self._padded else "first"}"'
            )
        counts = np.asarray(lengths, dtype=np.int64)
        paths, _ = viterbi(emissions, counts, crf=self.crf)
        real = np.arange(paths.shape[1]) < counts[:, None]
        if self._paired:
            post, start, end, types = self._legal_spans(paths, real)
            begin, stop = start, end  # places of the label scores: here those of the words
        else:
            first = first_places(counts, heads)
            post, start, end, types = self._read_spans(paths, real, first)
            begin = np.array([first[row][word] for row, word in zip(post, start, strict=True)], dtype=np.int64)
            stop = np.array([first[row][word - 1] + 1 for row, word in zip(post, end, strict=True)], dtype=np.int64)
        widths = stop - begin
        inside = np.repeat(begin - np.cumsum(widths) + widths, widths) + np.arange(widths.sum())
        carried = paths[np.repeat(post, widths), inside]
        scored, crf = self.scored(emissions)
        scores = span_probability(scored, counts, crf=crf, post=post, start=begin, end=stop, labels=carried)
        if self.scaling is not None:
            scores = self.scaling.curved(scores, types)
        entities: list[list[ScoredSpan]] = [[] for _ in counts]
        for row, *span in zip(post.tolist(), start.tolist(), end.tolist(), types, scores.tolist(), strict=True):
            entities[row].append(ScoredSpan(*span))
        return [tuple(spans) for spans in entities]

    def span_scores(
        self,
        emissions: ArrayLike,
        lengths: ArrayLike,
        spans: Sequence[Sequence[Span]],
        *,
        heads: Sequence[ArrayLike] | None = None,
    ) -> list[Floats]:
        """The probability of each given span of each post under this decoder's chain; see ``span_scores``."""
        scored, crf = self.scored(emissions)
        exact = span_scores(scored, lengths, spans, labels=self.labels, crf=crf, heads=heads)
        if self.scaling is None:
            return exact
        return [
            self.scaling.curved(scores, [span.label for span in of_post])
            for scores, of_post in zip(exact, spans, strict=True)
        ]

    def scored(self, emissions: ArrayLike) -> tuple[ArrayLike, Chain]:
        """The label scores and the chain that probabilities are taken of, the scaling's temperature applied."""
        return (emissions if self.scaling is None else self.scaling.emissions(emissions)), self._scored

    def _legal_spans(self, paths: Ints, real: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints, list[str]]:
        """Post, start, end and type of every entity of legal BIOES paths."""
        post, start = np.nonzero(self._opens[paths] & real)
        _, last = np.nonzero(self._closes[paths] & real)
        types = [self.labels[label][2:] for label in paths[post, start]]
        return post, start, last + 1, types

    def _read_spans(
        self, paths: Ints, real: NDArray[np.bool_], first: Sequence[Ints]
    ) -> tuple[Ints, Ints, Ints, list[str]]:
        """Post, start, end and type of every entity of paths that may be illegal; each word is read at its place."""
        rows = np.flatnonzero((~self._outside[paths] & real).any(1))
        named = ["O" if outside else label for label, outside in zip(self.labels, self._outside, strict=True)]
        read = [
            (row, span)
            for row in map(int, rows)
            for span in bioes_to_spans([named[label] for label in paths[row, first[row]]], labels=self.repair)
        ]
        post = np.array([row for row, _ in read], dtype=np.int64)
        start = np.array([span.start for _, span in read], dtype=np.int64)
        end = np.array([span.end for _, span in read], dtype=np.int64)
        return post, start, end, [span.label for _, span in read]
