"""TOKEN IDS -> LABEL SCORES AND LOSSES: one file per published system, its bricks in ``parts/``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from mner import plugins
from mner.config.read import validated
from mner.config.schema import Section
from mner.errors import PluginError
from mner.views import Needs

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mner.config import Config
    from mner.models.parts.crf import ChainCRF
    from mner.models.parts.encoder import Arrays
    from mner.types import ViewName


class Model(Protocol):
    """What training and the runtimes call; a file of this folder offers it as its class ``Model``.

    It is made by ``Model(config, labels, *encoders)``: the resolved configuration, BIOES labels in the order of the
    label scores, and the loaded encoders that ``needs`` names. A file may offer ``Options`` too, which [model.options]
    fills, and a class ``ignored(config)``: the settings, dotted, that have no effect on it though they have on others.

    Attributes:
        views: The views that it is trained on.
    """

    views: tuple[ViewName, ...]

    @property
    def crf(self) -> ChainCRF:
        """The chain that decodes its label scores."""
        ...

    @staticmethod
    def needs(config: Config) -> Needs:
        """What it needs: encoders, arrays of a picture, a picture's text, further tasks.

        Raises:
            ConfigError: It cannot be trained so.
        """
        ...

    def encoders(self) -> tuple[nn.Module, ...]:
        """Its encoders, in the order of ``needs``; all other parameters are saved beside them."""
        ...

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Each parameter once, by the name of its learning rate."""
        ...

    def word_vectors(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """What the label scores of one view are made of (post, word, hidden)."""
        ...

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        ...

    def losses(self, batch: Mapping[ViewName, Arrays], gold: Tensor) -> dict[str, Tensor]:
        """Losses of each post (post,), the key ``loss`` being the one to minimise.

        ``gold`` is the label ids (post, word). A model with further tasks takes ``task: str = "ner"`` as well, and for
        each of them the targets (post,) as ``gold``. A model that can learn from teachers takes ``taught: Mapping[
        ViewName, Tensor] | None = None``, their log-posteriors (post, word, label) for each view, and then None as
        ``gold`` for posts without labels. Training calls it as ``forward``.
        """
        ...


class NoOptions(Section):
    """The options of a model that has none."""


def needs(config: Config) -> Needs:
    """What the model of a configuration needs, its options checked.

    Raises:
        PluginError: No model has that name.
        ConfigError: An option is unknown or has a value that cannot be used, or the model cannot be trained so.
    """
    declared: Needs = _plugin(config, allow_dotted=True).Model.needs(config)
    return declared


def ignored(config: Config) -> tuple[str, ...]:
    """The settings, dotted, that have no effect on the model of a configuration, though they have on others.

    >>> from mner.config import check
    >>> ignored(check({"model": {"name": "riva"}}))
    ('model.layers', 'model.word_dropout', 'model.case_shape', 'training.tokens_per_batch')
    """
    says = getattr(_plugin(config, allow_dotted=True).Model, "ignored", None)
    settings: tuple[str, ...] = () if says is None else says(config)
    return settings


def can_be_taught(config: Config) -> bool:
    """Whether the losses of a configuration's model take what teachers believe."""
    return "taught" in inspect.signature(_plugin(config, allow_dotted=True).Model.losses).parameters


def build(config: Config, labels: Sequence[str], *encoders: nn.Module, allow_plugins: bool = True) -> nn.Module:
    """The model that the configuration names, on loaded encoders; it satisfies ``Model``.

    Raises:
        PluginError: No model has that name, or it is code outside mner and ``allow_plugins`` is off.
        ConfigError: An option is unknown or has a value that cannot be used.
    """
    model: nn.Module = _plugin(config, allow_dotted=allow_plugins).Model(config, labels, *encoders)
    return model


def register() -> None:
    """Let transformers load word vectors, which are no network of its own; a second call changes nothing."""
    from mner.models.parts import vectors

    vectors.register()


def _plugin(config: Config, *, allow_dotted: bool) -> ModuleType:
    """The file of a model, once its options are checked."""
    name = config.model.name
    module = plugins.load("mner.models", name, allow_dotted=allow_dotted)
    if not hasattr(module, "Model"):
        raise PluginError(f'model "{name}": {module.__name__} has no class Model')
    validated(getattr(module, "Options", NoOptions), config.model.options, where=f'[model.options] of "{name}"')
    return module
