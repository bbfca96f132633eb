"""Models of the hub: found in its cache, fetched and pushed on request, against a folder that stands for the hub."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import filter_repo_objects

import mner
from mner.errors import DataError, ModelError
from mner.tagger import Tagger, hub, model_folder

TEXT = "Kevin Love is back in Cleveland"
NAME = "hub:owner/tiny"


class LocalHub:
    """Repositories as folders, and a local cache in the layout of the real one: links into a folder of blobs."""

    def __init__(self, place: Path) -> None:
        self.repositories = place / "repositories"
        self.cache = place / "cache"
        self.calls: list[tuple[str, Any]] = []

    def snapshot_download(
        self, repo: str, *, revision: str | None, allow_patterns: list[str], ignore_patterns: list[str]
    ) -> str:
        self.calls.append(("download", (repo, revision)))
        source = self.repositories / repo
        if not source.is_dir():
            raise OfflineModeIsEnabled("no network\nand more lines")
        top = self.cache / f"models--{repo.replace('/', '--')}"
        (top / "refs").mkdir(parents=True)
        (top / "refs" / (revision or "main")).write_text("c0ffee")
        names = [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()]
        for number, name in enumerate(filter_repo_objects(names, allow_patterns=allow_patterns)):
            link, blob = top / "snapshots" / "c0ffee" / name, top / "blobs" / str(number)
            for parent in (link.parent, blob.parent):
                parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, blob)
            link.symlink_to(blob)
        return str(top / "snapshots" / "c0ffee")

    def create_repo(self, repo: str, **options: Any) -> None:
        self.calls.append(("create", (repo, options)))

    def upload_folder(self, *, repo_id: str, folder_path: Path, commit_message: str) -> Any:
        shutil.copytree(folder_path, self.repositories / repo_id)
        return SimpleNamespace(commit_url=f"commit of {repo_id}: {commit_message}")


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalHub:
    stand_in, real = LocalHub(tmp_path), huggingface_hub.try_to_load_from_cache
    monkeypatch.setattr(huggingface_hub, "snapshot_download", stand_in.snapshot_download)
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda **_: stand_in)
    monkeypatch.setattr(
        huggingface_hub,
        "try_to_load_from_cache",
        lambda repo, file, revision: real(repo, file, revision=revision, cache_dir=stand_in.cache),
    )
    return stand_in


@pytest.fixture(scope="module")
def tagger(tiny_model: Path) -> Tagger:
    return mner.load(tiny_model, threads=1)


def test_pushed_model_is_fetched_and_loaded(local: LocalHub, tagger: Tagger) -> None:
    assert tagger.push_to_hub("owner/tiny", private=True, message="first") == "commit of owner/tiny: first"
    assert local.calls == [("create", ("owner/tiny", {"private": True, "exist_ok": True}))]
    with pytest.raises(ModelError, match="mner model fetch hub:owner/tiny"):
        mner.load(NAME)
    again = mner.load(NAME, download=True, threads=1)
    assert again(TEXT) == tagger(TEXT)
    assert mner.load(NAME, threads=1).settings == again.settings, "now it is here"
    assert [what for what, _ in local.calls] == ["create", "download"]


def test_pushed_card_has_the_header_of_the_hub_once(local: LocalHub, tagger: Tagger, tmp_path: Path) -> None:
    tagger.push_to_hub("owner/tiny")
    card = local.repositories / "owner" / "tiny" / "README.md"
    header = huggingface_hub.ModelCard.load(card).data.to_dict()
    assert (header["library_name"], header["pipeline_tag"]) == ("mner", "token-classification")
    assert card.read_text().endswith("# tiny\n\nA random model for tests.\n")
    mner.load(card.parent, threads=1).push_to_hub("hub:owner/copy")
    assert (local.repositories / "owner" / "copy" / "README.md").read_text() == card.read_text()


def test_only_the_files_of_the_model_leave_the_machine(local: LocalHub, tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    (folder / "notes.txt").write_text("private")
    tagger = mner.load(folder, threads=1)
    tagger.push_to_hub("owner/tiny")
    tagger.save(tmp_path / "saved")
    for copy in (local.repositories / "owner" / "tiny", tmp_path / "saved"):
        assert not (copy / "notes.txt").exists()
        assert (copy / "model.json").is_file()


def test_fetch_takes_no_pickle_and_no_code(local: LocalHub, tagger: Tagger) -> None:
    tagger.push_to_hub("owner/tiny")
    for name in ("pytorch_model.bin", "model.pkl", "code.py"):
        (local.repositories / "owner" / "tiny" / name).write_text("x")
    folder = hub.fetch(NAME)
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json", ".md", ".safetensors", ".toml"}


def test_revision_is_passed_on(local: LocalHub, tagger: Tagger) -> None:
    tagger.push_to_hub("owner/tiny")
    hub.fetch(f"{NAME}@v2")
    assert local.calls[-1] == ("download", ("owner/tiny", "v2"))
    assert model_folder(f"{NAME}@v2").name == "c0ffee"
    with pytest.raises(ModelError, match="not on this machine"):
        model_folder(NAME)


def test_absent_model_says_what_to_type_with_and_without_a_network(local: LocalHub) -> None:
    with pytest.raises(ModelError) as caught:
        mner.load(NAME)
    assert "type: mner model fetch hub:owner/tiny\n" in str(caught.value)
    assert "copy the files of owner/tiny (model.json and those that it lists)" in str(caught.value)
    assert str(caught.value).endswith("name that instead: ./tiny")
    with pytest.raises(ModelError, match=r"hub:owner/tiny could not be downloaded: no network\nCheck") as caught:
        mner.load(NAME, download=True)
    assert "more lines" not in str(caught.value)


def test_repository_of_another_library_is_refused(local: LocalHub) -> None:
    (local.repositories / "owner" / "tiny").mkdir(parents=True)
    (local.repositories / "owner" / "tiny" / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"not a model of mner \(no model\.json\)"):
        mner.load(NAME, download=True)


@pytest.mark.parametrize("name", ["hub:", "hub:tiny", "hub:a/b/c", "hub:../x", "hub:owner/na me"])
def test_name_that_is_no_repository_is_refused(local: LocalHub, name: str) -> None:
    with pytest.raises(ModelError, match='expected "hub:owner/name"'):
        mner.load(name, download=True)
    assert local.calls == []


@pytest.mark.parametrize("unreachable", [False, True])
def test_push_that_fails_says_what_to_check(
    local: LocalHub, tagger: Tagger, monkeypatch: pytest.MonkeyPatch, unreachable: bool
) -> None:
    class ConnectError(Exception):
        """As HTTP libraries have one, derived from nothing that others know."""

    def refuse(*_: Any, **__: Any) -> None:
        if unreachable:
            raise ConnectError
        raise HfHubHTTPError("401 Unauthorized\nlong story", response=SimpleNamespace(headers={}, request=None))  # type: ignore[arg-type]

    monkeypatch.setattr(local, "create_repo", refuse)
    with pytest.raises(
        ModelError, match=r"owner/tiny could not be uploaded: (401 Unauthorized|ConnectError)\n.*HF_TOKEN"
    ):
        tagger.push_to_hub("owner/tiny")


def test_folder_of_that_name_takes_precedence(
    local: LocalHub, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hub:owner").mkdir()
    shutil.copytree(tiny_model, NAME)
    assert model_folder(NAME) == Path(NAME)


def test_saved_copy_is_the_same_model(tagger: Tagger, tmp_path: Path) -> None:
    tagger.save(tmp_path / "copy")
    assert mner.load(tmp_path / "copy", threads=1).settings == tagger.settings
    tagger.save(str(tmp_path / "copy"))  # mner's own is replaced
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "file").write_text("x")
    with pytest.raises(DataError, match="not a model that mner wrote"):
        tagger.save(tmp_path / "others")


def test_model_that_changed_is_not_saved(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    tagger = mner.load(folder, threads=1)
    (folder / "README.md").write_text("changed")
    with pytest.raises(ModelError, match="changed since the model was saved"):
        tagger.save(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_link_out_of_the_cache_is_refused(local: LocalHub, tagger: Tagger, tmp_path: Path) -> None:
    tagger.push_to_hub("owner/tiny")
    card = hub.fetch(NAME) / "README.md"
    shutil.copy(card, tmp_path / "README.md")
    card.unlink()
    card.symlink_to(tmp_path / "README.md")
    with pytest.raises(ModelError, match=r"names a file outside the model: README\.md"):
        mner.load(NAME)
