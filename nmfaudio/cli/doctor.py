"""`nmfaudio doctor`: versions and capabilities of the installation, and a self-test."""

from __future__ import annotations

import os
import platform
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nmfaudio._common.memory import memory_limit
from nmfaudio._version import __version__
from nmfaudio.cli.command import Command
from nmfaudio.cli.failures import describe
from nmfaudio.cli.output import emit
from nmfaudio.cli.progress import FITTING, PREPARING, Bar
from nmfaudio.errors import ParameterError
from nmfaudio.separators import SEPARATORS
from nmfaudio.separators.base import load_separator

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    import numpy as np

_SHOWN_FEATURES = ("sse4.2", "avx", "avx2", "fma", "avx512f", "neon", "sve")
_TOLERANCE = 1e-6  # of the peak


@dataclass(frozen=True, kw_only=True)
class DoctorCommand(Command):
    """``nmfaudio doctor``."""

    operands = ""
    epilog = "The exit code is 1 if the separation fails."

    def run(self) -> int:
        """Examine the installation; the exit code is 1 if the self-test fails."""
        if self.files:
            raise ParameterError(f"doctor takes no files, got {self.files[0]}; did you mean info?")
        facts = examine()
        code = 0 if facts["self_test"]["passed"] else 1
        if self.json:
            self.emit_result(code, facts)
        else:
            emit("".join(f"{name:<12}{text}\n" for name, text in _lines(facts)))
        return code


def examine() -> dict[str, Any]:
    """Collect all facts about the installation."""
    from nmfaudio._common.extras import EXTRAS, installed_version, missing_packages
    from nmfaudio._common.versions import PACKAGES, libsndfile_version
    from nmfaudio.kernels.backend import VECTORS
    from nmfaudio.kernels.threads import get_threads

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: installed_version(name) for name in PACKAGES},
        "libsndfile": libsndfile_version(),
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "threads": get_threads(),
        "vector_tiles": VECTORS,
        "memory_available": memory_limit(),
        "extras": {extra: missing_packages(extra) for extra in EXTRAS},
        "self_test": self_test(),
        "cache": _cache(),  # with what the test compiled
    }


def self_test() -> dict[str, Any]:
    """Separate one second of audio, and check that the stems sum to it."""
    began = time.perf_counter()
    error: float | None = None
    failure: str | None = None
    try:
        with Bar("self-test", {FITTING: 1}) as bar:
            bar.show_stage(PREPARING)
            error = _separation_error(*_test_signal())
        if not error <= _TOLERANCE:
            failure = f"the stems differ from the mixture by {error:.1e} of its peak"
    except Exception as problem:
        failure = describe(problem)
    return {
        "passed": failure is None,
        "error": failure,
        "max_relative_error": error,
        "seconds": time.perf_counter() - began,
    }


def _test_signal(sr: int = 44_100) -> tuple[np.ndarray, int]:
    """One second of two tones and four clicks, in stereo."""
    import numpy as np

    t = np.arange(sr) / sr
    tones = np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 660 * t)
    clicks = np.exp(-200 * (t % 0.25)) * np.random.default_rng(0).standard_normal(sr)
    return np.stack([tones + clicks, tones - clicks]).astype(np.float32) / 8, sr


def _separation_error(y: np.ndarray, sr: int) -> float:
    """Largest |mix − Σ stems| relative to the peak."""
    import numpy as np

    stems = load_separator(next(iter(SEPARATORS)))()(y, sr, rng=0)
    rest = y.astype(np.float64) - np.sum(list(stems.values()), axis=0, dtype=float)
    return float(np.abs(rest).max() / np.abs(y).max())


def _cpu() -> dict[str, Any]:
    try:
        import llvmlite.binding as llvm
    except (ImportError, OSError):
        return {"name": platform.processor() or None, "features": []}
    features = sorted(name for name, present in llvm.get_host_cpu_features().items() if present)
    return {"name": llvm.get_host_cpu_name(), "features": features}


def _cache() -> dict[str, Any]:
    """Folder of the machine code, whether it can be written, and its size in bytes."""
    from nmfaudio._common.cache_folder import cache_folder
    from nmfaudio.kernels.machine_code import cache_bytes

    folder = cache_folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return {
        "folder": folder,
        "writable": existing.is_dir() and os.access(existing, os.W_OK | os.X_OK),
        "bytes": cache_bytes(),
    }


def _lines(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "nmfaudio", __version__
    yield "python", f"{facts['python']} on {facts['platform']}"
    for name, version in facts["packages"].items():
        yield name, version or "MISSING"
    yield "libsndfile", facts["libsndfile"] or "MISSING"
    features = [name for name in _SHOWN_FEATURES if name in facts["cpu"]["features"]]
    yield "processor", f"{facts['cpu']['name']}: {' '.join(features) or 'no vector extensions'}"
    slow = "scalar loops (slower): vector kernels do not compile here, or NMFAUDIO_VECTORS is 0"
    yield "kernels", "vector registers" if facts["vector_tiles"] else slow
    yield "threads", f"{facts['threads']} of {facts['cpus']} processors"
    if facts["memory_available"] is not None:
        yield "memory", f"{facts['memory_available'] / 2**30:.1f} GiB available"
    from nmfaudio._common.extras import install_command

    for extra, missing in facts["extras"].items():
        absent = f"without {', '.join(missing)}: {install_command(extra)}"
        yield f"[{extra}]", absent if missing else "installed"
    yield "cache", _cache_text(facts["cache"])
    yield "self-test", _test_text(facts["self_test"])


def _cache_text(cache: dict[str, Any]) -> str:
    size = f"{cache['folder']}: machine code, {cache['bytes'] / 2**20:.1f} MiB"
    if cache["writable"]:
        return f"{size}; may be deleted at any time: rm -r {shlex.quote(str(cache['folder']))}"
    return f"{size}; not writable: every run compiles again; set NUMBA_CACHE_DIR to a folder"


def _test_text(test: dict[str, Any]) -> str:
    if not test["passed"]:
        return f"FAILED: {test['error']}"
    return (
        f"passed: one second of audio separated in {test['seconds']:.1f} s,"
        f" largest |mix − Σ stems| {test['max_relative_error']:.1e} of the peak"
    )
