"""The files beside a tiny model's weights: image processor and tokenizer, as the hub has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS = (
    "a cat dog person ball red trophy of the is on in and with small city game photo picture traffic light . , ?"
    " describe this short sentence what does image"
).split()


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def images(folder: Path, kind: str, **settings: Any) -> None:
    standard = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_resize": True, "do_normalize": True}
    write(folder / "preprocessor_config.json", {"image_processor_type": kind, **standard, **settings})


def wordpiece(folder: Path) -> int:
    """A tokenizer as BERT's; the size of its vocabulary."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = [*special, *dict.fromkeys([*WORDS, *letters]), *(f"##{each}" for each in letters)]
    tokenizer = Tokenizer(models.WordPiece({each: place for place, each in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {f"{each[1:-1].lower()}_token": each for each in special}
    write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "BertTokenizerFast", **names, "model_max_length": 64, "do_lower_case": True},
    )
    return len(vocabulary)


def bytelevel(folder: Path, special: list[str], *, length: int = 2048, frame: str = "$A", **config: Any) -> int:
    """A tokenizer of single bytes, with special tokens first; the size of its vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    vocabulary = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({each: place for place, each in enumerate(vocabulary)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    named = [(each, special.index(each)) for each in special if each in frame.split()]
    tokenizer.post_processor = processors.TemplateProcessing(single=frame, special_tokens=named)
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": length, **config},
    )
    return len(vocabulary)


def clip_tokenizer(folder: Path, *, length: int) -> int:
    special = ["!!", "??", "<|startoftext|>", "<|endoftext|>"]  # 0 to begin with, or 2 to end with, has a meaning
    return bytelevel(
        folder, special, length=length, frame="<|startoftext|> $A <|endoftext|>", bos_token=special[2],
        eos_token=special[3], pad_token=special[3], unk_token=special[3],
    )  # fmt: skip
