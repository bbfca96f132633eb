"""ITA: image-text alignments (Wang et al., NAACL 2022), with its three losses.

A picture's text follows the post's words in the I+T view; the T view has the words alone. Both views
pass through one encoder, one emission layer and one CRF. Cross-view alignment (CVA) lets the I+T view teach
the T view:

    loss = w_T * L_T + w_IT * L_IT + w_CVA * L_CVA        mean over posts; weights by preset, see ``parts.align``
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mner.config import Config
from mner.models.parts.align import alignment, loss_weights
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays
from mner.models.parts.lesson import lesson
from mner.models.parts.tagger import EncoderTagger
from mner.types import ViewName
from mner.views import Needs


class Model(nn.Module):
    """Words and a picture's text -> label scores; trained on the views that [loss] names."""

    def __init__(self, config: Config, labels: Sequence[str], encoder: nn.Module) -> None:
        super().__init__()
        self.loss = config.loss
        self.teachers = config.teachers
        self.views: tuple[ViewName, ...] = config.loss.views
        self.tagger = EncoderTagger(config.model, labels, encoder)
        self.encoders = self.tagger.encoders
        self.parameter_groups = self.tagger.parameter_groups

    @property
    def crf(self) -> ChainCRF:
        """The chain that both views share."""
        return self.tagger.crf

    @staticmethod
    def needs(config: Config) -> Needs:
        """One encoder, and the picture's text for the I+T view."""
        return Needs(encoders=(config.model.encoder,))

    @staticmethod
    def ignored(config: Config) -> tuple[str, ...]:
        """The rate of layers of its own: but for case shapes it has the encoder and the chain alone."""
        return () if config.model.case_shape else ("training.feature_lr",)

    def word_vectors(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Word vectors (post, word, hidden) of one view."""
        vectors: Tensor = self.tagger.words(batch[view])
        return vectors

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        scores: Tensor = self.tagger(batch[view])
        return scores

    def losses(
        self,
        batch: Mapping[ViewName, Arrays],
        gold: Tensor | None,
        taught: Mapping[ViewName, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """The losses of each post: ``loss`` (post,) to minimise, and its parts ``T``, ``I+T``, ``cva``, ``teachers``.

        ``gold`` is (post, word); None for posts without labels, which are learned from ``taught`` alone: the teachers'
        log-posteriors (post, word, label) for each view. The I+T view's scores that teach the T view are those of the
        same train-mode forward, detached.
        """
        weights, crf = loss_weights(self.loss), self.crf
        scores = self.tagger.views(batch, self.views)
        lengths = batch[self.views[0]]["lengths"]
        parts: dict[str, Tensor] = {}
        of_view: dict[ViewName, float] = {"T": weights.t, "I+T": weights.it}
        by_weight: list[tuple[float, Tensor]] = []
        if gold is not None:
            parts |= {view: crf.nll(scores[view], gold, lengths) for view in self.views}
            by_weight += [(of_view[view], parts[view]) for view in self.views]
        if gold is not None and self.loss.cva != "none":
            parts["cva"] = alignment(
                crf,
                scores["I+T"],
                scores["T"],
                lengths,
                kind=self.loss.cva,
                preset=self.loss.preset,
                temperature=weights.temperature,
            )
            by_weight.append((weights.cva, parts["cva"]))
        if taught is not None:
            parts["teachers"] = lesson(self.teachers, crf, taught, scores, of_view, lengths)
            by_weight.append((self.teachers.weight, parts["teachers"]))
        total = sum(weight * part for weight, part in by_weight)
        return {"loss": total, **parts}  # type: ignore[dict-item]  # sum() of one tensor or more

    forward = losses
