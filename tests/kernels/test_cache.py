"""Kept machine code is that of the source."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.kernels.jit import kernel

ROOT = Path(na.__file__).parents[1]

RUN = """
import numpy as np, nmfaudio as na
V = np.random.default_rng(0).random((5, 9))
print(na.__file__, float(na.nmf(V, 2, max_iter=3, tol=0, rng=0).losses[-1]))
"""


def run(folder):
    env = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "cache")}
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


TOY = """
import sys, warnings
from nmfaudio.kernels.jit import kernel

@kernel
def toy(x):
    return 2 * x

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import nmfaudio.kernels.backend  # compiles a kernel too
    print(toy(float(sys.argv[1])), sum(toy.stats.cache_hits.values()))
    toy(1)
for warning in caught:
    print(warning.category.__name__, warning.message)
"""


def toy(tmp_path, *limits, **env):
    """Lines printed by a process with one small kernel."""
    script = tmp_path / "toy.py"
    script.write_text(TOY)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "user")} | env
    command = ["prlimit", *limits, sys.executable] if limits else [sys.executable]
    done = subprocess.run([*command, script, "21"], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("place", ["XDG_CACHE_HOME", "NUMBA_CACHE_DIR"])
def test_machine_code_is_kept_in_a_folder_of_the_user(tmp_path, place):
    env = {"NUMBA_CACHE_DIR": "", place: str(tmp_path / "chosen")}
    assert [toy(tmp_path, **env) for _ in range(2)] == [["42.0 0"], ["42.0 1"]]
    (state,) = (tmp_path / "chosen" / "nmfaudio").iterdir()
    assert {file.suffix for file in state.iterdir()} == {".nbc"}


LOADED = """
import sys
import numpy as np
from nmfaudio.kernels.jit import kernel

@kernel
def doubled(x):
    y = np.empty_like(x)
    for i in range(len(x)):
        y[i] = 2 * x[i]
    return y

print(*doubled(np.arange(3.0)), "numba.np.arraymath" in sys.modules, "scipy.linalg" in sys.modules)
"""


def test_machine_code_is_loaded_without_what_compiling_needs(tmp_path):
    script = tmp_path / "loaded.py"
    script.write_text(LOADED)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)}
    for compiling in (True, False):
        output = subprocess.check_output([sys.executable, script], text=True, env=env)
        assert output.split() == ["0.0", "2.0", "4.0", str(compiling), str(compiling)]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A function that compiles a kernel, or takes it from its only file, and that file."""
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))

    def compiled():
        fresh = kernel(_triple)
        assert fresh(2.0) == 6.0
        return sum(fresh.stats.cache_hits.values())

    assert [compiled(), compiled()] == [0, 1]
    (path,) = tmp_path.rglob("*.nbc")
    return compiled, path


def _triple(x):
    return 3 * x


def test_a_truncated_file_is_compiled_again(kept):
    compiled, path = kept
    whole = path.read_bytes()
    for length in (0, 1, 31, 32, 33, *np.linspace(34, len(whole) - 1, 15).astype(int)):
        path.write_bytes(whole[:length])
        assert [compiled(), compiled()] == [0, 1]


def test_a_garbled_file_is_compiled_again(kept):
    compiled, path = kept
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.integers(0, len(whole), 15):
        content = bytearray(whole)
        content[position] ^= 1 << rng.integers(8)
        path.write_bytes(content)
        assert [compiled(), compiled()] == [0, 1]
    path.write_bytes(rng.bytes(len(whole)))
    assert [compiled(), compiled()] == [0, 1]


@pytest.mark.parametrize("content", [b"", b"cno\nsuch_module\n.", b"cnmfaudio\nmissing\n."])
def test_a_file_that_cannot_be_unpickled_is_compiled_again(kept, content):
    compiled, path = kept
    path.write_bytes(hashlib.sha256(content).digest() + content)
    assert [compiled(), compiled()] == [0, 1]


def test_code_of_states_out_of_use_is_removed(kept):
    compiled, path = kept
    others = [path.parents[1] / name for name in ("0" * 16, "1" * 16, "notes")]
    for other, days in zip(others, (31, 29, 31), strict=True):
        other.mkdir()
        os.utime(other, 2 * (time.time() - days * 86400,))
    shutil.rmtree(path.parent)
    compiled()
    assert [other.exists() for other in others] == [False, True, True]


@pytest.mark.parametrize("setting", ["/dev/null", "/proc"])
def test_one_warning_where_no_machine_code_can_be_kept(tmp_path, setting):
    result, warning = toy(tmp_path, NUMBA_CACHE_DIR=setting)
    assert result == "42.0 0"
    assert warning.startswith(f"AudioWarning {setting}/nmfaudio: machine code cannot be kept")
    assert "set NUMBA_CACHE_DIR to a writable folder" in warning


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="needs prlimit of util-linux")
def test_a_full_disk_stops_nothing(tmp_path):
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    result, warning = toy(tmp_path, "--fsize=1000", **cache)
    assert result == "42.0 0"
    assert "File too large" in warning
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert [toy(tmp_path, **cache) for _ in range(2)] == [["42.0 0"], ["42.0 1"]]


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
