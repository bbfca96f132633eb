"""An ONNX graph in fp32 -> the same graph with int8 weights, whose scores do not depend on a post's batch-mates.

Every row of activations (one sub-token) has a scale and a zero point of its own, taken from that row alone, so a
post scores the same whatever stands beside it. Weights have a scale for each output column. With x the row,
s its scale, z its zero point, q its bytes, and W = t Q the weights:

    x W  =  s t (q Q)  -  s z t (1 Q)        q Q is exact in int32; the second product is known but for s z

Products of two neighbours must not exceed 16 bits: processors without dot-product instructions add them there
and would cut the sum off. Scales are therefore a little larger than they could be (see ``column_scales``), and
all processors give the same scores. Word embeddings are stored in int8 with a scale for each row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

MICROSOFT = "com.microsoft"
FLOAT = 1  # the data type of an onnx tensor
TABLE_ROWS = 1000
"""A table of embeddings with at least this many rows is stored in int8; smaller ones weigh little."""


def quantize(model: ModelProto, *, table_rows: int = TABLE_ROWS, untouched: float = 0.0) -> dict[str, int]:
    """Change a graph in place; the number of ``products`` and ``tables`` that became int8.

    A product is a MatMul with constant weights. The last one is the emission layer, which stays in fp32: its
    scores are the result, and it weighs nothing.

    ``untouched`` is the share of the products that stay in fp32, the first ones, whose errors would pass through all
    others; ``table_rows`` the least number of rows of a table that is stored in int8.
    """
    from onnx import helper, numpy_helper

    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    matrices = {name: tensor for name, tensor in weights.items() if len(tensor.dims) == 2 and tensor.data_type == FLOAT}
    fixed = {name: numpy_helper.to_array(tensor) for name, tensor in matrices.items()}
    products = [node for node in graph.node if node.op_type == "MatMul" and node.input[1] in fixed][:-1]
    products = products[round(untouched * len(products)) :]
    tables = [
        node
        for node in graph.node
        if node.op_type == "Gather" and node.input[0] in fixed and len(fixed[node.input[0]]) >= table_rows
    ]
    writer = _Writer(graph.node)
    chosen = {id(node) for node in (*products, *tables)}
    biases = _biases(graph.node, products, weights)
    absorbed = {id(add) for add, _ in biases.values()}
    for node in graph.node:
        if id(node) in absorbed:
            continue
        if id(node) not in chosen:
            writer.nodes.append(node)
        elif node.op_type == "Gather":
            writer.look_up(node, fixed[node.input[0]])
        else:
            add, bias = biases.get(id(node), (None, None))
            result = node.output[0] if add is None else add.output[0]
            writer.product(node, fixed[node.input[1]], bias, result)
    nodes = [type(node).FromString(node.SerializeToString()) for node in writer.nodes]
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in graph.node for name in node.input}
    constants = [tensor for tensor in graph.initializer if tensor.name in used]
    constants += [numpy_helper.from_array(array, name) for name, array in writer.constants.items() if name in used]
    del graph.initializer[:]
    graph.initializer.extend(constants)
    if all(operators.domain != MICROSOFT for operators in model.opset_import):
        model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    return {"products": len(products), "tables": len(tables)}


SMALLEST = 1e-30
"""Largest weight of a column, or of a row of a table, that counts as zero."""


def column_scales(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The scale (column,) of each output of weights (row, column).

    The largest weight becomes at most 127, and so does the sum of any two neighbours of one sign that a 16-bit
    product adds (rows 0 and 1, 2 and 3, ...): 255 x 128 + rounding stays below 2 ** 15.

    >>> column_scales(np.array([[127.0, 127.0], [0.0, 127.0]], np.float32)).tolist()
    [1.0, 2.0]
    """
    rows, columns = weights.shape
    pairs = np.zeros((rows + rows % 2, columns), np.float32)
    pairs[:rows] = weights
    pairs = pairs.reshape(-1, 2, columns)
    sums = np.maximum(np.maximum(pairs, 0).sum(1), np.maximum(-pairs, 0).sum(1)).max(0)
    # A column too small for a scale of its own in float32 becomes zeros.
    scales: NDArray[np.float32] = (np.where(sums > SMALLEST, sums, 1) / 127).astype(np.float32)
    return scales


def _biases(
    nodes: Iterable[NodeProto], products: Iterable[NodeProto], weights: dict[str, Any]
) -> dict[int, tuple[NodeProto, NDArray[np.float32]]]:
    """The Add of constants that is the only reader of a product, and the constants, by the product's id."""
    from onnx import numpy_helper

    readers: dict[str, list[NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    biases = {}
    for product in products:
        name = product.output[0]
        after = readers.get(name, [])
        if len(after) == 1 and after[0].op_type == "Add":
            other = next((source for source in after[0].input if source != name), "")
            if other in weights and list(weights[other].dims) == [weights[product.input[1]].dims[1]]:
                biases[id(product)] = (after[0], numpy_helper.to_array(weights[other]))
    return biases


class _Writer:
    """The nodes of the new graph in order, and its new constants by name."""

    def __init__(self, nodes: Iterable[NodeProto]) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, np.ndarray] = {
            "int8:zero": np.array(0, np.float32),
            "int8:one": np.array(1, np.float32),
            "int8:least": np.array(1e-9, np.float32),  # scale of a row of zeros
            "int8:step": np.array(1 / 255, np.float32),
            "int8:column": np.array([-1, 1]),
        }
        self._rows: set[str] = set()

    def product(self, node: NodeProto, weights: np.ndarray, bias: np.ndarray | None, result: str) -> None:
        """A product with constant weights (row, column) and, if there is one, the bias after it."""
        rows, columns = weights.shape
        x, w, y = node.input[0], node.input[1], node.output[0]
        if x not in self._rows:
            self._rows.add(x)
            self._quantize_rows(x, rows)
        scales = column_scales(weights)
        fixed = np.rint(weights / scales).astype(np.int8)
        sums = fixed.sum(0, dtype=np.int64).astype(np.float32) * scales
        self.constants[f"{w}:weights"] = fixed
        self.constants[f"{w}:scales"] = scales
        self.constants[f"{y}:rest"] = np.stack([-sums, np.zeros(columns, np.float32) if bias is None else bias])
        self.constants[f"{y}:columns"] = np.array([columns])
        self._add(
            "MatMulIntegerToFloat",
            [f"{x}:bytes", f"{w}:weights", "int8:one", f"{w}:scales"],
            f"{y}:raw",
            domain=MICROSOFT,
        )
        self._add("Mul", [f"{y}:raw", f"{x}:scale"], f"{y}:scaled")
        self._add("Gemm", [f"{x}:shift", f"{y}:rest", f"{y}:scaled"], f"{y}:flat")
        self._add("Concat", [f"{x}:outer", f"{y}:columns"], f"{y}:shape", axis=0)
        self._add("Reshape", [f"{y}:flat", f"{y}:shape"], result)

    def look_up(self, node: NodeProto, table: np.ndarray) -> None:
        """The rows of a table that some ids name."""
        w, ids, y = node.input[0], node.input[1], node.output[0]
        largest = np.abs(table).max(1, keepdims=True)
        scales = (np.where(largest > SMALLEST, largest, 1) / 127).astype(np.float32)
        self.constants[f"{w}:table"] = np.rint(table / scales).astype(np.int8)
        self.constants[f"{w}:scales"] = scales
        self._add("Gather", [f"{w}:table", ids], f"{y}:found-bytes")
        self._add("Cast", [f"{y}:found-bytes"], f"{y}:found", to=1)
        self._add("Gather", [f"{w}:scales", ids], f"{y}:found-scale")
        self._add("Mul", [f"{y}:found", f"{y}:found-scale"], y)

    def _quantize_rows(self, x: str, width: int) -> None:
        """Bytes (row, width), scale (row, 1) and shift (row, 2) = (scale x zero point, 1) of activations."""
        self.constants[f"{x}:width"] = np.array([-1, width])
        self._add("Shape", [x], f"{x}:outer", start=0, end=-1)
        self._add("Reshape", [x, f"{x}:width"], f"{x}:rows")
        self._add("ReduceMax", [f"{x}:rows"], f"{x}:largest", axes=[1], keepdims=0)
        self._add("ReduceMin", [f"{x}:rows"], f"{x}:smallest", axes=[1], keepdims=0)
        # Zero must lie within the range, else the zero point leaves the bytes.
        self._add("Max", [f"{x}:largest", "int8:zero"], f"{x}:top")
        self._add("Min", [f"{x}:smallest", "int8:zero"], f"{x}:bottom")
        self._add("Sub", [f"{x}:top", f"{x}:bottom"], f"{x}:range")
        self._add("Mul", [f"{x}:range", "int8:step"], f"{x}:exact")
        self._add("Max", [f"{x}:exact", "int8:least"], f"{x}:row-scale")
        self._add("Neg", [f"{x}:bottom"], f"{x}:depth")
        self._add("Div", [f"{x}:depth", f"{x}:row-scale"], f"{x}:place")
        self._add("Round", [f"{x}:place"], f"{x}:point")
        self._add("Cast", [f"{x}:point"], f"{x}:zero-point", to=2)  # UINT8
        self._add("QuantizeLinear", [f"{x}:rows", f"{x}:row-scale", f"{x}:zero-point"], f"{x}:bytes", axis=0)
        self._add("Reshape", [f"{x}:row-scale", "int8:column"], f"{x}:scale")
        self._add("Mul", [f"{x}:point", f"{x}:row-scale"], f"{x}:offset")
        self._add("Reshape", [f"{x}:offset", "int8:column"], f"{x}:offsets")
        self._add("Mul", [f"{x}:scale", "int8:zero"], f"{x}:nothing")
        self._add("Add", [f"{x}:nothing", "int8:one"], f"{x}:ones")
        self._add("Concat", [f"{x}:offsets", f"{x}:ones"], f"{x}:shift", axis=1)

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
