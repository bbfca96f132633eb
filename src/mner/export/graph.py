"""A model in torch -> one ONNX graph from sub-token ids to label scores."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from mner.errors import MissingExtraError, ModelError
from mner.models import Model
from mner.types import ViewName
from mner.views import Array, Batch

OPSET = 17
"""The oldest set of operators that has LayerNormalization as one."""

LARGEST = 2_000_000_000
"""Bytes of weights that fit one ONNX file: protobuf ends at two gigabytes."""

WORD = "word"
"""The axis that an array of words shares with the label scores."""

AXES: Mapping[str, Mapping[int, str]] = {
    **{name: {0: "window", 1: "token"} for name in ("input_ids", "attention_mask", "shapes")},
    **{name: {0: "post", 1: "word"} for name in ("word_index", "emissions")},
    "window_post": {0: "window"},
}


class _Scores(nn.Module):
    """The label scores of a model as a function of arrays by position."""

    def __init__(self, model: nn.Module, names: Sequence[str], view: ViewName) -> None:
        super().__init__()
        self.model = model
        self.names = names
        self.view = view

    def forward(self, *arrays: Tensor) -> Tensor:
        """Label scores (post, word, label)."""
        batch = {self.view: dict(zip(self.names, arrays, strict=True))}
        return cast(Model, self.model).emissions(batch, self.view)


def write_graph(model: nn.Module, path: Path, arrays: Sequence[Array] = ()) -> None:
    """Write a loaded model, from the arrays of a batch to ``emissions``, as one ONNX file in fp32.

    Inputs are those that the scores depend on. Windows, tokens, posts and words may be of any number, and so may the
    named axes of the declared ``arrays``. One graph serves both views: in the T view the arrays of pictures are masked.
    The graph is traced: what it computes does not depend on the arrays that it was traced with.

    Raises:
        ModelError: It is too large for one file.
        MissingExtraError: The onnx package is not installed.
    """
    onnx = onnx_package()
    size = sum(value.numel() * 4 for value in model.parameters())
    if size > LARGEST:
        raise ModelError(
            f"its weights are {size / 1e9:.1f} GB in fp32, and one ONNX file holds {LARGEST / 1e9:.0f} GB; "
            "models of this size run in torch"
        )
    views = cast(Model, model).views
    example = {name: torch.from_numpy(array) for name, array in _example(arrays).named().items() if name != "lengths"}
    names = list(example)
    with _plain_attention(model), warnings.catch_warnings():
        # It recommends its successor, which needs another package, and lists the Python values that become constants.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Scores(model, names, "I+T" if "I+T" in views else views[0]).eval(),
            tuple(example.values()),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=["emissions"],
            dynamic_axes={**AXES, **{name: axes for array in arrays for name, axes in _axes(array)}},
        )
    graph = onnx.load(path)
    used = {name for node in graph.graph.node for name in node.input}
    inputs = [value for value in graph.graph.input if value.name in used]
    del graph.graph.input[:]
    graph.graph.input.extend(inputs)
    onnx.save(graph, path)


def _example(arrays: Sequence[Array]) -> Batch:
    """A batch in which no two numbers of windows, tokens, posts and words are equal, and some tokens are padding."""
    mask = np.ones((3, 7), np.int64)
    mask[1, 5:] = 0
    index = np.array([[1, 2, -1, 3, 4], [8, 9, 10, -1, -1]])
    filled = [
        [
            np.ones([axis if isinstance(axis, int) else words if axis == WORD else size for axis in array.axes[1:]])
            for size, words in ((6, 5), (4, 3))
        ]
        for array in arrays
    ]
    padded = [array.padded(both) for array, both in zip(arrays, filled, strict=True)]
    named = {name: values for both in padded for name, values in both.items()}
    return Batch(mask, mask, mask, index, np.array([5, 3]), np.array([0, 0, 1]), arrays=named)


def _axes(array: Array) -> Iterator[tuple[str, dict[int, str]]]:
    """The axes of any size of a declared array and of its mask."""
    free = {
        place: axis if axis == WORD else f"{array.name}_{axis}"
        for place, axis in enumerate(array.axes)
        if isinstance(axis, str)
    }
    free[0] = "post"
    yield array.name, free
    if array.mask is not None:
        yield array.mask, {place: axis for place, axis in free.items() if place < 2}


def onnx_package() -> ModuleType:
    """The onnx package.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingExtraError('exporting needs the onnx package: pip install "mner[export]"') from error
    return onnx


@contextmanager
def _plain_attention(model: nn.Module) -> Iterator[None]:
    """Attention written as matrix products and a softmax: the shorter graph, as fast in onnxruntime."""
    encoders = [cast(Any, module) for module in model.modules() if hasattr(module, "set_attn_implementation")]
    before = [encoder.config._attn_implementation for encoder in encoders]
    for encoder in encoders:
        encoder.set_attn_implementation("eager")
    try:
        yield
    finally:
        for encoder, implementation in zip(encoders, before, strict=True):
            encoder.set_attn_implementation(implementation)
