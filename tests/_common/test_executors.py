"""Tasks give the same results, in the same order, whatever runs them."""

import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import engine_tasks
import pytest

from nmfaudio._common.executors import as_executor, completed_tasks, map_tasks
from nmfaudio.errors import ContentError, ParameterError, WorkerError

NUMBERS = [(number,) for number in range(9)]
SQUARES = [number**2 for number in range(9)]


class Counting:
    """Executor that counts what is submitted and cancelled, and can do no more than it must."""

    def __init__(self, failures: int = 0) -> None:
        self.submitted: list[tuple[int, ...]] = []
        self.most = self.taken = 0
        self._failures = failures

    def submit(self, function, *arguments):
        self.submitted.append(arguments)
        self.most = max(self.most, len(self.submitted) - self.taken)
        failing = len(self.submitted) <= self._failures
        return Once(self, function, arguments, failing=failing)


class Once:
    def __init__(self, owner, function, arguments, *, failing):
        self._owner, self._function, self._arguments = owner, function, arguments
        self._failing = failing

    def result(self):
        self._owner.taken += 1
        if self._failing:
            raise OSError("the worker died")
        return self._function(*self._arguments)


@pytest.mark.parametrize("executor", [None, 1, 2, "processes"])
def test_results_are_in_order(executor):
    assert list(map_tasks(engine_tasks.square, NUMBERS, executor)) == SQUARES
    assert list(map_tasks(engine_tasks.square, [], executor)) == []


@pytest.mark.parametrize("executor", [None, 2])
def test_outcomes_are_told_apart_by_their_numbers(executor):
    outcomes = list(completed_tasks(engine_tasks.square, NUMBERS, executor))
    assert sorted(outcomes) == [(i, square, None) for i, square in enumerate(SQUARES)]


def test_any_object_with_submit_will_do():
    assert list(map_tasks(engine_tasks.square, NUMBERS, Counting())) == SQUARES
    outcomes = completed_tasks(engine_tasks.square, NUMBERS, Counting())
    assert sorted(value for _, value, _ in outcomes) == SQUARES
    with ThreadPoolExecutor(2) as pool:
        assert list(map_tasks(engine_tasks.square, NUMBERS, pool)) == SQUARES


def test_no_more_than_the_window_is_submitted():
    executor = Counting()
    list(map_tasks(engine_tasks.square, NUMBERS, executor, window=3))
    assert executor.most == 3


@pytest.mark.parametrize("run", [map_tasks, completed_tasks])
@pytest.mark.parametrize(("executor", "window"), [(None, 1), (1, 3)])
def test_arguments_are_taken_as_they_are_needed(run, executor, window):
    taken = []

    def arguments():
        for number in range(9):
            taken.append(number)
            yield (number,)

    results = run(engine_tasks.square, arguments(), executor, window=window)
    next(results)
    assert taken == list(range(window))
    results.close()


@pytest.mark.parametrize("run", [map_tasks, completed_tasks])
def test_a_task_is_submitted_again_after_the_error_of_an_executor(run):
    executor = Counting(failures=2)
    assert len(list(run(engine_tasks.square, [(3,)], executor))) == 1
    assert executor.submitted == [(3,)] * 3


def test_after_all_attempts_the_error_is_raised():
    with pytest.raises(OSError, match="the worker died"):
        list(map_tasks(engine_tasks.square, NUMBERS, Counting(failures=9), window=1))
    outcomes = list(completed_tasks(engine_tasks.square, [(3,)], Counting(failures=9), retries=1))
    assert [(number, value, str(error)) for number, value, error in outcomes] == [
        (0, None, "the worker died")
    ]


def test_an_error_of_this_package_is_not_tried_again():
    executor = Counting()
    with pytest.raises(ContentError, match="silence"):
        list(map_tasks(engine_tasks.fail, [("content",)], executor))
    assert len(executor.submitted) == 1


def test_tasks_that_are_not_needed_are_cancelled():
    class Waiting:
        def __init__(self):
            self.futures = []

        def submit(self, function, *arguments):
            self.futures.append(Future())
            if len(self.futures) == 1:
                self.futures[0].set_exception(ContentError("the first"))
            return self.futures[-1]

    executor = Waiting()
    with pytest.raises(ContentError, match="the first"):
        list(map_tasks(engine_tasks.square, NUMBERS, executor, window=4))
    assert [future.cancelled() for future in executor.futures[1:]] == [True] * 3


@pytest.mark.parametrize("executor", [0, -1, True, "threads", 1.5, object()])
def test_what_is_no_executor_is_refused(executor):
    with pytest.raises(ParameterError), as_executor(executor):
        pass


def test_processes_have_one_thread_and_are_others():
    assert list(map_tasks(engine_tasks.threads, [()], 1)) == [1]
    numbers = set(map_tasks(engine_tasks.process_number, NUMBERS, 1))
    assert len(numbers) == 1
    assert os.getpid() not in numbers


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("abort", "SIGABRT"),
        ("exit", "exit code 3"),
        ("kill", "SIGKILL; the memory may have been full"),
    ],
)
def test_the_death_of_a_process_fails_its_task_alone(kind, message):
    kinds = [("a",), (kind,), ("b",)]
    outcomes = sorted(completed_tasks(engine_tasks.fail, kinds, 1, retries=1))
    assert [value for _, value, _ in outcomes] == ["a", None, "b"]
    error = outcomes[1][2]
    assert isinstance(error, WorkerError)
    assert message in str(error)
    assert error.exit_code == 1


@pytest.mark.parametrize("kind", ["kill", "abort", "exit"])
def test_a_task_whose_process_died_is_tried_again(kind, tmp_path):
    arguments = [(str(tmp_path), kind)]
    assert list(map_tasks(engine_tasks.fail_first, arguments, 1, retries=1)) == ["done"]


def test_a_task_is_ended_at_the_time_limit():
    with as_executor(1, time_limit=0.5) as engine:
        outcomes = sorted(
            completed_tasks(engine_tasks.fail, [("hang",), ("a",)], engine, retries=0)
        )
    assert outcomes[1][1] == "a"
    assert isinstance(outcomes[0][2], WorkerError)
    assert "took more than 0.5 s" in str(outcomes[0][2])
    assert outcomes[0][2].exit_code == 6


@pytest.mark.slow
def test_a_process_that_ignores_the_request_to_end_is_killed():
    with as_executor(1, time_limit=0.5) as engine:
        outcomes = sorted(
            completed_tasks(engine_tasks.fail, [("deaf",), ("a",)], engine, retries=0)
        )
    assert [value for _, value, _ in outcomes] == [None, "a"]


def test_an_allocation_beyond_the_memory_limit_fails():
    with as_executor(1, memory_limit=2**28) as engine:
        outcomes = sorted(completed_tasks(engine_tasks.fail, [("eat",), ("a",)], engine, retries=0))
    assert isinstance(outcomes[0][2], MemoryError)
    assert outcomes[1][1] == "a"


def test_errors_of_tasks_arrive_with_their_traceback():
    with as_executor(1) as engine:
        outcomes = sorted(
            completed_tasks(
                engine_tasks.fail, [("value",), ("content",), ("unportable",)], engine, retries=0
            )
        )
    errors = [error for _, _, error in outcomes]
    assert [type(error) for error in errors] == [ValueError, ContentError, RuntimeError]
    assert "engine_tasks.Unportable: first" in str(errors[2])
    assert all("engine_tasks.py" in error.__notes__[0] for error in errors)


def test_a_script_needs_no_guard():
    code = (
        "from nmfaudio._common.executors import map_tasks\n"
        "print(list(map_tasks(abs, [(-1,), (-2,)], 2)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[1, 2]\n", "")


def test_processes_end_with_their_parent():
    code = (
        "import os, signal, engine_tasks\n"
        "from nmfaudio._common.executors import as_executor\n"
        "with as_executor(2) as engine:\n"
        "    print(engine.submit(engine_tasks.process_number, 0).result(), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    # The pipe is open as long as any of the processes has it.
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == -9
    assert done.stdout


def test_an_executor_that_is_shut_down_refuses_tasks():
    with as_executor(1) as engine:
        running = engine.submit(engine_tasks.fail, "hang")
        waiting = engine.submit(engine_tasks.square, 2)
        threading.Timer(0.3, engine.shutdown).start()
        with pytest.raises(WorkerError):
            running.result()
        assert waiting.cancelled()
    with pytest.raises(RuntimeError, match="shut down"):
        engine.submit(engine_tasks.square, 2)


@pytest.mark.slow
def test_process_pools_and_executorlib(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(map_tasks(engine_tasks.square, NUMBERS, pool)) == SQUARES
    executorlib = pytest.importorskip("executorlib")
    with executorlib.SingleNodeExecutor(max_workers=2, block_allocation=True) as pool:
        assert list(map_tasks(engine_tasks.square, NUMBERS, pool)) == SQUARES


@pytest.mark.slow
def test_a_dask_cluster_that_loses_a_worker(tmp_path: Path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        arguments = [(str(tmp_path), "kill")] * 9
        assert list(map_tasks(engine_tasks.fail_first, arguments, client)) == ["done"] * 9
        address = cluster.scheduler_address
        assert list(map_tasks(engine_tasks.square, NUMBERS, address)) == SQUARES
