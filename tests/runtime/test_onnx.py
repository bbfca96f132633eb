"""The runtime of the core install: right, without torch, and clear about files that do not fit."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mner import data
from mner.errors import ConfigError, ModelError
from mner.export import export
from mner.runtime import SavedModel, _chosen, open_model, read_model
from mner.runtime.onnx import OnnxRuntime, chosen
from mner.runtime.saved import seal
from mner.views import Batch

Change = Callable[[Path], None]


@pytest.fixture(scope="module")
def folder(tiny_model: Path, posts_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("onnx") / "model"
    return export(tiny_model, int8=True, out=out, posts=list(data.read(posts_file)), threads=1).folder


@pytest.fixture
def changed(folder: Path, tmp_path: Path) -> Callable[[Change], SavedModel]:
    """The fp32 model with its graph changed and sealed again, as somebody could hand it over."""

    def make(change: Change) -> SavedModel:
        saved = read_model(folder)
        copy = tmp_path / "model"
        copy.mkdir()
        for path in folder.iterdir():
            if path.is_file() and path.name != "model.int8.onnx":
                (copy / path.name).write_bytes(path.read_bytes())
        change(copy / "model.onnx")
        about = {name: value for name, value in saved.manifest.items() if name not in ("format", "mner", "files")}
        seal(copy, about)
        return read_model(copy)

    return make


def batch(words: int = 4) -> Batch:
    ids = np.concatenate([[2], np.arange(5, 5 + words), [3]])[None].astype(np.int64)
    return Batch(
        ids,
        np.ones_like(ids),
        np.ones_like(ids),
        np.arange(1, words + 1)[None],
        np.array([words]),
        np.array([0]),
    )


@pytest.fixture(autouse=True)
def fast_int8(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor has int8 instructions, whichever this one is."""
    monkeypatch.setattr("mner.runtime.onnx.lacks_int8", lambda: False)


def test_int8_is_taken_first(folder: Path) -> None:
    saved = read_model(folder)
    assert [chosen(saved, choice) for choice in ("auto", "fp32", "int8")] == ["int8", "fp32", "int8"]
    runtime = open_model(saved, threads=1)
    assert isinstance(runtime, OnnxRuntime)
    assert runtime.precision == "int8"
    assert open_model(saved, precision="fp32").emissions(batch(), "T").dtype == np.float32
    (only,) = [choice for choice in folder.parent.iterdir() if choice.name == "model"]
    assert only == folder


def test_processor_without_int8_instructions_takes_fp32_and_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = read_model(folder)
    usual = open_model(saved, threads=1)
    monkeypatch.setattr("mner.runtime.onnx.lacks_int8", lambda: True)
    instead, requested = open_model(saved, threads=1), open_model(saved, precision="int8", threads=1)
    assert usual.note == ""
    assert isinstance(instead, OnnxRuntime) and isinstance(requested, OnnxRuntime)
    assert (instead.precision, requested.precision) == ("fp32", "int8")
    assert "model.onnx is taken instead of model.int8.onnx" in instead.note
    assert "slower" in requested.note
    np.testing.assert_array_equal(requested.emissions(batch(), "T"), usual.emissions(batch(), "T"))


def test_precisions_give_near_scores(folder: Path) -> None:
    saved = read_model(folder)
    fp32, int8 = (open_model(saved, precision=choice, threads=1).emissions(batch(), "T") for choice in ("fp32", "int8"))
    assert fp32.shape == int8.shape == (1, 4, len(saved.labels))
    assert 0 < np.abs(fp32 - int8).max() < 0.1 * np.abs(fp32).max()


def resident() -> int:
    """MiB of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="this system does not say what memory is taken")
def test_memory_of_a_large_batch_goes_back(folder: Path) -> None:
    runtime = open_model(read_model(folder), precision="fp32", threads=1)
    small = runtime.emissions(batch(), "T")
    before = resident()
    ids = np.full((64, 512), 7, np.int64)
    ones = np.ones_like(ids)
    runtime.emissions(Batch(ids, ones, ones, np.arange(4)[None], np.array([4]), np.zeros(64, np.int64)), "T")
    grown = resident() - before
    assert grown > 100
    runtime.release()
    assert resident() - before < grown / 2
    np.testing.assert_array_equal(runtime.emissions(batch(), "T"), small)


def test_absent_precision_says_what_to_type(changed: Callable[[Change], SavedModel]) -> None:
    saved = changed(lambda path: None)
    assert chosen(saved) == "fp32"
    with pytest.raises(ModelError, match=r"no model\.int8\.onnx .*it holds fp32.*mner export .* --int8"):
        open_model(saved, precision="int8")


def test_runtime_imports_neither_torch_nor_transformers(folder: Path) -> None:
    code = (
        "import sys, json\n"
        "import numpy as np\n"
        "from mner.runtime import open_model, read_model, predict\n"
        "from mner.decode import Decoder\n"
        "from mner.views import Views\n"
        "from mner import encoders\n"
        f"saved = read_model({str(folder)!r})\n"
        "runtime = open_model(saved, threads=1)\n"
        "views = Views(encoders.of_model(saved.folder, saved.manifest['encoder']), saved.config.context)\n"
        "found = predict.spans(runtime, views.encode_many([['Kevin', 'Love']]), Decoder(saved.labels, runtime.chain))\n"
        "assert len(found) == 1\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "onnxruntime" in loaded
    assert not loaded & {"torch", "transformers", "accelerate", "onnx", "scipy"}


def test_threads_share_one_session(folder: Path) -> None:
    runtime = open_model(read_model(folder), threads=1)
    expected = [runtime.emissions(batch(words), "T") for words in range(1, 9)]
    results: list[np.ndarray | None] = [None] * 8

    def score(number: int) -> None:
        for _ in range(10):
            results[number] = runtime.emissions(batch(number + 1), "T")

    workers = [threading.Thread(target=score, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for choice, other in zip(results, expected, strict=True):
        assert choice is not None
        np.testing.assert_array_equal(choice, other)


def test_scores_do_not_depend_on_threads(folder: Path) -> None:
    saved = read_model(folder)
    choice, two = (open_model(saved, threads=count).emissions(batch(20), "T") for count in (1, 2))
    np.testing.assert_allclose(choice, two, rtol=0, atol=1e-6)


def test_changed_file_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        if path.is_file():
            (copy / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ModelError, match=r"encoder/.* is missing"):
        read_model(copy)


@pytest.mark.parametrize("share", [0, 10, 0.5, 0.999])
def test_truncated_file_is_refused(share: float, changed: Callable[[Change], SavedModel]) -> None:
    def cut(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: int(share if share >= 1 else share * len(content))])

    with pytest.raises(ModelError, match=r"model\.onnx: (damaged|onnxruntime .* cannot load it)"):
        open_model(changed(cut))


def test_tensors_in_other_files_are_refused(
    changed: Callable[[Change], SavedModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.bin").write_bytes(bytes(16))

    def point_outside(path: Path) -> None:
        model = onnx.load(path)
        model.graph.initializer.append(TensorProto(name="w", data_type=1, dims=[4], data_location=1))
        for key, value in (("location", "secret.bin"), ("offset", "0"), ("length", "16")):
            model.graph.initializer[-1].external_data.add(key=key, value=value)
        path.write_bytes(model.SerializeToString())

    with pytest.raises(ModelError, match="1 of its tensors lie in other files"):
        open_model(changed(point_outside))


def graph(outputs: int, *, name: str = "emissions", source: str = "word_index") -> Change:
    """Replaces the graph by one that gives ``outputs`` zeros for each word."""

    def change(path: Path) -> None:
        nodes = [
            helper.make_node("Cast", [source], ["words"], to=1),
            helper.make_node("Unsqueeze", ["words", "axis"], ["column"]),
            helper.make_node("MatMul", ["column", "zeros"], [name]),
        ]
        proto = helper.make_graph(
            nodes,
            "g",
            [helper.make_tensor_value_info(source, TensorProto.INT64, ["post", "word"])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["post", "word", "label"])],
            [
                numpy_helper.from_array(np.array([2]), "axis"),
                numpy_helper.from_array(np.zeros((1, outputs), np.float32), "zeros"),
            ],
        )
        model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        path.write_bytes(model.SerializeToString())

    return change


def test_other_number_of_labels_is_refused(changed: Callable[[Change], SavedModel]) -> None:
    with pytest.raises(ModelError, match=r"shape \(1, 3, 5\) for 3 words, but model.json lists 17 labels"):
        open_model(changed(graph(5)))


@pytest.mark.parametrize(("name", "source"), [("logits", "word_index"), ("emissions", "pixels")])
def test_graph_of_something_else_is_refused(name: str, source: str, changed: Callable[[Change], SavedModel]) -> None:
    with pytest.raises(ModelError, match=f"takes {source} and gives {name}; expected some of input_ids"):
        open_model(changed(graph(17, name=name, source=source)))


def test_scores_come_from_the_graph_not_the_encoder(folder: Path) -> None:
    saved = read_model(folder)
    with pytest.raises(ModelError, match=r"no .* in this model"):
        open_model(replace(saved, folder=saved.folder / "encoder"), backend="onnx")


def endless(path: Path) -> None:
    """Write a graph that loops for ever."""
    kind = TensorProto
    body = helper.make_graph(
        [helper.make_node("Identity", ["again"], ["more"]), helper.make_node("Identity", ["x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("turn", kind.INT64, []),
            helper.make_tensor_value_info("again", kind.BOOL, []),
            helper.make_tensor_value_info("x", kind.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("more", kind.BOOL, []),
            helper.make_tensor_value_info("y", kind.FLOAT, None),
        ],
    )
    yes = helper.make_tensor("yes", kind.BOOL, [], [True])
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["floats"], to=kind.FLOAT),
        helper.make_node("Constant", [], ["yes"], value=yes),
        helper.make_node("Loop", ["", "yes", "floats"], ["emissions"], body=body),
    ]
    inputs = [helper.make_tensor_value_info("input_ids", kind.INT64, [None, None])]
    outputs = [helper.make_tensor_value_info("emissions", kind.FLOAT, None)]
    proto = helper.make_graph(nodes, "endless", inputs, outputs)
    onnx.save(helper.make_model(proto, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def test_graph_without_an_end_is_refused(
    changed: Callable[[Change], SavedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mner.runtime.onnx.FIRST_RUN", 0.5)
    with pytest.raises(ModelError, match=r"model\.onnx: did not end within 0\.5 seconds"):
        open_model(changed(endless))
    assert not [thread for thread in threading.enumerate() if thread.name == "mner-first-run"], "nothing runs on"


def test_graph_whose_scores_are_no_numbers_is_refused(changed: Callable[[Change], SavedModel]) -> None:
    def spoil(path: Path) -> None:
        proto = onnx.load(path)
        for tensor in proto.graph.initializer:
            if tensor.data_type == onnx.TensorProto.FLOAT:
                values = np.full(numpy_helper.to_array(tensor).shape, np.nan, np.float32)
                tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
        onnx.save(proto, path)

    with pytest.raises(ModelError, match="gives scores that are not numbers"):
        open_model(changed(spoil))


def test_int8_runs_on_the_cpu_beside_a_gpu(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = read_model(folder)
    files = {**saved.manifest["files"], "model.int8.onnx": "0"}
    both = replace(saved, manifest={**saved.manifest, "files": files})
    monkeypatch.setattr("mner.runtime._has_gpu", lambda: True)
    assert [_chosen(both, "auto", precision, "auto") for precision in ("auto", "int8")] == ["torch", "onnx"]
    with pytest.raises(ModelError, match="torch computes in fp32"):
        _chosen(both, "auto", "int8", "cuda")


def test_onnx_runs_on_the_cpu_and_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = read_model(folder)
    for device in ("cpu", "auto"):
        assert isinstance(open_model(saved, device=device), OnnxRuntime)
    with pytest.raises(ModelError, match='its ONNX file runs on the CPU, not on "cuda"; take backend="torch"'):
        open_model(saved, backend="onnx", device="cuda")
    with pytest.raises(ConfigError, match='device "cuda:77": not on this machine'):
        open_model(saved, device="cuda:77")
    with pytest.raises(ConfigError, match='device: expected "auto"'):
        open_model(saved, device="banana")
    alone = {name: digest for name, digest in saved.manifest["files"].items() if not name.startswith("encoder/")}
    with pytest.raises(ModelError, match="it holds no weights for torch"):
        open_model(replace(saved, manifest={**saved.manifest, "files": alone}), device="cuda")
