"""A transcription as a picture: notes over what they were read from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.figures import new_figure
from nmfaudio.symbolic.names import DRUM_CHANNEL, sound_name
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.salience import Salience

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RANGE_DB = 50.0
_FEW = 16  # rows that all are named
_OCTAVE = _MARGIN = 12  # rows


def piano_roll(notes: Sequence[Note], salience: Salience) -> Figure:
    """Notes as outlines, hits as strokes, over the salience in dB; see `Transcription.plot`."""
    figure: Figure = new_figure(10, 4.5)
    axes = figure.subplots()
    values, times, pitches = salience.values, salience.times, np.asarray(salience.pitches)
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0
    loudest = float(values.max(initial=0)) or 1.0
    image = axes.imshow(
        20 * np.log10(np.maximum(values / loudest, 1e-12)),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap="magma",
        vmin=-_RANGE_DB,
        vmax=0,
        extent=(times[0] - step / 2, times[-1] + step / 2, -0.5, len(pitches) - 0.5),
    )
    rows = [int(np.abs(pitches - note.pitch).argmin()) for note in notes]
    if rows and len(pitches) > _FEW:
        low, high = max(min(rows) - _MARGIN, 0), min(max(rows) + _MARGIN, len(pitches) - 1)
        axes.set_ylim(low - 0.5, high + 0.5)
    for note, row in zip(notes, rows, strict=True):
        if note.channel == DRUM_CHANNEL:  # whose ends mean nothing
            axes.vlines(note.onset, row - 0.2, row + 0.2, color="cyan")
            continue
        axes.broken_barh(
            [(note.onset, note.offset - note.onset)],
            (row - 0.5, 1),
            facecolor="none",
            edgecolor="cyan",
            lw=0.8,
        )
    drums = any(note.channel == DRUM_CHANNEL for note in notes)
    named = [
        row for row, p in enumerate(pitches) if len(pitches) <= _FEW or round(p) % _OCTAVE == 0
    ]
    axes.set_yticks(named, [_row_name(float(pitches[row]), drums) for row in named])
    axes.set(xlabel="seconds")
    figure.colorbar(image, ax=axes, label="dB", pad=0.01)
    return figure


def _row_name(pitch: float, drums: bool) -> str:
    return sound_name(Note(0, 0, pitch, channel=DRUM_CHANNEL if drums else 0))
