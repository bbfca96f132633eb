"""Files of boxes in pictures, each with a name -> the boxes of one picture.

Two layouts are read: a folder with a Pascal VOC file (``PICTURE.xml``) for each picture, and one file of JSON lines,
``{"image": "1.jpg", "width": 600, "height": 400, "boxes": [{"name": "Kevin Love", "box": [x0, y0, x1, y1]}]}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mner.bounded import text_lines
from mner.data.lines import clipped, printable
from mner.data.pictures import split_suffix
from mner.data.records import parse
from mner.errors import DataError, why_not
from mner.picture_files import open_regular

LARGEST = 2**20
"""Bytes of an XML file, at most; that of one picture has a few thousand."""

_SIDES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, slots=True)
class NamedBox:
    """A box as it is written in a file.

    Attributes:
        name: What it shows; "" where the file does not say.
        sides: Left, top, right, bottom; None where these are not four finite numbers.
        where: ``file:line``.
    """

    name: str
    sides: tuple[float, float, float, float] | None
    where: str


@dataclass(frozen=True, slots=True)
class BoxedPicture:
    """The boxes of one picture, and its size in pixels: infinite where the file does not say."""

    boxes: tuple[NamedBox, ...]
    width: float
    height: float
    where: str


class BoxLines:
    """The pictures of a file of JSON lines.

    Raises:
        DataError: The file is missing, or one of its lines is not the boxes of a picture.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            reason = why_not(path, "file")
            raise DataError(f"{path}: {reason}. Name a file of JSON lines with boxes, or a folder of XML files")
        self._pictures: dict[str, BoxedPicture] = {}
        for where, line in text_lines(path):
            try:
                image, picture = _record(parse(line), where)
            except DataError as error:
                raise DataError(f"{where}: {printable(str(error))}") from None
            if image in self._pictures:
                first = self._pictures[image].where
                raise DataError(f'{where}: a second line for "{printable(image)}"; the first is {first}. Join the two')
            self._pictures[image] = picture

    def get(self, image: str) -> BoxedPicture | None:
        """The boxes of a picture, by its name or the last part of it; None if no line has them."""
        return self._pictures.get(image) or self._pictures.get(_last_part(image))

    def entry(self, image: str) -> str:
        """What is to be in the file for a picture."""
        return f'a line with "image": "{image}"'


class BoxFolder:
    """The pictures of a folder of XML files, which are read when they are needed.

    A picture is known by the name of its XML file: what the file itself calls the picture is often another name.

    Raises:
        DataError: The folder holds no XML file.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {path.stem: path for path in folder.glob("*.xml")}
        if not self._files:
            raise DataError(f"{folder}: holds no XML files. Expected one for each picture, such as 1.xml for 1.jpg")

    def get(self, image: str) -> BoxedPicture | None:
        """The boxes of a picture; None if it has no file.

        Raises:
            DataError: The file is not an annotation in XML, is too large, or declares a document type.
        """
        name = _last_part(image)
        path = self._files.get(name) or self._files.get(split_suffix(name)[0])
        return None if path is None else _annotation(path)

    def entry(self, image: str) -> str:
        """What is to be in the folder for a picture."""
        return f"{split_suffix(_last_part(image))[0]}.xml"


def _last_part(image: str) -> str:
    return image.replace("\\", "/").rpartition("/")[2]


def _record(row: Any, where: str) -> tuple[str, BoxedPicture]:
    if not isinstance(row, dict) or not isinstance(row.get("image"), str) or not isinstance(row.get("boxes"), list):
        raise DataError(
            'expected {"image": "1.jpg", "width": 600, "height": 400, "boxes": [{"name": "Kevin Love", '
            '"box": [left, top, right, bottom]}]}'
        )
    boxes = []
    for entry in row["boxes"]:
        if not isinstance(entry, dict):
            raise DataError(f'"boxes": expected {{"name": ..., "box": [...]}}, found {clipped(repr(entry))}')
        name, sides = entry.get("name"), entry.get("box")
        sides = sides if isinstance(sides, list) else []
        boxes.append(NamedBox(name.strip() if isinstance(name, str) else "", _four(sides), where))
    return row["image"], BoxedPicture(tuple(boxes), _pixels(row.get("width")), _pixels(row.get("height")), where)


def _four(sides: list[Any]) -> tuple[float, float, float, float] | None:
    numbers = [_number(side) for side in sides]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        return None
    left, top, right, bottom = numbers
    return left, top, right, bottom


def _number(value: Any) -> float:
    """A number, given as such or as text; not a number where it is none."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _pixels(value: Any) -> float:
    """The length of a picture's side; infinite where that is not known, as some annotations say 0."""
    number = _number(value)
    return number if number > 0 else math.inf


def _annotation(path: Path) -> BoxedPicture:
    try:
        with open_regular(path) as stream:
            content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > LARGEST:
        raise DataError(f"{path}: over {LARGEST:,} bytes; the boxes of one picture take far fewer")
    size: Mapping[str, str] = {}
    boxes = []
    for tag, line, texts in _elements(content, path):
        if tag == "size":
            size = texts
        else:
            sides = _four([texts.get(f"bndbox/{side}") for side in _SIDES])
            boxes.append(NamedBox(texts.get("name", ""), sides, f"{path}:{line}"))
    return BoxedPicture(tuple(boxes), _pixels(size.get("width")), _pixels(size.get("height")), str(path))


def _elements(content: bytes, path: Path) -> list[tuple[str, int, dict[str, str]]]:
    """The tag, the line, and the texts by path, of each ``size`` and each ``object`` of an annotation.

    Of several texts with the same path the first is kept.
    """
    from xml.parsers import expat

    parser = expat.ParserCreate()
    elements: list[tuple[str, int, dict[str, str]]] = []
    stack: list[str] = []
    text: list[str] = []

    def refuse(*declaration: Any) -> None:
        raise DataError(f"{path}:{parser.CurrentLineNumber}: declares a document type; boxes need none. Delete it")

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        if not stack and tag != "annotation":
            raise DataError(f"{path}:{parser.CurrentLineNumber}: expected <annotation> of Pascal VOC, found <{tag}>")
        stack.append(tag)
        text.clear()
        if len(stack) == 2 and tag in ("size", "object"):
            elements.append((tag, parser.CurrentLineNumber, {}))

    def end(tag: str) -> None:
        if len(stack) > 2 and stack[1] in ("size", "object"):
            elements[-1][2].setdefault("/".join(stack[2:]), "".join(text).strip())
        stack.pop()
        text.clear()

    parser.StartDoctypeDeclHandler = refuse  # and with it entities, which can unpack to gigabytes
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise DataError(f"{path}:{error.lineno}: not XML: {expat.ErrorString(error.code)}; write it again") from None
    return elements
