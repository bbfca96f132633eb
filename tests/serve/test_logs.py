"""Lines of JSON that say what happened and never what a post says."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading

import pytest

from mner.serve.logs import JsonLines


def record(message: str, **extra: object) -> logging.LogRecord:
    written = logging.LogRecord("mner.serve", logging.INFO, __file__, 1, message, (), None)
    for key, value in extra.items():
        setattr(written, key, value)
    return written


def test_line_is_json_with_its_fields_and_no_control_character() -> None:
    row = JsonLines().format(record("request", event="request", route="a\x1b[31m\nb", ms=1.5))
    assert row.isprintable()
    assert "\n" not in row
    parsed = json.loads(row)
    assert (parsed["message"], parsed["event"], parsed["route"], parsed["ms"]) == (
        "request",
        "request",
        "a\x1b[31m\nb",
        1.5,
    )


def test_exception_is_named_with_its_place_and_without_its_message() -> None:
    written = record("the service failed")
    try:
        raise ValueError("Zanzibar")
    except ValueError:
        written.exc_info = sys.exc_info()
    row = json.loads(JsonLines().format(written))
    assert row["error"] == "ValueError"
    assert "test_logs.py" in row["places"][0]
    assert "Zanzibar" not in json.dumps(row)


@pytest.mark.service
@pytest.mark.enable_socket
def test_failure_of_the_service_is_an_answer_with_the_request_of_its_log(serve, caplog, monkeypatch) -> None:
    service = serve()

    async def fail(*_: object) -> None:
        raise RuntimeError("Zanzibar")

    monkeypatch.setattr(service.service.answers, "of", fail)
    with caplog.at_level(logging.INFO, "mner.serve"):
        status, answer, headers = service.ask({"text": "a"})
    assert (status, answer["error"]["code"]) == (500, "internal")
    assert headers["x-request-id"] in answer["error"]["message"]
    assert "Zanzibar" not in json.dumps(answer)
    failures = [line for line in caplog.records if getattr(line, "event", "") == "failure"]
    assert [line.request for line in failures] == [headers["x-request-id"]]


@pytest.mark.service
@pytest.mark.enable_socket
def test_request_that_outlasts_the_end_of_the_service_is_told_to_come_again(serve, monkeypatch) -> None:
    service = serve()
    service.server.config.timeout_graceful_shutdown = 1
    begun = threading.Event()

    async def wait(*_: object) -> None:
        begun.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(service.service.answers, "of", wait)
    answers: list[tuple] = []
    thread = threading.Thread(target=lambda: answers.append(service.ask({"text": "a"})))
    thread.start()
    assert begun.wait(10)
    service.server.should_exit = True
    thread.join(30)
    ((status, answer, headers),) = answers
    assert (status, answer["error"]["code"], headers["retry-after"]) == (503, "stopping", "1")
