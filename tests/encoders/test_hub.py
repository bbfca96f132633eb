from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from mner import encoders
from mner.encoders import hub
from mner.errors import ModelError


@pytest.fixture
def cached(make: Callable[..., Path], tmp_path: Path) -> Path:
    """An encoder in the hub's local cache, as ``owner/toy``."""
    top = tmp_path / "hub" / "models--owner--toy"
    (top / "refs").mkdir(parents=True)
    (top / "refs" / "main").write_text("abc")
    return make(top / "snapshots" / "abc", max_position_embeddings=512)


@pytest.fixture(autouse=True)
def _hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = huggingface_hub.try_to_load_from_cache
    monkeypatch.setattr(
        huggingface_hub, "try_to_load_from_cache", lambda name, file: real(name, file, cache_dir=tmp_path / "hub")
    )


def test_find_takes_a_hub_id_from_the_local_cache(cached: Path) -> None:
    result = encoders.find("owner/toy")
    assert (result.folder, result.name, result.licence) == (cached, "owner/toy", "")


def test_find_of_an_absent_hub_id_says_what_to_do() -> None:
    with pytest.raises(ModelError, match=r"mner encoder fetch owner/none\n.*copy its config\.json") as caught:
        encoders.find("owner/none")
    assert 'model.encoder = "./none"' in str(caught.value)


def test_find_of_an_embedded_name_without_its_prefix_says_the_whole() -> None:
    with pytest.raises(ModelError, match='one that mner knows has this name: "embedded:minilm"'):
        encoders.find("minilm")


@pytest.mark.parametrize("name", ["./none", "/no/such/folder", "~/none", "a/b/c", ""])
def test_find_of_an_absent_folder_is_no_hub_id(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="no such folder"):
        encoders.find(name)


def test_listing_shows_both_kinds_and_problems(cached: Path) -> None:
    by_name = {each.name: each for each in encoders.listing()}
    assert {*encoders.embedded(), "owner/toy"} <= {*by_name}
    files = by_name["owner/toy"].files
    assert files is not None
    assert files.folder == cached
    (cached / "model.safetensors").unlink()
    broken = {each.name: each for each in encoders.listing()}["owner/toy"]
    assert broken.files is None
    assert "no model.safetensors" in broken.problem


def test_fetch_asks_for_no_pickle(cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request: dict[str, Any] = {}

    def download(name: str, **options: Any) -> str:
        request.update(options)
        return str(cached)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert encoders.fetch("owner/toy").folder == cached
    patterns = request["allow_patterns"]
    stored = list(
        huggingface_hub.utils.filter_repo_objects(
            [
                "config.json",
                "model.safetensors",
                "pytorch_model.bin",
                "tf_model.h5",
                "onnx/model.onnx",
                "vocab.txt",
                "openvino/config.json",
                "sentencepiece.bpe.model",
                "1_Pooling/config.json",
                "evil.pkl",
                "merges.txt",
            ],
            allow_patterns=patterns,
            ignore_patterns=request["ignore_patterns"],
        )
    )
    assert stored == ["config.json", "model.safetensors", "vocab.txt", "sentencepiece.bpe.model", "merges.txt"]


def test_fetch_of_pickle_alone_says_how_to_convert(cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: str(cached))
    (cached / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no safetensors of it.*save_pretrained"):
        encoders.fetch("owner/toy")


def test_fetch_without_network_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(name: str, **_: Any) -> str:
        raise OSError("cannot reach the hub\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    shown = huggingface_hub.utils.are_progress_bars_disabled()
    with pytest.raises(ModelError, match=r"could not be downloaded: cannot reach the hub\n"):
        encoders.fetch("owner/toy")
    assert huggingface_hub.utils.are_progress_bars_disabled() == shown


def test_fetch_of_a_folder_only_checks_it(make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", None)
    folder = make()
    assert encoders.fetch(str(folder)).folder == folder


@pytest.mark.parametrize(
    ("name", "expected"),
    [("bert-base-cased", True), ("FacebookAI/xlm-roberta-large", True), ("../x", False), ("a b", False), ("x/", False)],
)
def test_hub_ids_differ_from_paths(name: str, expected: bool) -> None:
    assert hub.is_hub_id(name) is expected
