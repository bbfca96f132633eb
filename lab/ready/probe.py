"""A saved model looked into: the probability of every type at every word, and of given entities, as not calibrated."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mner import encoders
from mner.decode import ScoredSpan, posteriors, span_scores
from mner.evaluation.views import decoder_of
from mner.files import write_json
from mner.runtime import open_model, predict, read_model
from mner.runtime.calibration import scaling_of
from mner.tagger.opening import model_folder
from mner.types import Post, Span, VisualContext
from mner.views import Encoded, Views
from mner.views.compose import compose

Contexts = Sequence[VisualContext | None]

_Measure = TypeVar("_Measure")


def print_measure(
    argv: Sequence[str] | None,
    about: str | None,
    measure: Callable[[Path], _Measure],
    table: Callable[[_Measure], Sequence[str]],
    as_json: Callable[[_Measure], Any] = lambda measured: measured,
) -> int:
    """0, when the measure of the model that a command line names is printed, and written where --out names a file.

    Args:
        argv: The command line; None: that of the process.
        about: What the program is, for its help.
        measure: From the model's folder to its figures.
        table: Their lines in Markdown.
        as_json: What of them goes into the file.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a saved model")
    parser.add_argument("--out", type=Path, help="JSON file of the figures")
    arguments = parser.parse_args(argv)
    measured = measure(arguments.model)
    if arguments.out:
        write_json(arguments.out, as_json(measured))
    print("\n".join(table(measured)))
    return 0


class Probe:
    """A saved model and what it needs to look at posts.

    Args:
        folder: A saved model.
    """

    def __init__(self, folder: Path) -> None:
        self.saved = read_model(model_folder(folder))
        self.runtime = open_model(self.saved)
        self.uncalibrated = decoder_of(self.saved.config, self.saved.labels, self.runtime.chain)
        scaling = scaling_of(self.saved)
        self.decoder = decoder_of(self.saved.config, self.saved.labels, self.runtime.chain, scaling)
        self.calibrated = scaling is not None
        self.views = Views.of(encoders.of_model(self.saved.folder, self.saved.manifest["encoder"]), self.saved.config)

    def entities(self, posts: Sequence[Post], contexts: Contexts | None = None) -> list[tuple[ScoredSpan, ...]]:
        """The decoded entities of each post, in view I+T where there are contexts."""
        return predict.spans(self.runtime, self._encoded(posts, contexts), self.decoder)

    def spans(
        self, posts: Sequence[Post], spans: Sequence[Sequence[Span]], contexts: Contexts | None = None
    ) -> list[np.ndarray]:
        """The exact probability of each given span of each post (span,)."""
        answers = []
        for of_post, scores in zip(spans, self._emissions(posts, contexts), strict=True):
            answers += span_scores(
                scores[None], [len(scores)], [of_post], labels=self.saved.labels, crf=self.runtime.chain
            )
        return answers

    def types(self, posts: Sequence[Post], contexts: Contexts | None = None) -> list[dict[str, np.ndarray]]:
        """Of each post, by type, the probability that a word is within an entity of that type (word,)."""
        kinds = [label.partition("-")[2] for label in self.saved.labels]
        answers = []
        for scores in self._emissions(posts, contexts):
            marginals = posteriors(scores[None], [len(scores)], crf=self.runtime.chain).marginals[0]
            answers.append(
                {
                    kind: marginals[:, [number for number, of_label in enumerate(kinds) if of_label == kind]].sum(1)
                    for kind in sorted(set(kinds) - {""})
                }
            )
        return answers

    def _emissions(self, posts: Sequence[Post], contexts: Contexts | None) -> list[np.ndarray]:
        return predict.emissions(self.runtime, self._encoded(posts, contexts))

    def _encoded(self, posts: Sequence[Post], contexts: Contexts | None) -> Sequence[Encoded]:
        words = [post.words for post in posts]
        if contexts is None:
            return self.views.encode_many(words)
        pieces = [() if row is None else compose(row, self.saved.config.context) for row in contexts]
        return self.views.encode_many(words, pieces)
