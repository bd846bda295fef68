"""Quantisation: notes on a grid of the beats, with triplets and swing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.symbolic.beats import Beats
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.note import Note

_STRAIGHT = 0.5  # place of the second eighth within a beat
_SPREAD = 0.05  # beats, standard deviation of played onsets
_TRIPLET_COST = 2.0  # evidence that a triplet needs, and twice as much a sextuplet
_TOGETHER = 0.045  # s between neighbouring onsets that share a place
_PASSES = 3  # divisions by 6 may become 3, and those by 3 binary, which stay as they are
_LATE = (0.45, 0.8)  # places of a second eighth, straight or swung
_LEAST_SWING, _FEWEST, _USUAL = 0.57, 8, 0.6


@dataclass(frozen=True)
class Grid:
    """Places of notes within the beats of a performance.

    Parameters
    ----------
    beats : Beats
    divisions : int
        Places of a beat.
    swing : float
        Place of the second eighth within a beat: 0.5 is straight, 2/3 a swing of triplets.
    ternary : dict of int to int
        Divisions of the beats that have triplets or sextuplets.
    """

    beats: Beats
    divisions: int
    swing: float
    ternary: dict[int, int]

    def snap(self, seconds: float) -> Fraction:
        """Place nearest to a time, as written: in beats from the first one."""
        position = float(self.beats.position(seconds))
        beat = int(np.floor(position))
        count = self.ternary.get(beat, self.divisions)
        places = _places(count, self.swing, count != self.divisions)
        return beat + Fraction(int(np.abs(places - (position - beat)).argmin()), count)

    def following(self, place: Fraction) -> Fraction:
        """Next place of the grid after another one."""
        beat = place.numerator // place.denominator
        count = self.ternary.get(beat, self.divisions)
        return beat + Fraction(int((place - beat) * count) + 1, count)

    def seconds(self, place: Fraction) -> float:
        """Time at which a place is played, with swing."""
        beat = place.numerator // place.denominator
        phase = float(place - beat)
        if beat not in self.ternary:
            phase = float(np.interp(phase, [0, 0.5, 1], [0, self.swing, 1]))
        return float(self.beats.seconds(beat + phase))


@public
def quantise(
    notes: Notes,
    beats: Beats,
    grid: str = "1/16",
    *,
    swing: float | None = None,
    triplets: bool = True,
) -> list[Note]:
    """Move onsets and offsets to the nearest places of a grid of the beats.

    The tempo changes of the beats are kept. Quantised notes stay where they are if they are
    quantised again.

    Parameters
    ----------
    notes : iterable of Note, or object of another package
    beats : Beats
    grid : str
        Shortest note value, such as ``"1/16"``.
    swing : float, optional
        Place of the second eighth within a beat, 0.5 if straight; by default estimated.
    triplets : bool
        Whether a beat may be divided by three where that fits its notes clearly better.

    Returns
    -------
    list of Note
        By onset, then pitch; places before the recording become 0 s.

    Raises
    ------
    ParameterError
        The grid does not divide the beat, or the swing is not between 0.5 and 0.8.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> beats = na.symbolic.Beats(np.arange(4.0))
    >>> [note.onset for note in na.symbolic.quantise([na.Note(1.27, 1.6, 69)], beats)]
    [1.25]
    """
    played = sorted(as_notes(notes), key=lambda note: (note.onset, note.pitch))
    fitted = fit_grid(played, beats, grid, swing=swing, triplets=triplets)
    quantised = []
    for note, (onset, end) in zip(played, places_of(played, fitted), strict=True):
        begin = max(0.0, fitted.seconds(onset))
        stop = max(begin, fitted.seconds(end))
        quantised.append(replace(note, onset=begin, offset=stop))
    return sorted(quantised, key=lambda note: (note.onset, note.pitch, note.offset))


def places_of(notes: Sequence[Note], grid: Grid) -> list[tuple[Fraction, Fraction]]:
    """Onset and end of each note as written, in beats; notes struck together share their onset.

    Parameters
    ----------
    notes : sequence of Note
        Sorted by onset.
    grid : Grid

    Returns
    -------
    list of tuple of Fraction
        Notes last one place of the grid or longer.
    """
    onsets = [grid.snap(time) for time in _common_onsets(notes, grid.beats, grid.divisions)]
    return [
        (onset, max(grid.snap(note.offset), grid.following(onset)))
        for onset, note in zip(onsets, notes, strict=True)
    ]


def fit_grid(
    notes: Sequence[Note],
    beats: Beats,
    grid: str = "1/16",
    *,
    swing: float | None = None,
    triplets: bool = True,
) -> Grid:
    """Choose the divisions of all beats; the parameters are those of `quantise`.

    Parameters
    ----------
    notes : sequence of Note
        Sorted by onset.
    beats : Beats
    grid : str
    swing : float, optional
    triplets : bool

    Returns
    -------
    Grid
    """
    divisions = _divisions(grid, beats)
    if swing is None:
        swing = _STRAIGHT if beats.compound or divisions % 2 else estimate_swing(notes, beats)
    if not 0.5 <= swing <= 0.8:
        raise ParameterError(f"the swing is {swing!r}; it must be from 0.5 (straight) to 0.8")
    positions = beats.position(_common_onsets(notes, beats, divisions))
    fitted = Grid(beats, divisions, float(swing), {})
    if not triplets or beats.compound:
        return fitted
    by_beat: dict[int, list[float]] = {}
    for position in np.unique(positions):
        by_beat.setdefault(int(np.floor(position)), []).append(float(position % 1))
    counts = {beat: _count(np.array(at), fitted) for beat, at in by_beat.items()}
    ternary = {beat: count for beat, count in counts.items() if count != divisions}
    return replace(fitted, ternary=ternary)


def estimate_swing(notes: Sequence[Note], beats: Beats) -> float:
    """Median place of the second eighth, over the beats with one stroke after that on the beat.

    Parameters
    ----------
    notes : sequence of Note
        Sorted by onset.
    beats : Beats

    Returns
    -------
    float
        0.5, which is straight, where such beats are few or their places are close to a half.
    """
    positions = np.unique(beats.position(_common_onsets(notes, beats, 4)))
    phases = positions % 1
    inside = (phases > 0.1) & (phases < 0.9)
    whole, counts = np.unique(np.floor(positions[inside]), return_counts=True)
    alone = np.isin(np.floor(positions), whole[counts == 1]) & inside
    late = phases[alone & (phases > _LATE[0]) & (phases < _LATE[1])]
    if len(late) < _FEWEST or len(late) < _USUAL * len(whole):
        return _STRAIGHT
    # A value that was played, so that quantised notes have the same one.
    place = float(np.sort(late)[len(late) // 2])
    return round(place, 3) if place >= _LEAST_SWING else _STRAIGHT


def _divisions(grid: str, beats: Beats) -> int:
    """Places of a beat for a shortest note value."""
    match = re.fullmatch(r"1/(\d{1,3})", grid)
    count = Fraction(int(match[1])) * Fraction(beats.quarters) / 4 if match else Fraction(0)
    if count < 1 or count.denominator != 1 or count > 48:
        beat = "3/8" if beats.compound else "1/4"
        raise ParameterError(
            f"the grid is {grid!r}, and a beat {beat}; need a note value that divides it, "
            "such as 1/8 or 1/16"
        )
    return int(count)


def _common_onsets(notes: Sequence[Note], beats: Beats, divisions: int) -> np.ndarray:
    """Onset of each note, that of the median for notes that are struck together."""
    onsets = np.array([note.onset for note in notes], float)
    step = float(np.diff(beats.times).min()) / (2.5 * max(divisions, 6))
    group = np.cumsum(np.diff(onsets, prepend=onsets[:1]) > min(_TOGETHER, step))
    medians = [np.sort(onsets[group == i])[(group == i).sum() // 2] for i in np.unique(group)]
    return np.array(medians)[group] if len(onsets) else onsets


def _places(count: int, swing: float, ternary: bool) -> np.ndarray:
    """Places of a beat as played, its end included [shape=(count + 1,)]."""
    written = np.arange(count + 1) / count
    return written if ternary else np.interp(written, [0, 0.5, 1], [0, swing, 1])


def _count(phases: np.ndarray, grid: Grid) -> int:
    """Divisions of a beat that fit the phases of its onsets."""
    choices = [(grid.divisions, 0.0), (3, _TRIPLET_COST)]
    if grid.divisions >= 4:
        choices.append((6, 2 * _TRIPLET_COST))
    choices = [(count, cost) for count, cost in choices if cost == 0 or grid.divisions % count]
    best = grid.divisions
    for _ in range(_PASSES):
        costs = []
        for count, cost in choices:
            places = _places(count, grid.swing, count != grid.divisions)
            distance = np.abs(phases[:, None] - places).min(axis=1)
            costs.append(cost + float(np.sum((distance / _SPREAD) ** 2)) / 2)
        best = choices[int(np.argmin(costs))][0]
        places = _places(best, grid.swing, best != grid.divisions)
        phases = np.unique(places[np.abs(phases[:, None] - places).argmin(axis=1)])
    return best
