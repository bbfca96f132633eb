"""A checkpoint in Oscar's layout -> an encoder's folder: every key is used or named."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from mner import encoders
from mner.encoders._oscar import published_keys
from mner.errors import ModelError
from mner.runtime.torch import load_encoder

CONFIG = {
    "vocab_size": 6,
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 12,
    "type_vocab_size": 2,
    "img_feature_dim": 10,
    "use_img_layernorm": 1,
}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A tiny random BertImgModel with its head of pretraining, in the names of the release."""
    folder = tmp_path / "published"
    folder.mkdir()
    noise = np.random.default_rng(0)
    sizes: dict[str, tuple[int, ...]] = {
        "bert.embeddings.word_embeddings.weight": (6, 8),
        "bert.embeddings.position_embeddings.weight": (12, 8),
        "bert.embeddings.token_type_embeddings.weight": (2, 8),
        "bert.embeddings.LayerNorm.gamma": (8,),
        "bert.embeddings.LayerNorm.beta": (8,),
        "bert.img_embedding.weight": (8, 10),
        "bert.img_embedding.bias": (8,),
        "bert.LayerNorm.weight": (8,),
        "bert.LayerNorm.bias": (8,),
        "bert.pooler.dense.weight": (8, 8),
        "cls.predictions.bias": (6,),
    }
    at = "bert.encoder.layer.0"
    for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
        sizes |= {f"{at}.{part}.weight": (8, 8), f"{at}.{part}.bias": (8,)}
    sizes |= {f"{at}.intermediate.dense.weight": (16, 8), f"{at}.intermediate.dense.bias": (16,)}
    sizes |= {f"{at}.output.dense.weight": (8, 16), f"{at}.output.dense.bias": (8,)}
    for part in ("attention.output.LayerNorm", "output.LayerNorm"):
        sizes |= {f"{at}.{part}.weight": (8,), f"{at}.{part}.bias": (8,)}
    state = {name: noise.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    save_file(state, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nphoenix\nwon\n")
    return folder


def test_encoder_and_its_layers_for_regions_are_carried_over(checkpoint: Path, tmp_path: Path) -> None:
    files = encoders.take(checkpoint, tmp_path / "vinvl")
    published, written = (load_file(folder / "model.safetensors") for folder in (checkpoint, files.folder))
    network = load_encoder(files.folder)
    for name, value in network.state_dict().items():
        theirs = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        expected = published.get(f"bert.{name}", published.get(f"bert.{theirs}"))
        np.testing.assert_array_equal(value.numpy(), expected)
    np.testing.assert_array_equal(written["img_embedding.weight"], published["bert.img_embedding.weight"])
    np.testing.assert_array_equal(written["img_norm.bias"], published["bert.LayerNorm.bias"])
    assert files.max_tokens == 12
    used = set(published_keys(published))
    assert len(published) - len(used) == 2, "the pooler and the head of pretraining, and nothing else, are left out"


def change(checkpoint: Path, **arrays: np.ndarray | None) -> None:
    state = load_file(checkpoint / "model.safetensors")
    for name, value in arrays.items():
        key = name.replace("__", ".")
        if value is None:
            del state[key]
        else:
            state[key] = value
    save_file(state, checkpoint / "model.safetensors")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"bert__img_embedding__bias": None},
            r"not a whole checkpoint .* 1 missing keys, such as bert\.img_embedding\.bias",
        ),
        ({"bert__LayerNorm__weight": None}, r"1 missing keys, such as bert\.LayerNorm\.weight"),
        ({"bert__extra__gamma": np.zeros(1, np.float32)}, r"1 unknown keys, such as bert\.extra\.gamma"),
        ({"roberta__x": np.zeros(1, np.float32)}, r"1 unknown keys, such as roberta\.x"),
        (
            {"bert__img_embedding__weight": np.zeros((8, 4), np.float32)},
            r": bert\.img_embedding\.weight has the shape \(8, 4\), but config\.json says \(8, 10\)",
        ),
    ],
)
def test_half_a_checkpoint_or_another_one_is_refused(
    arrays: dict[str, np.ndarray | None], message: str, checkpoint: Path, tmp_path: Path
) -> None:
    change(checkpoint, **arrays)
    with pytest.raises(ModelError, match=message):
        encoders.take(checkpoint, tmp_path / "vinvl")
    assert not (tmp_path / "vinvl").exists()


def test_vocabulary_of_another_size_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "vocab.txt").write_text("[PAD]\n")
    with pytest.raises(ModelError, match=r"vocab\.txt: 1 lines, but the checkpoint has 6 sub-tokens"):
        encoders.take(checkpoint, tmp_path / "vinvl")


def test_pickle_is_read_once_the_line_shown_has_converted_it(checkpoint: Path, tmp_path: Path) -> None:
    state = {key: torch.from_numpy(array) for key, array in load_file(checkpoint / "model.safetensors").items()}
    tied = {"cls.predictions.decoder.weight": state["bert.embeddings.word_embeddings.weight"]}
    torch.save({**state, **tied}, checkpoint / "pytorch_model.bin")
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"(?s)pytorch_model\.bin is a pickle, .*convert it:\npython -c") as error:
        encoders.take(checkpoint, tmp_path / "vinvl")
    line = str(error.value).splitlines()[1].replace("python", shlex.quote(sys.executable), 1)
    subprocess.run(line, shell=True, check=True)
    written = load_file(encoders.take(checkpoint, tmp_path / "vinvl").folder / "model.safetensors")
    np.testing.assert_array_equal(written["img_embedding.bias"], state["bert.img_embedding.bias"])


def test_nan_names_its_array(checkpoint: Path, tmp_path: Path) -> None:
    change(checkpoint, bert__img_embedding__bias=np.full(8, np.nan, np.float32))
    with pytest.raises(ModelError, match=r"bert\.img_embedding\.bias holds NaN"):
        encoders.take(checkpoint, tmp_path / "vinvl")
