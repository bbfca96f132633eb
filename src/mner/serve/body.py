"""The body of a request: read within limits as it comes, JSON or a form, into one shape."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable
from typing import Any

from pydantic_core import from_json
from starlette.requests import Request

from mner.serve.faults import RequestError
from mner.serve.settings import Settings

FORM = "multipart/form-data"
FIELDS = 32
"""Fields and files of a form."""

HEADERS = 64 * 2**10
"""Bytes of one header inside a form."""

AS_JSON = frozenset({"explain", "min_score", "picture_ms"})
"""Fields of a form whose value is JSON."""


async def read(request: Request, settings: Settings, hold: Callable[[int], None]) -> bytes:
    """The bytes of a body, never more than the limit in memory and never waited for without end.

    Raises:
        RequestError: It is too long or comes too slowly, or is encoded.
        ClientDisconnect: The client left.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise RequestError(415, "unsupported_encoding", "bodies are read as they are; leave out Content-Encoding")
    too_long = RequestError(413, "too_large", f"the body is over the limit of {settings.max_bytes:,} bytes")
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and int(stated[:20]) > settings.max_bytes:
        raise too_long
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(settings.body_seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > settings.max_bytes:
                    raise too_long
                hold(len(chunk))
                parts.append(chunk)
    except TimeoutError:
        message = f"the body did not come within {settings.body_seconds:g} seconds"
        raise RequestError(408, "slow_body", message) from None
    return b"".join(parts)


def parsed(content: bytes, content_type: str) -> tuple[dict[str, Any], list[bytes]]:
    """The object that a body holds, and the bytes of the pictures that came as files of a form.

    Raises:
        RequestError: It is neither JSON nor a form, or is damaged.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        return _form(content, content_type)
    if kind != "application/json":
        raise RequestError(415, "unsupported_media_type", f"expected Content-Type application/json or {FORM}")
    value = _json(content, "the body")
    if not isinstance(value, dict):
        raise RequestError(422, "invalid_request", 'the body: expected an object such as {"text": "..."}')
    return value, []


def picture(text: str, field: str) -> bytes:
    """The bytes that a field holds in base64, with or without ``data:...;base64,`` before it.

    Raises:
        RequestError: It is not base64.
    """
    if text.startswith(("http://", "https://")):
        raise RequestError(422, "invalid_image", "expected base64; an address goes into image_url", field=field)
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise RequestError(
                422, "invalid_image", "a data URI must be in base64: data:image/png;base64,...", field=field
            )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(422, "invalid_image", f"not base64: {error}", field=field) from None


def _json(content: bytes | str, what: str, field: str | None = None) -> Any:
    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise RequestError(400, "invalid_json", f"{what} is not JSON in UTF-8: {error}", field=field) from None


def _form(content: bytes, content_type: str) -> tuple[dict[str, Any], list[bytes]]:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import create_form_parser

    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it would quote what was sent
    fields: list[tuple[bytes, bytes]] = []
    files: list[tuple[bytes, bytes]] = []

    def on_field(parsed: Any) -> None:
        fields.append((parsed.field_name or b"", parsed.value or b""))
        _few(fields, files)

    def on_file(upload: Any) -> None:
        upload.file_object.seek(0)
        files.append((upload.field_name or b"", upload.file_object.read()))
        upload.close()
        _few(fields, files)

    limits = {"MAX_MEMORY_FILE_SIZE": len(content) + 1, "MAX_HEADER_SIZE": HEADERS}
    try:
        headers = {"Content-Type": content_type.encode("latin-1")}
        parser = create_form_parser(headers, on_field, on_file, config=limits)
        ended: list[bool] = []
        parser.on_end = lambda: ended.append(True)
        parser.write(content)
        parser.finalize()
        if not ended:  # its last part would be lost
            raise ValueError("it ends before its closing boundary")
    except (FormParserError, ValueError, LookupError) as error:
        raise RequestError(400, "invalid_form", f"the form is damaged: {error}") from None
    value: dict[str, Any] = {}
    for name, content in fields:
        key = _text(name, "a field's name", None)
        if key in value:
            raise RequestError(422, "invalid_request", "the field is there twice", field=key)
        value[key] = _value(key, _text(content, key, key))
    for name, _ in files:
        key = _text(name, "a file's field", None)
        if key not in ("image", "images") or key in value:
            raise RequestError(422, "invalid_request", "expected files in the fields image or images", field=key)
    return value, [content for _, content in files]


def _few(fields: list[Any], files: list[Any]) -> None:
    if len(fields) + len(files) > FIELDS:
        raise ValueError(f"more than {FIELDS} fields")


def _text(content: bytes, what: str, field: str | None) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError(400, "invalid_form", f"{what} is not UTF-8", field=field) from None


def _value(key: str, text: str) -> Any:
    """The value of a form's field: a text, or what it says in JSON."""
    if key in AS_JSON or (key == "context" and text.startswith("{")):
        if (value := _json(text, "the field", key)) is None:
            raise RequestError(422, "invalid_request", "null is no value in a form; leave the field out", field=key)
        return value
    return [part.strip() for part in text.split(",")] if key == "views" else text
