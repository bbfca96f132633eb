"""The packaged int8 model beside the CPU's peak: billions of operations a second, and what other forms would reach."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import int8_forms as forms
import numpy as np
import onnx
from onnx import helper, numpy_helper
from posts import training_posts
from record import Cell, Table, arguments, write

import mner
from mner import encoders
from mner.decode import Decoder
from mner.evaluation.views import decoder_of
from mner.runtime import SavedModel, predict, read_model
from mner.runtime.onnx import FILES, OnnxRuntime, open_session
from mner.sessions import onnxruntime
from mner.views import Batch, Encoded, Views, batches_by_tokens, collate

ABOUT = """Operations are those of the encoder's products with weights, two for each weight and sub-token, padding left
out; attention's own products, in fp32, are not among them. The peak is what plain products (MatMulInteger) of the same
shapes, over the same padded batches, reach on the same core, written over and over into the same memory. Forms hold
the same weights in other operations of onnxruntime; of these, `mner export` writes the one with Gemm, which gives
the same numbers. Entities are those of the T view. Everything takes turns, on one core; what counts is the CPU time of
the quickest repetition."""

PACKAGED = "as packaged"
PEAK = "plain products"
WHOLE = "whole prediction"
BUDGETS = (256, 1024, 2048)
Batches = list[Batch]


def shapes_of(graph: onnx.ModelProto) -> Counter[tuple[int, int]]:
    """Rows and columns of the int8 weights that a sub-token is multiplied with, and how many there are of each."""
    values = {tensor.name: tensor for tensor in graph.graph.initializer}
    products = [node for node in graph.graph.node if node.op_type == "MatMulIntegerToFloat"]
    return Counter((int(rows), int(columns)) for rows, columns in (values[node.input[1]].dims for node in products))


def plain_product(rows: int, columns: int, tokens: Sequence[int], threads: int) -> list[Callable[[], object]]:
    """One product of int8 numbers for each number of sub-tokens, ready to be run."""
    random = np.random.default_rng(rows)
    weights = numpy_helper.from_array(random.integers(-63, 64, (rows, columns)).astype(np.int8), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", onnx.TensorProto.UINT8, [None, rows])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.INT32, [None, columns])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    module = onnxruntime()
    options = module.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = module.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    runs: list[Callable[[], object]] = []
    result = np.empty((max(tokens), columns), np.int32)
    for count in tokens:
        bound = session.io_binding()
        bound.bind_cpu_input("x", random.integers(0, 256, (count, rows)).astype(np.uint8))
        bound.bind_ortvalue_output("y", module.OrtValue.ortvalue_from_numpy(result[:count]))
        runs.append(partial(session.run_with_iobinding, bound))
    return runs


def extremes(runtime: OnnxRuntime, batches: Batches) -> dict[str, tuple[float, float]]:
    """The least and the largest activation of each input of a product, zero among them."""
    ranges: dict[str, tuple[float, float]] = {}
    names = [array.name for array in runtime._session.get_outputs() if array.name != "emissions"]
    for batch in batches:
        arrays = batch.named()
        feed = {name: arrays[name] for name in runtime._inputs}
        for name, values in zip(names, runtime._session.run(names, feed), strict=True):
            x = name.rpartition(":")[0]
            least, most = ranges.get(x, (0.0, 0.0))
            ranges[x] = (min(least, float(values.min())), max(most, float(values.max())))
    return ranges


def runtimes(
    saved: SavedModel, graph: onnx.ModelProto, folder: Path, batches: Batches, threads: int
) -> dict[str, OnnxRuntime]:
    """The packaged graph and its other forms, each opened."""

    def opened(model: onnx.ModelProto) -> OnnxRuntime:
        path = folder / f"{len(list(folder.iterdir()))}.onnx"
        onnx.save(model, path)
        return OnnxRuntime(open_session(path, threads=threads), saved, "int8")

    ranges = extremes(opened(forms.with_rows_out(graph)), batches)
    return {
        PACKAGED: opened(graph),
        "shift of each row within its product (Gemm)": opened(forms.one_pass(graph)),
        "sum and layer norm in one (SkipLayerNormalization)": opened(forms.one_norm(graph)),
        "attention in one (MultiHeadAttention)": opened(forms.one_attention(graph)),
        "one zero point, scales of each row": opened(forms.middle(graph)),
        "dynamic: one scale a batch (DynamicQuantizeMatMul)": opened(forms.per_tensor(graph)),
        "static: one scale for ever (QOperator)": opened(forms.fixed(graph, ranges)),
    }


def collated(encoded: Sequence[Encoded], tokens: int, pad_id: int) -> Batches:
    """Batches of at most so many padded sub-tokens, as prediction makes them."""
    return [collate([encoded[post] for post in group], pad_id=pad_id) for group in batches_by_tokens(encoded, tokens)]


def differing(runtime: OnnxRuntime, encoded: Sequence[Encoded], decoder: Decoder, before: list[set[object]]) -> int:
    """Posts in which a form finds other entities than the packaged graph."""
    after = [{entity.span for entity in entities} for entities in predict.spans(runtime, encoded, decoder)]
    return sum(old != new for old, new in zip(before, after, strict=True))


def cpu_seconds(works: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, list[float]]:
    """CPU seconds of each repetition of works that take turns, after one unmeasured call of each."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(repetitions + 1):
        for name, work in works.items():
            started = time.process_time()
            work()
            if number:
                seconds[name].append(time.process_time() - started)
    return seconds


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=128, help="posts of one repetition")
    options = arguments(parser, argv)
    options.threads = 1
    saved = read_model(Path(mner.__file__).parent / "ready")
    graph = onnx.load(saved.folder / FILES["int8"])
    posts, corpus = training_posts(options.posts)
    views = Views.of(encoders.of_model(saved.folder, saved.manifest["encoder"]), saved.config)
    encoded = views.encode_many([post.words for post in posts])
    decoder = decoder_of(saved.config, saved.labels, saved.chain)
    batches = collated(encoded, OnnxRuntime.tokens_per_batch, views.pad_id)
    shapes, sizes = shapes_of(graph), [batch.input_ids.size for batch in batches]
    tokens, padded = sum(post.tokens for post in encoded), sum(sizes)
    each = 2 * sum(rows * columns * count for (rows, columns), count in shapes.items()) / 1e9
    products = {shape: plain_product(*shape, sizes, options.threads) for shape in shapes}

    def plain() -> None:
        for shape, count in shapes.items():
            for run in products[shape] * count:
                run()

    def forward(runtime: OnnxRuntime, chosen: Batches) -> None:
        for batch in chosen:
            runtime.emissions(batch, "T")

    def one_shape(shape: tuple[int, int]) -> None:
        for run in products[shape]:
            run()

    tagger = mner.load(threads=options.threads, use_images=False)
    with tempfile.TemporaryDirectory() as folder:
        by_form = runtimes(saved, graph, Path(folder), batches, options.threads)
        packaged = by_form[PACKAGED]
        works: dict[str, Callable[[], object]] = {PEAK: plain, WHOLE: lambda: list(tagger.pipe(posts))}
        works |= {name: partial(forward, runtime, batches) for name, runtime in by_form.items()}
        budgets = {f"batches of {budget} sub-tokens": budget for budget in BUDGETS}
        works |= {
            name: partial(forward, packaged, collated(encoded, budget, views.pad_id))
            for name, budget in budgets.items()
        }
        works |= {f"{rows} x {columns}": partial(one_shape, (rows, columns)) for rows, columns in shapes}
        seconds = cpu_seconds(works, options.repetitions)
        before = [{entity.span for entity in entities} for entities in predict.spans(packaged, encoded, decoder)]
        others = {name: differing(runtime, encoded, decoder, before) for name, runtime in by_form.items()}
    least = {name: min(times) for name, times in seconds.items()}
    peak = each * padded / least[PEAK]
    shares = {name: each * tokens / least[name] / peak for name in (WHOLE, *by_form, *budgets)}
    shaped = Table("Plain products", ["rows x columns", "of them in a pass", "GOP/s"])
    for (rows, columns), count in shapes.items():
        name = f"{rows} x {columns}"
        shaped.rows.append([name, count, 2 * rows * columns * padded / 1e9 / least[name]])
    shaped.rows.append(["all of a pass", sum(shapes.values()), peak])
    reached = Table(
        "Share of the peak",
        ["what", "GOP/s", "share of the peak", "times as fast as packaged", "posts with other entities"],
        note=f"{len(posts)} posts of {tokens} sub-tokens, {padded} with padding, in batches of at most "
        f"{OnnxRuntime.tokens_per_batch}. Whole prediction: tokenising, offsets, decoding and probabilities too.",
    )
    for name, share in shares.items():
        row: list[Cell] = [name, share * peak, share, least[PACKAGED] / least[name], others.get(name)]
        reached.rows.append(row)
    write(
        "int8_peak",
        ABOUT,
        [shaped, reached],
        settings=argparse.Namespace(**vars(options), data=corpus),
        seconds=seconds,
        ratios={f"share of the peak, {name}": share for name, share in shares.items()},
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
