"""Bodies that are too long, too slow, or left unfinished."""

from __future__ import annotations

import asyncio
import base64
import json
import resource
import socket
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mner.serve import Settings, body, schema
from mner.serve.faults import RequestError

FORM = "multipart/form-data"
MIB = 2**20

pytestmark = [pytest.mark.service, pytest.mark.enable_socket]


def head(length: int | None, kind: str = "application/json") -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST /v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n{size}\r\n\r\n".encode()


def answer(connection: socket.socket) -> tuple[int, dict]:
    """Status and parsed body of what a connection gives."""
    text = b""
    while b"\r\n\r\n" not in text or not text.endswith(b"}"):
        piece = connection.recv(65536)
        if not piece:
            break
        text += piece
    return int(text.split()[1]), json.loads(text.partition(b"\r\n\r\n")[2])


def test_stated_length_over_the_limit_is_refused_before_it_is_read(service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(head(200 * MIB))
        status, said = answer(connection)
        assert (status, said["error"]["code"]) == (413, "too_large")
        assert connection.recv(1) == b""  # it hangs up, so that the rest is not sent


@pytest.mark.parametrize("stated", [True, False])
def test_upload_of_200_mib_is_not_held_in_memory(service, stated) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    piece, sent = b"a" * MIB, 0
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(head(200 * MIB if stated else None))
        try:
            for _ in range(200):
                connection.sendall(piece if stated else b"%x\r\n%b\r\n" % (len(piece), piece))
                sent += MIB
        except OSError:  # it hung up
            pass
    assert sent < 40 * MIB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024
    assert service.service.gate.held == 0
    assert service.ask({"text": "Kevin Love"})[0] == 200


def test_slow_body_ends_with_its_time(serve) -> None:
    service = serve(body_seconds=0.5)
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(head(100) + b'{"text"')
        began = time.monotonic()
        status, said = answer(connection)
        assert (status, said["error"]["code"]) == (408, "slow_body")
        assert 0.4 < time.monotonic() - began < 5
    assert service.service.gate.inside == 0


def test_client_that_leaves_in_the_middle_frees_its_place(service) -> None:
    for part in (b"", b'{"text"', b'{"text": "Kevin Love"}'):
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
            connection.sendall(head(22) + part)
    until = time.monotonic() + 10
    while service.service.gate.inside and time.monotonic() < until:
        time.sleep(0.02)
    assert (service.service.gate.inside, service.service.gate.held) == (0, 0)
    assert service.ask({"text": "Kevin Love"})[0] == 200


def test_bytes_of_all_bodies_together_have_a_limit(serve) -> None:
    service = serve(max_held=1000)
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(head(950) + b"a" * 900)
        until = time.monotonic() + 10
        while service.service.gate.held < 900 and time.monotonic() < until:
            time.sleep(0.01)
        status, said, headers = service.ask({"text": "a" * 200})
        assert (status, said["error"]["code"], headers["retry-after"]) == (429, "busy", "1")
    assert service.ask({"text": "a" * 200})[0] == 200


@pytest.mark.parametrize("text", ["QUJD", "data:image/png;base64,QUJD"])
def test_picture_is_taken_from_base64(text) -> None:
    assert body.picture(text, "image") == b"ABC"


@pytest.mark.parametrize("text", ["QUJ", "QUJD\n", "Q UJD", "data:image/png,QUJD", "data:image/png;base64", "é"])
def test_what_is_not_base64_is_refused(text) -> None:
    with pytest.raises(RequestError) as fault:
        body.picture(text, "image")
    assert (fault.value.status, fault.value.field) == (422, "image")


def test_deeply_nested_json_is_refused() -> None:
    with pytest.raises(RequestError, match="not JSON"):
        body.parsed(b"[" * 100_000, "application/json")


def test_form_of_too_many_fields_is_refused() -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\na\r\n'
    with pytest.raises(RequestError, match="more than"):
        body.parsed(b"".join(part % number for number in range(99)) + b"--x--\r\n", "multipart/form-data; boundary=x")


def test_form_that_is_cut_off_is_refused_and_not_read_without_its_last_part() -> None:
    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    whole = part.format("text", "a") + part.format("min_score", "0.9") + "--x--\r\n"
    kind = "multipart/form-data; boundary=x"
    assert body.parsed(whole.encode(), kind)[0] == {"text": "a", "min_score": 0.9}
    for end in range(1, len("--x--\r\n") + 1):
        cut = whole[:-end].encode()
        if b"--x--" in cut:  # the line end behind the last boundary says nothing more
            assert body.parsed(cut, kind)[0] == {"text": "a", "min_score": 0.9}
        else:
            with pytest.raises(RequestError, match="before its closing boundary") as fault:
                body.parsed(cut, kind)
            assert fault.value.status == 400


def test_form_holds_numbers_as_json_does_but_no_null() -> None:
    part = '--x\r\nContent-Disposition: form-data; name="picture_ms"\r\n\r\n{}\r\n--x--\r\n'
    kind = "multipart/form-data; boundary=x"
    for text, number in (("0", 0), ("1250", 1250), ("12.5", 12.5)):
        assert body.parsed(part.format(text).encode(), kind) == ({"picture_ms": number}, [])
    with pytest.raises(RequestError, match="null is no value") as fault:
        body.parsed(part.format("null").encode(), kind)
    assert (fault.value.status, fault.value.field) == (422, "picture_ms")


def test_picture_may_come_late_in_a_large_form(service) -> None:
    noise = base64.b64encode(bytes(range(256)) * 8000)
    content = (
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nKevin Love\r\n'
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="\x1b[31m.png"\r\n\r\n'
        + noise
        + b"\r\n--x--\r\n"
    )
    status, row, _ = service.ask(content, Content_Type="multipart/form-data; boundary=x")
    assert (status, row["image_status"], row["view"]) == (200, "unreadable", "T")


def test_reading_ends_where_the_client_is_gone() -> None:
    from starlette.requests import ClientDisconnect, Request

    async def receive() -> dict:
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "headers": [], "method": "POST", "path": "/"}, receive)
    with pytest.raises(ClientDisconnect):
        asyncio.run(body.read(request, Settings(), lambda size: None))


@given(content=st.binary(max_size=300), kind=st.sampled_from(["application/json", FORM, f"{FORM}; boundary=x"]))
@example(content=b"--x\r\n" * 50, kind=f"{FORM}; boundary=x")
@example(content=b"--x\r\nContent-Disposition: " + b"a" * 200 + b"\r\n\r\n\r\n--x--", kind=f"{FORM}; boundary=x")
@example(content=b"", kind=f"{FORM}; boundary=" + "y" * 500)
def test_whatever_bytes_come_are_an_object_or_a_fault(content, kind) -> None:
    try:
        value, files = body.parsed(content, kind)
    except RequestError as fault:
        assert fault.status in {400, 415, 422}
    else:
        assert isinstance(value, dict)
        assert all(isinstance(file, bytes) for file in files)


FIELDS = ("text", "words", "image", "images", "context", "views", "explain", "min_score", "picture_ms", "posts")
VALUES = st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text(max_size=9)
NESTED = VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(value=st.dictionaries(st.sampled_from(FIELDS), NESTED | st.lists(NESTED, max_size=2), max_size=5))
def test_whatever_object_comes_is_a_request_or_a_fault(value) -> None:
    try:
        query = schema.query(json.dumps(value).encode(), "application/json", Settings())
    except RequestError as fault:
        assert fault.status in {400, 422}
        assert fault.response().body.decode().isprintable()
    else:
        assert query.posts
