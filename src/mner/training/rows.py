"""The rows of a word-embedding table that training can change; the rest is left out of gradients and moments.

Half of a small encoder's parameters stand in that table, and a training split uses a third of its rows. The others
have a gradient of exactly 0, which without weight decay leaves them as they are: to train the used rows alone gives
the same model.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class UsedRows(nn.Module):
    """An embedding table of which some rows are trained; its saved state is that of the whole table.

    In training it knows the used token ids alone. Outside training it knows all.

    Args:
        table: The whole table; it is taken over, not copied.
        used: Token ids (row,) that training meets, ascending.
    """

    def __init__(self, table: nn.Embedding, used: Tensor) -> None:
        super().__init__()
        self.embedding_dim, self.num_embeddings = table.embedding_dim, table.num_embeddings
        self.weight = table.weight.requires_grad_(False)
        self.rows = nn.Parameter(self.weight.detach()[used].clone())
        place = torch.full((self.num_embeddings,), -1)
        place[used] = torch.arange(len(used))
        self.register_buffer("used", used, persistent=False)
        self.register_buffer("place", place, persistent=False)
        self.register_state_dict_post_hook(_without_rows)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_with_rows)  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor) -> Tensor:
        """Embeddings (window, token, width).

        Raises:
            IndexError: In training, an id that is not among the used ones.
        """
        if self.training:
            return F.embedding(cast(Tensor, self.place)[input_ids], self.rows)
        return F.embedding(input_ids, self.weight)

    def train(self, mode: bool = True) -> UsedRows:
        """Leave or enter training; what was learned is in the whole table once training is left."""
        self.fold()
        return super().train(mode)

    @torch.no_grad()
    def fold(self) -> None:
        """Copy the trained rows into the whole table."""
        self.weight[cast(Tensor, self.used)] = self.rows


def _without_rows(module: Any, state: dict[str, Tensor], prefix: str, _: Any) -> None:
    module.fold()
    state.pop(f"{prefix}rows", None)


def _with_rows(module: Any, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    if f"{prefix}weight" in state:
        state[f"{prefix}rows"] = state[f"{prefix}weight"][module.used]


def train_used_rows(encoder: nn.Module, used: np.ndarray) -> None:
    """Replace an encoder's word-embedding table by one of which the ``used`` token ids (row,) are trained."""
    holder = cast(Any, encoder)
    table = holder.get_input_embeddings()
    ids = torch.from_numpy(np.unique(used)).to(table.weight.device)
    holder.set_input_embeddings(UsedRows(table, ids))
