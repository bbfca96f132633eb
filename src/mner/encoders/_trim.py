"""An encoder -> the same one with fewer pieces: its table of vectors, its tokenizer and every id in their files.

Which pieces may go so that a text is still read as before: any that the text's own segmentation does not need.

- Unigrams: the best segmentation is the one of the highest sum of scores. Each segmentation that is left was there
  before, at the same score, so the best one stays the best. Of equal ones the tokenizer takes the first it meets, and
  the order does not change. An unknown character scores 10 less than the lowest piece, so that piece stays: what takes
  the place of a character's piece that is gone scores lower than that piece did.
- WordPiece takes the longest piece that matches, again and again: where it matched, no longer one matched before.
- A word of WordPiece that matches nowhere is unknown as a whole. It might match once a longer piece is gone, so all
  pieces inside such a word stay.

Byte-pair encodings merge step by step; which merges may go is another question, and they are refused.
"""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from mner.encoders._files import OFFSET_MODELS, EncoderFiles, read_json
from mner.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONTINUATION, BLANK = "##", "▁"
"""What WordPiece writes before a piece inside a word, and SentencePiece for the blank before a word."""

_BYTE = re.compile("<0x[0-9A-F]{2}>")
_UNUSED = re.compile(r"\[unused\d+\]")
_TABLE = "word_embeddings.weight"
_LONGEST = 200  # characters; WordPiece itself gives up after 100


class Vocabulary:
    """The pieces of a tokenizer.json, of those models whose pieces can be left out one by one.

    Raises:
        ModelError: The file is damaged, or its model is another one.
    """

    def __init__(self, tokenizer: Path) -> None:
        self.settings = read_json(tokenizer)
        if isinstance(self.settings.get("model"), dict) and "type" not in self.settings["model"]:
            with suppress(Exception):  # older files leave the type to whoever reads them
                self.settings = json.loads(Tokenizer.from_file(str(tokenizer)).to_str())
        stated = self.settings.get("model")
        model: dict[str, Any] = stated if isinstance(stated, dict) else {}
        self.kind = model.get("type")
        if self.kind not in ("Unigram", "WordPiece"):
            raise ModelError(
                f"{tokenizer}: a tokenizer of the kind {self.kind}; mner leaves pieces out of Unigram (XLM-R, e5) and "
                "WordPiece (BERT, MiniLM, MPNet), whose other pieces do not depend on them"
            )
        entries = model["vocab"]
        pieces = [piece for piece, _ in entries] if self.kind == "Unigram" else sorted(entries, key=entries.__getitem__)
        self.ids: dict[str, int] = {piece: id_ for id_, piece in enumerate(pieces)}
        if self.kind == "WordPiece" and self.ids != entries:
            raise ModelError(f"{tokenizer}: ids of pieces are missing or stand there twice; copy it again")
        self.unknown = self.ids.get(model.get("unk_token", ""), model.get("unk_id"))
        added = [token["id"] for token in self.settings.get("added_tokens", ())]
        self.size = max([len(pieces), *(id_ + 1 for id_ in added)])
        self.control = {*added} | ({self.unknown} if self.unknown is not None else set())
        if model.get("byte_fallback"):
            self.control |= {id_ for piece, id_ in self.ids.items() if _BYTE.fullmatch(piece)}

    def needed(self, coded: Mapping[str, Sequence[int]], *, top: int = 0) -> list[int]:
        """The ids (piece,), ascending, that must stay: those of each word, and what these and other words rest on.

        That is: control tokens, the first ``top`` pieces that are not left unused, and the single characters in which
        other words are written: those of all pieces that stay, Latin letters, and whatever is no letter, such as digits
        and emoji.
        """
        first = [id_ for piece, id_ in self.ids.items() if not _UNUSED.fullmatch(piece)][:top]
        keep = self.control.union(first, *coded.values())
        if self.kind == "Unigram":
            scores = [score for _, score in self.settings["model"]["vocab"]]
            keep.add(scores.index(min(scores)))
        else:
            keep |= self._inside([word for word, ids in coded.items() if self.unknown in ids])
        pieces = list(self.ids)
        characters = {character for id_ in keep if id_ < len(pieces) for character in pieces[id_]}
        for piece, id_ in self.ids.items():
            bare = piece.removeprefix(CONTINUATION).removeprefix(BLANK) or piece
            if len(bare) == 1 and (bare in characters or not bare.isalpha() or _is_latin(bare)):
                keep.add(id_)
        return sorted(keep)

    def _inside(self, words: Sequence[str]) -> set[int]:
        """The ids of all pieces inside words."""
        tokenizer = Tokenizer.from_str(json.dumps(self.settings))
        read = tokenizer.normalizer.normalize_str if tokenizer.normalizer else str
        parts = {part for word in words for part in read(word).split() if len(part) <= _LONGEST}
        stretches = {
            part[start:end] for part in parts for start in range(len(part)) for end in range(start + 1, len(part) + 1)
        }
        return {self.ids[form] for text in stretches for form in (text, CONTINUATION + text) if form in self.ids}

    def without(self, places: Mapping[int, int]) -> dict[str, Any]:
        """What a tokenizer.json says that has only the pieces of ``places``, new ids by old ones."""
        settings: dict[str, Any] = json.loads(json.dumps(self.settings))
        model = settings["model"]
        if self.kind == "Unigram":
            model["vocab"] = [entry for id_, entry in enumerate(model["vocab"]) if id_ in places]
            if model.get("unk_id") is not None:
                model["unk_id"] = places[model["unk_id"]]
        else:
            model["vocab"] = {piece: places[id_] for piece, id_ in self.ids.items() if id_ in places}
        for token in settings.get("added_tokens", ()):
            token["id"] = places[token["id"]]
        if settings.get("padding"):
            settings["padding"]["pad_id"] = places[settings["padding"]["pad_id"]]
        _renumber(settings.get("post_processor"), places)
        return settings


def write_trimmed(files: EncoderFiles, vocabulary: Vocabulary, keep: Sequence[int], folder: Path) -> None:
    """Write an encoder that has only the pieces ``keep`` (ascending ids) into an empty folder.

    Raises:
        ModelError: Its weights are not in one model.safetensors, or are not those of its tokenizer.
    """
    places = {old: new for new, old in enumerate(keep)}
    config = read_json(files.folder / "config.json")
    for name in [name for name in config if name.endswith("_token_id")]:
        ids = config.pop(name)
        if isinstance(ids, list):  # any of several ends a text
            config[name] = [places[piece] for piece in ids if piece in places]
        elif ids in places:
            config[name] = places[ids]
    if config.get("model_type") in OFFSET_MODELS and config.get("pad_token_id") != _pad(files.folder):
        raise ModelError(
            f"{files.folder}: numbers positions from its padding piece on, which would get another id; "
            "such an encoder cannot lose pieces before it"
        )
    write_weights(files.folder, folder, list(places))
    config["vocab_size"] = len(places)
    config["trimmed"] = {"from": files.name, "pieces": vocabulary.size}
    _write(folder / "config.json", config)
    pieces = json.dumps(vocabulary.without(places), ensure_ascii=False, separators=(",", ":"))  # not a line for each
    (folder / "tokenizer.json").write_text(pieces, encoding="utf-8")
    for name in ("LICENSE", "LICENSE.txt", "NOTICE"):
        if (files.folder / name).is_file():
            shutil.copyfile(files.folder / name, folder / name)
    stated = files.folder / "tokenizer_config.json"
    about = read_json(stated) if stated.is_file() else {}
    names = {name: value for name, value in about.items() if name.endswith("_token") and isinstance(value, str)}
    _write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": files.max_tokens, **names},
    )


def write_weights(source: Path, folder: Path, keep: list[int]) -> None:
    """Copy the weights, and of the table of word vectors and what is tied to it the rows ``keep`` alone."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file, save_file

    path = source / "model.safetensors"
    if not path.is_file():
        raise ModelError(f"{source}: its weights are in several files; save it as one model.safetensors first")
    try:
        weights: dict[str, NDArray[np.generic]] = load_file(path)
    except TypeError as error:  # safetensors.numpy knows no bfloat16
        raise ModelError(f"{path}: {error}; save the encoder in float32 or float16 first") from None
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); copy it again") from None
    rows = {len(values) for name, values in weights.items() if name.endswith(_TABLE)}
    if len(rows) != 1 or max(keep) >= max(rows):
        raise ModelError(
            f"{path}: expected one table {_TABLE} with a vector for each of {max(keep) + 1:,} pieces, "
            f"found {', '.join(f'{count:,}' for count in sorted(rows)) or 'none'}"
        )
    (size,) = rows
    cut = {name: values[keep] if values.shape[:1] == (size,) else values for name, values in weights.items()}
    save_file(cut, folder / "model.safetensors", metadata={"format": "pt"})


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")


def _renumber(step: Any, places: Mapping[int, int]) -> None:
    """Give a post-processor, and those inside it, the new ids."""
    if not isinstance(step, dict):
        return
    for inner in step.get("processors", ()):
        _renumber(inner, places)
    for name in ("sep", "cls"):
        if name in step:
            step[name][1] = places[step[name][1]]
    tokens = step.get("special_tokens")
    if isinstance(tokens, dict):
        for token in tokens.values():
            token["ids"] = [places[id_] for id_ in token["ids"]]


def _pad(folder: Path) -> Any:
    return read_json(folder / "config.json").get("pad_token_id")


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
