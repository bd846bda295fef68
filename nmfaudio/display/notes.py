"""Piano roll over a spectrogram or a salience, with hits, misses and extras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio._common.pitch import hz_to_midi
from nmfaudio._common.validation import as_number
from nmfaudio.audio.transforms import Transform
from nmfaudio.display.decibels import to_decibels
from nmfaudio.display.grid import MOST_COLUMNS, grid_of, pool
from nmfaudio.display.panels import one_panel
from nmfaudio.display.style import colours, free_labels, is_dark, legend_above
from nmfaudio.errors import ParameterError
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.names import (
    DRUM_CHANNEL,
    DRUM_PARTS,
    KINDS_OF_PARTS,
    kind_name,
    pitch_name,
    sound_name,
)
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.note_matches import match_notes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RANGE_DB = 50.0  # of the background
_OCTAVE = 12  # semitones
_MARGIN = 2.5  # semitones above the highest and below the lowest note
_DrumRows = dict[str, int]
_HIT, _MISS, _EXTRA = "hit", "missed", "extra"


class PitchSalience(Protocol):
    """Salience of pitches over time, such as that of a transcription."""

    @property
    def values(self) -> np.ndarray: ...
    @property
    def pitches(self) -> np.ndarray: ...
    @property
    def times(self) -> np.ndarray: ...


def plot_notes(
    notes: Notes,
    reference: Notes | None = None,
    *,
    salience: PitchSalience | None = None,
    V: np.ndarray | None = None,
    transform: Transform | None = None,
    tolerance: float = 0.05,
    ax: Axes | None = None,
) -> Axes:
    """Draw notes as a piano roll, compared with a reference if there is one.

    Rows are semitones, with fractional pitches in between; for drums, rows are parts of the kit.
    Hits are filled, missed notes dashed, and extra notes dotted and crossed.

    Parameters
    ----------
    notes : sequence of Note, path, or object with notes
        Anything that `nmfaudio.symbolic.as_notes` accepts, such as a `Transcription`.
    reference : sequence of Note, path, or object with notes, optional
        True notes.
    salience : Salience, optional
        Background: strength of pitches over time, in dB.
    V : np.ndarray [shape=(freq, time)], optional
        Background: spectrogram, drawn in semitones; needs `transform`.
    transform : Transform, optional
        Transform of V.
    tolerance : float
        Largest deviation of the onset of a hit, in seconds.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into. Default: those of a new figure, which pyplot does not keep open.

    Returns
    -------
    matplotlib.axes.Axes
        Seconds, and MIDI numbers labelled by note names.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        Notes are of no known form, or V comes without its transform or with a salience.
    ShapeError
        The transform does not fit V.

    See Also
    --------
    nmfaudio.evaluate_transcription : Measures of a transcription.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0, 1, 60), na.Note(1, 2, 64), na.Note(2, 3, 67)]
    >>> ax = na.display.plot_notes([na.Note(0, 1, 60), na.Note(1, 2, 65)], score)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['1 hit', '2 missed', '1 extra']
    """
    if V is not None and (transform is None or salience is not None):
        raise ParameterError("V needs its transform, and no salience beside it")
    estimated = as_notes(notes, "notes")
    true = None if reference is None else as_notes(reference, "reference")
    classes = _classes(estimated, true, as_number(tolerance, "tolerance", above=0))
    every = [note for group in classes.values() for note in group]
    drums = bool(every) and all(note.channel == DRUM_CHANNEL for note in every)
    rows = _drum_rows(estimated, true or []) if drums else None
    axes: Axes = one_panel(ax, 9.0, 4.5)
    if V is not None:
        _draw_spectrogram(axes, V, transform)
    elif salience is not None:
        _draw_salience(axes, salience, rows)
    for (kind, group), colour in zip(classes.items(), colours(axes, 3), strict=False):
        if rows is None:
            _draw_bars(axes, group, kind, colour)
        else:
            _draw_hits(axes, group, kind, colour, rows)
    pitches = [note.pitch + bend for note in every for _, bend in note.contour or ((0, 0),)]
    if not pitches and salience is not None:
        pitches = [float(p) for p in salience.pitches]
    _limit_time(axes, every, bounded=V is not None or salience is not None)
    _limit_rows(axes, pitches or [60.0], rows)
    axes.set(xlabel="time (s)", ylabel="" if drums else "note")
    if true is not None:
        legend_above(axes, 3)
    return axes


def _classes(
    estimated: Sequence[Note], true: Sequence[Note] | None, tolerance: float
) -> dict[str, list[Note]]:
    """Notes by whether they are hits, missed or extra; all are hits without a reference."""
    if true is None:
        return {_HIT: list(estimated)}
    pairs = match_notes(true, estimated, tolerance=tolerance)
    hits, found = {j for _, j in pairs}, {i for i, _ in pairs}
    return {
        _HIT: [note for j, note in enumerate(estimated) if j in hits],
        _MISS: [note for i, note in enumerate(true) if i not in found],
        _EXTRA: [note for j, note in enumerate(estimated) if j not in hits],
    }


def _drum_rows(estimated: Sequence[Note], true: Sequence[Note]) -> _DrumRows:
    """Rows of the parts of the kit, the first part at the bottom.

    A part of which several kinds are estimated, such as open and closed hi-hats, has a row of each.
    """
    kinds: dict[str, set[str]] = {sound_name(note): set() for note in true}
    for note in estimated:
        kinds.setdefault(sound_name(note), set()).add(kind_name(note))
    known = [part for part in DRUM_PARTS if part in kinds]
    rows: _DrumRows = {}
    for part in [*known, *sorted(kinds.keys() - known)]:
        for kind in sorted(kinds[part]) if len(kinds[part]) > 1 else [part]:
            rows[kind] = len(rows)
    return rows


def _row_of(note: Note, rows: _DrumRows) -> int | None:
    """Row of a hit: that of its kind, else of its part, if there is one."""
    return rows.get(kind_name(note), rows.get(sound_name(note)))


def _draw_bars(axes: Any, notes: Sequence[Note], kind: str, colour: str) -> None:
    """Draw a band from onset to offset, a semitone high, along the pitch of each note."""
    from matplotlib.collections import PolyCollection

    corners = [_outline(note) for note in notes]
    fill = {_HIT: (colour, 0.3), _MISS: "none", _EXTRA: "none"}[kind]
    axes.add_collection(
        PolyCollection(
            corners,
            facecolors=[fill],
            edgecolors=[colour],
            linewidths=1.2,
            linestyles={_HIT: "-", _MISS: "--", _EXTRA: ":"}[kind],
            hatch="xxx" if kind == _EXTRA else None,
            label=_counted(len(notes), kind),
        ),
        autolim=False,
    )


def _outline(note: Note) -> list[tuple[float, float]]:
    """Corners of the band of a note, a rectangle unless it has a contour."""
    length = note.offset - note.onset
    within = (seconds for seconds, _ in note.contour if 0 < seconds < length)
    times = [note.onset, *(note.onset + seconds for seconds in within), note.offset]
    pitches = note.pitch_at(times).tolist()
    lower = [(time, pitch - 0.5) for time, pitch in zip(times, pitches, strict=True)]
    return lower + [(time, pitch + 1) for time, pitch in reversed(lower)]


def _draw_hits(axes: Any, notes: Sequence[Note], kind: str, colour: str, rows: _DrumRows) -> None:
    """Draw a marker at the onset of each hit of a drum."""
    axes.scatter(
        [note.onset for note in notes],
        [_row_of(note, rows) for note in notes],
        marker={_HIT: "o", _MISS: "s", _EXTRA: "x"}[kind],
        facecolors="none" if kind == _MISS else colour,
        **({} if kind == _EXTRA else {"edgecolors": colour}),
        s=30,
        clip_on=False,
        linewidths=1.5,
        label=_counted(len(notes), kind),
        zorder=3,
    )


def _counted(count: int, kind: str) -> str:
    """Number and kind of notes: "1 hit", "2 hits", "2 missed"."""
    return f"{count} {kind}" + ("s" if kind != _MISS and count != 1 else "")


def _background(axes: Any) -> str:
    """Colour map that begins at the background of the axes."""
    return "gray" if is_dark(axes) else "Greys"


def _draw_spectrogram(axes: Any, V: np.ndarray, transform: Any) -> None:
    """Draw V with its frequencies as MIDI numbers."""
    grid = grid_of(transform, V.shape, top_hz=float("inf"), scale="linear")
    rows = hz_to_midi(np.maximum(grid.rows, grid.rows[1] / 2))
    values, columns = _columns(V, grid.columns)
    levels = to_decibels(values, float(V.max(initial=0)) or 1.0, power=transform.power)
    _draw_mesh(axes, columns, rows, levels)


def _draw_salience(axes: Any, salience: PitchSalience, parts: _DrumRows | None) -> None:
    """Draw each pitch at its MIDI number, a semitone high, or each drum in its row."""
    times = np.asarray(salience.times)
    if not len(times):
        return
    values, pitches = np.asarray(salience.values), np.asarray(salience.pitches, float)
    if parts is not None:
        values, pitches = _of_drums(values, pitches, parts)
    middles = (pitches[1:] + pitches[:-1]) / 2
    lower = np.maximum(pitches - 0.5, np.append(-np.inf, middles))
    upper = np.minimum(pitches + 0.5, np.append(middles, np.inf))
    # Pairs of rows: each pitch, and the gap above it, which stays empty.
    rows = np.column_stack([lower, upper]).ravel()
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0
    borders = np.append(times - step / 2, times[-1] + step / 2)
    values, columns = _columns(values, borders)
    levels = np.full((max(2 * len(values) - 1, 0), values.shape[1]), np.nan)
    levels[::2] = to_decibels(values, float(values.max(initial=0)) or 1.0)
    if len(levels):
        _draw_mesh(axes, columns, rows, levels)


def _of_drums(
    values: np.ndarray, pitches: np.ndarray, parts: _DrumRows
) -> tuple[np.ndarray, np.ndarray]:
    """Salience of the rows of drums, and the numbers of these rows, ascending.

    A kind whose salience is not known by itself has that of its part.
    """
    drums = [Note(0, 0, pitch, channel=DRUM_CHANNEL) for pitch in pitches]
    found = {}
    for name, row in parts.items():
        whole = next((p for p, kinds in KINDS_OF_PARTS.items() if name in kinds), name)
        members = [i for i, drum in enumerate(drums) if kind_name(drum) == name]
        members = members or [i for i, drum in enumerate(drums) if sound_name(drum) == whole]
        if members:
            found[row] = values[members].max(axis=0)
    rows = sorted(found)
    return np.array([found[row] for row in rows]).reshape(len(rows), -1), np.array(rows, float)


def _columns(values: np.ndarray, borders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most as many columns as can be seen."""
    return pool(values, borders, np.linspace(borders[0], borders[-1], MOST_COLUMNS), axis=1)


def _draw_mesh(axes: Any, columns: np.ndarray, rows: np.ndarray, levels: np.ndarray) -> None:
    axes.pcolormesh(
        columns,
        rows,
        levels,
        cmap=_background(axes),
        vmin=-_RANGE_DB,
        vmax=_RANGE_DB / 2,  # shades that notes stand out from
        rasterized=True,
        shading="flat",
    )
    axes.set_xlim(columns[0], columns[-1])


def _limit_time(axes: Any, notes: Sequence[Note], *, bounded: bool) -> None:
    """Show all notes, unless a background sets the limits."""
    if not bounded:
        axes.set_xlim(0.0, max((note.offset for note in notes), default=1.0))


def _limit_rows(axes: Any, pitches: Sequence[float], rows: _DrumRows | None) -> None:
    """Show all pitches and at least an octave, or all parts, and label the rows that fit."""
    if rows is not None:
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_yticks(list(rows.values()), [name.replace("_", " ") for name in rows])
        return
    low, high = min(pitches) - _MARGIN, max(pitches) + _MARGIN
    missing = max(0.0, _OCTAVE - (high - low)) / 2
    low, high = low - missing, high + missing
    axes.set_ylim(low, high)
    semitones = range(int(np.ceil(low)), int(np.floor(high)) + 1)
    most = free_labels(axes, "y")
    for step in (1, _OCTAVE // 2, _OCTAVE, 2 * _OCTAVE):
        labelled = [pitch for pitch in semitones if pitch % step == 0]
        if len(labelled) <= most:
            break
    axes.set_yticks(labelled, [pitch_name(pitch) for pitch in labelled])
