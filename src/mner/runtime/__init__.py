"""SAVED MODEL -> LABEL SCORES, by onnxruntime or torch, behind one small protocol."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

from mner.decode import Chain
from mner.errors import MissingExtraError
from mner.runtime.onnx import FILES, OnnxRuntime, Precision
from mner.runtime.saved import SavedModel, read_model
from mner.types import ViewName
from mner.views import Array, Batch

__all__ = ["Backend", "Precision", "Runtime", "SavedModel", "open_model", "read_model"]

Backend = Literal["auto", "torch", "onnx"]


class Runtime(Protocol):
    """A loaded model: arrays of one view in, label scores out."""

    labels: tuple[str, ...]
    pad_id: int
    arrays: tuple[Array, ...]  # what the model reads of a picture besides text
    note: str  # what a user should know of how it runs here; "" if nothing

    @property
    def chain(self) -> Chain:
        """The transition, start and end scores that go with the label scores."""
        ...

    def emissions(self, batch: Batch, view: ViewName) -> np.ndarray:
        """Label scores (post, word, label) in float32 of posts in one view; rows past a post's length are undefined.

        The scores of a word depend on nothing but the window that it takes its vector from.
        """
        ...

    def release(self) -> None:
        """Give memory that large batches took, and that later ones may not need, back to the system."""
        ...


def open_model(
    saved: SavedModel, *, backend: Backend = "auto", precision: Precision = "auto", threads: int = 0
) -> Runtime:
    """The runtime of a saved model (``read_model`` reads its directory).

    Args:
        saved: A saved model.
        backend: "auto" takes ONNX where the directory holds it, else torch.
        precision: Of ONNX: "auto" takes int8 where the directory holds it and the CPU has instructions for it, else
            fp32. Torch computes in fp32.
        threads: Threads for one batch; 0 takes all cores.

    Raises:
        ModelError: The model lacks what the backend needs.
        MissingExtraError: The model needs torch, which is not installed.
    """
    if backend == "auto":
        backend = "onnx" if any(map(saved.holds, FILES.values())) else "torch"
    if backend == "onnx":
        return OnnxRuntime.load(saved, precision=precision, threads=threads)
    try:
        from mner.runtime.torch import TorchRuntime
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f'{saved.folder}: this model runs in torch, and {error.name} is not installed: pip install "mner[train]"'
        ) from error
    return TorchRuntime.load(saved, threads=threads)
