"""Ctrl-C waits for a good moment and is never lost."""

from __future__ import annotations

import os
import signal

import pytest

from mner.training.interrupts import deferred


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_press_is_told_to_who_asks() -> None:
    before = signal.getsignal(signal.SIGINT)
    with deferred() as pressed:
        assert not pressed()
        press()
        assert pressed()
    assert signal.getsignal(signal.SIGINT) is before


def test_second_press_interrupts_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), deferred():
        press()
        press()
        pytest.fail("the second press did not interrupt")


def test_press_that_nobody_asked_about_interrupts_at_the_end() -> None:
    reached = False
    with pytest.raises(KeyboardInterrupt), deferred() as pressed:
        assert not pressed()
        press()
        reached = True
    assert reached


def test_ignored_press_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with deferred() as pressed:
            press()
            press()
            assert not pressed()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_press_outweighs_another_exception() -> None:
    with pytest.raises(KeyboardInterrupt), deferred():
        press()
        raise ValueError
