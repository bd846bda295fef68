"""Two processes do not compile librosa's loops at the same time."""

import os
import select
import subprocess
import sys

import pytest

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


NOWHERE = """
import warnings
import numba.core.caching
numba.core.caching.CacheImpl._locator_classes = [numba.core.caching.UserProvidedCacheLocator]
from nmfaudio._common.librosa_loader import load_librosa
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    load_librosa()
(warning,) = [str(w.message) for w in caught if w.category.__name__ == "AudioWarning"]
print(warning)
"""


@pytest.mark.slow  # librosa compiles for half a minute
def test_without_a_folder_for_machine_code_librosa_uses_a_temporary_one(tmp_path):
    env = {**os.environ, "TMPDIR": str(tmp_path), "NUMBA_CACHE_DIR": ""}
    command = [sys.executable, "-c", NOWHERE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert "set NUMBA_CACHE_DIR to a writable folder" in done.stdout
    assert {path.suffix for path in tmp_path.iterdir()} <= {".lock"}  # librosa's turns


def test_librosa_has_compiled_when_the_turn_ends():
    load_librosa()
    assert {"librosa.util.utils", "librosa.core.audio", "librosa.core.pitch"} <= set(sys.modules)
