"""VinVL-CRF: a vision-and-language encoder over text, object tags and regions (Zhang et al., CVPR 2021), with a CRF.

The encoder has BERT's shape and was pretrained with pictures. Its input is [words ; object tags ; regions]; only words
are scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from mner.config import Config
from mner.config.schema import Section
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays
from mner.models.parts.objective import Supervised, refuse_alignment
from mner.models.parts.regions import START, RegionEncoder, region_arrays
from mner.models.parts.tagger import EncoderTagger
from mner.types import ViewName
from mner.views import Needs


class Options(Section):
    """[model.options] of vinvl."""

    regions: int = Field(default=50, ge=1)  # most regions of a picture, the first ones
    width: int = Field(default=2048, ge=1)  # numbers of a region, as the detector gives them; its box adds 6
    dropout: float = Field(default=0.1, ge=0, lt=1)  # of the projected regions
    norm: bool = True  # behind the regions' layer, as in VinVL; Oscar's first release has none
    start: Literal["published", "random"] = "published"  # of the regions' layer: VinVL's weights, or none


class Model(Supervised):
    """Words, object tags and regions -> label scores; the T view has the words alone.

    Args:
        config: The resolved configuration.
        labels: BIOES labels, in the order of the label scores.
        encoder: A loaded transformers encoder of BERT's shape.

    Raises:
        ConfigError: The encoder has another shape.
    """

    def __init__(self, config: Config, labels: Sequence[str], encoder: nn.Module) -> None:
        super().__init__()
        options = Options.model_validate(config.model.options)
        self.config = config
        self.views: tuple[ViewName, ...] = config.loss.views
        self.tagger = EncoderTagger(config.model, labels, encoder)
        self.encoders = self.tagger.encoders
        self.regions = RegionEncoder(
            self.tagger.words, options.width, options.regions, options.dropout, norm=options.norm
        )

    @property
    def crf(self) -> ChainCRF:
        """The chain that both views share."""
        return self.tagger.crf

    @staticmethod
    def needs(config: Config) -> Needs:
        """One encoder, the picture's tags as text, and its regions.

        Raises:
            ConfigError: [loss] aligns the views.
        """
        refuse_alignment(config)
        options = Options.model_validate(config.model.options)
        return Needs((config.model.encoder,), region_arrays(options.width), start=started(options))

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The groups of the text model, and the regions' layer as "visual"."""
        return {
            **self.tagger.parameter_groups(),
            "visual": [*self.regions.visual.parameters(), *self.regions.norm.parameters()],
        }

    def word_vectors(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Word vectors (post, word, hidden) of one view."""
        vectors: Tensor = self.tagger.words(batch[view], self.regions(batch[view]))
        return vectors

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        scores: Tensor = self.tagger.emission(self.word_vectors(batch, view))
        return scores.float()


def started(options: Options) -> Mapping[str, str]:
    """The layers that start from VinVL's weights."""
    if options.start == "random":
        return {}
    return {layer: name for layer, name in START.items() if options.norm or not layer.endswith("norm")}
