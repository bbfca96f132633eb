"""Looking ahead: order, what is at hand at most, errors in their place."""

from __future__ import annotations

import threading
import time

import pytest

from mner.vision.prefetch import prefetch


def test_results_come_in_order() -> None:
    def slow(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return 2 * number

    assert list(prefetch(slow, range(30), most=5)) == [2 * number for number in range(30)]
    assert list(prefetch(slow, [], most=5)) == []


def test_next_calls_run_while_a_result_is_used_and_no_more_than_asked() -> None:
    begun: list[int] = []
    most = 0
    for used, number in enumerate(prefetch(lambda number: begun.append(number) or number, range(40), most=4)):
        until = time.monotonic() + 5
        while len(begun) < min(number + 4, 40) and time.monotonic() < until:  # whoever uses a result has time
            time.sleep(0.001)
        time.sleep(0.002)
        most = max(most, len(begun) - used)
    assert most == 4  # the one in use and three more


def test_items_are_taken_in_the_callers_thread_as_they_are_needed() -> None:
    taken: list[str] = []

    def endless():
        while True:
            taken.append(threading.current_thread().name)
            yield 1

    stream = prefetch(lambda number: number, endless(), most=3)
    assert [next(stream) for _ in range(5)] == [1] * 5
    assert len(taken) == 5 + 2
    assert set(taken) == {threading.current_thread().name}
    stream.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("mner-vision")]


def test_error_stands_where_its_result_would() -> None:
    result: list[float] = []
    with pytest.raises(ZeroDivisionError):
        for each in prefetch(lambda number: 1 / number, [1, 2, 0, 4], most=4):
            result.append(each)
    assert result == [1.0, 0.5]
