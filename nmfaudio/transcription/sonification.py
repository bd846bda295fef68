"""Notes as simple tones, to hear what was transcribed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note

_PARTIALS = 8
_DYING = 0.8  # s in which a tone of middle C falls to a third; others by their pitch
_ATTACK, _DAMPING = 0.005, 0.04  # s
_CLICK = 0.03  # s in which a click falls to a third
_KICK_HZ, _KICK_KEY = 100.0, 36
_SILENCE = 1e-3  # of a tone's start: what is below is not computed


def tones(notes: Sequence[Note], length: int, sr: int) -> np.ndarray:
    """Notes as tones of a few partials that die away, drums as clicks.

    Parameters
    ----------
    notes : sequence of Note
    length : int
        Samples.
    sr : int
        Sample rate in Hz.

    Returns
    -------
    np.ndarray [shape=(sample,)]
        float32; the loudest sample is 1 unless all are 0.

    Examples
    --------
    >>> y = tones([Note(0.5, 0.7, 69)], 8000, 8000)
    >>> bool(y[:4000].any()), bool(y[4000:5600].any())
    (False, True)
    """
    y = np.zeros(length)
    for note in notes:
        start = round(note.onset * sr)
        sound = (_click if note.channel == DRUM_CHANNEL else _tone)(note, sr)[
            : max(0, length - start)
        ]
        y[start : start + len(sound)] += note.velocity**2 * sound
    peak = np.abs(y).max(initial=0)
    return (y / peak if peak else y).astype(np.float32)


def _tone(note: Note, sr: int) -> np.ndarray:
    fundamental = midi_to_hz(note.pitch)
    dying = _DYING * 2 ** ((60 - note.pitch) / 24)
    lasting = min(note.offset - note.onset + 4 * _DAMPING, -np.log(_SILENCE) * dying)
    t = np.arange(max(1, round(lasting * sr))) / sr
    y = np.zeros(len(t))
    for partial in range(1, _PARTIALS + 1):
        if partial * fundamental < sr / 2:
            fading = np.exp(-partial * t / dying) / partial**1.5
            y += fading * np.sin(2 * np.pi * partial * fundamental * t)
    after = np.maximum(t - (note.offset - note.onset), 0)
    faded: np.ndarray = y * np.minimum(t / _ATTACK, 1) * np.exp(-after / _DAMPING)
    return faded


def _click(note: Note, sr: int) -> np.ndarray:
    """The higher the drum's number, the brighter."""
    t = np.arange(round(-np.log(_SILENCE) * _CLICK * sr)) / sr
    hz = min(_KICK_HZ * 2 ** ((note.pitch - _KICK_KEY) / 4), sr / 4)
    click: np.ndarray = np.exp(-t / _CLICK) * np.cos(2 * np.pi * hz * t)
    return click
