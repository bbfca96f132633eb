"""Token ids -> label scores: word encoder, emission layer and CRF, the trunk of every model here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mner.config import ModelConfig
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays, WordEncoder
from mner.types import ViewName


class EncoderTagger(nn.Module):
    """A pretrained encoder with an emission layer and a linear-chain CRF.

    Args:
        config: [model] of the configuration.
        labels: BIOES labels, in the order of the label scores.
        encoder: A loaded transformers encoder.
    """

    def __init__(self, config: ModelConfig, labels: Sequence[str], encoder: nn.Module) -> None:
        super().__init__()
        self.words = WordEncoder.of(encoder, config)
        self.emission = nn.Linear(self.words.width, len(labels))
        self.crf = ChainCRF(len(labels))

    def forward(self, arrays: Arrays) -> Tensor:
        """Label scores (post, word, label) in float32."""
        scores: Tensor = self.emission(self.words(arrays))
        return scores.float()

    def views(self, batch: Mapping[ViewName, Arrays], names: Sequence[ViewName]) -> dict[ViewName, Tensor]:
        """Label scores (post, word, label) of several views; views that share their tokens are encoded once."""
        alike: dict[int, list[ViewName]] = {}
        for name in names:
            alike.setdefault(id(batch[name]["input_ids"]), []).append(name)
        words = {
            name: vectors
            for together in alike.values()
            for name, vectors in zip(together, self.words.of_views([batch[name] for name in together]), strict=True)
        }
        return {name: self.emission(words[name]).float() for name in names}

    def encoders(self) -> tuple[nn.Module, ...]:
        """The one encoder."""
        return (self.words.encoder,)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by learning rate (ITA, appendix A.1 and the release).

        Transitions, start and end scores stand alone at the CRF's high rate: with the emission layer beside
        them, training diverges.
        """
        shapes = self.words.shapes
        encoder = [parameter for parameter in self.words.encoder.parameters() if parameter.requires_grad]
        return {
            "encoder": [*encoder, *self.emission.parameters()],
            "feature": [] if shapes is None else list(shapes.parameters()),
            "crf": list(self.crf.parameters()),
        }
