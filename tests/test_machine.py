"""What is read of the processor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mner import machine


@pytest.fixture
def cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "CPUINFO", file)
    machine.processor.cache_clear()
    yield file
    machine.processor.cache_clear()


@pytest.mark.parametrize(
    ("flags", "bf16", "slow"),
    [
        ("fpu avx2", False, True),
        ("fpu avx2 avx512f avx512_vnni avx512_bf16", True, False),
        ("avx2 avx_vnni", False, False),
        ("sse2", False, False),  # nothing known of its products
    ],
)
def test_processor_flags_decide_precision(cpu: Path, flags: str, bf16: bool, slow: bool) -> None:
    cpu.write_text(f"processor\t: 0\nmodel name\t: Old Iron\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t: other\n")
    assert machine.processor() == ("Old Iron", tuple(flag for flag in machine.CPU_FLAGS if flag in flags.split()))
    assert (machine.has_bf16(), machine.lacks_int8()) == (bf16, slow)


def test_processor_of_a_system_without_cpuinfo_has_no_flags(cpu: Path) -> None:
    assert machine.processor()[1] == ()
    assert not machine.lacks_int8()
