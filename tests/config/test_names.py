"""Names of folders and devices that a setting may hold."""

from __future__ import annotations

import pytest

from mner.config.names import device_name, file_name


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a\\b", "a\nb", "\x1b[2J", "é" * 101])
def test_name_that_no_folder_should_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected the name of a folder"):
        file_name(name)


def test_name_of_200_bytes_is_kept() -> None:
    assert file_name("é" * 100) == "é" * 100


def test_device_is_one_that_torch_knows() -> None:
    assert [device_name(name) for name in ("auto", "cpu", "cuda:1")] == ["auto", "cpu", "cuda:1"]
    for name in ("gpu", "cuda:", "cuda:1x", "CPU"):
        with pytest.raises(ValueError, match='expected "auto", "cpu"'):
            device_name(name)
