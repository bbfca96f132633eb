"""Posts and contexts -> an encoder that has only the pieces which reading them takes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from mner import data, encoders
from mner.config import ContextConfig, Source
from mner.contexts.artefact import iter_contexts
from mner.encoders import Trimmed
from mner.errors import DataError, ModelError
from mner.views.compose import compose
from mner.views.tokenize import LINK_PIECES, Subwords
from mner.words import LINK


def trim(
    name: str,
    posts: Sequence[str | Path],
    out: str | Path,
    *,
    contexts: Sequence[str | Path] = (),
    keep_top: int = 0,
    format: str | None = None,
) -> Trimmed:
    """A copy of an encoder without the vectors of pieces that the words of some files never take.

    Every word of the files has the same pieces, and these the same vectors, as before; that is checked word by word
    before the copy is kept. Other words are written in smaller pieces, at worst in single characters.

    Args:
        name: An encoder on this machine.
        posts: Files of posts; their labels are not read.
        out: The folder to make; its path is the new encoder's name (``model.encoder``).
        contexts: Artefacts of contexts, whose every text is read, too.
        keep_top: Keep this many pieces from the vocabulary's beginning, too, those left unused there not counted; in
            unigram vocabularies they are the most frequent ones.
        format: The format of the files of posts; None: by first lines and name.

    Raises:
        DataError: ``out`` exists, a file cannot be read, or there is no word in them.
        ModelError: The encoder is not here, or its pieces depend on each other (byte-pair encodings).
    """
    words = {*_of_posts(posts, format), *_of_contexts(contexts)}
    if not words:
        raise DataError("no word to keep pieces for; name files of posts or contexts that hold text")
    words.update(part for word in tuple(words) for part in LINK.split(word) if part)
    words.update(LINK_PIECES)  # one of them stands for a link that is folded, what is beside it is read by itself
    before = Subwords(encoders.find(name).tokenizer)
    coded = {word: written.ids for word, written in before.known(sorted(words)).items()}
    trimmed = encoders.trim(name, coded, Path(out), keep_top=keep_top)
    after = Subwords(trimmed.files.tokenizer)
    for word, written in after.known(words).items():
        if after.decode(written.ids) != before.decode(coded[word]):
            shutil.rmtree(out)
            raise ModelError(
                f'{name}: without the other pieces "{word}" is read as {after.decode(written.ids)}, not as '
                f"{before.decode(coded[word])}; this tokenizer cannot be trimmed"
            )
    return trimmed


def _of_posts(paths: Sequence[str | Path], format: str | None) -> Iterator[str]:
    for path in paths:
        for post in data.read(path, format=format, labels=False):
            yield from post.words


def _of_contexts(paths: Sequence[str | Path]) -> Iterator[str]:
    options = ContextConfig(order=get_args(Source))
    for path in paths:
        for context in iter_contexts(Path(path)):
            for piece in compose(context, options):
                yield from piece.text.split()
