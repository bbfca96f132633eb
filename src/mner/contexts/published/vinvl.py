"""What VinVL published about pictures: a folder of ``.npz``, one a picture, or its ``.tsv`` of JSON.

``.npz``: ``objects`` (box,), ``attr_obj`` (box,) with each attribute before its object, ``scores`` (box,),
``attr_scores`` (box, 1), ``bounding_boxes`` (box, 4), ``image_w``, ``image_h``; features are not read.
``.tsv``: the picture's name, a TAB, and ``{"objects": [{"class", "conf", "rect", "attributes", "attr_scores"}]}`` or
that list alone; ``image_w`` and ``image_h`` beside ``objects`` where they are known.
Source: Zhang et al. 2021, "VinVL: Revisiting Visual Representations in Vision-Language Models".
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mner.contexts.artefact import key
from mner.contexts.published.names import Table, find
from mner.contexts.published.objects import Found, attributes, box, by_confidence
from mner.contexts.rows import parsed
from mner.errors import DataError
from mner.types import Tag

SOURCE = "vinvl"
ARRAY = 64 * 2**20
"""Bytes of one array of an ``.npz``, unpacked, at most."""

_SUFFIX = ".npz"
_SHAPES = {
    "objects": ("U", 1),
    "attr_obj": ("U", 1),
    "scores": ("fiu", 1),
    "attr_scores": ("fiu", 1),
    "bounding_boxes": ("fiu", 4),
}
"""Array -> the kinds of its entries, and how many numbers it has for each box; of several scores the first counts."""


class Published:
    """Objects by picture name.

    Args:
        path: A folder of ``.npz``, one ``.npz``, or a ``.tsv``.
        threshold: Least confidence of an object.
        attribute_threshold: Least confidence of an attribute.

    Raises:
        DataError: There is no such file or folder, or there are no objects in it.
    """

    def __init__(self, path: Path, *, threshold: float = 0.0, attribute_threshold: float = 0.0) -> None:
        self._least, self._least_attribute = threshold, attribute_threshold
        self._names: Callable[[], Iterator[str]]
        self._read: Callable[[str], Found]
        if path.is_dir() or path.suffix == _SUFFIX:
            files = sorted(path.glob(f"*{_SUFFIX}")) if path.is_dir() else [path]
            named = {key(file.name.removesuffix(_SUFFIX)): file for file in files}
            if not named:
                raise DataError(f"{path}: holds no *{_SUFFIX}")
            self._names = lambda: iter(named)
            self._read = lambda image: self._npz(find(named, image, file=path))
        else:
            table = Table(path)
            self._names = lambda: iter(table)
            self._read = lambda image: self._row(*table.find(image))

    def __iter__(self) -> Iterator[str]:
        return self._names()

    def find(self, image: str) -> Found:
        """What was published about one picture; where it is missing or damaged, ``DataError`` names file and line."""
        return self._read(image)

    def _npz(self, path: Path) -> Found:
        arrays = read_arrays(
            path, ("objects", "attr_obj", "scores", "attr_scores", "bounding_boxes", "image_w", "image_h")
        )
        words = arrays.get("attr_obj", arrays.get("objects"))
        if words is None:
            raise DataError(f'{path}: expected an array "objects" or "attr_obj" as VinVL writes them')
        if not words.ndim:
            raise DataError(f"{path}: objects, attr_obj: expected an entry for each box, found one {words.dtype}")
        count = len(words)
        boxes = {name: array for name, array in arrays.items() if name in _SHAPES}
        for name, array in boxes.items():
            if not _fits(array, count, *_SHAPES[name]):
                each = f" of {_SHAPES[name][1]}" if _SHAPES[name][1] > 1 else ""
                raise DataError(f"{path}: {name}: expected {count} entries{each}, found {array.dtype} {array.shape}")
        tags = [self._object(boxes, number) for number in range(count)]
        width, height = (arrays.get(name) for name in ("image_w", "image_h"))
        return Found(by_confidence(tags, least=self._least), _size(width, height))

    def _object(self, boxes: Mapping[str, NDArray[Any]], number: int) -> Tag:
        """One box of an ``.npz``: its object, with the attribute that "attr_obj" has before the object's name."""
        score = float(boxes["scores"][number].ravel()[0]) if "scores" in boxes else None
        words = str(boxes["attr_obj"].flat[number]) if "attr_obj" in boxes else ""
        name = str(boxes["objects"].flat[number]) if "objects" in boxes else ""
        sides = box(boxes["bounding_boxes"][number].ravel().tolist()) if "bounding_boxes" in boxes else None
        confidence = None if score is None or not math.isfinite(score) else round(score, 4)
        if not name:
            return Tag(text=words, confidence=confidence, box=sides, source=SOURCE)
        attribute = words.removesuffix(name).strip() if words.endswith(name) else ""
        sure = float(boxes["attr_scores"][number].ravel()[0]) if attribute and "attr_scores" in boxes else 1.0
        before = attributes([(attribute, sure)] if attribute else [], least=self._least_attribute)
        return Tag(name, before, confidence, sides, source=SOURCE)

    def _row(self, columns: Sequence[str], where: str) -> Found:
        row = parsed(columns[-1], where, "JSON after the last TAB")
        objects = row.get("objects") if isinstance(row, dict) else row
        if not isinstance(objects, list):
            raise DataError(f'{where}: expected a list of objects, or {{"objects": [...]}}')
        size = _size(row.get("image_w"), row.get("image_h")) if isinstance(row, dict) else None
        tags = [self._entry(entry, f"{where}: objects[{number}]") for number, entry in enumerate(objects)]
        return Found(by_confidence(tags, least=self._least), size)

    def _entry(self, entry: Any, where: str) -> Tag:
        if not isinstance(entry, dict) or not isinstance(entry.get("class"), str) or not entry["class"]:
            raise DataError(f'{where}: expected an object with the key "class"')
        named, scores = entry.get("attributes") or [], entry.get("attr_scores", entry.get("attr_conf"))
        if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
            raise DataError(f"{where}: attributes: expected a list of names, found {str(named)[:40]!r}")
        try:
            scores = [1.0] * len(named) if scores is None else scores
            front = attributes(
                [(name, float(score)) for name, score in zip(named, scores, strict=True)],
                least=self._least_attribute,
            )
            conf = None if entry.get("conf") is None else round(float(entry["conf"]), 4)
            sides = box([float(side) for side in entry["rect"]]) if entry.get("rect") else None
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"{where}: conf, rect, attributes or attr_scores is of the wrong form: {error}") from None
        if conf is not None and not math.isfinite(conf):
            raise DataError(f"{where}: conf: expected a number, found {conf}")
        return Tag(entry["class"], front, conf, sides, source=SOURCE)


def _fits(array: NDArray[Any], count: int, kinds: str, width: int) -> bool:
    """Whether an array has one entry of the right kind and width for each of ``count`` boxes."""
    if array.ndim < 1 or len(array) != count or array.dtype.kind not in kinds:
        return False
    if not count:
        return True
    return array.size == count * width if width != 1 or kinds == "U" else array.size >= count


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The named arrays of an ``.npz``, as far as it has them.

    Raises:
        DataError: The file is missing or damaged, or an array is pickled or over ``ARRAY`` bytes.
    """
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in names:
                if f"{name}.npy" not in archive.namelist():
                    continue
                with archive.open(f"{name}.npy") as stream:
                    content = stream.read(ARRAY + 1)
                if len(content) > ARRAY:
                    raise DataError(f"{path}: {name}: an array of more than {ARRAY:,} bytes")
                arrays[name] = np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except DataError:
        raise
    except Exception as error:  # damaged bytes make zipfile, its decompressors and numpy raise anything
        raise DataError(f"{path}: damaged, or it needs pickle, which is never loaded: {error}") from None
    return arrays


def _size(width: Any, height: Any) -> tuple[float, float] | None:
    try:
        size = (float(width), float(height))
    except (TypeError, ValueError, OverflowError):
        return None
    return size if all(math.isfinite(side) and side > 0 for side in size) else None
