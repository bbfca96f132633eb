"""BERT + VinVL-CRF: a text encoder and a vision-and-language encoder, tuned together (the paper's Table 4).

The text encoder reads the words, VinVL's encoder words, object tags and regions; each word's two vectors stand side by
side before the label scores. Both encoders read the same sub-tokens, so they must share a vocabulary: VinVL's is that
of BERT base, uncased.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mner.config import Config
from mner.errors import ConfigError
from mner.models import vinvl
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays, WordEncoder
from mner.models.parts.fusion import fusion_groups
from mner.models.parts.objective import Supervised, refuse_alignment
from mner.models.parts.regions import RegionEncoder, region_arrays, token_types
from mner.types import ViewName
from mner.views import Needs


class Options(vinvl.Options):
    """[model.options] of bert_vinvl."""

    vinvl: str = ""  # VinVL's encoder, as model.encoder names one; "" with start = "random": that of model.encoder


class Model(Supervised):
    """Words, object tags and regions -> label scores; the T view has the words alone.

    Args:
        config: The resolved configuration.
        labels: BIOES labels, in the order of the label scores.
        encoder: The text encoder.
        visual: VinVL's encoder.

    Raises:
        ConfigError: The encoders have different vocabularies, or VinVL's does not have BERT's shape.
    """

    def __init__(self, config: Config, labels: Sequence[str], encoder: nn.Module, visual: nn.Module) -> None:
        super().__init__()
        options = Options.model_validate(config.model.options)
        self.config = config
        self.views: tuple[ViewName, ...] = config.loss.views
        settings = config.model
        self.words = WordEncoder.of(encoder, settings)
        other = WordEncoder(visual, word_dropout=settings.word_dropout, case_shape=False)
        sizes = [part.encoder.get_input_embeddings().num_embeddings for part in (self.words, other)]
        if sizes[0] != sizes[1]:
            raise ConfigError(
                f"model.options.vinvl: {options.vinvl} has a vocabulary of {sizes[1]} sub-tokens, {settings.encoder} "
                f"one of {sizes[0]}; both read the same sub-tokens. Set model.encoder to a BERT with VinVL's "
                "vocabulary, such as bert-base-uncased"
            )
        self.regions = RegionEncoder(other, options.width, options.regions, options.dropout, norm=options.norm)
        self.emission = nn.Linear(self.words.width + other.width, len(labels))
        self.crf = ChainCRF(len(labels))

    @staticmethod
    def needs(config: Config) -> Needs:
        """Both encoders, the picture's tags as text, and its regions.

        Raises:
            ConfigError: [loss] aligns the views, or VinVL's encoder is not named.
        """
        refuse_alignment(config)
        options = Options.model_validate(config.model.options)
        if not options.vinvl and options.start == "published":
            raise ConfigError(
                "model.options.vinvl: not set; it names the folder of VinVL's encoder. Make one of the published "
                "checkpoint (mner encoder import CHECKPOINT --out FOLDER) and add "
                "--set 'model.options={vinvl=\"FOLDER\"}'"
            )
        return Needs(
            (config.model.encoder, options.vinvl or config.model.encoder),
            region_arrays(options.width),
            start=vinvl.started(options),
        )

    def encoders(self) -> tuple[nn.Module, ...]:
        """The text encoder and VinVL's."""
        return self.words.encoder, self.regions.words.encoder

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Both encoders as "encoder", the chain, the case shapes, and what joins them as "fusion"."""
        groups = fusion_groups(self, self.words, (self.crf,))
        second = list(self.regions.words.encoder.parameters())
        known = {id(parameter) for parameter in second}
        return {
            **groups,
            "encoder": [*groups["encoder"], *(parameter for parameter in second if parameter.requires_grad)],
            "fusion": [parameter for parameter in groups["fusion"] if id(parameter) not in known],
        }

    def word_vectors(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """[text encoder ; VinVL] of each word (post, word, both widths)."""
        arrays = batch[view]
        alone = {**arrays, "attention_mask": arrays["attention_mask"] * (1 - token_types(arrays))}
        vectors: Tensor = self.words(arrays, torch.cat([self.words.hidden(alone), self.regions(arrays)], -1))
        return vectors

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        scores: Tensor = self.emission(self.word_vectors(batch, view))
        return scores.float()
