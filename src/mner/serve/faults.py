"""Whatever a request is refused for: one shape of JSON, and nothing in it that could steer a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mner.errors import MnerError
from mner.safe_text import printable

LONGEST = 500
"""Characters of a message; what a client sent may be quoted in it."""

CODES = {404: "not_found", 405: "method_not_allowed", 400: "bad_request"}
"""The word for a fault that the web framework finds."""

AGAIN = frozenset({429, 503})
"""Statuses after which the same request may be sent again."""


class RequestError(MnerError):
    """A request that is not answered.

    Attributes:
        status: Of the response.
        code: One word, for programs.
        field: The field of the request that is wrong, such as ``posts[3].text``; None where no field is.
        wait: Seconds after which the client may come again; None: it need not.
    """

    def __init__(
        self, status: int, code: str, message: str, *, field: str | None = None, wait: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.field, self.wait = status, code, field, wait

    def response(self) -> Response:
        """The response that says so."""
        headers = {} if self.wait is None else {"Retry-After": str(self.wait)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self.status in {408, 413}:  # the rest of the body is not read
            headers["Connection"] = "close"
        return response(self.status, self.code, str(self), self.field, headers)


def response(
    status: int, code: str, message: str, field: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A response of the one shape that all faults have."""
    text = printable(message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…")
    shown = None if field is None else printable(field[:LONGEST])
    return json_response({"error": {"code": code, "message": text, "field": shown}}, status, headers)


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response of JSON in UTF-8, which browsers take for nothing else."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    content = body.encode("utf-8", "backslashreplace")
    safe = {"X-Content-Type-Options": "nosniff", **(headers or {})}
    return Response(content, status, safe, media_type="application/json")


def of_pydantic(errors: Sequence[Mapping[str, Any]], known: Mapping[str, Sequence[str]]) -> RequestError:
    """The fault of a body that is not as the schema says, the first place as its field; nothing sent is quoted.

    Args:
        errors: As pydantic lists them.
        known: The fields of a post and of a request, to be named beside an unknown one.
    """
    parts = []
    for error in errors[:5]:
        where = place(error["loc"])
        if error["type"] == "extra_forbidden":
            inside = "post" if len(error["loc"]) > 1 else "request"
            parts.append(f"{where}: unknown field; known here: {', '.join(known[inside])}")
        else:
            message = str(error["msg"]).removeprefix("Value error, ")
            parts.append(f"{where}: {message}" if where else message)
    if len(errors) > 5:
        parts.append(f"and {len(errors) - 5} more")
    return RequestError(422, "invalid_request", "; ".join(parts), field=place(errors[0]["loc"]) or None)


def place(loc: Sequence[int | str]) -> str:
    """A place in a JSON value as people write it.

    >>> place(("posts", 3, "text"))
    'posts[3].text'
    """
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


async def of_framework(request: Request, error: Exception) -> Response:
    """What the web framework refuses: no such address, another method."""
    status = getattr(error, "status_code", 500)
    detail = {404: f"no such address: {request.url.path}", 405: f"{request.method} is not allowed here"}
    code, headers = CODES.get(status, "refused"), getattr(error, "headers", None)
    return response(status, code, detail.get(status, str(getattr(error, "detail", "refused"))), headers=headers)


async def of_fault(request: Request, error: Exception) -> Response:
    """What the service refuses."""
    assert isinstance(error, RequestError)
    request.state.fault = error.code
    return error.response()
