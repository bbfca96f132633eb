"""Published weights are read from safetensors alone; the line shown for a pickle converts it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file

from mner.encoders._weights import conversion, read_weights
from mner.errors import ModelError


def test_pickle_is_refused_with_the_line_that_converts_it(tmp_path: Path) -> None:
    tied = torch.nn.Parameter(torch.ones(2, 2))
    torch.save({"model": {"module.a": tied, "module.b": tied}, "iteration": 3}, tmp_path / "vinvl_vg_x152c4.pth")
    with pytest.raises(ModelError, match=r"(?s)is a pickle, which mner does not read.*weights_only=True") as error:
        read_weights(tmp_path, published="nowhere")
    line = str(error.value).splitlines()[1]
    assert line == conversion(tmp_path / "vinvl_vg_x152c4.pth", tmp_path / "model.safetensors")
    subprocess.run(line.replace("python", shlex.quote(sys.executable), 1), shell=True, check=True)
    assert load_file(tmp_path / "model.safetensors").keys() == {"module.a", "module.b"}
    assert read_weights(tmp_path, published="nowhere").keys() == {"a", "b"}


def test_type_that_numpy_lacks_is_named(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"model\.safetensors: .*bfloat16.*; save its arrays in single precision"):
        read_weights(tmp_path, published="nowhere")
