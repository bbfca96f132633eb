"""What an ONNX file refers to outside itself, read from its bytes without the onnx package.

ONNX Runtime opens external files relative to the process's working directory when a model comes as bytes, so a
model from somebody else is searched before it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator

# Field numbers of onnx.proto by message: the fields that lead to a tensor, and the message behind each.
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_EXTERNAL, _LOCATION = 13, 14  # of a tensor: where its content lies, and whether that is outside
_DEEPEST = 100
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def external_tensors(content: bytes) -> int:
    """The number of tensors that an ONNX file, given as its whole content, keeps in other files.

    Raises:
        ValueError: The bytes are no protobuf message, or end early.

    >>> external_tensors(bytes([7 << 3 | 2, 4, 5 << 3 | 2, 2, 14 << 3, 1]))  # graph { tensor { location: EXTERNAL } }
    1
    """
    return _count(memoryview(content), "model")


def _count(message: memoryview, kind: str, depth: int = 0) -> int:
    if depth > _DEEPEST:
        raise ValueError("graphs within graphs without end")
    if kind == "tensor":
        return int(any(field == _EXTERNAL or (field == _LOCATION and value) for field, value in _fields(message)))
    inside = _INSIDE[kind]
    return sum(
        _count(value, inside[field], depth + 1)
        for field, value in _fields(message)
        if field in inside and isinstance(value, memoryview)
    )


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Number and content of each field; content without a length as a number."""
    place, end = 0, len(message)
    while place < end:
        key, place = _varint(message, place)
        wire = key & 7
        if wire == _VARINT:
            number, place = _varint(message, place)
            yield key >> 3, number
            continue
        if wire == _BYTES:
            size, place = _varint(message, place)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"unknown kind of field {wire}")
        if place + size > end:
            raise ValueError(f"a field of {size} bytes ends {place + size - end} bytes past its message")
        yield key >> 3, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    number = shift = 0
    while place < len(message) and shift < 70:
        byte = message[place]
        number |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return number, place
        shift += 7
    raise ValueError("a number ends early")
