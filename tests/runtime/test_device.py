"""Names of devices: those of this machine, or an error that says what there is."""

from __future__ import annotations

import pytest

from mner.errors import ConfigError
from mner.runtime.device import find_device


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two GPUs, the second one current."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.current_device", lambda: 1)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)


@pytest.mark.parametrize(
    ("name", "device"), [("auto", "cuda:0"), ("cuda", "cuda:1"), ("cuda:0", "cuda:0"), ("cpu", "cpu")]
)
def test_name_is_a_device_of_this_machine(gpus: None, name: str, device: str) -> None:
    assert str(find_device(name)) == device


def test_auto_is_the_cpu_where_there_is_nothing_else(cpu: None) -> None:
    assert str(find_device("auto")) == "cpu"


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_absent_device_is_an_error_that_says_what_there_is(cpu: None, name: str) -> None:
    with pytest.raises(ConfigError, match=f'device "{name}": not on this machine, which has cpu'):
        find_device(name)


def test_absent_gpu_is_an_error_that_says_which_there_are(gpus: None) -> None:
    with pytest.raises(ConfigError, match="not on this machine, which has cpu, cuda:0, cuda:1"):
        find_device("cuda:2")


@pytest.mark.parametrize("name", ["banana", "", "gpu"])
def test_word_that_is_no_device_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match='device: expected "auto"'):
        find_device(name)
