"""Notes over the salience they were decoded from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio._common.figures import new_figure
from nmfaudio.display.decibels import COLOUR_MAP, to_decibels
from nmfaudio.symbolic.names import DRUM_CHANNEL, sound_name
from nmfaudio.symbolic.note import Note

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RANGE_DB = 50.0  # salience has less range than a spectrogram
_MAX_LABELLED = 16  # rows; with more of them only the octaves are labelled
_OCTAVE = 12  # semitones
_MARGIN = 12  # rows above the highest and below the lowest note


class PitchSalience(Protocol):
    """Salience of pitches over time, such as that of a transcription."""

    @property
    def values(self) -> np.ndarray: ...
    @property
    def pitches(self) -> np.ndarray: ...
    @property
    def times(self) -> np.ndarray: ...


def piano_roll(notes: Sequence[Note], salience: PitchSalience) -> Figure:
    """Draw notes as outlines and drum hits as strokes over the salience in dB.

    Parameters
    ----------
    notes : sequence of Note
    salience : Salience
        `values` [shape=(pitch, time)], `pitches` as MIDI numbers and `times` in seconds.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that pyplot does not keep open.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    figure: Figure = new_figure(10, 4.5)
    axes = figure.subplots()
    values, times, pitches = salience.values, salience.times, np.asarray(salience.pitches)
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0
    peak = float(values.max(initial=0)) or 1.0
    image = axes.imshow(
        to_decibels(values, peak),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap=COLOUR_MAP,
        vmin=-_RANGE_DB,
        vmax=0,
        extent=(times[0] - step / 2, times[-1] + step / 2, -0.5, len(pitches) - 0.5),
    )
    rows = [int(np.abs(pitches - note.pitch).argmin()) for note in notes]
    if rows and len(pitches) > _MAX_LABELLED:
        low, high = max(min(rows) - _MARGIN, 0), min(max(rows) + _MARGIN, len(pitches) - 1)
        axes.set_ylim(low - 0.5, high + 0.5)
    for note, row in zip(notes, rows, strict=True):
        _draw_note(axes, note, row)
    drums = any(note.channel == DRUM_CHANNEL for note in notes)
    labelled = [
        row
        for row, pitch in enumerate(pitches)
        if len(pitches) <= _MAX_LABELLED or round(pitch) % _OCTAVE == 0
    ]
    axes.set_yticks(labelled, [_row_label(float(pitches[row]), drums) for row in labelled])
    axes.set(xlabel="seconds")
    figure.colorbar(image, ax=axes, label="dB", pad=0.01)
    return figure


def _draw_note(axes: Any, note: Note, row: int) -> None:
    """Draw an outline from onset to offset; for drums, which have no offset, a vertical line."""
    if note.channel == DRUM_CHANNEL:
        axes.vlines(note.onset, row - 0.2, row + 0.2, color="cyan")
        return
    axes.broken_barh(
        [(note.onset, note.offset - note.onset)],
        (row - 0.5, 1),
        facecolor="none",
        edgecolor="cyan",
        lw=0.8,
    )


def _row_label(pitch: float, drums: bool) -> str:
    """Name of a pitch, or of a drum."""
    return sound_name(Note(0, 0, pitch, channel=DRUM_CHANNEL if drums else 0))
