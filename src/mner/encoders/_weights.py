"""Weights of a published checkpoint as arrays: safetensors only; for a pickle, the line that converts it is shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mner.errors import ModelError

WEIGHTS = "model.safetensors"

_WRAPPED = "module."

_BUFFERS = ("position_ids", "num_batches_tracked")
"""How arrays end that older files hold and newer ones lack, or the other way round; nothing depends on them."""


def read_weights(folder: Path, *, published: str) -> dict[str, NDArray[Any]]:
    """The arrays of a folder's ``model.safetensors`` by their published keys.

    Args:
        folder: The folder that the user names.
        published: Where the checkpoint is published, for messages.

    Raises:
        ModelError: There is no such file, it is a pickle or damaged, or an array holds NaN or infinity.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / WEIGHTS
    if not path.is_file():
        pickles = sorted(each for suffix in ("pth", "bin", "pt") for each in folder.glob(f"*.{suffix}"))
        if not pickles:
            raise ModelError(f"{path}: missing. The checkpoint is published in {published}")
        raise ModelError(
            f"{path}: missing; {pickles[0].name} is a pickle, which mner does not read. If you trust it, convert it:\n"
            f"{conversion(pickles[0], path)}"
        )
    try:
        state: dict[str, NDArray[Any]] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: damaged ({error}); copy it again") from None
    except (TypeError, AttributeError) as error:  # bfloat16 and float8, which numpy lacks
        raise ModelError(f"{path}: {error}; save its arrays in single precision") from None
    for key, array in state.items():
        if array.dtype.kind not in "biuf":  # bfloat16, where another package has taught it to numpy
            raise ModelError(f"{path}: {key} is in {array.dtype}; save its arrays in single precision")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelError(f"{path}: {key} holds NaN or infinity; copy the file again")
    if all(key.startswith(_WRAPPED) for key in state):
        state = {key.removeprefix(_WRAPPED): array for key, array in state.items()}
    return state


def conversion(pickle: Path, path: Path) -> str:
    """The line that turns a pickle of weights into safetensors; tied arrays are written twice."""
    script = (
        "import torch; from safetensors.torch import save_file; "
        f"state = torch.load('{pickle}', map_location='cpu', weights_only=True); state = state.get('model', state); "
        "state = {key: torch.as_tensor(array).clone() for key, array in state.items()}; "
        "state = {key: array.float() if array.is_floating_point() else array for key, array in state.items()}; "
        f"save_file(state, '{path}')"
    )
    return f'python -c "{script}"'


def check_loaded(
    folder: Path,
    *,
    missing: Iterable[str],
    unknown: Iterable[str],
    shapes: Collection[tuple[str, tuple[int, ...], tuple[int, ...]]],
    unused: Collection[str] = (),
) -> None:
    """Refuse a folder whose weights transformers could put into the network of its config.json only in part.

    Args:
        folder: What was loaded.
        missing: Arrays of the network that its files lack.
        unknown: Arrays of its files that the network should have and does not.
        shapes: Arrays of another shape: name, shape in the files, shape in the network.
        unused: All arrays of its files that the network does not have, for the message about missing ones.

    Raises:
        ModelError: An array is missing, unknown or of another shape.
    """
    if gaps := [name for name in missing if not name.endswith(_BUFFERS)]:
        others = f" and hold {_counted(unused)} that it does not have" if unused else ""
        raise ModelError(
            f"{folder}: its files lack {_counted(gaps)} of the model{others}; copy or fetch the whole "
            "model, with the config.json that belongs to its weights"
        )
    if rest := [name for name in unknown if not name.endswith(_BUFFERS)]:
        raise ModelError(
            f"{folder}: its files hold {_counted(rest)} that the network of config.json does not have; the weights and "
            "config.json belong to different models: copy both from the same model"
        )
    if shapes:
        name, there, here = min(shapes)
        more = f", and {len(shapes) - 1} more arrays differ" if len(shapes) > 1 else ""
        raise ModelError(
            f"{folder}: {name} has the shape {tuple(there)}, but config.json says {tuple(here)}{more}; the weights and "
            "config.json belong to different models: copy both from the same model"
        )


def _counted(names: Collection[str]) -> str:
    """How many arrays, and the first three."""
    first = sorted(names)[:3]
    return f"{len(names)} array{'s' if len(names) > 1 else ''} ({', '.join(first)}{', ...' if len(names) > 3 else ''})"
