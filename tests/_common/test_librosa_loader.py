"""Two processes do not compile librosa's loops at the same time."""

import select
import subprocess
import sys

from nmfaudio._common.librosa_loader import _exclusive, load_librosa

OTHER = """\
from nmfaudio._common.librosa_loader import _exclusive
print('up', flush=True)
with _exclusive(): print('in')
"""


def test_processes_take_turns():
    with _exclusive():
        other = subprocess.Popen([sys.executable, "-c", OTHER], stdout=subprocess.PIPE, bufsize=0)
        assert other.stdout.readline() == b"up\n"
        ready, _, _ = select.select([other.stdout], [], [], 0.5)
        assert not ready
    assert other.communicate(timeout=60)[0] == b"in\n"


def test_a_lock_that_cannot_be_made_hinders_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with _exclusive():
        pass


def test_it_is_librosa():
    assert load_librosa().core.stft is load_librosa().stft
