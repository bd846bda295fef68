"""An interrupt ends the program also where Python drops the exception it raised."""

import gc
import os
import signal
import sys
import threading
import time
from functools import partial

import pytest

from nmfaudio.cli import failures
from nmfaudio.cli.failures import Stop, check_ended, termination
from nmfaudio.kernels.threads import parallel_for, parallel_for_each, set_threads


@pytest.fixture(autouse=True)
def interruptible():
    """A shell that starts the tests in the background has them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Trap:
    """Python ignores what is raised while this is deleted."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        os.kill(os.getpid(), self.number)
        time.sleep(0.05)  # the handler runs here


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Stop)]
)
def test_a_swallowed_signal_is_raised_again(number, error, monkeypatch):
    monkeypatch.setattr(failures, "_AGAIN", 60)  # not by itself
    with termination():
        check_ended()
        trap = Trap(number)
        del trap
        gc.collect()
        with pytest.raises(error):
            check_ended()
    with termination():
        check_ended()  # that was another run


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Stop)]
)
def test_a_swallowed_signal_comes_again_by_itself(number, error):
    hook = sys.unraisablehook
    with pytest.raises(error), termination():  # noqa: PT012
        trap = Trap(number)
        del trap
        time.sleep(5)
    assert sys.unraisablehook is hook


def test_an_interrupt_does_not_wait_for_threads_that_compile():
    set_threads(2)
    ended, begun = threading.Event(), time.monotonic()

    def work(parts):
        if parts[0] == 0:
            raise KeyboardInterrupt
        ended.wait(20)

    try:
        for loop in (partial(parallel_for, work, 2), partial(parallel_for_each, one(work), 2)):
            with pytest.raises(KeyboardInterrupt):
                loop()
        assert time.monotonic() - begun < 10
    finally:
        ended.set()
        set_threads(None)


def one(work):
    """Job of a number, from work on a range."""
    return lambda number: work(range(number, number + 1))


def test_the_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with termination():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
