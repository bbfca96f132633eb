"""Text and grid features of the picture with a CRF (the paper's BERT-CRF + ImgFeat, Table 4).

A picture's grid vectors pass through one linear layer into the width of the encoder's input embeddings and follow the
text as further inputs. Text and picture attend to each other; no word takes its vector from a picture's position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field
from torch import Tensor, nn

from mner.config import Config
from mner.config.schema import Section
from mner.models.parts.appended import append, room_for
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays, embedding_width
from mner.models.parts.objective import Supervised, refuse_alignment
from mner.models.parts.tagger import EncoderTagger
from mner.types import ViewName
from mner.views import Array, Needs


class Options(Section):
    """[model.options] of imgfeat."""

    regions: int = Field(default=49, ge=1)  # most vectors of a picture, the first ones
    width: int = Field(default=2048, ge=1)  # numbers of each vector, as the extractor gives them


class Model(Supervised):
    """Words and grid vectors -> label scores; the T view has the words alone.

    Raises:
        ConfigError: The encoder has no room for the picture behind the longest text.
    """

    def __init__(self, config: Config, labels: Sequence[str], encoder: nn.Module) -> None:
        super().__init__()
        options = Options.model_validate(config.model.options)
        self.regions = options.regions
        self.config = config
        self.views: tuple[ViewName, ...] = config.loss.views
        self.tagger = EncoderTagger(config.model, labels, encoder)
        self.visual = nn.Linear(options.width, embedding_width(encoder))
        self.encoders = self.tagger.encoders
        room_for(encoder, options.regions, config)

    @property
    def crf(self) -> ChainCRF:
        """The chain that both views share."""
        return self.tagger.crf

    @staticmethod
    def needs(config: Config) -> Needs:
        """One encoder and the grid of a picture.

        Raises:
            ConfigError: [loss] aligns the views.
        """
        refuse_alignment(config)
        width = Options.model_validate(config.model.options).width
        grid = Array("grid", axes=("post", "region", width))
        return Needs(encoders=(config.model.encoder,), arrays=(grid,), context=False)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The groups of the text model, and the linear layer as "visual"."""
        return {**self.tagger.parameter_groups(), "visual": list(self.visual.parameters())}

    def word_vectors(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Word vectors (post, word, hidden) of one view."""
        arrays, hidden = batch[view], None
        if view == "I+T":
            grid, real = arrays["grid"][:, : self.regions], arrays["grid_mask"][:, : self.regions]
            hidden = append(self.tagger.words, arrays, self.visual(grid), real)
        words: Tensor = self.tagger.words(arrays, hidden)
        return words

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        scores: Tensor = self.tagger.emission(self.word_vectors(batch, view))
        return scores.float()
