"""A post and its visual context -> token ids of the T view and the I+T view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from tokenizers import Tokenizer

from mner.config import Config, ContextConfig
from mner.encoders import EncoderFiles
from mner.errors import ModelError
from mner.types import LINKS, Post, ViewName, VisualContext
from mner.views.batch import Encoded
from mner.views.budget import EMPTY, WORD_ROOM, Context, fit
from mner.views.compose import Piece, compose
from mner.views.tokenize import Coded, Subwords
from mner.views.windows import choose, cut
from mner.words import LINK


class Views:
    """Both views of posts for one encoder.

    T is ``[CLS] words [SEP]``; I+T is ``[CLS] words [X] c1 [X] ... [X] ck [X] a1 o1 ... [X] ocr [SEP]``, where
    ``[X]`` is the encoder's own separator (ITA, section 3). Without context I+T equals T.

    Args:
        encoder: The encoder's files, or its tokenizer alone.
        options: [context].
        max_tokens: The encoder's longest input; by default what ``encoder`` says, else what ``options`` say.
        subtoken_labels: "pad" gives every sub-token of a word a place of its own to be labelled (ITA, appendix A.5),
            see ``Encoded.heads``; "first" gives each word one place.

    Raises:
        ModelError: The tokenizer is missing or damaged, or the longest input has no room for words.

    Attributes:
        subwords: The tokenizer.
        max_tokens: Sub-tokens of the longest window, special ones included.
        word_room: Sub-tokens of a window that the context always leaves to the words.
    """

    def __init__(
        self,
        encoder: EncoderFiles | Tokenizer | str | Path,
        options: ContextConfig | None = None,
        *,
        max_tokens: int | None = None,
        subtoken_labels: Literal["first", "pad"] = "first",
    ) -> None:
        self.options = options or ContextConfig()
        self._padded = subtoken_labels == "pad"
        tokenizer = encoder.tokenizer if isinstance(encoder, EncoderFiles) else encoder
        self.subwords = Subwords(tokenizer, links=self.options.links)
        if max_tokens is None:
            max_tokens = encoder.max_tokens if isinstance(encoder, EncoderFiles) else self.options.max_tokens
        self.max_tokens = min(self.options.max_tokens, max_tokens)
        self._inner = self.max_tokens - len(self.subwords.prefix) - len(self.subwords.suffix)
        if self._inner < 2:
            raise ModelError(
                f"an input of {self.max_tokens} sub-tokens leaves no room for words beside the special ones; "
                "the encoder's max_tokens is wrong, or its tokenizer is not one for it"
            )
        self.word_room = min(WORD_ROOM, self._inner // 2)

    @classmethod
    def of(cls, encoder: EncoderFiles, config: Config) -> Views:
        """The views that the model of a configuration reads."""
        return cls(encoder, config.context, subtoken_labels=config.model.subtoken_labels)

    @property
    def pad_id(self) -> int:
        """The encoder's padding id."""
        return self.subwords.pad_id

    def encode(self, post: Post, context: VisualContext | None = None, view: ViewName = "I+T") -> Encoded:
        """One post in one view; T leaves the context out."""
        pieces = compose(context, self.options) if context is not None and view == "I+T" else ()
        return self.encode_many([post.words], [pieces])[0]

    def encode_many(
        self,
        words: Sequence[Sequence[str]],
        pieces: Sequence[Sequence[Piece]] | None = None,
        arrays: Sequence[Mapping[str, np.ndarray]] | None = None,
    ) -> list[Encoded]:
        """Posts, in order: the words of each; for the I+T view the pieces of its context, its picture's arrays."""
        beside = [()] * len(words) if pieces is None else pieces
        pictured = [{}] * len(words) if arrays is None else arrays
        needed = {word for post in words for word in post}
        needed.update(word for post in beside for piece in post for word in piece.text.split())
        known = self.subwords.known(needed)
        return [
            replace(self._encode(post, known, context), view="I+T" if context or features else "T", arrays=features)
            for post, context, features in zip(words, beside, pictured, strict=True)
        ]

    def _encode(self, words: Sequence[str], known: Mapping[str, Coded], pieces: Sequence[Piece]) -> Encoded:
        release = self.options.windows == "release"
        context = EMPTY
        if pieces:
            room = None if release else self._inner - self.word_room
            context = fit(pieces, known, sep_id=self.subwords.sep_id, budget=self.options.budget, room=room)
        ids: list[int] = []
        shapes: list[int] = []
        first: list[int] = []
        heads: list[int] = []
        most = self.options.word_pieces or None
        capped: Counter[str] = Counter()
        for word in words:
            coded = known[word]
            heads.append(len(first))
            first.append(len(ids) if coded.ids else -1)
            if self._padded:
                first += range(len(ids) + 1, len(ids) + len(coded.ids[:most]))
            ids += coded.ids[:most]
            shapes += coded.shapes[:most]
            if most is not None and len(coded.ids) > most:
                capped[LINKS if LINK.search(word) else "words"] += len(coded.ids) - most
            if coded.folded:
                capped[LINKS] += coded.folded
        if capped:
            counts = {kind: context.cut.get(kind, 0) + capped[kind] for kind in {**context.cut, **capped}}
            context = replace(context, cut=counts)
        if len(ids) + len(context.ids) <= self._inner:
            encoded = self._whole(ids, shapes, first, context)
        else:
            starts = [first[head] for head in heads if first[head] >= 0]
            encoded = self._windowed(ids, shapes, first, context, starts=starts, release=release)
        if self._padded:
            return replace(encoded, heads=np.array(heads, np.int32))
        behind = len(self.subwords.suffix) + (0 if release else len(context.ids))
        return replace(encoded, written=words, pieces=_pieces(encoded, first, len(ids), behind))

    def _whole(self, ids: list[int], shapes: list[int], first: list[int], context: Context) -> Encoded:
        """The input in one window."""
        window, window_shapes = self._window([*ids, *context.ids], [*shapes, *context.shapes])
        places = np.full((len(first), 2), -1, np.int32)
        positions = np.array(first, np.int32)
        places[:, 0] = np.where(positions < 0, -1, 0)
        places[:, 1] = np.where(positions < 0, -1, positions + len(self.subwords.prefix))
        return Encoded(len(first), (window,), (window_shapes,), places, context.cut)

    def _windowed(
        self,
        ids: list[int],
        shapes: list[int],
        first: list[int],
        context: Context,
        *,
        starts: list[int],
        release: bool,
    ) -> Encoded:
        """The input in several windows, cut where words start; one from which no word takes its vector is left out."""
        words = len(ids)
        if release:  # words and context as one string
            ids, shapes, tail, tail_shapes = [*ids, *context.ids], [*shapes, *context.shapes], [], []
            spans = cut(len(ids), self._inner, self.options.overlap)
        else:
            tail, tail_shapes = context.ids, context.shapes
            spans = cut(len(ids), self._inner - len(tail), self.options.overlap, starts=starts)
        positions = np.array(first, np.int64)
        chosen = choose(positions, spans)
        used = np.unique(chosen[chosen >= 0])
        if not len(used):
            used = np.zeros(1, np.int64)
        spans = [spans[number] for number in used]
        numbers = np.searchsorted(used, chosen)
        begins = np.array([start for start, _ in spans])[np.minimum(numbers, len(used) - 1)]
        places = np.stack([numbers, positions - begins + len(self.subwords.prefix)], 1).astype(np.int32)
        places[chosen < 0] = -1
        windows = [self._window(ids[a:b] + tail, shapes[a:b] + tail_shapes) for a, b in spans]
        lost = _lost(len(ids), spans, words, context if release else EMPTY)
        total = {kind: context.cut.get(kind, 0) + lost.get(kind, 0) for kind in {**context.cut, **lost}}
        return Encoded(len(first), tuple(a for a, _ in windows), tuple(b for _, b in windows), places, total)

    def _window(self, ids: list[int], shapes: list[int]) -> tuple[np.ndarray, np.ndarray]:
        prefix, suffix = self.subwords.prefix, self.subwords.suffix
        window = np.array([*prefix, *ids, *suffix], np.int32)
        written = np.array([*([0] * len(prefix)), *shapes, *([0] * len(suffix))], np.int8)
        return window, written


def _pieces(encoded: Encoded, first: list[int], length: int, behind: int) -> np.ndarray:
    """The sub-tokens of each word (word,) in its window, which may be cut within a word.

    Args:
        encoded: The windows, and where in them each word begins.
        first: Where each word begins in the whole input; -1 stands for a word without sub-token.
        length: Sub-tokens of all words.
        behind: Sub-tokens of a window that follow its words.
    """
    begins = np.array(first, np.int32)
    pieces = np.zeros(len(first), np.int32)
    real = begins >= 0
    pieces[real] = np.diff(begins[real], append=length)
    window, position = encoded.first.T
    ends = np.array([len(ids) - behind for ids in encoded.windows], np.int32)
    within: np.ndarray = np.minimum(pieces, ends[window] - position)
    return within


def _lost(length: int, windows: Sequence[tuple[int, int]], words: int, context: Context) -> dict[str, int]:
    """Sub-tokens that no window holds: of words (inside one that is longer than a window), and of each kind."""
    missing = np.ones(length, bool)
    for start, end in windows:
        missing[start:end] = False
    lost: dict[str, int] = {"words": int(missing[:words].sum())}
    for kind, start, end in context.parts:
        lost[kind] = lost.get(kind, 0) + int(missing[words + start : words + end].sum())
    return {kind: count for kind, count in lost.items() if count}
