"""Sessions of onnxruntime: no telemetry, no file outside mner's cache, and children that are forked still predict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from mner import sessions
from mner.errors import ModelError

TAG_A_PICTURE = """
import sys
import mner
from PIL import Image, ImageDraw

picture = Image.new("RGB", (400, 200), "white")
ImageDraw.Draw(picture).text((20, 60), "BOSTON", fill="black", font_size=60)
prediction = mner.load(sys.argv[1], threads=1)("Kevin Love is back in Cleveland", image=picture)
assert prediction.image_status == "used", prediction
modules = {name.partition(".")[0] for name in sys.modules}
assert {"cv2", "onnxruntime"} <= modules
assert ("torch" in modules) is ("transformers" in modules)
"""

FORK = """
import os, signal, sys, threading
from pathlib import Path
import numpy as np
from mner.sessions import Session

path, ending = Path(sys.argv[1]), sys.argv[2]
session = Session(path, threads=2, remedy="")
x = np.ones((400, 400), np.float32)
(before,) = session.run(None, {"x": x})
child = os.fork()
if child == 0:
    signal.alarm(30)  # a child that waits for threads it does not have ends by this signal
    if ending == "replaced":
        path.write_bytes(path.read_bytes() + b"\\0")
        try:
            session.run(None, {"x": x})
        except Exception as error:
            sys.exit(0 if "changed since it was opened" in str(error) else 3)
        sys.exit(4)
    if ending != "unused":
        assert np.array_equal(session.run(None, {"x": x})[0], before)
        assert session.get_inputs()[0].name == "x"
    if ending == "deleted":
        del session
    sys.exit(0)
assert np.array_equal(session.run(None, {"x": x})[0], before)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

OPEN = """
import re, sys
from pathlib import Path
from mner.sessions import Session, onnxruntime

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

onnxruntime()
before = resident()
session = Session(Path(sys.argv[1]), threads=2, remedy="")
opened = resident()
half = session.half()
print(opened - before, resident() - opened)
"""


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A product large enough for several threads."""
    shape = [400, 400]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)]
    nodes = [helper.make_node("MatMul", ["x", "x"], ["y"])]
    model = helper.make_model(
        helper.make_graph(nodes, "product", inputs, outputs), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    path = tmp_path / "product.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("ready", [True, False], ids=["onnx", "torch"])
def test_prediction_writes_nothing_outside_the_cache(ready: bool, tiny_model: Path, tmp_path: Path) -> None:
    """With every reader of the core install; the environment is a plain one, so that nothing is off by chance."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    environment = {name: value for name, value in os.environ.items() if name in {"PATH", "PYTHONPATH"}}
    environment |= {"HOME": str(home), "TMPDIR": str(work), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", TAG_A_PICTURE, "social-en" if ready else str(tiny_model)],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {name.rpartition("/")[0] for name in written} == {"home/.cache/mner"}


def test_users_own_choice_of_telemetry_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sessions.TELEMETRY, "0")
    sessions.onnxruntime()
    assert os.environ[sessions.TELEMETRY] == "0"
    monkeypatch.delenv(sessions.TELEMETRY)
    sessions.onnxruntime()
    assert os.environ[sessions.TELEMETRY] == "1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("ending", ["used", "unused", "deleted", "replaced"])
def test_forked_child_opens_its_own_session_and_ends(ending: str, graph: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FORK, str(graph), ending], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_faulty_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("not a network")
    with pytest.raises(ModelError, match=r"text\.onnx: onnxruntime .* cannot load it: .*; copy it again$"):
        sessions.Session(path, remedy="copy it again")


def test_session_names_its_arrays(graph: Path) -> None:
    session = sessions.Session(graph, threads=1, remedy="")
    assert [array.name for array in (*session.get_inputs(), *session.get_outputs())] == ["x", "y"]
    (product,) = session.run(["y"], {"x": np.eye(400, dtype=np.float32)})
    np.testing.assert_array_equal(product, np.eye(400))


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")
def test_session_takes_the_memory_of_its_weights_once(tmp_path: Path) -> None:
    weights = [numpy_helper.from_array(np.full((1024, 1024), at, np.float32), f"w{at}") for at in range(16)]
    nodes = [helper.make_node("MatMul", [f"x{at}", f"w{at}"], [f"x{at + 1}"]) for at in range(16)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1024]) for name in ("x0", "x16")]
    graph = helper.make_graph(nodes, "large", ends[:1], ends[1:], weights)
    path = tmp_path / "large.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    done = subprocess.run([sys.executable, "-c", OPEN, str(path)], capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    whole, half = (int(size) / path.stat().st_size for size in done.stdout.split())
    assert whole < 1.5
    assert half < 1.5


def test_half_has_half_of_the_threads_and_the_same_file(graph: Path) -> None:
    whole = sessions.Session(graph, threads=4, remedy="")
    half = whole.half()
    assert half is not None and half is whole.half()
    assert half._session.get_session_options().intra_op_num_threads == 2
    assert [array.name for array in half.get_inputs()] == [array.name for array in whole.get_inputs()]
    assert sessions.Session(graph, threads=1, remedy="").half() is None


def test_there_is_no_half_of_a_file_that_has_changed(graph: Path) -> None:
    whole = sessions.Session(graph, threads=4, remedy="")
    graph.write_bytes(b"another")
    assert whole.half() is None
