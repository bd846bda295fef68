"""An interrupt ends the program also where Python drops the exception it raised."""

import gc
import os
import signal
import time

import pytest

from nmfaudio.cli.failures import Stop, check_ended, termination


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
def test_a_swallowed_signal_is_raised_again(number, error):
    with termination():
        check_ended()
        trap = Trap(number)
        del trap
        gc.collect()
        with pytest.raises(error):
            check_ended()
    with termination():
        check_ended()  # that was another run


def test_the_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with termination():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
