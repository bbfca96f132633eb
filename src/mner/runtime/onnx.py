"""A saved model in onnxruntime: needs neither torch nor transformers."""

from __future__ import annotations

from copy import copy
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from mner.decode import Chain
from mner.errors import ModelError
from mner.machine import lacks_int8, processor
from mner.runtime.onnx_external import external_tensors
from mner.runtime.saved import SavedModel
from mner.sessions import Session, first_line
from mner.types import ViewName
from mner.views import Batch

Precision = Literal["auto", "fp32", "int8"]

FILES: dict[str, str] = {"fp32": "model.onnx", "int8": "model.int8.onnx"}
"""The file of each precision in a model directory."""

FIRST_RUN = 30.0
"""Most seconds of a model's first run, on one post of three words; a graph that takes longer has no end."""

_OUTPUT = "emissions"


LEAST_FOR_TWO = 128
"""Sub-tokens of a call from which on two passes of one thread each take less time than one pass of two threads."""

WORTH_OPENING = 4096
"""Sub-tokens to read in two passes before the second session is opened, which takes as long as some 1,500 of them."""


class OnnxRuntime:
    """Label scores of a model in onnxruntime, in the ``precision`` "fp32" or "int8"; several threads may call it."""

    tokens_per_batch = 512
    """As many as keep a core busy while what passes between the layers fits its cache: with 1,024, int8 takes 1.04
    times (one core) to 1.14 times (two) as long, with 8,192 1.6 times."""

    def __init__(self, session: Session, saved: SavedModel, precision: str) -> None:
        self.labels = saved.labels
        self.pad_id = saved.pad_id
        self.arrays = saved.needs.arrays
        self.precision = precision
        self.note = _note(saved, precision)
        self._chain = saved.chain
        self._shared = 0
        self._session = session
        self._where = saved.folder / FILES[precision]
        self._inputs = [array.name for array in session.get_inputs()]

    @classmethod
    def load(cls, saved: SavedModel, *, precision: Precision = "auto", threads: int = 0) -> OnnxRuntime:
        """The runtime of a saved model; see ``open_model``.

        Raises:
            ModelError: There is no such file, it is damaged, refers to other files, or does not fit the model.
        """
        name = chosen(saved, precision)
        where = saved.folder / FILES[name]
        session = open_session(where, threads=threads)
        runtime = cls(session, saved, name)
        runtime._check(str(where))
        return runtime

    @property
    def chain(self) -> Chain:
        """The transition, start and end scores of the CRF."""
        return self._chain

    def emissions(self, batch: Batch, view: ViewName) -> np.ndarray:
        """Label scores (post, word, label) in float32; the graph serves both views, whose arrays differ."""
        try:
            return self._run(batch)
        except ModelError:
            raise
        except Exception as error:  # onnxruntime's exceptions have no common class but this one
            raise ModelError(f"{self._where}: fails on these posts: {first_line(error)}") from error

    def half(self, tokens: int) -> OnnxRuntime | None:
        """The same for two passes beside each other, each on half of the threads.

        None where there is one thread, where ``tokens`` are too few to share, and until so many have been read that
        opening the second session pays.
        """
        if tokens < LEAST_FOR_TWO:
            return None
        self._shared += tokens
        session = self._session.half() if self._shared >= WORTH_OPENING else None
        if session is None:
            return None
        beside = copy(self)
        beside._session = session
        return beside

    def release(self) -> None:
        """Give memory that large batches took back to the system."""
        self._run(self._small(), release=True)

    def _run(self, batch: Batch, *, release: bool = False, limit: float | None = None) -> np.ndarray:
        arrays = batch.named()
        feed = {name: arrays[name] for name in self._inputs}
        scores: np.ndarray = self._session.run([_OUTPUT], feed, release=release, limit=limit)[0]
        return scores

    def _small(self) -> Batch:
        """One post of three words, without a picture."""
        two = np.ones((1, 2), np.int64)
        words = {"characters": np.full((3, 1), 97), "pieces": np.array([1, 0, 1])}
        arrays = {
            name: values
            for array in self.arrays
            for name, values in array.padded([words[array.name] if array.of == "words" else None]).items()
        }
        return Batch(two, two, two, np.array([[1, -1, 0]]), np.array([3]), np.array([0]), arrays=arrays)

    def _check(self, where: str) -> None:
        """Refuse a graph of other arrays or another number of labels; the first run also readies its memory."""
        outputs = [array.name for array in self._session.get_outputs()]
        known = [name for name in self._small().named() if name != "lengths"]
        foreign = sorted(set(self._inputs) - set(known))
        if foreign or _OUTPUT not in outputs:
            raise ModelError(
                f"{where}: not a graph of mner: it takes {', '.join(self._inputs)} and gives {', '.join(outputs)}; "
                f"expected some of {', '.join(known)} and {_OUTPUT}. Export the model again: mner export"
            )
        try:
            scores = self._run(self._small(), limit=FIRST_RUN)
        except ModelError:
            raise
        except Exception as error:  # onnxruntime's exceptions have no common class but this one
            raise ModelError(f"{where}: fails on a batch of one post: {first_line(error)}") from error
        shape = np.shape(scores)
        if shape != (1, 3, len(self.labels)):
            raise ModelError(
                f"{where}: gives scores of shape {shape} for 3 words, but model.json lists {len(self.labels)} labels: "
                f"expected {(1, 3, len(self.labels))}. Export the model again: mner export"
            )
        if scores.dtype.kind != "f" or not np.isfinite(scores).all():
            raise ModelError(f"{where}: gives scores that are not numbers. Export the model again: mner export")


def chosen(saved: SavedModel, precision: Precision = "auto") -> str:
    """The precision that is loaded: "int8" or "fp32".

    Raises:
        ModelError: The directory has no such file.
    """
    there = [name for name, file in FILES.items() if saved.holds(file)]
    wanted = ("fp32", "int8") if lacks_int8() else ("int8", "fp32")
    name = next((kind for kind in wanted if kind in there), wanted[0]) if precision == "auto" else precision
    if name not in there:
        flag = "--int8" if name == "int8" else "--onnx"
        raise ModelError(
            f"{saved.folder}: no {FILES[name]} in this model (it holds {', '.join(there) or 'no ONNX file'}); "
            f"write one: mner export {saved.folder} {flag}"
        )
    return name


def _note(saved: SavedModel, precision: str) -> str:
    """What to say of a CPU that multiplies int8 numbers slowly: scores are the same everywhere, time is not."""
    if not lacks_int8() or not saved.holds(FILES["int8"]):
        return ""
    lack = f"{processor()[0]} has no int8 instructions (VNNI)"
    if precision == "int8":
        return f"{lack}: {FILES['int8']} runs there with the same scores, but slower than on other processors"
    return f"{lack}: {FILES['fp32']} is taken instead of {FILES['int8']}"


def open_session(path: Path, *, threads: int = 0) -> Session:
    """An inference session of an ONNX file on the CPU; ``threads`` 0 takes all cores.

    Raises:
        ModelError: The file is missing or damaged, or keeps tensors in other files.
    """
    return Session(path, partial(_check_whole, path), threads=threads, remedy="copy or export the model again")


def _check_whole(path: Path) -> None:
    """Refuse an ONNX file that is not whole in itself."""
    try:
        outside = external_tensors(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{path}: damaged, or no ONNX file ({error}); copy or export the model again") from None
    if outside:
        raise ModelError(
            f"{path}: {outside} of its tensors lie in other files, which mner does not open; "
            "save it as one file: onnx.save_model(model, path, save_as_external_data=False)"
        )
