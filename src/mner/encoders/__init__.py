"""NAME -> CHECKED LOCAL FOLDER: pretrained text encoders. Only ``fetch`` ever uses the network.

A name is ``embedded:NAME`` (a file of this folder), a local folder in the Hugging Face layout, or a hub id such as
``bert-base-cased``. Each file offers ``find(name)`` and ``fetch(name)``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from mner import plugins
from mner.encoders._files import EncoderFiles
from mner.errors import DataError, ModelError

__all__ = [
    "EncoderFiles",
    "Listed",
    "Trimmed",
    "about",
    "embedded",
    "fetch",
    "find",
    "listing",
    "of_model",
    "take",
    "trim",
]

_EMBEDDED = "embedded:"
_HUB = "hub"


class Listed(NamedTuple):
    """An encoder of ``listing``: its files, or why it cannot be used."""

    name: str
    files: EncoderFiles | None
    problem: str


class Trimmed(NamedTuple):
    """An encoder that lost pieces, how many are left, and how many pieces and bytes the whole one has."""

    files: EncoderFiles
    pieces: int
    before: int
    size_before: int


def find(name: str) -> EncoderFiles:
    """The encoder of that name on this machine.

    Raises:
        ModelError: It is not here, lacks a file, or is damaged; the message says what to type.
    """
    files: EncoderFiles = _module(name).find(name)
    return files


def fetch(name: str) -> EncoderFiles:
    """The encoder of that name, downloaded if it is not on this machine; "mpnet" also means "embedded:mpnet".

    Raises:
        ModelError: No encoder has that name, there is no network, or the download is damaged.
    """
    if _EMBEDDED + name in embedded() and not Path(name).is_dir():
        name = _EMBEDDED + name
    files: EncoderFiles = _module(name).fetch(name)
    return files


def about(name: str) -> str:
    """What it takes to fetch and use an embedded encoder: download, disk, memory, licence; "" for any other."""
    short = name.removeprefix(_EMBEDDED)
    text: str = _module(_EMBEDDED + short).ABOUT if _EMBEDDED + short in embedded() else ""
    return text


def embedded() -> list[str]:
    """Names of the encoders that mner knows by itself.

    >>> "embedded:minilm" in embedded()
    True
    """
    return [_EMBEDDED + name.replace("_", "-") for name in plugins.names(__name__) if name != _HUB]


def take(source: Path, out: Path) -> EncoderFiles:
    """An encoder's folder made of what others publish: a file of word vectors, or a checkpoint of Oscar or VinVL.

    Args:
        source: A file of GloVe or word2vec, text or ``.bin``; or a folder with config.json, vocab.txt and
            model.safetensors in Oscar's layout.
        out: The folder to make.

    Raises:
        DataError: A file is missing or damaged, or ``out`` exists.
        ModelError: The checkpoint is of another model, or half of one.
    """
    from mner.encoders import _oscar, _vectors

    with _making(out) as folder:
        if source.is_dir():
            _oscar.write_encoder(source, folder)
        else:
            _vectors.write_vectors(*_vectors.read_vectors(source), folder)
    return find(str(out))


def trim(name: str, coded: Mapping[str, Sequence[int]], out: Path, *, keep_top: int = 0) -> Trimmed:
    """A copy of an encoder that has only the pieces that some words need; these are tokenised as before.

    Other words are written in the pieces that are left, at worst in single characters. Latin letters and what is
    no letter, such as emoji, stay; a letter of another script that the words do not have is unknown.

    Args:
        name: An encoder on this machine.
        coded: The ids of each word.
        out: The folder to make; its path is the name of the new encoder.
        keep_top: Keep this many pieces from the vocabulary's beginning, too, those left unused there not counted.

    Raises:
        DataError: ``out`` exists.
        ModelError: The encoder is not here, or its pieces depend on each other (byte-pair encodings).
    """
    from mner.encoders import _trim

    files = find(name)
    vocabulary = _trim.Vocabulary(files.tokenizer)
    keep = vocabulary.needed(coded, top=keep_top)
    with _making(out) as folder:
        _trim.write_trimmed(files, vocabulary, keep, folder)
    return Trimmed(find(str(out)), len(keep), vocabulary.size, files.size)


def trim_like(name: str, tokenizer: Path, out: Path) -> Trimmed:
    """A copy of an encoder that has the pieces of a tokenizer, in its order, so that ids mean the same in both.

    Args:
        name: An encoder on this machine.
        tokenizer: The tokenizer.json of a model whose encoder was this one, trimmed.
        out: The folder to make; its path is the name of the new encoder.

    Raises:
        DataError: ``out`` exists.
        ModelError: The encoder is not here, its pieces depend on each other, or the tokenizer is of another encoder.
    """
    from mner.encoders import _trim

    files = find(name)
    vocabulary, wanted = _trim.Vocabulary(files.tokenizer), _trim.Vocabulary(tokenizer)
    keep = sorted(vocabulary.control.union(id_ for piece, id_ in vocabulary.ids.items() if piece in wanted.ids))
    places = {old: new for new, old in enumerate(keep)}
    if wanted.size != len(keep) or any(
        places.get(vocabulary.ids.get(piece, -1)) != id_ for piece, id_ in wanted.ids.items()
    ):
        raise ModelError(
            f"{tokenizer}: its {wanted.size:,} pieces are not pieces of {name} in the same order; name the encoder "
            "that it was cut from"
        )
    with _making(out) as folder:
        _trim.write_trimmed(files, vocabulary, keep, folder)
    return Trimmed(find(str(out)), len(keep), vocabulary.size, files.size)


def listing() -> list[Listed]:
    """The embedded encoders and the models in the hub's local cache, each checked."""
    from mner.encoders.hub import cached

    return [_listed(name) for name in (*embedded(), *cached())]


def of_model(folder: Path, about: Mapping[str, Any]) -> EncoderFiles:
    """The encoder inside a saved model's directory; ``about`` is what its ``model.json`` says under "encoder".

    Raises:
        ModelError: The tokenizer is missing, or name or max_tokens are.
    """
    tokenizer = folder / "tokenizer.json"
    if not tokenizer.is_file():
        raise ModelError(f"{tokenizer}: missing; copy the whole model directory again")
    try:
        return EncoderFiles(str(about["name"]), folder / "encoder", tokenizer, int(about["max_tokens"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder}/model.json: encoder lacks a usable name or max_tokens ({error})") from None


@contextmanager
def _making(out: Path) -> Iterator[Path]:
    """An empty folder that becomes ``out`` when the block ends without an error."""
    if out.exists():
        raise DataError(f"{out}: exists already; name another folder, or remove it first")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as work:
        built = Path(work) / "built"
        built.mkdir()
        yield built
        built.rename(out)


def _listed(name: str) -> Listed:
    try:
        return Listed(name, find(name), "")
    except ModelError as error:
        return Listed(name, None, str(error).partition("\n")[0])


def _module(name: str) -> ModuleType:
    if not name.startswith(_EMBEDDED):
        return plugins.load(__name__, _HUB)
    if name not in embedded():
        raise ModelError(f'encoder "{name}": mner has no such encoder; it has {", ".join(embedded())}')
    return plugins.load(__name__, name.removeprefix(_EMBEDDED).replace("-", "_"))
