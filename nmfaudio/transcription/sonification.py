"""Synthesis of notes as simple tones, to check a transcription by ear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note

_PARTIALS = 8
_DECAY = 0.8  # s in which the fundamental of middle C falls to 1/e
_ATTACK, _DAMPING = 0.005, 0.04  # s
_CLICK_DECAY = 0.03  # s in which a click falls to 1/e
_KICK_HZ, _KICK_KEY = 100.0, 36
_SILENCE = 1e-3  # share of the initial amplitude at which tones are cut off


def tones(notes: Sequence[Note], length: int, sr: int) -> np.ndarray:
    """Synthesise notes as decaying tones of a few partials, and drums as clicks.

    Parameters
    ----------
    notes : sequence of Note
    length : int
        Number of samples.
    sr : int
        Sample rate in Hz.

    Returns
    -------
    np.ndarray [shape=(sample,)]
        float32, with a peak of 1 unless all samples are 0.

    Examples
    --------
    >>> y = tones([Note(0.5, 0.7, 69)], 8000, 8000)
    >>> bool(y[:4000].any()), bool(y[4000:5600].any())
    (False, True)
    """
    y = np.zeros(length)
    for note in notes:
        first = round(note.onset * sr)
        synthesise = _click if note.channel == DRUM_CHANNEL else _tone
        tone = synthesise(note, sr)[: max(0, length - first)]
        # Amplitude is proportional to the square of velocity, as in `decoding.velocities`.
        y[first : first + len(tone)] += note.velocity**2 * tone
    peak = np.abs(y).max(initial=0)
    return (y / peak if peak else y).astype(np.float32)


def _tone(note: Note, sr: int) -> np.ndarray:
    """Decaying partials of a pitch, damped from the offset on."""
    # Like strings, tones two octaves higher decay twice as fast, and higher partials faster.
    decay = _DECAY * 2 ** ((60 - note.pitch) / 24)
    duration = note.offset - note.onset
    # 4 time constants after the offset, 2 % are left; earlier if the tone is inaudible by then.
    computed = min(duration + 4 * _DAMPING, -np.log(_SILENCE) * decay)
    t = np.arange(max(1, round(computed * sr))) / sr
    fundamental = midi_to_hz(note.pitch_at(note.onset + t))
    # The phase is the integral of the frequency, which a contour changes.
    phase = 2 * np.pi * (np.cumsum(fundamental) - fundamental) / sr
    highest = fundamental.max()
    y = np.zeros(len(t))
    for partial in range(1, _PARTIALS + 1):
        if partial * highest < sr / 2:  # no aliasing
            envelope = np.exp(-partial * t / decay) / partial**1.5
            y += envelope * np.sin(partial * phase)
    released = np.maximum(t - duration, 0)
    shaped: np.ndarray = y * np.minimum(t / _ATTACK, 1) * np.exp(-released / _DAMPING)
    return shaped


def _click(note: Note, sr: int) -> np.ndarray:
    """Short decaying cosine, higher for higher numbers of the drum."""
    t = np.arange(round(-np.log(_SILENCE) * _CLICK_DECAY * sr)) / sr
    hz = min(_KICK_HZ * 2 ** ((note.pitch - _KICK_KEY) / 4), sr / 4)
    click: np.ndarray = np.exp(-t / _CLICK_DECAY) * np.cos(2 * np.pi * hz * t)
    return click
