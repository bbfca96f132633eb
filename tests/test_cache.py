"""The cache's place follows the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from mner.cache import cache_folder, first_time


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNER_CACHE", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert cache_folder() == Path("/a")
    monkeypatch.delenv("MNER_CACHE")
    assert cache_folder() == Path("/b/mner")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/x")
    assert cache_folder() == Path("/home/x/.cache/mner")


def test_note_is_given_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))
    assert [first_time(note) for note in ("slow here", "slow here", "other", "slow here")] == [True, False, True, False]
    (tmp_path / "file").touch()
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "file" / "cache"))
    assert first_time("slow here") and first_time("slow here"), "a cache that cannot be written stops nothing"
