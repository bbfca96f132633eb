"""What training begins with: an encoder's first layers, a saved model whose labels may differ, published layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from torch import nn

from mner import encoders
from mner.errors import ConfigError, ModelError
from mner.models import Model
from mner.runtime.graph_weights import graph_weights
from mner.runtime.onnx import FILES
from mner.runtime.saved import SavedModel
from mner.runtime.torch import head_faults, head_state, load_encoder
from mner.tagger.opening import READY, READY_NAME

BY_LABEL = {
    "emission.weight": (0,),
    "emission.bias": (0,),
    "crf.transitions": (0, 1),
    "crf.start": (0,),
    "crf.end": (0,),
}
"""Axes of each array that run over labels."""


def keep_layers(encoder: Any, layers: int) -> None:
    """Leave an encoder its first so many layers; the vectors of the last of them are then its output.

    Args:
        encoder: A transformers encoder with its layers in ``encoder.layer``, as BERT and its kin have them.
        layers: How many stay.

    Raises:
        ConfigError: It has fewer, or its layers stand elsewhere.
    """
    stack = getattr(getattr(encoder, "encoder", None), "layer", None)
    if not isinstance(stack, nn.ModuleList):
        kind = getattr(encoder.config, "model_type", "this encoder")
        raise ConfigError(f"model.layers: mner cannot leave out layers of {kind}; set it to 0")
    if layers > len(stack):
        raise ConfigError(f"model.layers: {layers}, but the encoder has {len(stack)}; 0 keeps all")
    encoder.encoder.layer = stack[:layers]
    encoder.config.num_hidden_layers = layers


def continue_from(model: nn.Module, labels: Sequence[str], saved: SavedModel) -> list[str]:
    """Copy a saved model's weights into ``model``; the labels that it does not know.

    The encoder and the layers after it are copied whole, the encoder from an ONNX file where the model has no weights
    for torch; scores and transitions of labels that both models know are copied too, the rest keep their fresh values.

    Raises:
        ModelError: The saved model has other layers, or of another shape, or it holds neither a torch encoder nor an
            ONNX file.
        MissingExtraError: Its weights are in an ONNX file alone, and the onnx package is not installed.
    """
    for name, encoder in zip(saved.needs.encoders, cast(Model, model).encoders(), strict=False):
        try:
            if saved.holds(name):
                encoder.load_state_dict(load_encoder(saved.folder / name).state_dict())
            else:
                encoder.load_state_dict(_exported(model, encoder, saved))
        except RuntimeError as error:
            raise ModelError(_other(saved)) from error
    state = head_state(model)
    if faults := head_faults(state, saved.head, BY_LABEL):
        raise ModelError(
            f'{saved.folder}/head.safetensors: {faults}. The model of model.init ("{saved.config.model.name}") has '
            f"other layers than this one; set [model], but for the encoder, as in "
            f"{saved.folder / 'config.toml'}, or leave model.init out"
        )
    shared = [label for label in labels if label in saved.labels]
    here = torch.tensor([list(labels).index(label) for label in shared])
    there = torch.tensor([saved.labels.index(label) for label in shared])
    with torch.no_grad():
        for name, value in state.items():
            array = torch.from_numpy(saved.head[name])
            axes = BY_LABEL.get(name, ())
            if len(axes) == 2:
                value[here[:, None], here] = array[there[:, None], there]
            elif axes:
                value[here] = array[there]
            else:
                value.copy_(array)
    return [label for label in labels if label not in saved.labels]


def _other(saved: SavedModel) -> str:
    """What encoder a saved model has, which is not the one of model.encoder, and how to have it."""
    name, model = saved.manifest["encoder"]["name"], saved.config.model
    pieces, place = _pieces(saved.tokenizer), READY_NAME if saved.folder == READY else saved.folder
    further = f"model.layers = {model.layers} and model.case_shape = {str(model.case_shape).lower()}"
    with suppress(ModelError):
        if _pieces(encoders.find(name).tokenizer) > pieces:
            return (
                f"{place}: its encoder is {name} cut to {pieces:,} pieces, not the one of model.encoder. Type: mner "
                f"encoder trim {name} --like {place} --out FOLDER; then set model.encoder = FOLDER, {further}"
            )
    return f"{place}: its encoder is not the one of model.encoder; set model.encoder = {name}, {further}"


def _pieces(tokenizer: Path) -> int:
    return int(Tokenizer.from_file(str(tokenizer)).get_vocab_size())


def start_layers(model: nn.Module, start: Mapping[str, str], folders: Sequence[Path]) -> None:
    """Copy into layers outside the encoders what an encoder's folder has for them; see ``Needs.start``.

    Raises:
        ConfigError: No folder has the arrays, or they are of another size.
    """
    from safetensors import safe_open

    state = model.state_dict()
    for layer, name in start.items():
        wanted = {key: f"{name}.{key.removeprefix(f'{layer}.')}" for key in state if key.startswith(f"{layer}.")}
        for key, array in wanted.items():
            for path in (path for folder in folders for path in sorted(folder.glob("*.safetensors"))):
                with safe_open(path, framework="pt") as weights:
                    if array in weights.keys():  # noqa: SIM118 (no mapping)
                        values = weights.get_tensor(array)
                        break
            else:
                raise ConfigError(
                    f"{' or '.join(map(str, dict.fromkeys(folders)))} has no {array}, from which {layer} starts; make "
                    "a folder of the published checkpoint (mner encoder import CHECKPOINT --out FOLDER) and name it in "
                    f'place of {folders[-1]}, or set model.options.start = "random"'
                )
            if values.shape != state[key].shape:
                raise ConfigError(
                    f"{path}: {array} has the shape {tuple(values.shape)}, but {layer} needs "
                    f"{tuple(state[key].shape)}; set its size in [model.options]"
                )
            with torch.no_grad():
                state[key].copy_(values)


def _exported(model: nn.Module, encoder: nn.Module, saved: SavedModel) -> dict[str, torch.Tensor]:
    """The weights of an encoder from the most exact ONNX file of a saved model."""
    files = [file for file in FILES.values() if saved.holds(file)]
    if not files:
        raise ModelError(f"{saved.folder}: no encoder/ to continue from, and no ONNX file that has its weights")
    place = next(name for name, module in model.named_modules() if module is encoder)
    weights = graph_weights(saved.folder / files[0])
    own = {name.removeprefix(f"{place}."): array for name, array in weights.items() if name.startswith(f"{place}.")}
    return {name: torch.tensor(array) for name, array in own.items()}
