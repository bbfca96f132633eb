"""RpBERT: a picture counts as much as it is related to the text (Sun et al., AAAI 2021).

The encoder reads the text with the picture's grid behind it, twice. The first pass judges from [CLS] whether the
picture adds to the text, and this probability gates the grid of the second pass, from which entities are read:

    s = P(adds | first pass)        grid' = s * W grid        words = mean of their sub-tokens in the second pass
    label scores = linear BiLSTM(words)

The judge learns from pairs of text and picture that say "image_adds" (Vempala & Preotiuc-Pietro, 2019), in each epoch
before the entities. ``gate = "hard"`` samples 0 or 1 in training, by policy gradient, and takes the likelier one
afterwards. ``without_relation`` leaves judge and gate out: "w/o Rp".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from mner.config import Config
from mner.config.schema import Section
from mner.models.parts.appended import append, room_for
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays, WordEncoder, embedding_width, mean_pool
from mner.models.parts.fusion import fusion_groups
from mner.models.parts.objective import of_views, refuse_alignment, refuse_padded
from mner.models.parts.recurrent import BiLSTM
from mner.types import ViewName
from mner.views import NER, Array, Needs, Task

PIECES = Array("pieces", ("post", "word"), "int64", of="words")


class Options(Section):
    """[model.options] of rpbert."""

    regions: int = Field(default=49, ge=1)  # most vectors of a picture, the first ones
    width: int = Field(default=2048, ge=1)  # numbers of each vector, as the extractor gives them
    gate: Literal["soft", "hard"] = "soft"  # the probability itself, or 0 and 1
    without_relation: bool = False  # no judge and no gate: one pass with the whole picture
    relation_weight: float = Field(default=0.05, gt=0)  # of the loss on relation pairs
    hidden: int = Field(default=256, ge=1)  # of each direction of the BiLSTM
    layers: int = Field(default=2, ge=1)  # of the BiLSTM
    dropout: float = Field(default=0.0, ge=0, lt=1)  # of words before the BiLSTM, between its layers and behind it


class Model(nn.Module):
    """Words and grid vectors -> label scores; the T view has the words alone.

    Raises:
        ConfigError: The encoder has no room for the picture behind the longest text.
    """

    def __init__(self, config: Config, labels: Sequence[str], encoder: nn.Module) -> None:
        super().__init__()
        self.options = options = Options.model_validate(config.model.options)
        room_for(encoder, options.regions, config)
        self.config = config
        self.views: tuple[ViewName, ...] = config.loss.views
        settings = config.model
        self.words = WordEncoder.of(encoder, settings)
        self.visual = nn.Linear(options.width, embedding_width(encoder))
        self.judge = None if options.without_relation else nn.Linear(self.words.width, 2)
        self.dropout = nn.Dropout(options.dropout)
        self.lstm = BiLSTM(self.words.width, options.hidden, options.layers, options.dropout)
        self.emission = nn.Linear(2 * options.hidden, len(labels))
        self.crf = ChainCRF(len(labels))

    @staticmethod
    def needs(config: Config) -> Needs:
        """One encoder, the grid of a picture, the words' sub-tokens, and pairs that say whether a picture adds.

        Raises:
            ConfigError: [loss] aligns the views, or sub-tokens are to be labelled.
        """
        refuse_alignment(config)
        refuse_padded(config)
        options = Options.model_validate(config.model.options)
        grid = Array("grid", axes=("post", "region", options.width))
        relation = Task("relation", data="relation", target="image_adds", weight=options.relation_weight)
        return Needs(
            encoders=(config.model.encoder,),
            arrays=(grid, PIECES),
            context=False,
            tasks=() if options.without_relation else (relation,),
        )

    @staticmethod
    def ignored(config: Config) -> tuple[str, ...]:
        """A hard gate learns against the mean loss of a whole step."""
        options = Options.model_validate(config.model.options)
        learns = options.gate == "hard" and not options.without_relation
        return ("training.tokens_per_batch",) if learns else ()

    def encoders(self) -> tuple[nn.Module, ...]:
        """The one encoder."""
        return (self.words.encoder,)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The encoder, the chain, the case shapes, and all layers around the encoder as "fusion"."""
        return fusion_groups(self, self.words, (self.crf,))

    def word_vectors(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """What the label scores are made of (post, word, 2 * hidden) of one view."""
        arrays = batch[view]
        if view == "T":
            return self._words(arrays, self.words.hidden(arrays))
        return self._words(arrays, self._second(arrays, self._gate(self._judged(arrays))))

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        scores: Tensor = self.emission(self.word_vectors(batch, view))
        return scores.float()

    def losses(
        self,
        batch: Mapping[ViewName, Arrays],
        gold: Tensor | None,
        taught: Mapping[ViewName, Tensor] | None = None,
        task: str = NER,
    ) -> dict[str, Tensor]:
        """The losses of each post, ``loss`` (post,) being the one to minimise; the arguments are ``Model.losses``'s.

        Of the task "relation", ``gold`` is 1 where the picture adds to the text (post,). A hard gate learns where there
        are gold labels alone.
        """
        if task != NER:
            assert gold is not None
            return {"loss": functional.cross_entropy(self._judged(batch["I+T"]), gold, reduction="none")}
        sampled = "I+T" in self.views and self.judge is not None and self.options.gate == "hard"
        scores = {view: self.emissions(batch, view) for view in self.views if view == "T" or not sampled}
        if sampled:
            chances = self._judged(batch["I+T"]).log_softmax(-1)
            action = torch.multinomial(chances.exp(), 1)  # (post, 1)
            vectors = self._words(batch["I+T"], self._second(batch["I+T"], action[:, 0].to(chances.dtype)))
            scores["I+T"] = self.emission(vectors).float()
        lengths = batch[self.views[0]]["lengths"]
        parts = {} if gold is None else {view: self.crf.nll(each, gold, lengths) for view, each in scores.items()}
        losses = of_views(self, self.config, parts, scores, lengths, taught)
        if not sampled or gold is None:
            return losses
        reward = parts["I+T"].mean().detach() - parts["I+T"].detach()  # against the step's mean
        policy = -reward * chances.gather(1, action)[:, 0]
        return {**losses, "loss": losses["loss"] + policy, "policy": policy}

    forward = losses

    def _grid(self, arrays: Arrays) -> tuple[Tensor, Tensor]:
        """The projected grid (post, region, embedding), and where it is real (post, region)."""
        most = self.options.regions
        return self.visual(arrays["grid"][:, :most]), arrays["grid_mask"][:, :most]

    def _judged(self, arrays: Arrays) -> Tensor:
        """Scores (post, 2) of "adds nothing" and "adds", from [CLS] of each post's first window in the first pass."""
        if self.judge is None:
            return torch.zeros(len(arrays["grid"]), 2)
        hidden = append(self.words, arrays, *self._grid(arrays), types=True)
        posts = torch.arange(arrays["grid"].shape[0], device=hidden.device)
        first = (arrays["window_post"] < posts[:, None]).sum(1)
        judged: Tensor = self.judge(hidden[first, 0])
        return judged.float()

    def _gate(self, judged: Tensor) -> Tensor | None:
        """What each post's grid is multiplied by (post,); None for 1."""
        if self.judge is None:
            return None
        if self.options.gate == "hard":
            return judged.argmax(-1).to(judged.dtype)
        return judged.softmax(-1)[:, 1]

    def _second(self, arrays: Arrays, gate: Tensor | None) -> Tensor:
        """The pass that entities are read from (window, token, hidden)."""
        grid, real = self._grid(arrays)
        return append(self.words, arrays, grid if gate is None else gate[:, None, None] * grid, real, types=True)

    def _words(self, arrays: Arrays, hidden: Tensor) -> Tensor:
        """The BiLSTM over the words' means (post, word, 2 * hidden)."""
        means = self.words.drop(mean_pool(hidden, arrays["word_index"], arrays["pieces"]))
        lengths = arrays["pieces_mask"].sum(1)
        states: Tensor = self.dropout(self.lstm(self.dropout(means), lengths))
        return states
