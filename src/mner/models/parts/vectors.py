"""Word vectors as an encoder: a table in the Hugging Face layout, which transformers loads and saves like any other."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

MODEL_TYPE = "mner-word-vectors"
"""What ``config.json`` calls it."""


class VectorsConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """The size of the table."""

    model_type = MODEL_TYPE

    def __init__(self, vocab_size: int = 4, hidden_size: int = 2, **others: Any) -> None:
        super().__init__(**others)
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = 0


class WordVectors(PreTrainedModel):  # type: ignore[no-untyped-call]
    """Each sub-token's own vector, whatever stands around it."""

    config_class = VectorsConfig
    base_model_prefix = "vectors"

    def __init__(self, config: VectorsConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.post_init()  # type: ignore[no-untyped-call]

    def get_input_embeddings(self) -> nn.Module:
        """The table."""
        return self.embedding

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Put another table in its place."""
        self.embedding = value  # type: ignore[assignment]

    def forward(
        self, input_ids: Tensor | None = None, inputs_embeds: Tensor | None = None, **ignored: Any
    ) -> BaseModelOutput:
        """``last_hidden_state`` (batch, token, hidden)."""
        vectors = self.embedding(input_ids) if inputs_embeds is None else inputs_embeds
        return BaseModelOutput(last_hidden_state=vectors)


def register() -> None:
    """Let transformers' ``AutoModel`` know the layout; a second call changes nothing."""
    AutoConfig.register(MODEL_TYPE, VectorsConfig, exist_ok=True)
    AutoModel.register(VectorsConfig, WordVectors, exist_ok=True)
