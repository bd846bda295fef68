"""A batch survives its workers, and its own death: each file once, and nothing in part.

``NMFAUDIO_KILLS`` is the number of kills; the default is for every day.
"""

import contextlib
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import engine_tasks
import pytest

from nmfaudio.cli import batch_task, main
from tests.cli.conftest import QUICK, music, write_wav

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("NMFAUDIO_KILLS", "5"))
COUNT = 16  # files
BATCH = [sys.executable, "-m", "nmfaudio", "batch", "separate", "songs", *QUICK, "--workers", "2"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, sys.path)]))


@pytest.fixture
def songs():
    for number in range(COUNT):
        write_wav(f"songs/{number % 3}/{number}.wav", music(0.5) * 0.9**number)


def start(output, *arguments):
    return subprocess.Popen(
        [*BATCH, "-o", output, "--resume", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def complete(output, *arguments):
    """Run a batch to its end, with the exit code 0."""
    with start(output, *arguments) as batch:
        message = batch.communicate()[1]
    assert batch.returncode == 0, message


def hashes(output):
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in Path(output).rglob("*")
        if path.is_file() and not any(name.startswith(".") for name in path.parts)
    }


def parts(output):
    """Times of the finished parts of long files."""
    found = Path(output).glob(".nmfaudio-batch-parts/*/*.raw")
    stamps = {}
    for path in found:
        with contextlib.suppress(FileNotFoundError):  # a worker may still be removing them
            stamps[str(path)] = path.stat().st_mtime_ns
    return stamps


def entries(output):
    """Lines of all manifests about files, after the check that there is one for each."""
    found = [
        line
        for path in Path(output).glob(".nmfaudio-batch*.jsonl")
        for line in map(json.loads, path.read_text().splitlines())
        if "key" in line
    ]
    assert len({line["input"] for line in found}) == len(found) == COUNT
    assert {line["exit_code"] for line in found} == {0}
    return found


def test_workers_that_fail_fail_their_files_alone(monkeypatch, capsys):
    monkeypatch.setattr(batch_task, "process_file", engine_tasks.fail_by_name)
    for kind in ("abort", "deaf", "eat", "exit", "hang", "kill", "sound"):
        write_wav(f"songs/{kind}.wav")
    limits = ["--time-limit", "4", "--memory-limit", "400M"]
    code = main(["batch", "hpss", "songs", "-o", "out", "--workers", "3", *limits])
    head, _, *rows = capsys.readouterr().err.splitlines()
    assert code == 7
    assert head == "7 files: 1 done, 6 failed"
    found = {row.split("songs/")[1].split(".")[0]: row for row in rows}
    for kind, exit_code, message in [
        ("abort", 1, "SIGABRT"),
        ("exit", 1, "exit code 3"),
        ("kill", 1, "SIGKILL"),
        ("hang", 6, "took more than 4 s"),
        ("deaf", 6, "took more than 4 s"),
        ("eat", 6, "not enough memory"),
    ]:
        assert int(found[kind].split()[0]) == exit_code
        assert message in found[kind]
    monkeypatch.undo()


def test_a_batch_that_is_killed_again_and_again(songs):
    began = time.monotonic()
    complete("reference")
    duration = time.monotonic() - began
    expected = hashes("reference")
    assert len(expected) == COUNT
    generator = random.Random(0)
    kills, rounds, output = 0, 0, "out-0"
    while kills < KILLS:
        began = time.monotonic()
        with start(output) as batch:
            try:
                batch.communicate(timeout=generator.uniform(0.2, 1.0) * duration)
            except subprocess.TimeoutExpired:
                batch.kill()
                kills += 1
        # What is there by its final name is complete.
        assert hashes(output).items() <= expected.items()
        if batch.returncode == 0:
            assert hashes(output) == expected
            entries(output)
            rounds += 1
            duration = min(duration, time.monotonic() - began)  # the machine may be less busy now
            output = f"out-{rounds}"
        else:
            assert batch.returncode == -9
    complete(output)
    assert hashes(output) == expected
    entries(output)


def test_a_long_file_is_killed_again_and_again():
    """The parts of a file are rendered once, and joined to the stems of one task."""
    write_wav("songs/long.wav", music(1000.0))
    write_wav("songs/short.wav", music(0.5))
    one = [sys.executable, "-m", "nmfaudio", "separate", *QUICK, "-o", "reference"]
    subprocess.run([*one, "songs/long.wav", "--stream"], check=True)
    subprocess.run([*one, "songs/short.wav"], check=True)
    expected = hashes("reference")
    began = time.monotonic()
    complete("out", "--stems")
    duration = time.monotonic() - began
    assert hashes("out") == expected
    generator = random.Random(0)
    kills, rounds, output = 0, 0, "out-0"
    while kills < KILLS:
        before = parts(output)
        with start(output, "--stems") as batch:
            try:
                batch.communicate(timeout=generator.uniform(0.3, 1.0) * duration)
            except subprocess.TimeoutExpired:
                batch.kill()
                kills += 1
        assert hashes(output).items() <= expected.items()
        after = parts(output)
        assert all(after.get(name, stamp) == stamp for name, stamp in before.items())
        if batch.returncode == 0:
            assert hashes(output) == expected
            rounds += 1
            output = f"out-{rounds}"
    complete(output, "--stems")
    assert hashes(output) == expected
    assert not list(Path(output).glob(".nmfaudio-batch-parts"))
    assert not list(Path(output).rglob("*.tmp"))


def test_a_batch_that_is_interrupted_is_resumed(songs):
    with start("out") as batch:
        while not hashes("out"):
            time.sleep(0.02)
        batch.send_signal(signal.SIGINT)
        assert "error: interrupted; the same command with --resume" in batch.communicate()[1]
    assert batch.returncode == 130
    assert not list(Path("out").rglob("*.tmp"))
    complete("out")
    assert len(entries("out")) == COUNT


def test_two_resumes_at_once(songs):
    with start("out") as first, start("out") as second:
        messages = [batch.communicate()[1] for batch in (first, second)]
    refused = [message for message in messages if "another nmfaudio batch is writing" in message]
    expected = [0, 5] if refused else [0, 0]  # one may have ended before the other began
    assert sorted([first.returncode, second.returncode]) == expected
    assert len(hashes("out")) == len(entries("out")) == COUNT


def test_shards_into_one_folder(songs):
    with start("out", "--shard", "1/2") as first, start("out", "--shard", "2/2") as second:
        for batch in (first, second):
            batch.communicate()
            assert batch.returncode == 0
    assert len(hashes("out")) == len(entries("out")) == COUNT


class Cluster:
    """A Dask scheduler and a worker, each a process."""

    def __init__(self, port: int = 0):
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        scheduler = ["distributed.cli.dask_scheduler", "--no-dashboard", f"--port={port}"]
        self.scheduler = subprocess.Popen([sys.executable, "-m", *scheduler], **options)
        line = next(text for text in self.scheduler.stderr if "Scheduler at:" in text)
        self.address = re.search(r"tcp://\S+", line)[0]
        worker = ["distributed.cli.dask_worker", self.address, "--nthreads=2", "--no-dashboard"]
        self.worker = subprocess.Popen(
            [sys.executable, "-m", *worker], **options | {"stderr": subprocess.DEVNULL}
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for process in (self.worker, self.scheduler):
            process.terminate()
            process.wait()
        self.scheduler.stderr.close()


def test_a_scheduler_that_goes_away(songs, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "2s")
    batch = [*BATCH[:-2], "-o", "out", "--resume", "--scheduler"]
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with Cluster() as cluster:
        run = subprocess.Popen([*batch, cluster.address], **options)
        while not hashes("out"):
            time.sleep(0.01)
        cluster.scheduler.kill()
        assert "the scheduler went away; start it, and run again" in run.communicate()[1]
        assert run.returncode == 6
    with Cluster() as cluster:
        assert subprocess.run([*batch, cluster.address], **options).returncode == 0
    assert len(hashes("out")) == len(entries("out")) == COUNT
