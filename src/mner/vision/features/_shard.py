"""One shard of features: a safetensors file of half-precision arrays and, in its head, whose pictures' they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from mner.contexts.rows import from_row, to_row
from mner.errors import DataError
from mner.files import replacing
from mner.types import VisualContext

Arrays = Mapping[str, NDArray[Any]]
"""Arrays of one picture by name, each (region, width)."""

INDEX = "index.jsonl"
SUFFIX = ".safetensors"
SPAN = "features"
"""Key of a picture's row: the first of its regions in the shard's arrays, and the first that is no longer its own."""

_HEAD = "mner"
_MEAN = "mean."
_open: Any = safe_open  # its class has no types


def write_shard(path: Path, rows: Sequence[tuple[VisualContext, Arrays]], *, extractor: str, fingerprint: str) -> None:
    """Write the rows of pictures with their arrays, which are empty where a picture has no features.

    Raises:
        DataError: The file cannot be written.
    """
    heads, end = [], 0
    for context, arrays in rows:
        start = end
        end += max((len(array) for array in arrays.values()), default=0)
        heads.append({**to_row(context), **({SPAN: [start, end]} if arrays else {})})
    names = sorted({name for _, arrays in rows for name in arrays})
    whole = {name: np.concatenate([arrays[name] for _, arrays in rows if arrays]) for name in names}
    means = {f"{_MEAN}{name}": array.mean(axis=0, dtype=np.float32, keepdims=True) for name, array in whole.items()}
    head = {"format": 1, "extractor": extractor, "fingerprint": fingerprint, "pictures": heads}
    try:
        with replacing(path) as part:
            save_file({**whole, **means}, part, metadata={_HEAD: json.dumps(head)})  # one key: several are in no order
    except SafetensorError as error:
        raise DataError(f"{path}: cannot be written: {error}; make room, and run the same command again") from None


class Shard:
    """A shard that is open, its arrays mapped into memory.

    Attributes:
        extractor: The extractor's name.
        rows: The pictures' rows, in the order of the input.
        widths: Numbers of a region, by array.

    Args:
        path: Its file.
        fingerprint: Of the extractor that must have made it.
        widths: What its arrays must be as wide as; empty: anything.

    Raises:
        DataError: It is missing, damaged, of another extractor or of another width.
    """

    def __init__(self, path: Path, *, fingerprint: str, widths: Mapping[str, int]) -> None:
        self.path = path
        try:
            self._file = _open(path, framework="numpy")
            head = json.loads((self._file.metadata() or {})[_HEAD])
            self.extractor, made_by = str(head["extractor"]), head["fingerprint"]
            self.rows = [from_row(row, where=str(path)) for row in head["pictures"]]
            self._spans: dict[str, tuple[int, int]] = {}
            for row in self.rows:
                if SPAN in row.extra:
                    start, end = row.extra[SPAN]
                    self._spans.setdefault(row.image, (int(start), int(end)))
            names = [name for name in self._file.keys() if not name.startswith(_MEAN)]  # noqa: SIM118 (not a dict)
            shapes = {name: self._file.get_slice(name).get_shape() for name in names}
            self.widths = {name: int(shape[1]) for name, shape in shapes.items()}
        except FileNotFoundError:
            raise DataError(f"{path}: no such shard. {again(path)}") from None
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise DataError(f"{path}: damaged, or no shard of features ({error}). {again(path)}") from None
        if made_by != fingerprint:
            raise DataError(
                f"{path}: made by another extractor ({self.extractor} {made_by}, the folder is of {fingerprint}); put "
                f"each extractor's features into a folder of their own. {again(path)}"
            )
        if widths and shapes and self.widths != widths:
            raise DataError(f"{path}: holds {written(self.widths)}, other shards {written(widths)}. {again(path)}")
        count = max((end for _, end in self._spans.values()), default=0)
        if any(shape[0] != count for shape in shapes.values()) or (count and not shapes):
            raise DataError(f"{path}: its arrays do not have the {count} regions of its pictures. {again(path)}")

    def read(self, image: str) -> dict[str, NDArray[np.float32]]:
        """The arrays of a picture, by the name that its row has.

        Raises:
            DataError: The shard does not hold them, or not as numbers.
        """
        if image not in self._spans:
            raise DataError(f"{self.path}: holds no features of {image}, which {INDEX} names. {again(self.path)}")
        start, end = self._spans[image]
        arrays = {name: self._file.get_slice(name)[start:end].astype(np.float32) for name in self.widths}
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise DataError(f"{self.path}: {image}: {name} holds NaN or infinity. {again(self.path)}")
        return arrays

    def means(self) -> Iterator[tuple[str, NDArray[np.float64], int]]:
        """Each array's name, mean over its regions (1, width), and number of regions."""
        for name in self.widths:
            mean = self._file.get_tensor(f"{_MEAN}{name}").astype(np.float64)
            yield name, mean, int(self._file.get_slice(name).get_shape()[0])


def written(widths: Mapping[str, int]) -> str:
    """Arrays and their widths for a message.

    >>> written({"regions": 2048, "boxes": 6})
    'boxes of 6 numbers, regions of 2048 numbers'
    """
    return ", ".join(f"{name} of {width} numbers" for name, width in sorted(widths.items())) or "no arrays"


def again(path: Path) -> str:
    """What helps where a shard cannot be used."""
    return f"To make it again, remove it and run the same mner features build: rm {path}"
