"""Rendering of scores, mixing, and writing of audio files."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
from performance import Score, Track
from scipy.signal import butter, fftconvolve, sosfilt

SR = 44100
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RECORDINGS = Path("/usr/share/sonic-pi/samples")
PEAK = 10 ** (-1 / 20)  # -1 dBFS
FULL_SCALE = 2**15
REVERB_TIME = 0.4  # s in which the reverberation falls by 60 dB


def render(
    score: Score,
    track: Track,
    *,
    seconds: float,
    advance: float = 0.0,
    font: Path = SOUNDFONT,
) -> np.ndarray:
    """Render one track of a score with fluidsynth.

    `advance` is the latency of the instrument's samples [s]; the audio is moved earlier by it, so
    that audible onsets are aligned with the score.

    Returns
    -------
    np.ndarray [shape=(2, sample)]
    """
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder, "track.mid"), Path(folder, "track.wav")
        score.midi([track]).save(midi)
        command = ["fluidsynth", "-niq", "-R", "0", "-C", "0", "-r", str(SR), "-g", "0.5"]
        command += ["-T", "wav", "-O", "float", "-F", str(wav), str(font), str(midi)]
        subprocess.run(command, check=True, capture_output=True)
        y, _ = soundfile.read(wav, always_2d=True)
    y = y[round(advance * SR) :].T
    length = round(seconds * SR)
    return np.pad(y, ((0, 0), (0, max(0, length - y.shape[1]))))[:, :length]


def load(name: str) -> np.ndarray:
    """Read a recording of the CC0 collection [shape=(channel, sample)]."""
    y, sr = soundfile.read(RECORDINGS / f"{name}.flac", always_2d=True)
    if sr != SR:
        raise ValueError(f"{name} has a sample rate of {sr} Hz instead of {SR} Hz")
    return y.T


def place(y: np.ndarray, position: float) -> np.ndarray:
    """Pan a mono signal from left (-1) to right (1) at constant power [shape=(2, sample)]."""
    angle = (position + 1) * np.pi / 4
    return np.stack([np.cos(angle) * y, np.sin(angle) * y])


def narrow(y: np.ndarray, width: float) -> np.ndarray:
    """Scale the difference between left and right by `width`."""
    middle = y.mean(axis=0)
    return middle + width * (y - middle)


def add_reverb(y: np.ndarray, *, level: float) -> np.ndarray:
    """Add the reverberation of a small room: diffuse decaying noise at `level` dB.

    The impulse response is always the same, so reverberant stems sum to the reverberant mixture.
    """
    length = round(REVERB_TIME * SR)
    time = np.arange(length) / SR
    noise = np.random.default_rng(7).standard_normal((2, length)) * 10 ** (-3 * time / REVERB_TIME)
    noise[:, : round(0.008 * SR)] = 0  # delay of the first reflection
    response = sosfilt(butter(2, [150, 5000], "bandpass", fs=SR, output="sos"), noise)
    response *= 10 ** (level / 20) / np.sqrt(np.sum(response**2, axis=1, keepdims=True))
    wet = fftconvolve(y.mean(axis=0, keepdims=True), response, axes=1)[:, : y.shape[1]]
    return y + wet


def fade_out(y: np.ndarray, seconds: float) -> np.ndarray:
    """Fade the last `seconds` to silence."""
    length = round(seconds * SR)
    curve = np.ones(y.shape[-1])
    curve[-length:] = np.cos(np.linspace(0, np.pi / 2, length)) ** 2
    return y * curve


def balance(
    sources: Mapping[str, np.ndarray], levels: Mapping[str, float]
) -> dict[str, np.ndarray]:
    """Scale the sources to RMS levels of `levels` [dB] relative to each other."""
    return {
        name: y * 10 ** (levels[name] / 20) / np.sqrt(np.mean(y**2)) for name, y in sources.items()
    }


def write_mix(folder: Path, sources: Mapping[str, np.ndarray], *, mixture: str) -> None:
    """Write the sources and their sum with a common gain, each rounded to 16 bits once."""
    total = np.sum(list(sources.values()), axis=0)
    peak = max(np.max(np.abs(y)) for y in [total, *sources.values()])
    write(folder / mixture, total * (PEAK / peak))
    for name, y in sources.items():
        write(folder / "sources" / f"{name}.flac", y * (PEAK / peak))


def write(path: Path, y: np.ndarray) -> None:
    """Write audio [shape=(channel, sample) or (sample,)], rounded to 16 bits."""
    steps = np.rint(y.T * FULL_SCALE)
    if np.max(np.abs(steps)) >= FULL_SCALE:
        raise ValueError(f"{path.name} would clip")
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"compression_level": 1.0} if path.suffix == ".flac" else {}
    soundfile.write(path, steps.astype(np.int16), SR, subtype="PCM_16", **options)


def clear_folder(folder: Path) -> None:
    """Create an empty folder; files of an earlier run are deleted."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
