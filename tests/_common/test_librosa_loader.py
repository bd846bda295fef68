"""Two processes do not compile librosa's loops at the same time."""

import errno
import os
import select
import subprocess
import sys

import numba
import pytest

from nmfaudio._common import librosa_loader
from nmfaudio._common.librosa_loader import _exclusive, load_librosa
from nmfaudio.errors import AudioWarning

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


def test_modules_are_those_of_librosa():
    import librosa

    assert load_librosa("core.spectrum").stft is librosa.stft


def run(code):
    """Output of a new process."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


SPECTROGRAM = """
import sys
import numpy as np
from nmfaudio._common.librosa_loader import load_librosa
stft = load_librosa("core.spectrum").stft
from numba.core.dispatcher import Dispatcher
Dispatcher.compile = None  # neither compile nor load from a cache
stft(np.ones(4096, np.float32), n_fft=512, window=np.hanning(512))
print(*sys.modules)
"""


def test_a_spectrogram_loads_nothing_for_other_functions_and_compiles_nothing():
    loaded = set(run(SPECTROGRAM).split())
    assert "librosa.core.spectrum" in loaded
    others = {"scipy.signal", "scipy.stats", "scipy.optimize", "scipy.interpolate", "soxr"}
    assert not others & loaded


AFTERWARDS = """
import numpy as np, numba
before = numba.guvectorize, numba.vectorize
from nmfaudio._common.librosa_loader import load_librosa
pitch, audio = load_librosa("core.pitch"), load_librosa("core.audio")
assert (numba.guvectorize, numba.vectorize) == before
import librosa
y = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
print(librosa.util.localmax(np.array([1, 3, 2, 5, 1])).tolist())
print(librosa.util.abs2(np.array([3j])).tolist(), librosa.zero_crossings(y).sum())
print(audio.resample(y, orig_sr=8000, target_sr=4000).shape)
print(audio.resample(y, orig_sr=8000, target_sr=4000, res_type="fft").shape)
print(librosa.estimate_tuning(y=y, sr=8000))
@numba.vectorize(["f8(f8)"])
def double(x): return 2 * x
print(double.ntypes, type(double).__name__)
"""


def test_functions_compile_and_load_when_called():
    lines = run(AFTERWARDS).splitlines()
    assert lines[0] == "[False, True, False, True, False]"
    assert lines[1].startswith("[9.0] 8")
    assert lines[2:4] == ["(4000,)"] * 2
    assert abs(float(lines[4])) < 0.05
    assert lines[5] == "1 DUFunc"


MODULE = """
import sys, types
from nmfaudio._common import librosa_loader
librosa_loader._DEFERRED = ("scipy.signal", "no_such_module")
with librosa_loader._deferred_modules():
    import scipy.signal
    import no_such_module
    assert "scipy.signal.windows" not in sys.modules
    from scipy.signal import get_window
assert scipy.signal.get_window is get_window
assert sys.modules["scipy.signal"] is scipy.signal
assert "no_such_module" not in sys.modules
try:
    no_such_module.something
except ModuleNotFoundError as error:
    print(error)
"""


def test_a_module_is_imported_when_an_attribute_is_used():
    assert run(MODULE) == "No module named 'no_such_module'\n"


NOWHERE = """
import warnings
from numba.core.caching import CacheImpl
locators = CacheImpl._locator_classes
CacheImpl._locator_classes = [each for each in locators if "UserProvided" in each.__name__]
from nmfaudio._common.librosa_loader import load_librosa
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    load_librosa("core.audio")
(warning,) = [str(w.message) for w in caught if w.category.__name__ == "AudioWarning"]
print(warning)
"""


def test_without_a_folder_for_machine_code_librosa_uses_a_temporary_one(tmp_path):
    env = {**os.environ, "TMPDIR": str(tmp_path), "NUMBA_CACHE_DIR": ""}
    command = [sys.executable, "-c", NOWHERE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert "set NUMBA_CACHE_DIR to a writable folder" in done.stdout
    assert {path.suffix for path in tmp_path.iterdir()} <= {".lock"}  # librosa's turns


def test_functions_run_where_their_machine_code_cannot_be_kept(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(numba.core.caching.IndexDataCacheFile, "save", full)
    librosa_loader._warn.cache_clear()
    with librosa_loader._caches_that_may_fail():

        @numba.njit(cache=True)
        def double(x):
            return 2 * x

    with pytest.warns(AudioWarning, match=r"cannot be kept .*No space left on device.*set NUMBA"):
        assert double(2) == 4
