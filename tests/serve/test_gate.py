"""The key, the rate of a client, and the number of requests at a time."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from mner.errors import ConfigError
from mner.serve import Settings
from mner.serve.faults import RequestError
from mner.serve.gate import CLIENTS, Gate

KEY = "0123456789abcdef!~"


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer wrong", f"Basic {KEY}", f"Bearer {KEY}x", KEY])
def test_wrong_key_is_refused(given) -> None:
    with pytest.raises(RequestError) as fault:
        Gate(Settings(key=KEY)).check_key(given)
    assert fault.value.status == 401
    assert fault.value.response().headers["www-authenticate"] == "Bearer"


def test_right_key_opens_and_without_one_all_are_let_in() -> None:
    Gate(Settings(key=KEY)).check_key(f"bearer {KEY} ")
    Gate(Settings()).check_key(None)


def test_key_that_can_be_guessed_is_refused_and_never_shown() -> None:
    with pytest.raises(ConfigError, match="16 or more"):
        Settings(key="short")
    assert KEY not in repr(Settings(key=KEY))


@pytest.mark.parametrize(
    "key", ["0123456789abcdefé", "0123456789abcdef\n", " 0123456789abcdef", "0123456789 abcdef", "\u200b" * 20]
)
def test_key_that_clients_cannot_send_is_refused_and_never_shown(key) -> None:
    with pytest.raises(ConfigError, match="visible ASCII characters") as fault:
        Settings(key=key)
    assert key.strip() not in str(fault.value)


def test_rate_of_a_client_lets_a_burst_through_and_then_so_many_a_second() -> None:
    now = [0.0]
    gate = Gate(Settings(rate=2.0, burst=3), clock=lambda: now[0])
    for _ in range(3):
        gate.check_rate("a")
    with pytest.raises(RequestError) as fault:
        gate.check_rate("a")
    assert (fault.value.status, fault.value.wait) == (429, 1)
    gate.check_rate("b")  # another client has a rate of its own
    now[0] = 0.5
    gate.check_rate("a")
    with pytest.raises(RequestError):
        gate.check_rate("a")


def test_clients_that_are_remembered_are_bounded() -> None:
    gate = Gate(Settings(rate=1.0))
    for number in range(CLIENTS + 10):
        gate.check_rate(str(number))
    assert len(gate._clients) == CLIENTS


@pytest.mark.parametrize("wrong", [{"max_words": 0}, {"rate": -1.0}, {"body_seconds": float("nan")}])
def test_settings_that_make_no_sense_are_refused(wrong) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Settings(**wrong)


@pytest.mark.parametrize("host", ["", "https://a.example.org", "a.example.org/1", "a b", "u@a"])
def test_hosts_that_no_address_has_are_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="hosts: expected a host such as"):
        Settings(hosts=(host,))


def test_hosts_are_compared_as_addresses_have_them() -> None:
    hosts = Settings(hosts=("Bücher.example:8080", "bücher.example")).hosts
    assert hosts == ("xn--bcher-kva.example:8080", "xn--bcher-kva.example")


def test_hosts_are_compared_in_lower_case() -> None:
    assert Settings(hosts=("Pictures.Example.org:8080", "::1")).hosts == ("pictures.example.org:8080", "::1")


@pytest.mark.service
@pytest.mark.enable_socket
def test_service_with_a_key_answers_those_who_have_it(serve) -> None:
    service = serve(key=KEY)
    assert service.ask({"text": "a"})[0] == 401
    assert service.ask({"text": "a"}, Authorization="Bearer wrong")[1]["error"]["code"] == "unauthorized"
    bearer = b"Bearer " + KEY.encode()
    assert service.ask({"text": "a"}, Authorization=bearer)[0] == 200
    assert service.ask(path="/v1/model")[0] == 401
    assert service.ask(path="/v1/model", Authorization=bearer)[0] == 200
    assert service.ask(path="/healthz")[0] == 200


@pytest.mark.service
@pytest.mark.enable_socket
def test_a_thousand_requests_at_once_are_answered_or_asked_to_come_again(serve) -> None:
    service = serve(concurrency=32)
    outcomes: Counter[int] = Counter()
    again: list[str] = []
    faults: list[BaseException] = []
    start = threading.Event()

    def ask() -> None:
        start.wait()
        try:
            status, _, headers = service.ask({"text": "Kevin Love is back in Cleveland"})
            outcomes[status] += 1
            if status == 429:
                again.append(headers["retry-after"])
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=ask) for _ in range(1000)]
    for thread in threads:
        thread.start()
    start.set()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert set(outcomes) <= {200, 429}
    assert sum(outcomes.values()) == 1000
    assert outcomes[200] >= 32
    assert outcomes[429] > 0
    assert all(int(seconds) >= 1 for seconds in again)
    assert service.service.gate.inside == 0
    assert service.ask({"text": "Kevin Love"})[0] == 200
