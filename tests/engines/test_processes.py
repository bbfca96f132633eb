"""Processes: results in order, ended workers replaced, what ended them tried again and then given up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from mner.engines.processes import Processes
from mner.engines.worker_pool import TRIES, ordered
from mner.errors import WorkerError


def lost(item: int, reason: str) -> str:
    return f"{item}: {reason}"


def lists(count: int, size: int = 3) -> list[list[int]]:
    return [list(range(start, min(start + size, count))) for start in range(0, count, size)]


def results(opening, tasks, *, workers: int = 2) -> list:
    with Processes(opening, workers=workers) as pool:
        return [each for result in ordered(pool, tasks, lost=lost) for each in result]


def test_results_come_in_order(work) -> None:
    assert results(work.opening, lists(20)) == [2 * item for item in range(20)]


def test_no_items_give_no_results(work) -> None:
    assert results(work.opening, []) == []


def test_ended_workers_items_are_tried_again(work, tmp_path: Path) -> None:
    opening = partial(work.deadly, str(tmp_path), fatal=[4], times=TRIES - 1)
    assert results(opening, lists(9)) == [2 * item for item in range(9)]
    assert len(list(tmp_path.glob("4-*"))) == TRIES - 1


def test_item_that_ends_every_worker_is_given_up_alone(work, tmp_path: Path) -> None:
    opening = partial(work.deadly, str(tmp_path), fatal=[4], times=99)
    result = results(opening, lists(9))
    assert result[4] == f"4: given up: {TRIES} workers ended with it, one after the other"
    assert result[:4] + result[5:] == [2 * item for item in range(9) if item != 4]


def test_items_are_taken_as_they_are_needed(work) -> None:
    taken: list[int] = []

    def endless():
        while True:
            taken.append(1)
            yield [1]

    with Processes(work.opening, workers=1) as pool:
        stream = ordered(pool, endless(), lost=lost, ahead=3)
        assert [next(stream) for _ in range(5)] == [[2]] * 5
    assert len(taken) <= 5 + 3


def test_defect_in_a_worker_is_raised_here_with_its_place(work) -> None:
    with pytest.raises(ValueError, match="a defect") as caught:
        results(work.failing, lists(3))
    assert "openings_of_tests" in caught.value.__notes__[0]


def test_fault_while_loading_is_raised_here(work) -> None:
    with pytest.raises(ValueError, match="no model"):
        results(work.unloadable, lists(3), workers=1)


def test_fault_that_cannot_be_sent_is_told_with_its_place(work) -> None:
    with pytest.raises(RuntimeError, match="a worker raised Odd: no model: no reason") as caught:
        results(work.odd, lists(3), workers=1)
    assert "openings_of_tests" in caught.value.__notes__[0]


def test_worker_that_ends_while_loading_is_told(work) -> None:
    with pytest.raises(WorkerError, match=r"before it had loaded \(exit code 3\)"):
        results(work.ending, lists(3), workers=1)


def test_lost_results_are_found_out(work) -> None:
    with pytest.raises(WorkerError, match="3 items gave 2 results"):
        results(work.forgetful, lists(3), workers=1)


def test_workers_work_at_the_same_time(work) -> None:
    pids = results(partial(work.slow, 0.05), lists(8, size=1))
    assert len(set(pids)) == 2


def test_workers_leave_when_their_parent_is_killed(work, tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import openings_of_tests as work, time\n"
        "from mner.engines.processes import Processes\n"
        "if __name__ == '__main__':\n"
        "    with Processes(work.opening, workers=1) as pool:\n"
        "        while not pool.idle: pool.wait()\n"
        "        print(pool.pids[0], flush=True)\n"
        "        time.sleep(60)\n"
    )
    (tmp_path / "parent.py").write_text(program)
    command = [sys.executable, str(tmp_path / "parent.py"), str(tmp_path / "code")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and Path(f"/proc/{child}").exists():
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_system_that_starts_no_more_processes_is_told(work, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", refused)
    with pytest.raises(WorkerError, match=r"cannot be started .*unavailable.*ask for fewer workers"):
        Processes(work.opening, workers=2).__enter__()


def test_no_workers_are_refused(work) -> None:
    with pytest.raises(ValueError, match="workers"):
        Processes(work.opening, workers=0)
