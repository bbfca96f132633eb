"""Packaged ONNX files and the sessions that run them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from mner.errors import ModelError

ASSETS = Path(str(files("mner.vision.assets")))


def open_session(path: Path, *, threads: int = 0) -> Any:
    """An onnxruntime session on the CPU.

    Args:
        path: The ONNX file.
        threads: Most threads of one run; 0: all cores.

    Raises:
        ModelError: The file is missing or damaged.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that spin while they wait take the cores from the other sessions of the same process.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own for each fault, all of them undocumented
        raise ModelError(f"{path}: cannot be loaded ({error}); install mner again") from error
