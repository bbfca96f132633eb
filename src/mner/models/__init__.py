"""TOKEN IDS -> LABEL SCORES AND LOSSES: one file per published system, its bricks in ``parts/``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from mner import plugins

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mner.config import Config
    from mner.models.parts.encoder import Arrays
    from mner.types import ViewName


class Model(Protocol):
    """What training and the runtime call; a file of this folder offers it as its class ``Model``."""

    inputs: tuple[str, ...]
    views: tuple[ViewName, ...]
    parameter_groups: Callable[[], dict[str, list[nn.Parameter]]]

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        ...

    def losses(self, batch: Mapping[ViewName, Arrays], gold: Tensor) -> dict[str, Tensor]:
        """Losses of each post (post,), the key ``loss`` being the one to minimise."""
        ...

    def stages(self) -> tuple[str, ...]:
        """Names of the training stages, in order."""
        ...


def build(config: Config, labels: Sequence[str], encoder: nn.Module, *, allow_plugins: bool = True) -> nn.Module:
    """The model that the configuration names, on a loaded encoder; it satisfies ``Model``.

    Raises:
        PluginError: No model has that name, or it is code outside mner and ``allow_plugins`` is off.
    """
    module = plugins.load("mner.models", config.model.name, allow_dotted=allow_plugins)
    model: nn.Module = module.Model(config, labels, encoder)
    return model
