"""SAVED MODEL -> LABEL SCORES, by onnxruntime or torch, behind one small protocol."""

from __future__ import annotations

from typing import Literal, Protocol, get_args

import numpy as np

from mner.config.names import device_name
from mner.decode import Chain
from mner.errors import ConfigError, MissingExtraError, ModelError
from mner.runtime.onnx import FILES, OnnxRuntime, Precision
from mner.runtime.saved import SavedModel, read_model
from mner.types import ViewName
from mner.views import Array, Batch

__all__ = ["Backend", "Precision", "Runtime", "SavedModel", "on_cpu", "open_model", "read_model"]

Backend = Literal["auto", "torch", "onnx"]


class Runtime(Protocol):
    """A loaded model: arrays of one view in, label scores out."""

    labels: tuple[str, ...]
    pad_id: int
    arrays: tuple[Array, ...]  # what the model reads of a picture besides text
    note: str  # what a user should know of how it runs here; "" if nothing

    @property
    def tokens_per_batch(self) -> int:
        """The padded sub-tokens of one forward pass that take it the least time each."""
        ...

    @property
    def chain(self) -> Chain:
        """The transition, start and end scores that go with the label scores."""
        ...

    def emissions(self, batch: Batch, view: ViewName) -> np.ndarray:
        """Label scores (post, word, label) in float32 of posts in one view; rows past a post's length are undefined.

        The scores of a word depend on nothing but the window that it takes its vector from, unless the model declares
        arrays of the words: it may read from word to word, and then gets all windows of a post at once.
        """
        ...

    def half(self, tokens: int) -> Runtime | None:
        """The same for two passes beside each other, each on half of the threads; None where that gains nothing.

        Args:
            tokens: Sub-tokens that there are to read.
        """
        ...

    def release(self) -> None:
        """Give memory that large batches took, and that later ones may not need, back to the system."""
        ...


def open_model(
    saved: SavedModel,
    *,
    backend: Backend = "auto",
    precision: Precision = "auto",
    threads: int = 0,
    device: str = "cpu",
) -> Runtime:
    """The runtime of a saved model (``read_model`` reads its directory).

    Args:
        saved: A saved model.
        backend: "auto" takes ONNX where the directory holds it, else torch.
        precision: Of ONNX: "auto" takes int8 where the directory holds it and the CPU has instructions for it, else
            fp32. Torch computes in fp32.
        threads: Threads for one batch; 0 takes all cores.
        device: "cpu", "cuda", "cuda:1" (or another number) or "mps", or "auto": a GPU if there is one and the model
            can run there. ONNX runs on the CPU, so a GPU takes torch.

    Raises:
        ModelError: The model lacks what the backend or the device needs.
        ConfigError: No backend, precision or device is called so, or this machine does not have the device.
        MissingExtraError: The model needs torch, which is not installed.
    """
    backend = _chosen(saved, backend, precision, device)
    if backend == "onnx":
        return OnnxRuntime.load(saved, precision=precision, threads=threads)
    try:
        from mner.runtime.torch import TorchRuntime
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f'{saved.folder}: this model runs in torch, and {error.name} is not installed: pip install "mner[train]"'
        ) from error
    return TorchRuntime.load(saved, threads=threads, device=device)


def on_cpu(backend: Backend, device: str) -> bool:
    """Whether a model that runs both ways would run on the CPU in onnxruntime: its export serves as well."""
    if backend == "torch":
        return False
    return device == "cpu" or (device == "auto" and (backend == "onnx" or not _has_gpu()))


def _chosen(saved: SavedModel, backend: Backend, precision: Precision, device: str) -> Backend:
    """The backend that runs a model on a device."""
    try:
        device_name(device)
    except ValueError as error:
        raise ConfigError(f"device: {error}") from None
    for name, value, known in (
        ("backend", backend, get_args(Backend)),
        ("precision", precision, get_args(Precision)),
    ):
        if value not in known:
            raise ConfigError(f'{name}: expected {", ".join(known)}, found "{value}"')
    weights = all(map(saved.holds, saved.needs.encoders))
    if backend == "auto":
        gpu = device not in ("auto", "cpu") or (device == "auto" and weights and _has_gpu())
        gpu = gpu and not (precision == "int8" and device == "auto" and saved.holds(FILES["int8"]))  # which is CPU's
        backend = "onnx" if any(map(saved.holds, FILES.values())) and not (gpu and weights) else "torch"
    if backend == "onnx" and device not in ("auto", "cpu"):
        remedy = 'take backend="torch"' if weights else "it holds no weights for torch, so leave the device out"
        raise ModelError(f'{saved.folder}: its ONNX file runs on the CPU, not on "{device}"; {remedy}')
    if backend == "torch" and precision == "int8":
        raise ModelError(
            f"{saved.folder}: torch computes in fp32, and int8 needs {FILES['int8']}; leave the precision out, or take "
            "an export: mner export MODEL --int8"
        )
    return backend


def _has_gpu() -> bool:
    try:
        from mner.runtime.device import devices
    except ModuleNotFoundError:  # the core install has no torch
        return False
    return len(devices()) > 1
