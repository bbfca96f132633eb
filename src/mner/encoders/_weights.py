"""Weights of a published checkpoint as arrays: safetensors only; for a pickle, the line that converts it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mner.errors import ModelError

WEIGHTS = "model.safetensors"

_WRAPPED = "module."


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
