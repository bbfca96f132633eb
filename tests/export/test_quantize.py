"""int8: near to fp32, blind to batch-mates, and the same on every processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import helper, numpy_helper

from mner.export import Exported
from mner.export.quantize import column_scales, quantize
from mner.runtime import open_model, read_model
from mner.runtime.onnx import open_session
from mner.views import Encoded, collate


def linear(weights: np.ndarray, bias: np.ndarray, table: np.ndarray) -> onnx.ModelProto:
    """ids -> rows of a table -> product and bias -> a last product, which is the emission layer."""
    last = np.eye(weights.shape[1], dtype=np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "ids"], ["x"]),
            helper.make_node("MatMul", ["x", "weights"], ["y"]),
            helper.make_node("Add", ["bias", "y"], ["z"]),
            helper.make_node("MatMul", ["z", "last"], ["emissions"]),
        ],
        "linear",
        [helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, ["window", "token"])],
        [helper.make_tensor_value_info("emissions", onnx.TensorProto.FLOAT, ["window", "token", weights.shape[1]])],
        [
            numpy_helper.from_array(array, name)
            for name, array in (("table", table), ("weights", weights), ("bias", bias), ("last", last))
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def scores(model: onnx.ModelProto, ids: np.ndarray, folder: Path) -> np.ndarray:
    onnx.save(model, folder / "graph.onnx")
    computed: np.ndarray = open_session(folder / "graph.onnx", threads=1).run(None, {"ids": ids})[0]
    return computed


@pytest.mark.parametrize("rows", ["mixed", "positive", "negative", "zero"])
def test_product_is_near_for_rows_of_every_sign(rows: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(48, 24)).astype(np.float32)
    bias = random.normal(size=24).astype(np.float32)
    table = random.normal(size=(50, 48)).astype(np.float32) * np.exp(random.normal(size=(50, 1))).astype(np.float32)
    table = {"mixed": table, "positive": abs(table) + 1, "negative": -abs(table) - 1, "zero": table * 0}[rows]
    ids = random.integers(0, 50, (4, 7))
    model = linear(weights, bias, table)
    exact = scores(model, ids, tmp_path)
    assert quantize(model, table_rows=40) == {"products": 1, "tables": 1}
    computed = scores(model, ids, tmp_path)
    spread = np.abs(table[ids]).max(-1, keepdims=True) * np.sqrt(48)
    assert np.abs(computed - exact).max() <= 0.03 * max(float(spread.max()), 1e-6)
    if rows == "zero":
        np.testing.assert_allclose(computed, np.broadcast_to(bias, computed.shape), atol=1e-5)


def test_small_tables_and_last_product_stay_in_fp32(tmp_path: Path) -> None:
    model = linear(np.eye(8, dtype=np.float32), np.zeros(8, np.float32), np.eye(8, dtype=np.float32))
    assert quantize(model) == {"products": 1, "tables": 0}
    types = {single.name: single.data_type for single in model.graph.initializer}
    assert types["table"] == types["last"] == onnx.TensorProto.FLOAT
    assert types["weights:weights"] == onnx.TensorProto.INT8
    assert "weights" not in types


@given(
    arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=st.floats(-100, 100, width=32)),
)
def test_no_processor_cuts_off_a_sum_of_two_products(weights: np.ndarray) -> None:
    fixed = np.rint(weights / column_scales(weights)).astype(np.int64)
    assert np.abs(fixed).max() <= 127
    whole = np.zeros((len(fixed) + len(fixed) % 2, fixed.shape[1]), np.int64)
    whole[: len(fixed)] = fixed
    pairs = whole.reshape(-1, 2, fixed.shape[1])
    assert (255 * np.maximum(pairs, 0).sum(1)).max() < 2**15
    assert (255 * np.minimum(pairs, 0).sum(1)).min() >= -(2**15)


def test_post_scores_the_same_alone_and_among_64(exported: Exported) -> None:
    runtime = open_model(read_model(exported.folder), backend="onnx", precision="int8", threads=1)
    random = np.random.default_rng(5)

    def post(words: int) -> Encoded:
        ids = np.concatenate([[2], random.integers(5, 60, words), [3]]).astype(np.int32)
        first = np.stack([np.zeros(words, int), np.arange(words) + 1], 1)
        return Encoded(words, (ids,), (random.integers(0, 9, words + 2).astype(np.int8),), first)

    for own, others in ((1, 30), (5, 12), (20, 150), (33, 40), (3, 3)):
        single = post(own)
        alone = runtime.emissions(collate([single], pad_id=0), "T")[0, :own]
        mates: list[Any] = [post(int(random.integers(1, others + 1))) for _ in range(63)]
        among = runtime.emissions(collate([*mates[:20], single, *mates[20:]], pad_id=0), "T")[20, :own]
        np.testing.assert_allclose(among, alone, rtol=0, atol=1e-6)


def test_quantized_graph_covers_every_layer(exported: Exported) -> None:
    manifest = read_model(exported.folder).manifest["onnx"]["model.int8.onnx"]
    assert manifest["products"] == 2 * 6  # query, key, value, output, two of the feed-forward, in two layers
    graph = onnx.load(exported.folder / "model.int8.onnx").graph
    assert sum(node.op_type == "MatMulIntegerToFloat" for node in graph.node) == 12
