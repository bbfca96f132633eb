"""An exported graph -> the weights in it, by the names they have in torch; those in int8 nearly as they were."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mner.errors import MissingExtraError, ModelError

_MODEL = "model."
_PRODUCTS = ("MatMul", "MatMulIntegerToFloat")
"""Operators of a linear layer, in fp32 and in int8; their second input holds the weights."""


def graph_weights(path: Path) -> Mapping[str, np.ndarray]:
    """The weights of a graph that ``mner export`` wrote, in float32, by parameter name.

    Named constants keep the parameter's name; a linear layer's weights are found by the place of its product in the
    model, transposed. A product in int8 stands as whole numbers with a scale for each column, a table of embeddings
    with one for each row, and the bias of such a product is the second row of what is added (``export.quantize``).

    Raises:
        ModelError: The file is no such graph.
        MissingExtraError: The onnx package is not installed.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f'{path}: to take weights from an ONNX file needs the onnx package: pip install "mner[export]"'
        ) from error
    try:
        graph = onnx.load_model_from_string(path.read_bytes()).graph
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    except Exception as error:  # protobuf's exceptions have no other class in common
        raise ModelError(f"{path}: damaged, or no ONNX file ({error}); copy or export the model again") from error
    for node in graph.node:  # of parameters that are alike the graph keeps one
        if node.op_type == "Identity" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]]
    named = {name.removeprefix(_MODEL): array for name, array in constants.items() if name.startswith(_MODEL)}
    weights = {name: array for name, array in named.items() if array.dtype == np.float32 and ":" not in name}
    for name, array in named.items():
        if name.endswith(":table"):
            weights[name.removesuffix(":table")] = array * named[name.removesuffix(":table") + ":scales"]
    for node in graph.node:
        if node.op_type not in _PRODUCTS or "/MatMul" not in node.name or node.name.endswith(":shifted"):
            continue
        layer = node.name[: node.name.rindex("/MatMul")].strip("/").replace("/", ".")
        name = node.input[1]
        if f"{name.removesuffix(':weights')}:scales" in constants:
            weights[f"{layer}.weight"] = (constants[name] * constants[f"{name.removesuffix(':weights')}:scales"]).T
            weights.setdefault(f"{layer}.bias", constants[f"{node.name.removesuffix(':raw')}:rest"][1])
        elif name in constants:
            weights[f"{layer}.weight"] = constants[name].T
    return {name: np.ascontiguousarray(array, np.float32) for name, array in weights.items()}
