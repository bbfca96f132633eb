"""Text and grid features of the picture with a CRF (the paper's BERT-CRF + ImgFeat, Table 4).

A picture's grid vectors pass through one linear layer into the width of the encoder's input embeddings and follow the
text as further inputs. Text and picture attend to each other; no word takes its vector from a picture's position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from mner.config import Config
from mner.config.schema import Section
from mner.errors import ConfigError
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays, embedding_width, first_position
from mner.models.parts.fusion import refuse_packed
from mner.models.parts.objective import refuse_alignment, supervised
from mner.models.parts.tagger import EncoderTagger
from mner.types import ViewName
from mner.views import Array, Needs


class Options(Section):
    """[model.options] of imgfeat."""

    regions: int = Field(default=49, ge=1)  # most vectors of a picture, the first ones
    width: int = Field(default=2048, ge=1)  # numbers of each vector, as the extractor gives them


class Model(nn.Module):
    """Words and grid vectors -> label scores; the T view has the words alone.

    Args:
        config: The resolved configuration.
        labels: BIOES labels, in the order of the label scores.
        encoder: A loaded transformers encoder.

    Raises:
        ConfigError: The encoder has no room for the picture behind the longest text.
    """

    def __init__(self, config: Config, labels: Sequence[str], encoder: nn.Module) -> None:
        super().__init__()
        options = Options.model_validate(config.model.options)
        self.regions = options.regions
        self.loss = config.loss
        self.views: tuple[ViewName, ...] = config.loss.views
        self.tagger = EncoderTagger(config.model, labels, encoder)
        self.visual = nn.Linear(options.width, embedding_width(encoder))
        self.encoders = self.tagger.encoders
        settings = cast(Any, encoder).config
        room = int(settings.max_position_embeddings) - first_position(encoder) - options.regions
        if config.context.max_tokens > room:
            raise ConfigError(
                f"context.max_tokens: {config.context.max_tokens} sub-tokens and a picture's {options.regions} vectors "
                f"are more than the encoder's {room + options.regions} positions; set context.max_tokens = {room}"
            )

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
        arrays = batch[view]
        words: Tensor = self.tagger.words(arrays, None if view == "T" else self._hidden(arrays))
        return words

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        scores: Tensor = self.tagger.emission(self.word_vectors(batch, view))
        return scores.float()

    def losses(self, batch: Mapping[ViewName, Arrays], gold: Tensor) -> dict[str, Tensor]:
        """The losses of each post: ``loss`` (post,) to minimise, and that of each view; ``gold`` is (post, word)."""
        return supervised(self, self.loss, batch, gold)

    forward = losses

    def _hidden(self, arrays: Arrays) -> Tensor:
        """The encoder's last layer at the text's tokens (window, token, hidden).

        A window's picture counts its positions from the window's own end, wherever padding stands.

        Raises:
            NotImplementedError: The batch is packed.
        """
        encoder = cast(Any, self.tagger.words.encoder)
        owner = refuse_packed(arrays)["window_post"]
        seen = arrays["grid_mask"][:, : self.regions][owner]  # (window, region)
        visual = self.visual(arrays["grid"][:, : self.regions])[owner]  # (window, region, embedding)
        text = self.tagger.words.embedded(arrays)  # (window, token, embedding)
        mask = arrays["attention_mask"]
        tokens = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
        regions = mask.sum(1, keepdim=True) + torch.arange(seen.shape[1], device=mask.device)
        output = encoder(
            inputs_embeds=torch.cat([text, visual.to(text.dtype)], 1),
            attention_mask=torch.cat([mask, seen], 1),
            position_ids=torch.cat([tokens, regions], 1) + first_position(encoder),
        )
        hidden: Tensor = output.last_hidden_state[:, : mask.shape[1]]
        return hidden
