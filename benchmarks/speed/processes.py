"""What needs processes of its own: memory, the first call, the commands, the whole job."""

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
from benchmarks.speed.sound import HOP, N_FFT, SR, Sizes, recording, spectrogram, start

ROOT = Path(__file__).parent.parent.parent
PYTHON = sys.executable
RANK = 32
JOB_ROUNDS = 2  # at most: the peer's takes a minute

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
    """What a module of ours prints, run from the checkout, with Python's own caches in use."""
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
    """Wall and CPU seconds, and peak memory in bytes, of a fresh Python with these arguments."""
    command = ["benchmarks.speed.spend", PYTHON, *arguments]
    found: dict[str, float] = json.loads(output_of(command, **environment))
    return found


def memory_rows(sizes: Sizes) -> list[dict[str, Any]]:
    """Peak memory of a fit above what was there before, in sizes of V."""
    V = spectrogram(sizes.seconds["3 min"], "float32")
    W, H = start(V, (V.shape[0], RANK), (RANK, V.shape[1]))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, X in zip("VWH", (V, W, H), strict=True):
            np.save(Path(folder) / f"{name}.npy", X)
        for who in (OURS, "scikit-learn C", "scikit-learn F"):
            extra = int(output_of(["benchmarks.speed.one_fit", who, folder])) / V.nbytes
            say(f"extra memory, {who}: {extra:.2f} × V")
            rows.append({"who": who, "shape": V.shape, "rank": RANK, "extra": extra})
    return rows


def start_rows(repeats: int) -> list[dict[str, Any]]:
    """CPU seconds from nothing to the first result."""
    found: dict[str, list[float]] = {}

    def note(what: str, arguments: list[str], **environment: str) -> None:
        found.setdefault(what, []).append(spent(arguments, **environment)["cpu"])

    spent(["-c", FIRST_CALL])  # Python's own cache of the modules
    spent(["-c", PEER_FIRST_CALL])
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for state in ("cold", "warm"):
                what = f"import + first nmf call, {state} cache"
                note(what, ["-c", FIRST_CALL], NUMBA_CACHE_DIR=folder)
        note("the same with scikit-learn", ["-c", PEER_FIRST_CALL])
        note("nmfaudio --help", ["-m", "nmfaudio", "--help"])
    rows = [{"what": what, "cpu seconds": Spread(tuple(v))} for what, v in found.items()]
    for row in rows:
        say(f"{row['what']}: {row['cpu seconds']} s CPU")
    return rows


def job_rows(sizes: Sizes, repeats: int) -> list[dict[str, Any]]:
    """A stereo file in, four stems out."""
    seconds = sizes.seconds["3 min"]
    peaks: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        short, song = Path(folder) / "short.wav", Path(folder) / "song.wav"
        soundfile.write(short, recording(2).T, SR, subtype="PCM_16")
        soundfile.write(song, recording(seconds).T, SR, subtype="PCM_16")

        def run(who: str, file: Path) -> float:
            arguments: dict[str, list[str | Path]] = {
                OURS: ["-m", "nmfaudio", "separate", file, "-o", folder, "-q", *JOB],
                "librosa + scikit-learn": ["-m", "benchmarks.speed.librosa_job", file, folder],
            }
            used = spent(arguments[who])
            peaks[who] = used["peak"]
            return used["wall"]

        whom = (OURS, "librosa + scikit-learn")
        for who in whom:
            run(who, short)
        works = {who: lambda who=who: run(who, song) for who in whom}
        took = paired(works, min(repeats, JOB_ROUNDS))
    rows = []
    for who, wall in took.items():
        say(f"whole job, {who}: {wall} s")
        rows.append(
            {"who": who, "wall seconds": wall, "times real time": wall.into(seconds)}
            | {"peak bytes": peaks[who], "ratio": wall.to(took[OURS])}
        )
    return rows
