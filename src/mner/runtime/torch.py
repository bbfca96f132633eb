"""A saved model in torch: the runtime of training, of evaluation, and of models without an ONNX file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from mner import sessions
from mner.config import Config
from mner.decode import Chain
from mner.errors import ModelError
from mner.models import Model, build
from mner.models.parts.encoder import Arrays
from mner.runtime.saved import SavedModel, chain_of, write_model
from mner.types import ViewName
from mner.views import Batch

TRUNK = "tagger."
WORDS = "tagger.words"
ENCODER = "tagger.words.encoder."
PACKED = ("segments", "positions")


class TorchRuntime:
    """Label scores of a model in torch; dropout is off while it scores, as it was before afterwards."""

    note = ""

    def __init__(self, model: nn.Module, labels: Sequence[str], pad_id: int) -> None:
        self.model = model
        self.labels = tuple(labels)
        self.pad_id = pad_id
        sessions.forget_after_fork(self)

    def after_fork(self) -> None:
        """Score with one thread: a forked child would wait without end for those of its parent."""
        torch.set_num_threads(1)

    @classmethod
    def load(cls, saved: SavedModel, *, threads: int = 0) -> TorchRuntime:
        """The runtime of a saved model.

        Raises:
            ModelError: The directory lacks its encoder, or the arrays do not fit the model.
        """
        if threads:
            torch.set_num_threads(threads)
        if not saved.holds("encoder"):
            raise ModelError(f"{saved.folder}: no encoder/ in this model; it runs with onnxruntime only")
        model = build(saved.config, saved.labels, load_encoder(saved.folder / "encoder"))
        load_head(model, saved.head, where=str(saved.folder))
        return cls(model.eval(), saved.labels, saved.pad_id)

    @property
    def chain(self) -> Chain:
        """The transition, start and end scores of the CRF, as they are now."""
        return chain_of(head_state(self.model))

    def emissions(self, batch: Batch) -> np.ndarray:
        """Label scores (post, word, label) in float32."""
        training = self.model.training
        self.model.eval()
        with torch.inference_mode(), _fitting():
            scores = cast(Model, self.model).emissions({"T": tensors(batch, self.model)}, "T")
        self.model.train(training)
        array: np.ndarray = scores.float().cpu().numpy()
        return array

    def release(self) -> None:
        """Nothing: torch gives memory of the CPU back by itself."""

    def word_vectors(self, batch: Batch) -> np.ndarray:
        """Word vectors (post, word, hidden) in float32, which the emission layer turns into label scores.

        A word without sub-token has a zero vector; rows past a post's length are undefined.

        Raises:
            ModelError: The model is code outside mner that has no such layer.
        """
        try:
            words = self.model.get_submodule(WORDS)
        except AttributeError:
            raise ModelError(f"{type(self.model).__module__}: has no layer {WORDS} of word vectors") from None
        training = self.model.training
        self.model.eval()
        with torch.inference_mode():
            found = words(tensors(batch, self.model))
        self.model.train(training)
        array: np.ndarray = found.float().cpu().numpy()
        return array


def tensors(batch: Batch, model: nn.Module) -> Arrays:
    """The arrays that a model asks of a batch, as tensors on its device; those of a packed batch besides."""
    return view_tensors({"T": batch}, model)["T"]


def view_tensors(views: Mapping[ViewName, Batch], model: nn.Module) -> dict[ViewName, Arrays]:
    """``tensors`` of several views; arrays that the views share become one tensor."""
    device = next(model.parameters()).device
    made: dict[int, torch.Tensor] = {}
    told: dict[ViewName, Arrays] = {}
    for view, batch in views.items():
        names = (*cast(Model, model).inputs, *(() if batch.segments is None else PACKED))
        arrays = {name: cast(np.ndarray, getattr(batch, name)) for name in names}
        for array in arrays.values():
            if id(array) not in made:
                made[id(array)] = torch.from_numpy(array).to(device)
        told[view] = {name: made[id(array)] for name, array in arrays.items()}
    return told


def load_encoder(folder: Path) -> nn.Module:
    """A transformers encoder from a local folder: safetensors only, no remote code, no pooling head.

    Raises:
        ModelError: transformers cannot load it.
    """
    from transformers import AutoModel

    options: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}
    try:
        with _quiet():
            try:
                return cast(nn.Module, AutoModel.from_pretrained(folder, add_pooling_layer=False, **options))
            except TypeError:  # an architecture that has no pooling layer to leave out
                return cast(nn.Module, AutoModel.from_pretrained(folder, **options))
    except Exception as error:  # what a damaged config.json raises has no other class in common
        raise ModelError(f"{folder}: transformers cannot load this encoder: {error}") from error


@contextmanager
def _fitting() -> Iterator[None]:
    """A forward pass of an encoder that may not know the sub-tokens, or not be what its configuration says."""
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise ModelError(
            f"the model's encoder does not fit its tokenizer or configuration ({error}); copy the model again"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Transformers without its progress bar and its report of the pooling layer that is left out on purpose."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def head_state(model: nn.Module) -> dict[str, np.ndarray]:
    """All that was learned outside the encoder, by its name in a saved model."""
    state = model.state_dict()
    return {
        name.removeprefix(TRUNK): value.detach().cpu().float().numpy()
        for name, value in state.items()
        if not name.startswith(ENCODER)
    }


def load_head(model: nn.Module, head: Mapping[str, np.ndarray], *, where: str) -> None:
    """Copy saved arrays into a model.

    Raises:
        ModelError: One is missing, unknown, or of another shape.
    """
    state = {name: value for name, value in model.state_dict().items() if not name.startswith(ENCODER)}
    expected = {name.removeprefix(TRUNK): value for name, value in state.items()}
    odd = sorted(set(expected) ^ set(head))
    if odd:
        raise ModelError(f"{where}/head.safetensors: missing or unknown arrays: {', '.join(odd)}")
    for name, value in expected.items():
        if tuple(value.shape) != head[name].shape:
            raise ModelError(
                f"{where}/head.safetensors: {name} has shape {head[name].shape}, expected {tuple(value.shape)}"
            )
        value.copy_(torch.from_numpy(head[name]))


def save(
    model: nn.Module,
    folder: Path,
    *,
    config: Config,
    labels: Sequence[str],
    tokenizer: Path,
    encoder: Mapping[str, Any],
    card: str,
) -> None:
    """Write a trained model as a model directory."""

    def write_encoder(part: Path) -> None:
        trunk: Any = model.get_submodule(ENCODER.rstrip("."))
        with _quiet():
            trunk.save_pretrained(part / "encoder")

    write_model(
        folder,
        config=config,
        labels=labels,
        head=head_state(model),
        tokenizer=tokenizer,
        encoder=encoder,
        write_encoder=write_encoder,
        card=card,
        views=cast(Model, model).views,
    )
