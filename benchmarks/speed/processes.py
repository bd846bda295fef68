"""Measurements in separate processes: memory, first call, commands, separation of a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.speed.measure import Spread, paired, say
from benchmarks.speed.peers import OURS
from benchmarks.speed.sound import HOP, N_FFT, SR, Sizes, initial_factors, recording, spectrogram

ROOT = Path(__file__).parent.parent.parent
PYTHON = sys.executable
RANK = 32
JOB_ROUNDS = 2  # maximum, since the peer takes a minute

DATA = "import numpy as np; V = np.random.default_rng(0).random((1025, 200), np.float32); "
FIRST_CALL = (
    DATA + "import nmfaudio; nmfaudio.nmf(V, 8, max_iter=20, rng=0); "
    "import sys; assert 'librosa' not in sys.modules"
)
PEER_FIRST_CALL = (
    DATA + "from sklearn.decomposition import NMF; "
    "NMF(8, solver='mu', beta_loss='kullback-leibler', init='random', max_iter=20, tol=0).fit(V)"
)
JOB = f"-s 4 -k {RANK} --max-iter 200 --tol 0 --n-fft {N_FFT} --hop {HOP} --overwrite".split()


def output_of(command: Sequence[str | Path], **environment: str) -> str:
    """Standard output of a module run from the checkout, with Python's bytecode cache enabled."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | environment
    done = subprocess.run(
        [PYTHON, "-m", *map(str, command)],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def spent(arguments: Sequence[str | Path], **environment: str) -> dict[str, float]:
    """Wall and CPU seconds and peak memory in bytes of a new Python process."""
    command = ["benchmarks.speed.spend", PYTHON, *arguments]
    usage: dict[str, float] = json.loads(output_of(command, **environment))
    return usage


def memory_rows(sizes: Sizes) -> list[dict[str, Any]]:
    """Additional peak memory of a fit, in multiples of the size of V."""
    V = spectrogram(sizes.seconds["3 min"], "float32")
    W, H = initial_factors(V, (V.shape[0], RANK), (RANK, V.shape[1]))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, X in zip("VWH", (V, W, H), strict=True):
            np.save(Path(folder) / f"{name}.npy", X)
        for system in (OURS, "scikit-learn C", "scikit-learn F"):
            extra = int(output_of(["benchmarks.speed.one_fit", system, folder])) / V.nbytes
            say(f"extra memory, {system}: {extra:.2f} × V")
            rows.append({"system": system, "shape": V.shape, "rank": RANK, "extra": extra})
    return rows


def startup_rows(repeats: int) -> list[dict[str, Any]]:
    """CPU seconds of a new process up to its first result."""
    seconds: dict[str, list[float]] = {}

    def measure(case: str, arguments: list[str], **environment: str) -> None:
        seconds.setdefault(case, []).append(spent(arguments, **environment)["cpu"])

    spent(["-c", FIRST_CALL])  # fills Python's bytecode cache
    spent(["-c", PEER_FIRST_CALL])
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for state in ("cold", "warm"):
                case = f"import + first nmf call, {state} cache"
                measure(case, ["-c", FIRST_CALL], NUMBA_CACHE_DIR=folder)
        measure("the same with scikit-learn", ["-c", PEER_FIRST_CALL])
        measure("nmfaudio --help", ["-m", "nmfaudio", "--help"])
    rows = [{"case": case, "cpu seconds": Spread(tuple(v))} for case, v in seconds.items()]
    for row in rows:
        say(f"{row['case']}: {row['cpu seconds']} s CPU")
    return rows


def job_rows(sizes: Sizes, repeats: int) -> list[dict[str, Any]]:
    """Measure the separation of a stereo file into four stems."""
    seconds = sizes.seconds["3 min"]
    peaks: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        short, song = Path(folder) / "short.wav", Path(folder) / "song.wav"
        soundfile.write(short, recording(2).T, SR, subtype="PCM_16")
        soundfile.write(song, recording(seconds).T, SR, subtype="PCM_16")

        def run(system: str, file: Path) -> float:
            arguments: dict[str, list[str | Path]] = {
                OURS: ["-m", "nmfaudio", "separate", file, "-o", folder, "-q", *JOB],
                "librosa + scikit-learn": ["-m", "benchmarks.speed.librosa_job", file, folder],
            }
            usage = spent(arguments[system])
            peaks[system] = usage["peak"]
            return usage["wall"]

        systems = (OURS, "librosa + scikit-learn")
        for system in systems:
            run(system, short)  # fills the caches
        works = {system: lambda system=system: run(system, song) for system in systems}
        took = paired(works, min(repeats, JOB_ROUNDS))
    rows = []
    for system, wall in took.items():
        say(f"separation of a file, {system}: {wall} s")
        rows.append(
            {"system": system, "wall seconds": wall, "times real time": wall.into(seconds)}
            | {"peak bytes": peaks[system], "ratio": wall.to(took[OURS])}
        )
    return rows
