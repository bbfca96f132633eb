"""What workers do in the tests, in a module of its own that a fresh process can import."""

from __future__ import annotations

from pathlib import Path

import pytest

WORK = '''
import os, signal, time
from functools import partial


def doubled(items):
    for item in items:
        yield 2 * item


def opening():
    return doubled


def deadly(folder, *, fatal, times):
    """Ends its process with items of ``fatal`` the first ``times`` times that they are tried."""

    def function(items):
        for item in items:
            tries = sum(name.startswith(f"{item}-") for name in os.listdir(folder))
            if item in fatal and tries < times:
                open(os.path.join(folder, f"{item}-{os.getpid()}"), "w").close()
                os.kill(os.getpid(), signal.SIGKILL)
            yield 2 * item

    return function


def slow(seconds):
    def function(items):
        for item in items:
            time.sleep(seconds)
            yield os.getpid()

    return function


def failing():
    def function(items):
        raise ValueError("a defect")

    return function


def unloadable():
    raise ValueError("no model")


class Odd(Exception):
    """It can be pickled and not unpickled: its arguments are not those it was made with."""

    def __init__(self, what, why):
        super().__init__(f"{what}: {why}")


def odd():
    raise Odd("no model", "no reason")


def ending():
    os._exit(3)


def forgetful():
    return lambda items: items[1:]
'''


@pytest.fixture(scope="session")
def work_text() -> str:
    """The text of the module, for processes that do not have this one's path."""
    return WORK


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The module of openings."""
    import importlib
    import sys

    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "openings_of_tests.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    monkeypatch.delitem(sys.modules, "openings_of_tests", raising=False)
    return importlib.import_module("openings_of_tests")
