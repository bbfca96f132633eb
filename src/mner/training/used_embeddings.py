"""The word embeddings that training can change; the others are left out of gradients and moments.

Half of a small encoder's parameters are word embeddings, and a training split uses a third of them. The others have a
gradient of exactly 0, which without weight decay leaves them as they are: training only the used ones gives the same
model.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class UsedEmbeddings(nn.Module):
    """An embedding table of which only the used vectors are trained; its saved state is that of the whole table.

    In training it accepts only the used token ids, otherwise all.

    Args:
        table: The whole table; it is taken over, not copied.
        used: Token ids (vector,) of the training posts, ascending.
    """

    def __init__(self, table: nn.Embedding, used: Tensor) -> None:
        super().__init__()
        self.embedding_dim, self.num_embeddings = table.embedding_dim, table.num_embeddings
        self.weight = table.weight.requires_grad_(False)
        self.vectors = nn.Parameter(self.weight.detach()[used].clone())
        place = torch.full((self.num_embeddings,), -1)
        place[used] = torch.arange(len(used))
        self.register_buffer("used", used, persistent=False)
        self.register_buffer("place", place, persistent=False)
        self.register_state_dict_post_hook(_without_vectors)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_with_vectors)  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor) -> Tensor:
        """Embeddings (window, token, width).

        Raises:
            IndexError: In training, an id that is not among the used ones.
        """
        if self.training:
            return F.embedding(cast(Tensor, self.place)[input_ids], self.vectors)
        return F.embedding(input_ids, self.weight)

    def train(self, mode: bool = True) -> UsedEmbeddings:
        """Leave or enter training; what was learned is in the whole table once training is left."""
        self.fold()
        return super().train(mode)

    @torch.no_grad()
    def fold(self) -> None:
        """Copy the trained vectors into the whole table."""
        self.weight[cast(Tensor, self.used)] = self.vectors


def _without_vectors(module: Any, state: dict[str, Tensor], prefix: str, _: Any) -> None:
    module.fold()
    state.pop(f"{prefix}vectors", None)


def _with_vectors(module: Any, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    if f"{prefix}weight" in state:
        state[f"{prefix}vectors"] = state[f"{prefix}weight"][module.used]


def train_used_embeddings(encoder: nn.Module, used: np.ndarray) -> None:
    """Make an encoder train only the word embeddings of the ``used`` token ids (vector,)."""
    holder = cast(Any, encoder)
    table = holder.get_input_embeddings()
    ids = torch.from_numpy(np.unique(used)).to(table.weight.device)
    holder.set_input_embeddings(UsedEmbeddings(table, ids))
