"""Finding what an ONNX file keeps elsewhere, in whatever corner of the graph it hides."""

from __future__ import annotations

import contextlib

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from mner.runtime.onnx_external import external_tensors


def tensor(*, outside: bool) -> TensorProto:
    proto = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    if outside:
        proto.ClearField("float_data")
        proto.data_location = TensorProto.EXTERNAL
        entry = proto.external_data.add()
        entry.key, entry.value = "location", "secret.bin"
    return proto


def graph(*nodes: onnx.NodeProto, initializers: tuple[TensorProto, ...] = ()) -> onnx.GraphProto:
    return helper.make_graph(list(nodes), "g", [], [], list(initializers))


def hidden(where: str) -> onnx.ModelProto:
    """A model with one external tensor in the named place, and a plain one beside it."""
    bad = tensor(outside=True)
    constant = helper.make_node("Constant", [], ["c"], value=bad)
    if where == "initializer":
        return helper.make_model(graph(initializers=(tensor(outside=False), bad)))
    if where == "attribute":
        return helper.make_model(graph(constant))
    if where == "branch":
        return helper.make_model(graph(helper.make_node("If", ["x"], ["y"], then_branch=graph(constant))))
    if where == "function":
        proto = helper.make_model(graph())
        proto.functions.append(helper.make_function("d", "f", [], ["c"], [constant], [helper.make_opsetid("", 17)]))
        return proto
    if where == "training":
        proto = helper.make_model(graph())
        proto.training_info.add().algorithm.CopyFrom(graph(initializers=(bad,)))
        return proto
    sparse = onnx.SparseTensorProto()
    sparse.values.CopyFrom(bad)
    proto = helper.make_model(graph())
    proto.graph.sparse_initializer.append(sparse)
    return proto


@pytest.mark.parametrize("where", ["initializer", "attribute", "branch", "function", "training", "sparse"])
def test_tensor_outside_is_found_wherever_it_hides(where: str) -> None:
    assert external_tensors(hidden(where).SerializeToString()) == 1


def test_plain_model_has_none() -> None:
    assert external_tensors(helper.make_model(graph(initializers=(tensor(outside=False),))).SerializeToString()) == 0


def test_graphs_without_end_are_refused() -> None:
    content = b""
    for _ in range(200):  # graph { node { attribute { g
        for field in (6, 5, 1):
            content = bytes([field << 3 | 2]) + length(content) + content
    with pytest.raises(ValueError, match="without end"):
        external_tensors(bytes([7 << 3 | 2]) + length(content) + content)


def length(content: bytes) -> bytes:
    number, cuts = len(content), []
    while number >= 0x80:
        cuts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*cuts, number])


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert external_tensors(content) >= 0


def test_cut_file_is_refused() -> None:
    content = hidden("initializer").SerializeToString()
    refused = 0
    for end in range(1, len(content)):
        try:
            external_tensors(content[:end])
        except ValueError:
            refused += 1
    assert refused > len(content) / 2
