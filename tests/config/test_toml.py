"""A row holds only what differs from the file it builds on, and loads back as what it was made of."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from mner import config as configs
from mner.config import Config
from mner.config.toml import row_toml
from mner.training.search.defaults import setting


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    base, row = tmp_path / "base.toml", tmp_path / "rows" / "text.toml"
    row.parent.mkdir()
    base.write_text('[data]\nname = "mine"\nroot = "posts"\ntrain = "a.txt"\ncontexts = ["c.jsonl"]\n')
    row.write_text('base = "../base.toml"\nname = "text"\n[model]\nname = "text"\n[context.budget]\ncaptions = 64\n')
    return base, row


def test_row_says_what_differs(files: tuple[Path, Path], tmp_path: Path) -> None:
    base, row = files
    config = configs.load(row, set_values=["training.encoder_lr=1e-4", "name=new"])
    path = tmp_path / "runs" / "deep" / "best.toml"
    root = configs.root_folder(config.data, row.parent)
    text = row_toml(config, path, base=base, root=root, about=["Made by a test."])
    assert text.startswith("# Made by a test.\n")
    assert tomllib.loads(text) == {
        "base": "../../base.toml",
        "name": "new",
        "context": {"budget": {"captions": 64}},
        "model": {"name": "text"},
        "training": {"encoder_lr": 1e-4},
    }
    path.parent.mkdir(parents=True)
    path.write_text(text)
    loaded = configs.load(path)
    assert loaded.fingerprint == config.fingerprint
    assert configs.root_folder(loaded.data, path.parent).resolve() == (tmp_path / "posts").resolve()


@pytest.mark.parametrize("stated", ["", "[context.budget]\ncaptions = 128\nocr = 32\n"])
def test_row_keeps_every_budget(stated: str, tmp_path: Path) -> None:
    base, path = tmp_path / "base.toml", tmp_path / "best.toml"
    base.write_text('[data]\nname = "mine"\n' + stated)
    best = setting(configs.load(base), {"context.budget.captions": 16})
    path.write_text(row_toml(best, path, base=base, root=tmp_path))
    assert configs.load(path).context.budget == best.context.budget
    assert configs.load(path).fingerprint == best.fingerprint


@pytest.mark.parametrize("root", ["../other", "mner:sample"])
def test_row_keeps_another_root(root: str, files: tuple[Path, Path], tmp_path: Path) -> None:
    base, row = files
    config = configs.load(row, set_values=[f"data.root={root}"])
    path = tmp_path / "best.toml"
    folder = configs.root_folder(config.data, row.parent)
    path.write_text(row_toml(config, path, base=base, root=folder))
    assert configs.root_folder(configs.load(path).data, path.parent).resolve() == folder.resolve()


def test_row_states_its_root_where_the_one_below_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MNER_ABSENT", raising=False)
    base, path = tmp_path / "base.toml", tmp_path / "best.toml"
    base.write_text('[data]\nname = "mine"\nroot = "$MNER_ABSENT"\n')
    config = configs.load(base, set_values=["data.root=posts"])
    path.write_text(row_toml(config, path, base=base, root=tmp_path / "posts"))
    assert configs.root_folder(configs.load(path).data, tmp_path) == tmp_path / "posts"


@pytest.mark.parametrize(
    ("stated", "values", "read"),
    [
        ("[training.lr]\ncrf = 0.5\n", "training.lr={}", lambda config: config.training.lr),
        ('[data.rename]\nMISC = "OTHER"\n', 'data.rename={LOC="PLACE"}', lambda config: config.data.rename),
        ("[context.budget]\ncaptions = 9\nocr = 9\n", "context.budget={tags=5}", lambda config: config.context.budget),
    ],
)
def test_row_keeps_a_table_that_was_replaced(
    stated: str, values: str, read: Callable[[Config], object], tmp_path: Path
) -> None:
    base, path = tmp_path / "base.toml", tmp_path / "runs" / "best.toml"
    base.write_text('[data]\nname = "mine"\nroot = "posts"\n' * ("data" not in stated) + stated)
    config = configs.load(base, set_values=[values])
    path.parent.mkdir()
    path.write_text(row_toml(config, path, base=base, root=configs.root_folder(config.data, tmp_path)))
    loaded = configs.load(path)
    assert read(loaded) == read(config)
    assert loaded.fingerprint == config.fingerprint
    assert (
        configs.root_folder(loaded.data, path.parent).resolve() == configs.root_folder(config.data, tmp_path).resolve()
    )


def test_base_of_a_file(files: tuple[Path, Path]) -> None:
    base, row = files
    assert configs.base_of(base) is None
    assert (configs.base_of(row) or row).resolve() == base


def test_row_on_several_bases_with_a_variant_keeps_its_name(files: tuple[Path, Path], tmp_path: Path) -> None:
    _, row = files
    (tmp_path / "big.toml").write_text('variant = "big"\n[model]\nencoder = "big"\n')
    both = tmp_path / "both.toml"
    both.write_text('base = ["base.toml", "big.toml"]\n')
    assert configs.base_of(both) is None, "several are no one file to build on"
    for settings in (["name=text"], ["name=run"]):
        config = configs.load(row, base=both, set_values=settings)
        path = tmp_path / "best.toml"
        path.write_text(row_toml(config, path, base=both, root=configs.root_folder(config.data, row.parent)))
        assert configs.load(path).fingerprint == config.fingerprint
        assert configs.load(path).name == f"{settings[0][5:]}-big"
        assert configs.load(path).identity == config.identity
        assert config.identity.variant == "big"
