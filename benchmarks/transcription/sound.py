"""Rendering of scores with pianos, and degradation of the recordings."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve, resample

from nmfaudio.audio.io import read
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.writing import write_notes

SR = 44100
KEYS = range(21, 109)
_SOUNDS = Path("/usr/share/sounds")
_SECONDS, _REST = 2.0, 1.0  # lengths of an isolated note and of the rest after it in s
_VELOCITY = 0.7
_TAIL = 1.0  # s after the last note of a piece
_RELEASE = 0.08  # s in which an ended sampled note falls to 1/e
_CENTS, _SNR, _DECAY, _REVERB = 15, 30.0, 0.5, -6.0  # cents, dB, s for 60 dB, dB below direct


@dataclass(frozen=True)
class Instrument:
    """SoundFont or folder of recordings whose isolated notes may be learned."""

    name: str
    path: Path
    program: int = 0

    @property
    def is_font(self) -> bool:
        """True for a SoundFont, False for a folder of recordings."""
        return self.path.suffix in (".sf2", ".sf3")

    @cache  # noqa: B019  # few instruments, which live as long as the process
    def notes(self) -> dict[int, np.ndarray]:
        """Isolated notes by MIDI number [shape=(sample,)] at `SR`, from the onset on."""
        if not self.is_font:
            files = sorted(self.path.glob("[0-9]*.*"))
            return {int(path.stem): _from_onset(mono(path)) for path in files}
        step = _SECONDS + _REST
        score = [Note(i * step, i * step + _SECONDS, key, _VELOCITY) for i, key in enumerate(KEYS)]
        y = self.play(score)
        parts = {
            key: y[round(i * step * SR) : round((i * step + _SECONDS) * SR)]
            for i, key in enumerate(KEYS)
        }
        return {key: part for key, part in parts.items() if part.any()}

    def play(self, notes: Sequence[Note]) -> np.ndarray:
        """Render a score without reverb and chorus [shape=(sample,)]."""
        return self._synthesised(notes) if self.is_font else self.sampled(notes)

    def sampled(self, notes: Sequence[Note], release: float = _RELEASE) -> np.ndarray:
        """Render each note with the nearest isolated one: resampled, equalised in level, damped.

        A damped note falls to 1/e in `release` seconds.
        """
        isolated = self.notes()
        sounds = {pitch: _retuned(isolated, pitch) for pitch in {note.pitch for note in notes}}
        y = np.zeros(round((max(n.offset for n in notes) + _TAIL) * SR), np.float32)
        for note in notes:
            sound = sounds[note.pitch]
            onset = round(note.onset * SR)
            sound = note.velocity**2 * sound[: len(y) - onset]
            length = round((note.offset - note.onset) * SR)
            sound[length:] *= np.exp(-np.arange(len(sound[length:])) / (release * SR))
            y[onset : onset + len(sound)] += sound
        return y

    def _synthesised(self, notes: Sequence[Note]) -> np.ndarray:
        """Render a score with fluidsynth."""
        with tempfile.TemporaryDirectory() as folder:
            midi, wav = Path(folder, "score.mid"), Path(folder, "sound.wav")
            write_notes(
                midi, [replace(n, program=self.program, channel=0, track="") for n in notes]
            )
            command = ["fluidsynth", "-niq", "-R", "0", "-C", "0", "-g", "0.5", "-r", str(SR)]
            command += ["-T", "wav", "-O", "float", "-F", str(wav), str(self.path), str(midi)]
            subprocess.run(command, check=True, capture_output=True)
            y = mono(wav)
        length = round((max(n.offset for n in notes) + _TAIL) * SR)
        return np.pad(y, (0, max(0, length - len(y))))[:length]


PIANOS = (
    Instrument("FluidR3 GM", _SOUNDS / "sf2" / "FluidR3_GM.sf2"),
    Instrument("TimGM6mb", _SOUNDS / "sf2" / "TimGM6mb.sf2"),
)
"""SoundFonts of Debian's fluid-soundfont-gm and timgm6mb-soundfont."""


def mono(path: Path) -> np.ndarray:
    """Read a recording, mixed down to mono at `SR` [shape=(sample,)]."""
    import librosa

    recording = read(path)
    y: np.ndarray = recording.samples.mean(axis=0)
    return y if recording.sr == SR else librosa.resample(y, orig_sr=recording.sr, target_sr=SR)


def degraded(
    y: np.ndarray, notes: Sequence[Note], seed: int
) -> tuple[np.ndarray, tuple[Note, ...]]:
    """Add reverberation and noise, and detune by 15 cents up or down.

    The impulse response is decaying noise. Detuning is by resampling, so the notes move in time.
    """
    rng = np.random.default_rng(seed)
    time = np.arange(round(_DECAY * SR)) / SR
    # Impulse response: noise that decays by 60 dB in _DECAY, scaled to an energy of _REVERB dB.
    echo = rng.standard_normal(len(time)) * 10 ** (-3 * time / _DECAY)
    echo *= 10 ** (_REVERB / 20) / np.sqrt(np.sum(echo**2))
    wet = y + fftconvolve(y, echo)[: len(y)]
    # Resampling to another length shifts the pitch by _CENTS, downward for even seeds: the length
    # grows, and the times of the notes with it.
    length = round(len(y) * 2 ** ((-1) ** seed * _CENTS / 1200))
    tuned = resample(wet, length)
    noise = rng.standard_normal(length) * np.sqrt(np.mean(tuned**2)) * 10 ** (-_SNR / 20)
    speed = length / len(y)
    moved = tuple(replace(n, onset=n.onset * speed, offset=n.offset * speed) for n in notes)
    return (tuned + noise).astype(np.float32), moved


def _retuned(isolated: dict[int, np.ndarray], pitch: float) -> np.ndarray:
    """Resample the nearest note to a pitch, with equal level in the first half second."""
    import librosa

    nearest = min(isolated, key=lambda known: abs(known - pitch))
    speed = 2 ** ((pitch - nearest) / 12)
    sound: np.ndarray = isolated[nearest]
    if speed != 1:
        sound = librosa.resample(sound, orig_sr=SR, target_sr=SR / speed)
    return 0.05 * sound / np.sqrt(np.mean(sound[: SR // 2] ** 2))


def _from_onset(y: np.ndarray) -> np.ndarray:
    """Cut before the first sample whose power is within 26 dB of the maximum."""
    power = np.convolve(y**2, np.ones(256), mode="same")
    return y[int(np.argmax(power > 10**-2.6 * power.max())) :]
