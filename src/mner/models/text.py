"""Text-only encoder with a CRF (the paper's BERT-CRF): the baseline that every gain is measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mner.config import Config
from mner.errors import ConfigError
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays
from mner.models.parts.lesson import lesson
from mner.models.parts.tagger import EncoderTagger
from mner.types import ViewName
from mner.views import Needs


class Model(nn.Module):
    """Words -> label scores; trained on the T view alone, able to score both."""

    views: tuple[ViewName, ...] = ("T",)

    def __init__(self, config: Config, labels: Sequence[str], encoder: nn.Module) -> None:
        super().__init__()
        self.teachers = config.teachers
        self.tagger = EncoderTagger(config.model, labels, encoder)
        self.encoders = self.tagger.encoders
        self.parameter_groups = self.tagger.parameter_groups

    @property
    def crf(self) -> ChainCRF:
        """The chain over the words' labels."""
        return self.tagger.crf

    @staticmethod
    def needs(config: Config) -> Needs:
        """One encoder; a picture's text is read for its scores in the I+T view alone.

        Raises:
            ConfigError: [loss] names the I+T view.
        """
        if config.loss.views != ("T",):
            raise ConfigError('loss.views: the model "text" reads the words alone; set loss.views = ["T"]')
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
        """The losses of each post, ``loss`` (post,) being the one to minimise; the arguments are ``Model.losses``'s."""
        scores, lengths = self.emissions(batch, "T"), batch["T"]["lengths"]
        parts: dict[str, Tensor] = {}
        if gold is not None:
            parts["loss"] = parts["T"] = self.crf.nll(scores, gold, lengths)
        if taught is not None:
            parts["teachers"] = lesson(self.teachers, self.crf, taught, {"T": scores}, {"T": 1.0}, lengths)
            weighed = self.teachers.weight * parts["teachers"]
            parts["loss"] = weighed if gold is None else parts["T"] + weighed
        return parts

    forward = losses
