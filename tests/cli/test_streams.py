"""Closed and full standard streams, as of jobs of schedulers, change no result."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INFO = "info audio_samples/drums/mixture.wav --json"


def run(arguments, redirected="", env=""):
    command = f"{env} {sys.executable} -m nmfaudio {arguments} {redirected}"
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("arguments", "redirected", "code", "said"),
    [
        (INFO, ">&-", 0, ""),
        (INFO, "<&- >&- 2>&-", 0, ""),
        (INFO, ">/dev/full", 5, "standard output: cannot be written: No space left on device"),
        ("info none.wav", "2>&-", 3, ""),
        ("info none.wav", "2>/dev/full", 3, ""),
        ("hpss -", "<&-", 2, "standard input is closed"),
    ],
)
def test_exit_codes_and_messages(arguments, redirected, code, said):
    done = run(arguments, redirected)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == bool(said)


def test_help_is_printed_in_any_locale():
    done = run("separate --help", env="LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0")
    assert done.returncode == 0, done.stderr
    assert done.stdout == run("separate --help").stdout
