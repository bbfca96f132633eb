"""RIVA: relation inference and visual attention (Sun et al., COLING 2020), re-implemented from the paper's description.

No code and few sizes are public; what is not printed is chosen here and said so in docs/systems/riva.md.

1. Relation: a teacher learns from pairs that say whether the picture adds to the text; a student learns the teacher's
   probabilities on posts without labels. Both are a BiLSTM over words beside the mean of the picture's grid. The
   student's probability is s.
2. Visual context: the text's vector attends to the grid, and what it gathers is multiplied by s: v.
3. Language: a forward and a backward LSTM read the words, each beside v, and learn on posts without labels to predict
   the next word and the previous one.
4. Tagging: [word vector ; character BiLSTM ; forward state ; backward state] -> BiLSTM -> CRF.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from mner.config import Config
from mner.config.schema import Section
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays, embedding_width, pool
from mner.models.parts.fusion import masked_softmax, refuse_packed
from mner.models.parts.objective import Supervised, refuse_alignment, refuse_padded
from mner.models.parts.recurrent import BiLSTM, CharacterEncoder, read_back
from mner.types import ViewName
from mner.views import NER, Array, Needs, Task

CHARACTERS = Array("characters", ("post", "word", "character"), "int64", of="words")


class Options(Section):
    """[model.options] of riva."""

    regions: int = Field(default=49, ge=1)  # most vectors of a picture, the first ones
    width: int = Field(default=2048, ge=1)  # numbers of each vector, as the extractor gives them
    relation_hidden: int = Field(default=128, ge=1)  # of each direction of the teacher's and the student's LSTM
    language_hidden: int = Field(default=256, ge=1)  # of each language model, and of the visual context
    hidden: int = Field(default=256, ge=1)  # of each direction of the tagger's LSTM
    character_width: int = Field(default=30, ge=1)  # of a character's embedding
    character_hidden: int = Field(default=50, ge=2, multiple_of=2)  # of the character BiLSTM
    dropout: float = Field(default=0.5, ge=0, lt=1)  # of the tagger's input and states
    teacher_passes: int = Field(default=5, ge=1)  # through the relation pairs, before the first epoch
    student_passes: int = Field(default=1, ge=1)  # through the posts without labels, likewise
    language_passes: int = Field(default=1, ge=1)  # through the same posts, likewise


class Relation(nn.Module):
    """Words and the grid's mean -> scores of "adds nothing" and "adds" (post, 2)."""

    def __init__(self, width: int, visual: int, hidden: int) -> None:
        super().__init__()
        self.text = BiLSTM(width, hidden)
        self.picture = nn.Linear(visual, 2 * hidden)
        self.output = nn.Sequential(nn.Linear(4 * hidden, 2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, 2))

    def forward(self, words: Tensor, lengths: Tensor, picture: Tensor) -> Tensor:
        """Scores (post, 2) from words (post, word, width) and a picture's mean vector (post, visual)."""
        text = self.text(words, lengths).sum(1) / lengths.clamp_min(1).unsqueeze(-1)
        scores: Tensor = self.output(torch.cat([text, self.picture(picture).relu()], -1))
        return scores


class Model(Supervised):
    """Words and grid vectors -> label scores; without a picture the visual context is zero.

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
        width, language = embedding_width(encoder), options.language_hidden
        self.teacher = Relation(width, options.width, options.relation_hidden)
        self.student = Relation(width, options.width, options.relation_hidden)
        self.query = nn.Linear(width, language)
        self.key, self.value = (nn.Linear(options.width, language) for _ in range(2))
        self.ahead, self.back = (nn.LSTM(width + language, language, batch_first=True) for _ in range(2))
        self.next, self.previous = (nn.Linear(language, width) for _ in range(2))
        self.characters = CharacterEncoder(options.character_width, options.character_hidden)
        self.dropout = nn.Dropout(options.dropout)
        self.lstm = BiLSTM(width + options.character_hidden + 2 * language, options.hidden)
        self.emission = nn.Linear(2 * options.hidden, len(labels))
        self.crf = ChainCRF(len(labels))

    @staticmethod
    def needs(config: Config) -> Needs:
        """Word vectors, characters, the grid of a picture, relation pairs, and posts without labels.

        Raises:
            ConfigError: [loss] aligns the views, or sub-tokens are to be labelled.
        """
        refuse_alignment(config)
        refuse_padded(config)
        options = Options.model_validate(config.model.options)
        teacher = Task("teacher", "relation", "image_adds", once=True, passes=options.teacher_passes)
        student = Task("student", "unlabelled", once=True, passes=options.student_passes)
        language = Task("language", "unlabelled", once=True, passes=options.language_passes)
        return Needs(
            encoders=(config.model.encoder,),
            arrays=(Array("grid", axes=("post", "region", options.width)), CHARACTERS),
            context=False,
            tasks=(teacher, student, language),
        )

    @staticmethod
    def ignored(config: Config) -> tuple[str, ...]:
        """It reads word vectors and characters and has a dropout of its own; the language loss needs a whole step."""
        return ("model.layers", "model.word_dropout", "model.case_shape", "training.tokens_per_batch")

    def encoders(self) -> tuple[nn.Module, ...]:
        """The one encoder."""
        return (self.encoder,)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Word vectors as "encoder" (an encoder's layers stay as they are), and each part by its name."""
        relation = [*self.teacher.parameters(), *self.student.parameters()]
        parts = (self.query, self.key, self.value, self.ahead, self.back, self.next, self.previous)
        language = [parameter for part in parts for parameter in part.parameters()]
        groups = {
            "encoder": list(self.encoder.parameters()),
            "crf": list(self.crf.parameters()),
            "relation": relation,
            "language": language,
        }
        known = {id(parameter) for group in groups.values() for parameter in group}
        return {**groups, "fusion": [parameter for parameter in self.parameters() if id(parameter) not in known]}

    def word_vectors(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """What the label scores are made of (post, word, 2 * hidden) of one view."""
        arrays = batch[view]
        words, lengths = self._embedded(arrays)
        ahead, back = self._language(arrays, words, lengths)
        inputs = torch.cat([words, self.characters(arrays["characters"]), ahead, back], -1)
        states: Tensor = self.dropout(self.lstm(self.dropout(inputs), lengths))
        return states

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

        Of the task "teacher", ``gold`` is 1 where the picture adds to the text (post,).
        """
        if task == NER:
            return super().losses(batch, gold, taught)
        arrays = batch["I+T"]
        words, lengths = self._embedded(arrays)
        if task == "language":
            return {"loss": self._language_loss(arrays, words, lengths)}
        picture = self._picture(arrays)
        judged = self.teacher(words, lengths, picture)
        if task == "teacher":
            assert gold is not None
            return {"loss": functional.cross_entropy(judged, gold, reduction="none")}
        learned = self.student(words, lengths, picture).log_softmax(-1)
        return {"loss": functional.kl_div(learned, judged.detach().softmax(-1), reduction="none").sum(-1)}

    forward = losses

    def _embedded(self, arrays: Arrays) -> tuple[Tensor, Tensor]:
        """The vectors of the words (post, word, width), of each its first sub-token's, and their numbers (post,)."""
        vectors = cast(Any, self.encoder).get_input_embeddings()(refuse_packed(arrays)["input_ids"])
        return pool(vectors, arrays["word_index"]), arrays["characters_mask"].sum(1)

    def _picture(self, arrays: Arrays) -> Tensor:
        """The mean of the real vectors of each grid (post, width); zeros without a picture."""
        most = self.options.regions
        real = arrays["grid_mask"][:, :most].unsqueeze(-1).to(arrays["grid"].dtype)
        return (arrays["grid"][:, :most] * real).sum(1) / real.sum(1).clamp_min(1)

    def _context(self, arrays: Arrays, words: Tensor, lengths: Tensor) -> Tensor:
        """The gated visual context v (post, language)."""
        most = self.options.regions
        grid = arrays["grid"][:, :most]
        query = self.query(words.sum(1) / lengths.clamp_min(1).unsqueeze(-1))  # (post, language)
        scores = (self.key(grid) @ query.unsqueeze(-1))[..., 0] / self.options.language_hidden**0.5
        weights = masked_softmax(scores, arrays["grid_mask"][:, :most])  # (post, region)
        adds = self.student(words, lengths, self._picture(arrays)).softmax(-1)[:, 1:]
        context: Tensor = adds * (weights.unsqueeze(1) @ self.value(grid))[:, 0]
        return context

    def _language(self, arrays: Arrays, words: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The states of both language models (post, word, language)."""
        context = self._context(arrays, words, lengths).unsqueeze(1).expand(-1, words.shape[1], -1)
        inputs = torch.cat([words, context], -1)
        return self.ahead(inputs)[0], read_back(self.back, inputs, lengths)

    def _language_loss(self, arrays: Arrays, words: Tensor, lengths: Tensor) -> Tensor:
        """The mean loss of each post's next and previous words (post,), among all words of the batch.

        A word without sub-token is read as zeros and never predicted.
        """
        index = arrays["word_index"]
        real = index >= 0  # (post, word)
        ids = arrays["input_ids"].flatten()[index.clamp_min(0)]
        known, numbers = torch.unique(ids[real], return_inverse=True)
        targets = torch.full_like(ids, -1).masked_scatter(real, numbers)  # -1: no target
        table = cast(Any, self.encoder).get_input_embeddings()(known)
        inside = torch.arange(1, words.shape[1], device=ids.device) < lengths[:, None]  # (post, word - 1)
        total = torch.zeros(len(words), device=ids.device)
        count = torch.zeros_like(lengths)
        ahead, back = self._language(arrays, words, lengths)
        for states, layer, wanted in (
            (ahead[:, :-1], self.next, targets[:, 1:]),
            (back[:, 1:], self.previous, targets[:, :-1]),
        ):
            wanted = wanted.masked_fill(~inside, -1)
            scores = (layer(states) @ table.T).flatten(0, 1).float()  # (post * (word - 1), known)
            loss = functional.cross_entropy(scores, wanted.flatten(), reduction="none", ignore_index=-1)
            total, count = total + loss.view_as(wanted).sum(1), count + (wanted >= 0).sum(1)
        return total / count.clamp_min(1)
