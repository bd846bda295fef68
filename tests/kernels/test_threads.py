"""Loops over threads."""

import pytest

from nmfaudio.errors import ParameterError
from nmfaudio.kernels.threads import get_threads, parallel_for, set_threads


@pytest.fixture(autouse=True)
def two_threads():
    set_threads(2)
    yield
    set_threads(None)


def test_a_loop_inside_a_loop_runs_on_one_thread():
    inner, threads = [], []

    def work(parts):
        threads.append(get_threads())
        parallel_for(lambda numbers: inner.append(list(numbers)), 5)

    parallel_for(work, 2)
    assert threads == [1, 1]
    assert inner == [[0, 1, 2, 3, 4]] * 2
    assert get_threads() == 2


def test_a_loop_of_one_part_leaves_the_threads_to_loops_inside_it():
    threads = []
    parallel_for(lambda parts: threads.append(get_threads()), 1)
    assert threads == [2]


def test_threads_are_free_again_after_a_failure():
    def fail(parts):
        raise ValueError("part")

    with pytest.raises(ValueError, match="part"):
        parallel_for(fail, 4)
    assert get_threads() == 2


@pytest.mark.parametrize("setting", ["abc", "0", "-1", "1.5", "9" * 400])
def test_a_number_of_threads_that_is_none_is_refused(monkeypatch, setting):
    set_threads(None)
    monkeypatch.setenv("NMFAUDIO_NUM_THREADS", setting)
    with pytest.raises(ParameterError, match="NMFAUDIO_NUM_THREADS"):
        get_threads()
