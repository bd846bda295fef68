"""Memory and speed on long recordings: ``python -m benchmarks.scale``.

The sample recordings, in an order and at levels that change, are repeated to two lengths: 2 minutes
and 1 hour, or 10 minutes for the separators that take longer. Each row is a process of its own on
one thread, so that its CPU time divided by the length is the load of one core; the peak is that of
the resident memory. Kernels are compiled beforehand.

``python -m benchmarks.scale --frames`` compares templates learned from some of the frames with
those from all of them. ``--fit [SECONDS]`` compares ``fit="frames"`` with ``fit="all"``: divergence
of all frames, CPU time and memory of learning.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import nmfaudio as na

SR = 44100
SHORT, LONG, LESS = 120.0, 3600.0, 600.0
ROWS = {
    "separate, 2 stems": "na.BlindSeparator(n_sources=2, spatial='mask')",
    "separate, 4 stems": "na.BlindSeparator(n_sources=4, spatial='mask')",
    "separate, 4 stems, spatial filter": "na.BlindSeparator(n_sources=4)",
    "separate, 8 stems, spatial filter": "na.BlindSeparator(n_sources=8)",
}
SLOWER_ROWS = {
    "hpss": "na.HpssSeparator()",
    "drums": "na.DrumSeparator()",
    "denoise": "na.DenoiseSeparator()",
}
TRANSCRIBERS = {
    "transcribe": "na.Transcriber()",
    "transcribe, drums": "na.DrumTranscriber()",
}
_RUN = """
import sys, tempfile, time
import nmfaudio as na
from nmfaudio.kernels.threads import set_threads
set_threads(1)
path = sys.argv[1]
with tempfile.TemporaryDirectory(dir=sys.argv[2]) as folder:
    {work}
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if "VmHWM" in line)
print(time.process_time(), peak / 1024)
"""
FITS = {
    "separate": "na.BlindSeparator()",
    "drums": "na.DrumSeparator()",
    "hpss": "na.HpssSeparator()",
}
_FIT = """
import sys, threading, time
import nmfaudio as na
from nmfaudio.audio.io.track import open_track
from nmfaudio.kernels.threads import set_threads
from nmfaudio.separators.blockwise import BLOCK, fit_block
set_threads(1)
def memory(name):
    return next(int(x.split()[1]) for x in open("/proc/self/status") if x.startswith(name)) / 1024
anonymous, ended = [0.0], threading.Event()
def watch():
    while not ended.wait(0.05):
        anonymous.append(memory("RssAnon"))
watcher = threading.Thread(target=watch)
watcher.start()
with open_track(sys.argv[1]) as track:
    stream = {kind}.stream(track, track.sr, fit=sys.argv[2])
    cpu, resident = time.process_time(), memory("VmHWM")
    ended.set()
    watcher.join()
    loss, learned, inputs = 0.0, stream.learned, stream.inputs
    for number in range(-(-inputs.n_frames // BLOCK)):
        fitted, offset = fit_block(learned.decomposition, learned.fit, inputs, number)
        first, last = number * BLOCK, min((number + 1) * BLOCK, inputs.n_frames)
        model = fitted.model()[:, offset : offset + last - first]
        loss += fitted.divergence.value(inputs.frames(first, last), model, None)
print(loss, cpu, max(anonymous), resident)
"""
_SEPARATE = "na.separate_file(path, folder, {kind})"
_TRANSCRIBE = "{kind}.transcribe_file(path)"


def repeated_samples(path: Path, seconds: float) -> None:
    """Write the sample recordings in stereo, repeated to a length."""
    rng = np.random.default_rng(0)
    pieces = []
    for name in ("band", "trio", "drums", "piano"):
        y, sr = na.read(na.example(name))
        pieces.append(np.repeat(y, 3 - len(y), axis=0)[:2] if len(y) == 1 else y)
        assert sr == SR
    left = round(seconds * SR)
    with soundfile.SoundFile(path, "w", SR, 2, "PCM_16", format="RF64") as file:
        while left:
            y = pieces[rng.integers(len(pieces))] * rng.uniform(0.3, 1.0)
            y = np.roll(y, rng.integers(y.shape[1]), axis=1)[:, :left]
            file.write(y.T)
            left -= y.shape[1]


def measured(work: str, path: Path) -> tuple[float, float]:
    """CPU seconds and peak in MiB of a process."""
    command = [sys.executable, "-c", _RUN.format(work=work), str(path), str(path.parent)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    cpu, peak = map(float, out.split())
    return cpu, peak


def compare_lengths(jobs: dict[str, str], lengths: tuple[float, float]) -> None:
    """Print peak and speed of some rows at two lengths."""
    print("| | " + " | ".join(f"{s:g} s: peak, MiB | × real time per core" for s in lengths) + " |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{seconds:g}.wav") for seconds in lengths]
        for path, seconds in zip(paths, lengths, strict=True):
            repeated_samples(path, seconds)
        for name, work in jobs.items():
            measured(work, paths[0])  # compiles
            cells = []
            for path, seconds in zip(paths, lengths, strict=True):
                cpu, peak = measured(work, path)
                cells.append(f"{peak:.0f} | {seconds / cpu:.3g}")
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def compare_frames(seconds: float = 3600.0) -> None:
    """Print the divergence of all frames under templates learned from some of them."""
    from nmfaudio.audio.io.track import open_track
    from nmfaudio.factorisation.online import activations
    from nmfaudio.separators.inputs import SeparationInput

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.wav")
        repeated_samples(path, seconds)
        with open_track(path) as track:
            inputs = SeparationInput(track, na.Stft(SR), 0, None)  # type: ignore[arg-type]
            V = inputs.V
            whole = na.nmf(V, 30, init="nndsvdar", rng=0)
            base = _divergence(V, whole.W, activations)
            for count in (1024, 2048, 4096, 8192):
                part, _ = inputs.spread_frames(count)
                W = na.nmf(part, 30, init="nndsvdar", rng=0).W
                excess = _divergence(V, W, activations) / base - 1
                print(f"{count} of {V.shape[1]} frames: {excess:+.2%}", flush=True)


def compare_fits(seconds: float = 3600.0) -> None:
    """Print divergence, CPU time and peak memory of templates learned with each `fit`.

    Anonymous memory is what the process itself holds; the rest of the resident memory are pages of
    files, which the system takes away when it needs them.
    """
    print("| | fit | divergence | CPU, s | peak anonymous, MiB | peak resident, MiB |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.wav")
        repeated_samples(path, seconds)
        for name, kind in FITS.items():
            for fit in ("frames", "all"):
                command = [sys.executable, "-c", _FIT.format(kind=kind), str(path), fit]
                out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                loss, cpu, anonymous, resident = map(float, out.split())
                cells = f"{loss:.5g} | {cpu:.0f} | {anonymous:.0f} | {resident:.0f}"
                print(f"| {name} | {fit} | {cells} |", flush=True)


def _divergence(V: np.ndarray, W: np.ndarray, activations: object) -> float:
    """Kullback–Leibler divergence of V, with activations fitted to W."""
    H = activations(V, W, na.Beta(1), max_iter=50)  # type: ignore[operator]
    return na.Beta(1).value(V, W @ H, None)


if __name__ == "__main__":
    if sys.argv[1:] == ["--frames"]:
        compare_frames()
    elif sys.argv[1:2] == ["--fit"]:
        compare_fits(*map(float, sys.argv[2:]))
    else:
        separating = {name: _SEPARATE.format(kind=kind) for name, kind in ROWS.items()}
        slower = {name: _SEPARATE.format(kind=kind) for name, kind in SLOWER_ROWS.items()}
        notes = {name: _TRANSCRIBE.format(kind=kind) for name, kind in TRANSCRIBERS.items()}
        compare_lengths(separating | notes, (SHORT, LONG))
        compare_lengths(slower, (SHORT, LESS))
