"""Words -> sub-tokens and their shapes: how each is written, which an uncased tokenizer throws away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tokenizers import Tokenizer

from mner.errors import ModelError
from mner.words import LINK

SHAPES = ("none", "lower", "upper", "title", "single", "mixed", "digit", "symbol", "uncased")
"""Classes of writing, by their id.

none: padding and special tokens. lower, upper (two letters or more), title (first letter upper, the rest lower),
single (one upper-case letter), mixed: decided by the letters alone, digits between them do not matter.
digit, symbol: no letter. uncased: letters of a script without case.
"""

_NONE, _LOWER, _UPPER, _TITLE, _SINGLE, _MIXED, _DIGIT, _SYMBOL, _UNCASED = range(len(SHAPES))

CACHE_WORDS = 16_384
"""Most distinct words kept; then the cache starts again. About 400 bytes a word."""

LINK_PIECES = ("http", "https", "url", "link", "web", "www")
"""Words that may stand for a link: the first that the vocabulary has as one piece does."""

_CHUNK = 256  # words a call of the tokenizer sees as one sequence
_PADS = ("[PAD]", "<pad>", "<|pad|>", "<|endoftext|>")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PARTS = re.compile(r"\w+|\W")


def shape(text: str) -> int:
    """The id in ``SHAPES`` of a stretch of text as the post writes it.

    >>> [SHAPES[shape(text)] for text in ("love", "NBA", "Kevin", "B2", "iPhone", "2016", "#", "猫", "")]
    ['lower', 'upper', 'title', 'single', 'mixed', 'digit', 'symbol', 'uncased', 'none']
    """
    if text.islower():  # the common case; also true beside digits
        return _LOWER
    if not text:
        return _NONE
    letters = [letter for letter in text if letter.isupper() or letter.islower() or letter.istitle()]
    if letters:
        rest_lower = all(letter.islower() for letter in letters[1:])
        if len(letters) == 1:
            return _SINGLE
        if rest_lower and not letters[0].islower():
            return _TITLE
        return _UPPER if text.isupper() else _MIXED
    if any(letter.isalpha() for letter in text):
        return _UNCASED
    return _DIGIT if any(letter.isdigit() for letter in text) else _SYMBOL


class Coded(NamedTuple):
    """The sub-token ids of one word and their shapes, of one length; both empty where the tokenizer yields nothing.

    ``folded`` is the number of sub-tokens that the word has less because one stands for each link in it.
    """

    ids: tuple[int, ...]
    shapes: tuple[int, ...]
    folded: int = 0


class Subwords:
    """A tokenizer that reads words as plain text.

    Every distinct word is tokenised once, by itself, as if a blank stood before it, which is what WordPiece, byte-level
    BPE and SentencePiece do with running text anyway. Words that look like control tokens ("[SEP]", "</s>", "<mask>")
    become ordinary pieces. Lone surrogates are read as U+FFFD.

    Args:
        tokenizer: A ``tokenizer.json`` or a loaded tokenizer, whose settings are copied, not changed.
        links: "fold" writes each link as one piece (see ``words.LINK`` for what a link is, ``LINK_PIECES`` for which
            piece); what is before and behind it in its word is read as ever. "keep" reads links as any other text.

    Attributes:
        prefix: Ids before the words of every window.
        suffix: Ids behind every window.
        sep_id: The separator ``[X]``: the last id of the suffix.
        pad_id: Fills windows up to one length.
        link_id: Stands for a link; None where links are kept.

    Raises:
        ModelError: The file is missing or damaged, or the tokenizer has no separator, no padding token, or no piece
            for a link.
    """

    def __init__(self, tokenizer: str | Path | Tokenizer, *, links: Literal["keep", "fold"] = "keep") -> None:
        where = "tokenizer" if isinstance(tokenizer, Tokenizer) else str(tokenizer)
        self._tokenizer = _open(tokenizer)
        self.pad_id = _pad_id(self._tokenizer, where)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._tokenizer.encode_special_tokens = True  # read "[SEP]" in a text as the five characters it is
        self.prefix, self.suffix = _frame(self._tokenizer, where)
        self.sep_id = self.suffix[-1]
        added = self._tokenizer.get_added_tokens_decoder()
        special = {id_: token.content for id_, token in added.items() if token.special}
        # MPNet has both; text may end in either of its own accord.
        self._unknown = [id_ for id_, content in special.items() if content in ("[UNK]", "<unk>")]
        frame = {*self.prefix, *self.suffix, self.pad_id}
        self._control = frozenset(({*special} | frame).difference(self._unknown))
        contents = sorted({*special.values()}, key=len, reverse=True)
        self._literal = re.compile("|".join(map(re.escape, contents))) if contents else None
        self._cache: dict[str, Coded] = {}
        self.link_id = self._link_piece(where) if links == "fold" else None

    def known(self, words: Iterable[str]) -> Mapping[str, Coded]:
        """A mapping that holds at least these words; do not keep it over calls."""
        cache = self._cache
        wanted = set(words)
        missing = sorted(word for word in wanted if word not in cache)
        if missing and len(cache) + len(missing) > CACHE_WORDS:
            # A new dictionary: another thread may still read the old one.
            cache, missing = {}, sorted(wanted)
        remaining = iter(missing)
        while chunk := list(islice(remaining, _CHUNK)):
            cache.update(zip(chunk, self._encode(chunk), strict=True))
        self._cache = cache
        return cache

    def encode_words(self, words: Sequence[str]) -> list[Coded]:
        """The sub-tokens of each word, in order."""
        known = self.known(words)
        return [known[word] for word in words]

    def decode(self, ids: Sequence[int]) -> list[str]:
        """The tokens that ids stand for, as the vocabulary writes them."""
        return [self._tokenizer.id_to_token(int(id_)) or "" for id_ in ids]

    def _encode(self, words: Sequence[str]) -> list[Coded]:
        coded = self._read(words)
        if self.link_id is not None:
            for position, word in enumerate(words):
                if LINK.search(word):
                    coded[position] = self._folded(word, coded[position], self.link_id)
        return coded

    def _folded(self, word: str, whole: Coded, link_id: int) -> Coded:
        """A word with one sub-token for each link in it."""
        beside = LINK.split(word)
        coded = self._read(beside) if any(beside) else [Coded((), ())] * len(beside)
        ids, shapes = list(coded[0].ids), list(coded[0].shapes)
        for part in coded[1:]:
            ids += (link_id, *part.ids)
            shapes += (_LOWER, *part.shapes)
        return Coded(tuple(ids), tuple(shapes), max(len(whole.ids) - len(ids), 0))

    def _link_piece(self, where: str) -> int:
        """The id of the first word of ``LINK_PIECES`` that is one piece, else of the longest piece in any of them."""
        coded = self._plain(LINK_PIECES)
        plain = [[id_ for id_ in word.ids if id_ not in (*self._control, *self._unknown)] for word in coded]
        whole = [ids[0] for ids, word in zip(plain, coded, strict=True) if len(ids) == len(word.ids) == 1]
        parts = sorted((id_ for ids in plain for id_ in ids), key=lambda id_: -len(self.decode([id_])[0]))
        if not (whole or parts):
            raise ModelError(
                f"{where}: its vocabulary has no piece of {', '.join(LINK_PIECES)} that could stand for a link; "
                'set context.links = "keep"'
            )
        return (whole or parts)[0]

    def _read(self, words: Sequence[str]) -> list[Coded]:
        coded = self._plain([_SURROGATE.sub("\ufffd", word) for word in words])
        for position, (word, (ids, *_)) in enumerate(zip(words, coded, strict=True)):
            if not self._control.isdisjoint(ids) or (self._is_literal(word) and not {*ids}.isdisjoint(self._unknown)):
                coded[position] = self._apart(word)
        return coded

    def _plain(self, words: Sequence[str]) -> list[Coded]:
        try:
            encoding = self._tokenizer.encode(words, is_pretokenized=True, add_special_tokens=False)
        except BaseException as error:
            raise _fault(error, "the tokenizer cannot read these words") from error
        ids: list[list[int]] = [[] for _ in words]
        shapes: list[list[int]] = [[] for _ in words]
        for id_, word, (start, end) in zip(encoding.ids, encoding.word_ids, encoding.offsets, strict=True):
            if word is None:  # only tokens of the template have none
                continue
            # A token of no width is a blank: it takes the shape of what follows, at the end that of the last character.
            ids[word].append(id_)
            shapes[word].append(shape(words[word][start : max(end, start + 1)] or words[word][-1:]))
        return [Coded(tuple(a), tuple(b)) for a, b in zip(ids, shapes, strict=True)]

    def _is_literal(self, word: str) -> bool:
        return self._literal is not None and self._literal.search(word) is not None

    def _apart(self, word: str) -> Coded:
        """A word whose text is in the vocabulary as a control token (SentencePiece), read sign by sign."""
        parts = self._plain(_PARTS.findall(_SURROGATE.sub("\ufffd", word)))
        ids: list[int] = []
        shapes: list[int] = []
        for id_, written in (pair for part in parts for pair in zip(part.ids, part.shapes, strict=True)):
            if id_ in self._control:  # one that is spelled like a plain word
                if not self._unknown:
                    continue
                id_ = self._unknown[0]
            ids.append(id_)
            shapes.append(written)
        return Coded(tuple(ids), tuple(shapes))


def _open(tokenizer: str | Path | Tokenizer) -> Tokenizer:
    """A tokenizer of our own that puts a blank before every word."""
    if isinstance(tokenizer, Tokenizer):
        text = tokenizer.to_str()
    else:
        try:
            text = Path(tokenizer).read_text(encoding="utf-8")
        except OSError as error:
            raise ModelError(f"{tokenizer}: cannot be read: {error.strerror}") from error
    try:
        opened = Tokenizer.from_str(text)
        step = opened.pre_tokenizer
        if step is not None and _blank_before(json.loads(step.__getstate__())):
            settings = json.loads(text)
            _blank_before(settings["pre_tokenizer"])
            opened = Tokenizer.from_str(json.dumps(settings))
    except BaseException as error:
        raise _fault(error, f"{tokenizer}: not a tokenizer.json that this version reads") from error
    return opened


def _fault(error: BaseException, problem: str) -> BaseException:
    """A ModelError for what the Rust side raises: bare Exception, and where it panics a class of its own."""
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
        return error
    return ModelError(f"{problem}: {error}")


def _blank_before(step: dict[str, Any]) -> bool:
    """Make a pre-tokenizer put a blank before each word; whether it had not done so."""
    inner = [_blank_before(part) for part in step.get("pretokenizers", ())]  # all of them, not up to the first
    changed = any(inner)
    if step.get("type") == "ByteLevel" and not step["add_prefix_space"]:
        step["add_prefix_space"] = changed = True
    if step.get("type") == "Metaspace" and step.get("prepend_scheme", "always") != "always":
        step["prepend_scheme"] = "always"
        changed = True
    return changed


def _frame(tokenizer: Tokenizer, where: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ids that the tokenizer's template puts before and behind a text."""
    try:
        bare = tokenizer.encode("a", add_special_tokens=False).ids
        full = tokenizer.encode("a").ids
    except BaseException as error:
        raise _fault(error, f"{where}: cannot read a word") from error
    for start in range(len(full) - len(bare)):
        if bare and full[start : start + len(bare)] == bare:
            return tuple(full[:start]), tuple(full[start + len(bare) :])
    raise ModelError(
        f"{where}: its template adds no separator; mner needs an encoder such as BERT, RoBERTa, XLM-R or MPNet, "
        "whose tokenizer.json has a post_processor"
    )


def _pad_id(tokenizer: Tokenizer, where: str) -> int:
    if tokenizer.padding is not None:
        return int(tokenizer.padding["pad_id"])
    for name in _PADS:
        id_ = tokenizer.token_to_id(name)
        if id_ is not None:
            return id_
    raise ModelError(f"{where}: has no padding token (looked for {', '.join(_PADS)}); add one to tokenizer.json")
