"""Differences of operating systems, on this one: with a stand-in for what only Windows has."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from nmfaudio._common.files import system

# What Windows lacks is removed, after other packages have taken what they need; mypy checks for
# Windows, too, that nothing of it is used.
WINDOWS = """
import os, signal, sys
import multiprocessing, numba, numpy, soundfile
from nmfaudio._common.files import system
from nmfaudio._common.librosa_loader import load_librosa
load_librosa("core.spectrum")
for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOFOLLOW", "uname", "pwrite", "pread", "fork", "killpg",
             "sched_getaffinity", "setsid", "mkfifo", "sysconf", "statvfs", "fchmod"):
    delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGPIPE", "SIGALRM", "SIGUSR1", "pthread_sigmask"):
    delattr(signal, name)
os.kill = None
system.is_running = lambda process: True
system.lock = lambda descriptor: None
system.NONBLOCK = 0
multiprocessing.set_start_method("spawn", force=True)
for stream in (sys.stdout, sys.stderr):
    stream.reconfigure(encoding={encoding!r}, errors=stream.errors)
from nmfaudio.cli import main
sys.exit(main({arguments!r}))
"""


def as_on_windows(*arguments, encoding="cp1252"):
    """Run a command without what Windows lacks."""
    code = WINDOWS.format(arguments=arguments, encoding=encoding)
    return subprocess.run([sys.executable, "-c", code], capture_output=True)


def test_two_descriptors_cannot_lock_a_file(tmp_path):
    path = tmp_path / "lock"
    first, second = (os.open(path, os.O_RDWR | os.O_CREAT) for _ in range(2))
    system.lock(first)
    with pytest.raises(BlockingIOError):
        system.lock(second)
    os.close(first)
    system.lock(second)
    os.close(second)


def test_locks_of_windows_lie_beyond_the_content(tmp_path, monkeypatch):
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    os.write(descriptor, b"text")
    locked = []

    def locking(descriptor, mode, count):
        if locked:
            raise OSError(13, "Permission denied")
        locked.append(os.lseek(descriptor, 0, os.SEEK_CUR))

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(LK_NBLCK=2, locking=locking))
    system.lock(descriptor)
    assert locked[0] > 1 << 20
    assert os.lseek(descriptor, 0, os.SEEK_CUR) == len(b"text")
    with pytest.raises(BlockingIOError):
        system.lock(descriptor)
    os.close(descriptor)


@pytest.mark.parametrize(
    ("handle", "error", "code", "expected"),
    [(0, 87, 0, False), (0, 5, 0, True), (7, 0, 259, True), (7, 0, 1, False)],
)
def test_processes_of_windows_are_asked_for_without_a_signal(
    monkeypatch, handle, error, code, expected
):
    import ctypes

    closed = []

    def exit_code(_, pointer):
        pointer._obj.value = code
        return 1

    kernel = SimpleNamespace(
        OpenProcess=lambda *_: handle,
        GetLastError=lambda: error,
        GetExitCodeProcess=exit_code,
        CloseHandle=closed.append,
    )
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "kill", None)
    assert system.is_running(1234) is expected
    assert closed == [handle] * bool(handle)


def test_a_recording_is_separated_without_what_windows_lacks(tmp_path):
    source = "audio_samples/drums/mixture.wav"
    done = as_on_windows("separate", source, "-s", "2", "-o", str(tmp_path / "Stems ≥ 2"))
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("*.wav"))) == 2
    again = as_on_windows("separate", source, "-s", "2", "-o", str(tmp_path / "Stems ≥ 2"))
    assert again.returncode == 5
    assert b"exists (and 1 more)" in again.stderr
    assert b"Traceback" not in done.stderr + again.stderr


def test_help_is_printed_by_consoles_that_lack_its_characters():
    for encoding in ("cp1252", "ascii"):
        done = as_on_windows("separate", "--help", encoding=encoding)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(b"usage: nmfaudio separate")


@pytest.mark.slow
def test_a_batch_runs_without_what_windows_lacks(tmp_path):
    source = "audio_samples/drums/mixture.wav"
    done = as_on_windows("batch", "separate", source, "-s", "2", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mixture" / "model.npz").exists()
