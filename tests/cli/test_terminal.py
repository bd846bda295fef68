"""What only a process of its own can show: a terminal, signals, a reader that goes away."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nmfaudio.cli.progress import clock

from .conftest import ENVIRONMENT

COMMAND = [sys.executable, "-m", "nmfaudio"]
ENDLESS = ["separate", "-k", "4", "--n-fft", "512", "--max-iter", "100000000", "--tol", "0"]
PATIENCE = 60  # seconds


class Terminal:
    """A process whose stderr is a terminal of 80 columns."""

    def __init__(self, *arguments):
        self._master, slave = pty.openpty()
        # In the background of a shell, where it is ignored, a child would ignore it too.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
            env=ENVIRONMENT,
        )
        signal.signal(signal.SIGINT, before)
        os.close(slave)
        self.seen = ""

    def wait_for(self, pattern):
        """Read the terminal until it has shown `pattern`."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.seen)):
            assert time.monotonic() < end, self.seen[-500:]
            if not self._read():
                raise AssertionError(f"{pattern!r} never came: {self.seen!r}")
        return found

    def finish(self):
        """The exit code and stdout, after reading the terminal to its end."""
        while self._read():
            pass
        os.close(self._master)
        out, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out

    def _read(self):
        if not select.select([self._master], [], [], PATIENCE)[0]:
            return False
        try:
            data = os.read(self._master, 4096)
        except OSError:  # the other end is closed
            return False
        self.seen += data.decode()
        return bool(data)


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_progress_until_a_signal_ends_it(song, number, code, said):
    terminal = Terminal(*ENDLESS, song)
    bar = terminal.wait_for(r"\r\x1b\[K\x1b\[\?7l(song  [━─]+  fitting the model[^\x1b]*)")
    assert len(bar[1]) <= 80
    terminal.process.send_signal(number)
    assert terminal.finish() == (code, b"")
    last = terminal.seen.rpartition("\x1b[K")[2]
    assert last.splitlines() == [f"nmfaudio: error: {said}"]
    assert not Path("separated").exists()


def test_a_reader_that_goes_away_is_no_noise(song):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "separate", "-q", "-k", "4", "--max-iter", "5", song],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
    assert Path("separated/separate/song/harmonic.wav").is_file()


def test_help_into_a_closed_pipe_is_no_noise():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "--help"], stdout=writer, stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_exit_codes_reach_the_shell(song):
    done = subprocess.run(
        [*COMMAND, "separate", "missing.wav"], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("nmfaudio: error: missing.wav: No such file")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3661, "1:01:01")]
)
def test_clock(seconds, shown):
    assert clock(seconds) == shown
