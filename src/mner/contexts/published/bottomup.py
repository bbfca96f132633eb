"""What the Bottom-Up detector published about pictures: a ``.tsv`` of base64 arrays over 1,600 objects, 400 attributes.

Columns, without a head, as LXMERT's features have them: ``img_id, img_h, img_w, objects_id, objects_conf, attrs_id,
attrs_conf, num_boxes, boxes, features``; features are not read. Identifiers count the lines of ``objects_vocab.txt``
and ``attributes_vocab.txt``, which are published with the detector.
Source: Anderson et al. 2018, "Bottom-Up and Top-Down Attention for Image Captioning and VQA"; Tan and Bansal 2019.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mner.contexts.published.names import Table
from mner.contexts.published.objects import Found, attributes, box, by_confidence
from mner.errors import DataError
from mner.types import Tag

SOURCE = "bottomup"
COLUMNS = (
    "img_id", "img_h", "img_w", "objects_id", "objects_conf", "attrs_id", "attrs_conf", "num_boxes", "boxes", "features"
)  # fmt: skip
OBJECTS, ATTRIBUTES = "objects_vocab.txt", "attributes_vocab.txt"


class Published:
    """Objects by picture name.

    Args:
        path: The ``.tsv``.
        objects: File of the objects' names; None looks for ``objects_vocab.txt`` beside the ``.tsv``.
        attributes: File of the attributes' names; None looks for ``attributes_vocab.txt``.
        threshold: Least confidence of an object.
        attribute_threshold: Least confidence of an attribute.

    Raises:
        DataError: A file is missing or of another kind.
    """

    def __init__(
        self,
        path: Path,
        *,
        objects: Path | None = None,
        attributes: Path | None = None,
        threshold: float = 0.0,
        attribute_threshold: float = 0.1,
    ) -> None:
        self._table = Table(path)
        self._objects = vocabulary(objects or path.with_name(OBJECTS))
        self._attributes = vocabulary(attributes or path.with_name(ATTRIBUTES))
        self._least, self._least_attribute = threshold, attribute_threshold
        self._row(next(iter(self._table)))  # refuses a file of another kind once, not for each picture

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._table if name != COLUMNS[0])

    def find(self, image: str) -> Found:
        """What was published about one picture; where it is missing or damaged, ``DataError`` names file and line."""
        row, where = self._row(image)
        total, height, width = (count(row[name], f"{where}: {name}") for name in ("num_boxes", "img_h", "img_w"))
        names, named = (array(row, column, "<i8", total, where) for column in ("objects_id", "attrs_id"))
        scores, sure = (array(row, column, "<f4", total, where) for column in ("objects_conf", "attrs_conf"))
        boxes = array(row, "boxes", "<f4", 4 * total, where).reshape(total, 4)
        if not (np.isfinite(scores).all() and np.isfinite(sure).all()):
            raise DataError(f"{where}: objects_conf, attrs_conf: expected numbers, found NaN or infinity")
        tags = []
        for number in range(total):
            name = _word(self._objects, int(names[number]), f"{where}: objects_id")
            attribute = _word(self._attributes, int(named[number]), f"{where}: attrs_id")
            before = attributes([(attribute, float(sure[number]))], least=self._least_attribute)
            tags.append(Tag(name, before, round(float(scores[number]), 4), box(boxes[number].tolist()), source=SOURCE))
        size = (float(width), float(height)) if width and height else None
        return Found(by_confidence(tags, least=self._least), size)

    def _row(self, image: str) -> tuple[dict[str, str], str]:
        columns, where = self._table.find(image)
        if len(columns) != len(COLUMNS):
            raise DataError(
                f"{where}: expected the {len(COLUMNS)} columns {', '.join(COLUMNS)}, found {len(columns)}; a file of "
                "boxes and features alone says nothing of objects and attributes"
            )
        return dict(zip(COLUMNS, columns, strict=True)), where


def vocabulary(path: Path) -> tuple[str, ...]:
    """The names of a file, one in each line; of several with commas between them, the first.

    Raises:
        DataError: There is no such file, or it holds no name.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}); it is published with the Bottom-Up detector: put it beside the .tsv, "
            "or name it in vision.options.bottomup (objects, attributes)"
        ) from None
    names = [line.split(",")[0].strip().lower() for line in lines]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise DataError(f"{path}: holds no name; expected one in each line")
    return tuple(names)


def _word(names: Sequence[str], number: int, where: str) -> str:
    if not 0 <= number < len(names) or not names[number]:
        raise DataError(f"{where}: the vocabulary of {len(names)} lines has no line {number}")
    return names[number]


def count(text: str, where: str) -> int:
    """The number in a column; anything else is a ``DataError``."""
    if not text.strip().isdecimal() or len(text) > 9:
        raise DataError(f"{where}: expected a number, found {text[:40]!r}")
    return int(text)


def array(row: Mapping[str, str], name: str, kind: str, count: int | None, where: str) -> NDArray[Any]:
    """The numbers of one column of a row: base64 of their bytes, never of an object.

    ``kind`` is their type; ``count`` is how many are expected, None for as many as there are.

    Raises:
        DataError: It is not base64, or of another number of numbers.
    """
    size = np.dtype(kind).itemsize
    expected = None if count is None else count * size
    if expected is not None and len(row[name]) > 4 * math.ceil(expected / 3) + 8:
        raise DataError(f"{where}: {name}: expected {count} numbers ({expected} bytes), found more")
    try:
        content = base64.b64decode(row[name], validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"{where}: {name}: not base64: {error}") from None
    if len(content) != (len(content) // size * size if expected is None else expected):
        wanted = f"whole numbers of {size} bytes" if count is None else f"{count} numbers ({expected} bytes)"
        raise DataError(f"{where}: {name}: expected {wanted}, found {len(content)} bytes")
    return np.frombuffer(content, dtype=kind)
