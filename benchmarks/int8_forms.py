"""Other forms of an int8 graph of mner: the same weights in other operations of onnxruntime, to see what each costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

MICROSOFT = "com.microsoft"
MIDDLE = 128
"""The zero point of rows whose bytes lie around zero."""


def one_pass(model: onnx.ModelProto) -> onnx.ModelProto:
    """The shift of each row added by the product that computes it, in place of a sum after it."""
    form = _Form(model)
    for product in form.products():
        if f"{product}:shifted" in form.made:  # a graph of mner 0.1
            form.drop(f"{product}:shifted", f"{product}:flat")
            form.add("Gemm", [*form.made[f"{product}:shifted"].input, f"{product}:scaled"], f"{product}:flat")
    return form.written()


def one_attention(model: onnx.ModelProto) -> onnx.ModelProto:
    """The attention of each layer in one operation."""
    form = _Form(model)
    softmaxes = [node for node in form.made.values() if node.op_type == "Softmax"]
    for softmax in softmaxes:
        masked = form.made[softmax.input[0]]
        scores = form.made[form.made[masked.input[0]].input[0]]
        after = form.reader(softmax.output[0])
        sources = [form.made[source] for source in (*scores.input, after.input[1])]  # each a Transpose of a Reshape
        query, key, value = (form.made[source.input[0]].input[0] for source in sources)
        heads = form.heads(form.made[sources[0].input[0]])
        result = form.reader(form.reader(after.output[0]).output[0]).output[0]
        form.add(
            "MultiHeadAttention",
            [query, key, value, "", "", masked.input[1]],
            result,
            domain=MICROSOFT,
            num_heads=heads,
        )
    return form.written()


def one_norm(model: onnx.ModelProto) -> onnx.ModelProto:
    """A layer norm and the sum before it in one operation."""
    form = _Form(model)
    for norm in [node for node in form.made.values() if node.op_type == "LayerNormalization"]:
        total = form.made[norm.input[0]]
        if total.op_type == "Add" and all(source in form.made for source in total.input):
            epsilon = next(field.f for field in norm.attribute if field.name == "epsilon")
            inputs = [*total.input, *norm.input[1:]]
            form.add("SkipLayerNormalization", inputs, norm.output[0], domain=MICROSOFT, epsilon=epsilon)
    return form.written()


def middle(model: onnx.ModelProto) -> onnx.ModelProto:
    """One zero point for all rows; scales still of each row. What follows a product is its scale and its bias alone."""
    form = _Form(model)
    form.constant("int8:middle", np.array(MIDDLE, np.uint8))
    form.constant("int8:half", np.array(1 / 127, np.float32))
    for x in form.rows():
        form.drop(*(f"{x}:{part}" for part in ("range", "exact", "place", "point", "zero-point", "bytes", "shift")))
        form.drop(*(f"{x}:{part}" for part in ("offset", "offsets", "nothing", "ones", "top", "bottom", "depth")))
        form.add("Neg", [f"{x}:smallest"], f"{x}:depth")
        form.add("Max", [f"{x}:largest", f"{x}:depth", "int8:zero"], f"{x}:range")
        form.add("Mul", [f"{x}:range", "int8:half"], f"{x}:exact")
        form.add("Shape", [f"{x}:exact"], f"{x}:count")
        form.add("ConstantOfShape", [f"{x}:count"], f"{x}:zero-point", value=_single(np.uint8(MIDDLE)))
        form.add("QuantizeLinear", [f"{x}:rows", f"{x}:row-scale", f"{x}:zero-point"], f"{x}:bytes", axis=0)
    for product in form.products():
        result = form.result(product)
        form.drop(f"{product}:raw", f"{product}:shifted", f"{product}:flat", result)
        raw = form.made[f"{product}:raw"]
        form.add("MatMulIntegerToFloat", [*raw.input, "int8:middle"], f"{product}:raw", domain=MICROSOFT)
        form.constant(f"{product}:bias", form.values[f"{product}:rest"][1])
        form.add("Reshape", [f"{product}:scaled", f"{product}:shape"], f"{product}:shaped")
        form.add("Add", [f"{product}:shaped", f"{product}:bias"], result)
    return form.written()


def per_tensor(model: onnx.ModelProto) -> onnx.ModelProto:
    """One scale for all rows, found in each run (dynamic quantization): scores then depend on a post's batch-mates."""
    form = _Form(model)
    for product in form.products():
        result = form.result(product)
        raw = form.made[f"{product}:raw"]
        form.drop(*(f"{product}:{part}" for part in ("raw", "scaled", "shifted", "flat", "shape")), result)
        form.constant(f"{product}:bias", form.values[f"{product}:rest"][1])
        x, inputs = raw.input[0].removesuffix(":bytes"), [raw.input[1], raw.input[3], "", f"{product}:bias"]
        form.add("DynamicQuantizeMatMul", [x, *inputs], result, domain=MICROSOFT)
    return form.written()


def fixed(model: onnx.ModelProto, ranges: Mapping[str, tuple[float, float]]) -> onnx.ModelProto:
    """One scale for all rows, known before (static quantization, the operators of QOperator)."""
    form = _Form(model)
    for x in form.rows():
        least, most = ranges[x]
        scale = max((most - least) / 255, 1e-9)
        form.constant(f"{x}:fixed-scale", np.array(scale, np.float32))
        form.constant(f"{x}:fixed-point", np.array(round(-least / scale), np.uint8))
        form.drop(f"{x}:bytes")
        form.add("QuantizeLinear", [f"{x}:rows", f"{x}:fixed-scale", f"{x}:fixed-point"], f"{x}:bytes")
    for product in form.products():
        raw = form.made[f"{product}:raw"]
        x = raw.input[0].removesuffix(":bytes")
        form.drop(*(f"{product}:{part}" for part in ("raw", "scaled", "shifted", "flat")))
        form.constant(f"{product}:bias", form.values[f"{product}:rest"][1])
        inputs = [
            f"{x}:bytes",
            raw.input[1],
            f"{x}:fixed-scale",
            raw.input[3],
            f"{x}:fixed-point",
            "",
            f"{product}:bias",
        ]
        form.add("MatMulIntegerToFloat", inputs, f"{product}:flat", domain=MICROSOFT)
    return form.written()


def with_rows_out(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with the extremes of all activations that become bytes as further outputs."""
    form = _Form(model)
    for x in form.rows():
        for part in ("largest", "smallest"):
            form.model.graph.output.append(helper.make_tensor_value_info(f"{x}:{part}", onnx.TensorProto.FLOAT, None))
    return form.written()


class _Form:
    """A copy of a graph under change; nodes are put in order when it is written, and those without readers left out."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        self.made = {name: node for node in self.model.graph.node for name in node.output}
        self.values = {tensor.name: numpy_helper.to_array(tensor) for tensor in self.model.graph.initializer}
        self._nodes = dict(self.made)

    def products(self) -> list[str]:
        return [name.removesuffix(":raw") for name in self.made if name.endswith(":raw")]

    def rows(self) -> list[str]:
        return [name.removesuffix(":bytes") for name in self.made if name.endswith(":bytes")]

    def result(self, product: str) -> str:
        """The name under which a product's result is read by others."""
        return next(name for name, node in self.made.items() if node.input and node.input[0] == f"{product}:flat")

    def reader(self, name: str) -> onnx.NodeProto:
        """The first node that reads a result."""
        return next(node for node in self.made.values() if name in node.input)

    def heads(self, reshape: onnx.NodeProto) -> int:
        """The number of attention heads that a Reshape to (window, token, head, size) makes of a product's result."""
        product = self.made[reshape.input[0]].input[0].removesuffix(":flat")
        size = self.made[self.made[reshape.input[1]].input[3]]
        return int(self.values[f"{product}:columns"][0] // numpy_helper.to_array(size.attribute[0].t)[0])

    def constant(self, name: str, values: np.ndarray) -> None:
        self.model.graph.initializer.append(numpy_helper.from_array(values, name))

    def drop(self, *names: str) -> None:
        for name in names:
            self._nodes.pop(name, None)

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self._nodes[output] = helper.make_node(kind, inputs, [output], name=output, **attributes)

    def written(self) -> onnx.ModelProto:
        ordered: dict[str, onnx.NodeProto] = {}
        waiting = [(output.name, False) for output in reversed(self.model.graph.output)]
        while waiting:
            name, ready = waiting.pop()
            node = self._nodes.get(name)
            if node is None or name in ordered:
                continue
            if ready:
                ordered[name] = node
            else:
                waiting += [(name, True), *((source, False) for source in node.input)]
        nodes = list({id(node): node for node in ordered.values()}.values())
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
        read = {name for node in copies for name in node.input}
        constants = [
            onnx.TensorProto.FromString(tensor.SerializeToString())
            for tensor in self.model.graph.initializer
            if tensor.name in read
        ]
        del self.model.graph.node[:], self.model.graph.initializer[:]
        self.model.graph.node.extend(copies)
        self.model.graph.initializer.extend(constants)
        return self.model


def _single(value: Any) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array([value]))
