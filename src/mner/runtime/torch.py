"""A saved model in torch: the runtime of training, of evaluation, and of models without an ONNX file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from mner import models, sessions
from mner.config import Config
from mner.decode import Chain
from mner.encoders._weights import check_loaded
from mner.errors import ModelError
from mner.models import Model, build
from mner.models.parts.encoder import Arrays
from mner.runtime.device import find_device
from mner.runtime.manifest import folders
from mner.runtime.saved import SavedModel, write_model
from mner.types import ViewName
from mner.views import Array, Batch

TRUNK = "tagger."
"""Prefix of the names of what all models of mner have; left out in a saved model."""

POOLER = "pooler."
"""How the arrays of an encoder's pooling head begin, which nothing here uses."""

ON_CPU = 1024
"""Padded sub-tokens of one forward pass on a CPU. In CPU time, 512 take the same on one core and 1.02 times on two; 256
take 1.01 and 1.17 times, 2,048 take 1.17 and 1.06, and 4,096 take 1.23 and 1.20 times."""

ON_GPU = 16_384
"""Padded sub-tokens of one forward pass on a GPU. A pass has several hundred launches, which take as long for little
work as for much, so it should have much. The widest array of a base-sized encoder (3,072 numbers a sub-token) then
takes 200 MB, which small GPUs have, too. Estimated, not measured."""


NO_MEMORY = "can't allocate memory"
"""What torch says, in a RuntimeError like any other, when the CPU has no memory left."""


class TorchRuntime:
    """Label scores of a model in torch; dropout is off while it scores, as it was before afterwards."""

    note = ""

    def __init__(self, model: nn.Module, labels: Sequence[str], pad_id: int, arrays: Sequence[Array] = ()) -> None:
        self.model = model
        self.labels = tuple(labels)
        self.pad_id = pad_id
        self.arrays = tuple(arrays)
        sessions.forget_after_fork(self)

    def after_fork(self) -> None:
        """Score with one thread: a forked child would wait without end for those of its parent."""
        torch.set_num_threads(1)

    @classmethod
    def load(cls, saved: SavedModel, *, threads: int = 0, device: str = "cpu") -> TorchRuntime:
        """The runtime of a saved model.

        Raises:
            ModelError: The directory lacks its encoder, or the arrays do not fit the model.
            ConfigError: This machine does not have the device.
        """
        place = find_device(device)
        if threads:
            torch.set_num_threads(threads)
        needs = saved.needs
        if absent := [name for name in needs.encoders if not saved.holds(name)]:
            raise ModelError(f"{saved.folder}: no {absent[0]}/ in this model; it runs with onnxruntime only")
        model = build(saved.config, saved.labels, *(load_encoder(saved.folder / name) for name in needs.encoders))
        load_head(model, saved.head, where=str(saved.folder))
        return cls(model.eval().to(place), saved.labels, saved.pad_id, needs.arrays)

    @property
    def tokens_per_batch(self) -> int:
        """As many as fill the device that the model is on."""
        return ON_CPU if next(self.model.parameters()).device.type == "cpu" else ON_GPU

    @property
    def chain(self) -> Chain:
        """The transition, start and end scores of the CRF, as they are now."""
        return Chain(*(part.detach().cpu().float().numpy() for part in cast(Model, self.model).crf.chain))

    def emissions(self, batch: Batch, view: ViewName) -> np.ndarray:
        """Label scores (post, word, label) in float32 of posts in one view."""
        return self._scored(cast(Model, self.model).emissions, batch, view)

    def half(self, tokens: int) -> None:
        """None: torch shares its threads out among passes by itself."""

    def release(self) -> None:
        """Do nothing: torch gives memory of the CPU back by itself."""

    def word_vectors(self, batch: Batch, view: ViewName) -> np.ndarray:
        """Word vectors (post, word, hidden) in float32, which the label scores are made of.

        A word without sub-token has a zero vector; rows past a post's length are undefined.
        """
        return self._scored(cast(Model, self.model).word_vectors, batch, view)

    def _scored(self, function: Callable[..., torch.Tensor], batch: Batch, view: ViewName) -> np.ndarray:
        training = self.model.training
        self.model.eval()
        with torch.inference_mode(), _fitting():
            scores = function(view_tensors({view: batch}, self.model), view)
        self.model.train(training)
        array: np.ndarray = scores.float().cpu().numpy()
        return array


def view_tensors(views: Mapping[ViewName, Batch], model: nn.Module) -> dict[ViewName, Arrays]:
    """The arrays of each view as tensors on the model's device; those that views share become one tensor."""
    device = next(model.parameters()).device
    arrays = {view: batch.named() for view, batch in views.items()}
    each = {id(values): values for named in arrays.values() for values in named.values()}
    moved = {key: torch.from_numpy(values).to(device) for key, values in each.items()}
    return {view: {name: moved[id(values)] for name, values in named.items()} for view, named in arrays.items()}


def load_encoder(folder: Path) -> nn.Module:
    """A transformers encoder from a local folder, in float32: safetensors only, no remote code, no pooling head.

    Raises:
        ModelError: transformers cannot load it, or its weights are not those of the network in config.json.
    """
    from transformers import AutoModel

    models.register()
    options: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}
    options |= {"output_loading_info": True, "ignore_mismatched_sizes": True}  # for check_loaded
    try:
        with _quiet():
            try:
                encoder, report = AutoModel.from_pretrained(folder, add_pooling_layer=False, **options)
            except TypeError:  # an architecture that has no pooling layer to leave out
                encoder, report = AutoModel.from_pretrained(folder, **options)
    except Exception as error:  # what a damaged config.json raises has no other class in common
        raise ModelError(f"{folder}: transformers cannot load this encoder: {error}") from error
    unused = report["unexpected_keys"]
    check_loaded(
        folder,
        missing=[name for name in report["missing_keys"] if not name.startswith(POOLER)],
        unknown=[name for name in unused if _belongs(name, encoder)],
        shapes=report["mismatched_keys"],
        unused=unused,
    )
    return cast(nn.Module, encoder).float()  # transformers keeps the number format of the file


def _belongs(name: str, encoder: Any) -> bool:
    """Whether an array of a file that an encoder does not have is of its layers or embeddings, not of a head."""
    parts = {f"{part}." for part, _ in encoder.named_children()} - {POOLER}
    return name.removeprefix(f"{encoder.base_model_prefix}.").startswith(tuple(parts))


@contextmanager
def _fitting() -> Iterator[None]:
    """A forward pass of an encoder that may not know the sub-tokens, or not be what its configuration says."""
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        if isinstance(error, RuntimeError) and NO_MEMORY in str(error):
            raise MemoryError(str(error)) from error
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


def head_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """All that is learned outside the encoders, by its name in a saved model; the tensors are the model's own.

    What a model holds in two places, as VinVL-CRF does its encoder, counts once.
    """
    encoders = {id(encoder) for encoder in cast(Model, model).encoders()}
    chain = next(name for name, module in model.named_modules() if module is cast(Model, model).crf)
    places = model.named_modules(remove_duplicate=False)
    inside = tuple(f"{name}." for name, module in places if id(module) in encoders)
    state = model.state_dict(keep_vars=True)
    seen: set[int] = set()
    head: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        if name.startswith(inside) or id(value) in seen:
            continue
        seen.add(id(value))
        short = f"crf.{name.removeprefix(f'{chain}.')}" if name.startswith(f"{chain}.") else name.removeprefix(TRUNK)
        head[name if short in head else short] = value.detach()
    return head


def load_head(model: nn.Module, head: Mapping[str, np.ndarray], *, where: str) -> None:
    """Copy saved arrays into a model.

    Raises:
        ModelError: One is missing, unknown, or of another shape.
    """
    expected = head_state(model)
    if faults := head_faults(expected, head):
        raise ModelError(
            f"{where}/head.safetensors: {faults}; copy the whole model again. If its model.json names a newer mner, "
            "update mner"
        )
    for name, value in expected.items():
        value.copy_(torch.from_numpy(head[name]))


def head_faults(
    expected: Mapping[str, torch.Tensor],
    head: Mapping[str, np.ndarray],
    free: Mapping[str, Sequence[int]] = MappingProxyType({}),
) -> str:
    """What keeps saved arrays from being copied into a model's, or "": the first fault, and how many more there are.

    Args:
        expected: The model's arrays.
        head: The saved ones.
        free: Axes of an array along which the lengths may differ.
    """
    faults = [f"{name} is missing" for name in sorted(expected.keys() - head.keys())]
    faults += [f"{name} is unknown" for name in sorted(head.keys() - expected.keys())]
    for name in sorted(expected.keys() & head.keys()):
        there, here = head[name].shape, tuple(expected[name].shape)
        bound = [axis for axis in range(len(here)) if axis not in free.get(name, ())]
        if len(there) != len(here) or any(there[axis] != here[axis] for axis in bound):
            faults.append(f"{name} has the shape {there}, expected {here}")
    return f"{faults[0]}{f', and {len(faults) - 1} more arrays differ' if len(faults) > 1 else ''}" if faults else ""


def save(
    model: nn.Module,
    folder: Path,
    *,
    config: Config,
    labels: Sequence[str],
    tokenizer: Path,
    encoder: Mapping[str, Any],
    card: str,
    features: str = "",
) -> None:
    """Write a trained model as a model directory; see ``write_model``."""
    built, needs = cast(Model, model), cast(Model, model).needs(config)

    def write_encoders(part: Path) -> None:
        with _quiet():
            for name, network in zip(folders(needs), built.encoders(), strict=True):
                cast(Any, network).save_pretrained(part / name)

    write_model(
        folder,
        config=config,
        labels=labels,
        head={name: value.detach().cpu().float().numpy() for name, value in head_state(model).items()},
        tokenizer=tokenizer,
        encoder=encoder,
        write_encoder=write_encoders,
        card=card,
        views=built.views,
        needs=needs,
        features=features,
    )
