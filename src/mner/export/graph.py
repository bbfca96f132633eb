"""A model in torch -> one ONNX graph from sub-token ids to label scores."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import torch
from torch import Tensor, nn

from mner.errors import MissingExtraError, ModelError
from mner.models import Model
from mner.runtime.onnx import ARRAYS

OPSET = 17
"""The oldest set of operators that has LayerNormalization as one."""

LARGEST = 2_000_000_000
"""Bytes of weights that fit one ONNX file: protobuf ends at two gigabytes."""

AXES = {name: {0: "window", 1: "token"} for name in ARRAYS} | {
    "word_index": {0: "post", 1: "word"},
    "emissions": {0: "post", 1: "word"},
}


class _Scores(nn.Module):
    """The label scores of a model as a function of arrays by position."""

    def __init__(self, model: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *arrays: Tensor) -> Tensor:
        """Label scores (post, word, label)."""
        return cast(Model, self.model).emissions({"T": dict(zip(self.names, arrays, strict=True))}, "T")


def write_graph(model: nn.Module, path: Path) -> None:
    """Write a model's way from ``input_ids`` to ``emissions`` as one ONNX file, in fp32.

    Inputs are those of ``runtime.onnx.ARRAYS`` that the scores depend on; windows, tokens, posts and words may be
    of any number. The graph is traced: what it computes does not depend on the arrays that it was traced with.

    Args:
        model: A loaded model, in evaluation mode.
        path: The file to write.

    Raises:
        ModelError: The model's scores need arrays that are no sub-tokens, or it is too large for one file.
        MissingExtraError: The onnx package is not installed.
    """
    onnx = onnx_package()
    names = tuple(name for name in cast(Model, model).inputs if name != "lengths")
    foreign = sorted(set(names) - set(ARRAYS))
    if foreign:
        raise ModelError(f"this model scores {', '.join(foreign)} besides sub-tokens; it has no ONNX form")
    size = sum(value.numel() * 4 for value in model.parameters())
    if size > LARGEST:
        raise ModelError(
            f"its weights are {size / 1e9:.1f} GB in fp32, and one ONNX file holds {LARGEST / 1e9:.0f} GB; "
            "models of this size run in torch"
        )
    # No two numbers of windows, tokens, posts and words are equal here, and some tokens are padding.
    mask = torch.ones(3, 7, dtype=torch.int64)
    mask[1, 5:] = 0
    example = {"input_ids": mask, "attention_mask": mask, "shapes": mask}
    example["word_index"] = torch.tensor([[1, 2, -1, 3, 4], [8, 9, 10, -1, -1]])
    with _plain_attention(model), warnings.catch_warnings():
        # It names its successor, which wants a further package, and the Python values that it takes as constants.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Scores(model, names).eval(),
            tuple(example[name] for name in names),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(names),
            output_names=["emissions"],
            dynamic_axes={name: AXES[name] for name in (*names, "emissions")},
        )
    graph = onnx.load(path)
    used = {name for node in graph.graph.node for name in node.input}
    kept = [one for one in graph.graph.input if one.name in used]
    del graph.graph.input[:]
    graph.graph.input.extend(kept)
    onnx.save(graph, path)


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
    encoders = [cast(Any, one) for one in model.modules() if hasattr(one, "set_attn_implementation")]
    before = [one.config._attn_implementation for one in encoders]
    for one in encoders:
        one.set_attn_implementation("eager")
    try:
        yield
    finally:
        for one, chosen in zip(encoders, before, strict=True):
            one.set_attn_implementation(chosen)
