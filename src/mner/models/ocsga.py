"""OCSGA: object labels and words in a co-attention (Wu et al., ACM MM 2020).

Of the picture it reads object labels alone, as words: those that stand behind the post's words in the I+T view.

    w_i = [word vector ; character BiLSTM]        t = BiLSTM(w)        o_k = W (mean vector of label k)
    t' = a transformer layer over t        o' = norm(o + attention among o)        a_i = norm(t'_i attends to o')
    label scores = linear batch norm (t_i + norm(feed-forward a_i))

Word vectors are the input embeddings of the encoder: with the vectors of ``mner encoder fetch glove-6b-50d`` or of
``mner encoder import`` this is the published model; of another encoder it takes a word's first sub-token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from mner.config import Config
from mner.config.schema import Section
from mner.errors import ConfigError
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays, embedding_width, pool
from mner.models.parts.fusion import Attention, CrossLayer, refuse_packed
from mner.models.parts.objective import Supervised, refuse_alignment, refuse_padded
from mner.models.parts.recurrent import BiLSTM, CharacterEncoder
from mner.models.parts.regions import separators
from mner.types import ViewName
from mner.views import Array, Needs

CHARACTERS = Array("characters", ("post", "word", "character"), "int64", of="words")


class Options(Section):
    """[model.options] of ocsga."""

    objects: int = Field(default=4, ge=1)  # most object labels of a picture, the first ones
    hidden: int = Field(default=200, ge=2, multiple_of=2)  # of the word BiLSTM, both directions together
    character_width: int = Field(default=30, ge=1)  # of a character's embedding
    character_hidden: int = Field(default=50, ge=2, multiple_of=2)  # of the character BiLSTM
    heads: int = Field(default=2, ge=1)  # of each attention
    inner: int = Field(default=800, ge=1)  # width inside the feed-forward parts
    dropout: float = Field(default=0.5, ge=0, lt=1)  # of characters, and of the words before and after their BiLSTM
    fusion_dropout: float = Field(default=0.6, ge=0, lt=1)  # of the co-attention

    @model_validator(mode="after")
    def _heads_divide(self) -> Options:
        if self.hidden % self.heads:
            raise ValueError(f"hidden: {self.heads} heads do not divide {self.hidden}")
        return self


class Model(Supervised):
    """Words and object labels -> label scores; without labels only the words' own path counts.

    Args:
        config: The resolved configuration.
        labels: BIOES labels, in the order of the label scores.
        encoder: Whose input embeddings are the word vectors.
    """

    def __init__(self, config: Config, labels: Sequence[str], encoder: nn.Module) -> None:
        super().__init__()
        self.options = options = Options.model_validate(config.model.options)
        self.config = config
        self.views: tuple[ViewName, ...] = config.loss.views
        self.encoder = encoder
        width, hidden = embedding_width(encoder), options.hidden
        self.characters = CharacterEncoder(options.character_width, options.character_hidden, dropout=options.dropout)
        self.dropout = nn.Dropout(options.dropout)
        self.text = BiLSTM(width + options.character_hidden, hidden // 2)
        self.label = nn.Linear(width, hidden)
        rate = options.fusion_dropout
        self.among_words = CrossLayer(hidden, options.heads, options.inner, rate, activation=nn.ReLU(), inside=rate)
        self.among_labels, self.guided = (Attention(hidden, options.heads, rate) for _ in range(2))
        self.feedforward = nn.Sequential(
            nn.Linear(hidden, options.inner), nn.ReLU(), nn.Dropout(rate), nn.Linear(options.inner, hidden)
        )
        self.fusion_dropout = nn.Dropout(rate)
        self.labels_norm, self.guided_norm, self.feedforward_norm = (nn.LayerNorm(hidden) for _ in range(3))
        self.norm = WordNorm(hidden)
        self.emission = nn.Linear(hidden, len(labels))
        self.crf = ChainCRF(len(labels))

    @staticmethod
    def needs(config: Config) -> Needs:
        """One encoder or table of word vectors, the words' characters, and the picture's labels as text.

        Raises:
            ConfigError: [loss] aligns the views, sub-tokens are to be labelled, tags are joined, or stand in a post's
                last window alone.
        """
        refuse_alignment(config)
        refuse_padded(config)
        if "tags" in config.context.order and not config.context.tags_apart:
            raise ConfigError(
                'context.tags_apart: the model "ocsga" reads each object label by itself; set tags_apart = true'
            )
        if config.context.windows == "release":
            raise ConfigError(
                'context.windows: the model "ocsga" reads object labels beside every window; set windows = "words"'
            )
        return Needs(encoders=(config.model.encoder,), arrays=(CHARACTERS,))

    @staticmethod
    def ignored(config: Config) -> tuple[str, ...]:
        """It reads word vectors and characters and has dropouts of its own; its batch norm sees a step whole."""
        return ("model.layers", "model.word_dropout", "model.case_shape", "training.tokens_per_batch")

    def encoders(self) -> tuple[nn.Module, ...]:
        """The one encoder."""
        return (self.encoder,)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Word vectors as "encoder" (an encoder's layers stay as they are), the chain, and the rest as "fusion"."""
        encoder, chain = list(self.encoder.parameters()), list(self.crf.parameters())
        known = {id(parameter) for parameter in (*encoder, *chain)}
        rest = [parameter for parameter in self.parameters() if id(parameter) not in known]
        return {"encoder": encoder, "crf": chain, "fusion": rest}

    def word_vectors(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """What the label scores are made of (post, word, hidden) of one view."""
        arrays = refuse_packed(batch[view])
        vectors = cast(Any, self.encoder).get_input_embeddings()(arrays["input_ids"])  # (window, token, width)
        words = torch.cat([pool(vectors, arrays["word_index"]), self.characters(arrays["characters"])], -1)
        real = arrays["characters_mask"]  # (post, word)
        text = self.dropout(self.text(self.dropout(words), real.sum(1)))
        labels, there = self._labels(arrays, vectors)
        summed = text + self._guided(text, real, labels, there)
        normed: Tensor = self.norm(summed, real)
        return normed

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        scores: Tensor = self.emission(self.word_vectors(batch, view))
        return scores.float()

    def _labels(self, arrays: Arrays, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Each label's vector (post, object, hidden), the mean of its words, and where there is one (post, object).

        A post's labels are those of its first window: every window has them.
        """
        ends = separators(arrays)
        number = ends.cumsum(1) - ends - 1  # of the label that a token belongs to; -1 for the post's words
        inside = (arrays["attention_mask"] == 1) & (ends == 0)
        kinds = torch.arange(self.options.objects, device=number.device)
        member = ((number[:, None] == kinds[:, None]) & inside[:, None]).to(vectors.dtype)  # (window, object, token)
        sizes = member.sum(2)
        means = member @ vectors / sizes.clamp_min(1).unsqueeze(-1)
        posts = torch.arange(arrays["word_index"].shape[0], device=number.device)
        first = (arrays["window_post"] < posts[:, None]).sum(1)
        labels: Tensor = self.label(means[first])
        return labels, (sizes > 0).long()[first]

    def _guided(self, text: Tensor, real: Tensor, labels: Tensor, there: Tensor) -> Tensor:
        """What words gather from labels (post, word, hidden), without a residual; zeros for a post without any."""
        drop = self.fusion_dropout
        among = self.labels_norm(labels + drop(self.among_labels(labels, labels, there)))
        gathered = self.guided_norm(drop(self.guided(self.among_words(text, text, real), among, there)))
        guided: Tensor = self.feedforward_norm(drop(self.feedforward(gathered)))
        return guided * there.amax(1)[:, None, None].to(guided.dtype)


class WordNorm(nn.Module):
    """Batch norm over the real words of a batch (Ioffe & Szegedy, 2015), whatever padding stands between them.

    Args:
        width: Of a word's vector.
        momentum: Share of a step's statistics in those that are used outside training.
        eps: Added to variances.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, width: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))

    def forward(self, vectors: Tensor, real: Tensor) -> Tensor:
        """Vectors (post, word, width) of the same shape; ``real`` (post, word) is 1 at words."""
        mean, variance = self.mean, self.variance
        words = vectors[real == 1] if self.training else vectors
        if self.training and len(words) > 1:
            mean, variance = words.mean(0), words.var(0, unbiased=False)
            with torch.no_grad():
                self.mean.lerp_(mean, self.momentum)
                self.variance.lerp_(words.var(0), self.momentum)
        return (vectors - mean) * torch.rsqrt(variance + self.eps) * self.weight + self.bias
