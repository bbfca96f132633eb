"""Text-only encoder with a CRF (the paper's BERT-CRF): the baseline that every gain is measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mner.config import Config
from mner.models.parts.encoder import Arrays
from mner.models.parts.tagger import EncoderTagger
from mner.types import ViewName


class Model(nn.Module):
    """Words -> label scores; trained on the T view alone, able to score both.

    Args:
        config: The resolved configuration.
        labels: BIOES labels, in the order of the label scores.
        encoder: A loaded transformers encoder.
    """

    inputs = ("input_ids", "attention_mask", "shapes", "word_index", "lengths")
    views: tuple[ViewName, ...] = ("T",)

    def __init__(self, config: Config, labels: Sequence[str], encoder: nn.Module) -> None:
        super().__init__()
        self.tagger = EncoderTagger(config.model, labels, encoder)
        self.parameter_groups = self.tagger.parameter_groups

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        scores: Tensor = self.tagger(batch[view])
        return scores

    def losses(self, batch: Mapping[ViewName, Arrays], gold: Tensor) -> dict[str, Tensor]:
        """The losses of each post, ``loss`` (post,) being the one to minimise; ``gold`` is (post, word)."""
        nll = self.tagger.crf.nll(self.emissions(batch, "T"), gold, batch["T"]["lengths"])
        return {"loss": nll, "T": nll}

    forward = losses

    def stages(self) -> tuple[str, ...]:
        """Names of the training stages, in order."""
        return ("train",)
