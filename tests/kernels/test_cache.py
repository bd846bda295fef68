"""Kept machine code is that of the source."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nmfaudio as na

RUN = """
import numpy as np, nmfaudio as na
V = np.random.default_rng(0).random((5, 9))
print(na.__file__, float(na.nmf(V, 2, max_iter=3, tol=0, rng=0).losses[-1]))
"""


def run(folder):
    env = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": ""}
    done = subprocess.run(
        [sys.executable, "-c", RUN], capture_output=True, text=True, check=True, env=env, cwd=folder
    )
    path, loss = done.stdout.split()
    assert Path(path).parent == folder / "nmfaudio"
    return float(loss)


@pytest.mark.slow  # it compiles everything anew, twice
def test_a_change_in_one_kernel_reaches_those_that_call_it(tmp_path):
    package = tmp_path / "nmfaudio"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(na.__file__).parent, package, ignore=ignore)
    before = run(tmp_path)
    assert run(tmp_path) == before  # from the cache
    source = package / "kernels" / "majorisation.py"
    text = source.read_text()
    changed = text.replace("u = a[j] / b[j] if", "u = one if")
    assert changed != text
    source.write_text(changed)
    assert run(tmp_path) != before


NO_FOLDER_OF_ITS_OWN = """
import numba.core.caching as caching
caching.CacheImpl._locator_classes = [caching.UserProvidedCacheLocator]
import glob, os, tempfile
import numpy as np, nmfaudio as na
before = set(glob.glob(os.path.join(tempfile.gettempdir(), "nmfaudio-*")))
stems = na.separate(np.ones(500), 8000, n_components=2, max_iter=2, n_fft=64)
print(len(stems), len(before))
"""


@pytest.mark.slow  # librosa compiles for half a minute
def test_without_a_folder_of_its_own_machine_code_goes_to_a_temporary_one(tmp_path):
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", NO_FOLDER_OF_ITS_OWN],
        capture_output=True,
        text=True,
        check=True,
        env=env,
    )
    assert done.stdout == "2 0\n"
    assert {path.suffix for path in tmp_path.iterdir()} <= {".lock"}  # librosa's turns


NOWHERE = """
import numba.core.caching
numba.core.caching.CacheImpl._locator_classes = []  # as where no folder can be written
import numpy as np, nmfaudio as na
print(na.nmf(np.ones((4, 5)), 2, max_iter=3, tol=0, rng=0).n_iter)
"""


def test_without_a_place_for_machine_code_everything_still_works():
    done = subprocess.run(
        [sys.executable, "-c", NOWHERE], capture_output=True, text=True, check=True
    )
    assert done.stdout == "3\n"


BYTES = """
import hashlib
import numpy as np, nmfaudio as na
rng = np.random.default_rng(0)
V = rng.random((130, 200)).astype(np.float32)
for beta in (0, 1, 2.5):
    d = na.nmf(V, 6, beta_loss=beta, max_iter=12, rng=0, init="random")
    for array in (d.W, d.H, d.losses):
        print(hashlib.sha256(array.tobytes()).hexdigest())
Z = (rng.standard_normal((2, 40, 60)) + 1j * rng.standard_normal((2, 40, 60))).astype(np.complex64)
masks = rng.random((3, 40, 60)).astype(np.float32)
filters = na.audio.fit_spatial_filter(Z, masks / masks.sum(0))
print(hashlib.sha256(filters.covariances.tobytes()).hexdigest())
"""


@pytest.mark.slow  # it compiles everything anew
def test_compiled_and_cached_kernels_give_the_same_bytes(tmp_path):
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", BYTES]
    runs = [subprocess.run(command, capture_output=True, check=True, env=env) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
