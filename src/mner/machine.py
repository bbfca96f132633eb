"""What the machine is: its CPU and the instruction sets that decide how fast this kind of work runs."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

CPU_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd", "bf16")
"""The instruction sets that decide how fast this kind of work runs."""

CPUINFO = Path("/proc/cpuinfo")


@cache
def machine() -> dict[str, Any]:
    """CPU model, the flags that matter, cores, memory in GiB, operating system of the machine."""
    model, flags = processor()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": model,
        "flags": list(flags),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": platform.platform(terse=True),
    }


@cache
def processor() -> tuple[str, tuple[str, ...]]:
    """The CPU's model and which of ``CPU_FLAGS`` it has; no flags where the system does not list them."""
    model, flags = platform.processor() or platform.machine(), set[str]()
    with suppress(OSError):  # not Linux: the model's name must do
        for line in CPUINFO.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                model = value.strip()
            elif name.strip() in {"flags", "Features"}:
                flags = set(value.split())
                break
    return model, tuple(flag for flag in CPU_FLAGS if flag in flags)


def has_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 matrices in hardware; elsewhere bf16 is slower than fp32."""
    return bool({"avx512_bf16", "amx_bf16"} & set(processor()[1]))


def lacks_int8() -> bool:
    """Whether the CPU is known to be without instructions for products of int8 numbers: int8 is slow on it."""
    flags = set(processor()[1])
    return bool(flags & {"avx2", "avx512f"}) and not flags & {"avx512_vnni", "avx_vnni", "amx_int8"}
