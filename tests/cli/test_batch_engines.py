"""The results of a batch are the same whatever runs it."""

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

import nmfaudio as na
from nmfaudio._common.executors import map_tasks
from nmfaudio.cli.batch_task import process_file, process_isolated
from nmfaudio.separators import render_shards
from tests.cli.conftest import QUICK, music, write_wav

pytestmark = pytest.mark.slow


def engine(name, stack):
    """Executor by its name, and a context that ends it."""
    if name == "pool":
        context = multiprocessing.get_context("spawn")
        return stack.enter_context(ProcessPoolExecutor(2, mp_context=context))
    if name == "executorlib":
        executorlib = pytest.importorskip("executorlib")
        return stack.enter_context(executorlib.SingleNodeExecutor(max_workers=2))
    if name == "dask":
        distributed = pytest.importorskip("distributed")
        settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
        cluster = stack.enter_context(distributed.LocalCluster(**settings))
        return stack.enter_context(distributed.Client(cluster))
    return {"none": None, "one process": 1, "two processes": 2}[name]


def models(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in Path(folder).rglob("*.npz")}


@pytest.mark.parametrize(
    "name", ["one process", "two processes", "pool", "executorlib", "dask", "dask, isolated"]
)
def test_every_engine_writes_the_same_models(name, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    for number in range(3):
        write_wav(f"{number}.wav", music(0.25) * 0.5**number)

    def run(executor, output, isolated=False):
        argv = (*QUICK, "--output", output)
        tasks = [
            (os.getcwd(), "separate", argv, False, f"{number}.wav", str(number))
            for number in range(3)
        ]
        if isolated:
            tasks = [(60.0, 2**31, *task) for task in tasks]
        function = process_isolated if isolated else process_file
        reports = list(map_tasks(function, tasks, executor))
        assert [report.get("error") for report in reports] == [None] * 3
        return models(output)

    expected = run(None, "reference")
    assert len(expected) == 3
    with ExitStack() as stack:
        kind, _, isolated = name.partition(", ")
        assert run(engine(kind, stack), "out", isolated=bool(isolated)) == expected


@pytest.mark.parametrize("name", ["two processes", "pool", "executorlib", "dask"])
def test_every_engine_renders_the_same_parts(name, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    monkeypatch.setattr(render_shards, "SHARD_SECONDS", 5)
    write_wav("song.wav", music(20.0))
    separator = na.BlindSeparator(n_components=4, max_iter=5, n_fft=512)
    expected = na.separate_file("song.wav", "whole", separator)
    with ExitStack() as stack:
        executor = engine(name, stack)
        stems = na.separate_file("song.wav", "parts", separator, executor=executor)
    for stem, path in expected.paths.items():
        assert stems.paths[stem].read_bytes() == path.read_bytes()
