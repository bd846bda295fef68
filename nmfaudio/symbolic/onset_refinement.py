"""Onsets of an aligned score, refined by the onsets of its pitches in the recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.pitch_onsets import (
    PitchBands,
    chord_template,
    locally_normalised,
    pitch_onsets,
)

_CHORD = 0.004  # s between the onsets of a score that are one chord
_SECTION, _AHEAD = 2000, 30  # chords whose times are found together, and those after them
_BLOCK = 10.0  # s of a recording whose features are in memory
_MARGIN = 1.0  # s of features beyond the times that are searched, for their normalisation
_TEMPO_SPAN = 8.0  # s of the score on either side that the tempo of a chord is taken from

# Wide search: in frames of 20 ms up to 2 s away, since paths may be off by a second where chords
# repeat.
_WIDE_RANGE, _POOL, _ROUNDS = 2.0, 4, 6
_WIDE_WINDOW, _WIDE_RISE = 0.0929, 0.03  # s
_ONSETS, _SUSTAIN = 2.0, 0.6  # weights of onset strength and of sounding pitches per frame
_WIDE_TEMPO, _WIDE_JITTER = 0.5, 0.03  # deviations of an interval: share of it, and s
# Narrow search: in frames of 5 ms around the times found.
_NARROW_WINDOW, _NARROW_RISE = 0.0464, 0.02  # s
_NARROW_RANGE, _NARROW_ONSETS, _NARROW_PRIOR = 0.08, 4.0, 0.05
_NARROW_TEMPO, _NARROW_JITTER = 0.3, 0.015
# Notes of a chord, each by its own onset.
_NOTE_RANGE, _NOTE_PRIOR = 0.045, 0.05
_QUIET = 0.02  # level of the sound of a frame, relative to the loudest, that is not raised to 1
_LARGEST = 1000.0  # cost of an interval, so that one wrong interval does not forbid a path
_BACKWARDS = 1e6  # cost of chords in another order than that of the score


@dataclass
class _Chords:
    """Notes of a score that begin together, in order of time."""

    starts: np.ndarray  # s in the score
    members: list[list[int]]  # notes of each chord
    pitches: list[list[int]]
    sounding: list[list[float]] = field(default_factory=list)  # pitches from each chord on

    def between(self, first: int, last: int) -> _Chords:
        """Chords from one to before another."""
        part = slice(first, last)
        return _Chords(
            self.starts[part], self.members[part], self.pitches[part], self.sounding[part]
        )


def refined_onsets(
    notes: Sequence[Note], onsets: np.ndarray, y: np.ndarray | LazyAudio, sr: int
) -> np.ndarray:
    """Refine the onsets of notes that lie within about 2 s of their true ones.

    First, the times of all chords are found together by dynamic programming: they reward onsets of
    their pitches and the change from the pitches that sound before to those that sound after, and
    cost deviations from the local tempo. Then they are found again in frames of 5 ms, and last each
    note of a chord is moved to its own onset.

    Parameters
    ----------
    notes : sequence of Note
        Notes of the score, with its times.
    onsets : np.ndarray [shape=(note,)]
        Their approximate onsets in the recording in seconds.
    y : np.ndarray or LazyAudio [shape=(channel, sample)]
    sr : int
        Sample rate in Hz.

    Returns
    -------
    np.ndarray [shape=(note,)]
        Onsets in seconds.

    References
    ----------
    S. Ewert, M. Müller, P. Grosche, "High resolution audio synchronization using chroma onset
    features", ICASSP 2009, doi:10.1109/ICASSP.2009.4959972.
    """
    chords = _chords(notes)
    centres = np.array([np.median(onsets[members]) for members in chords.members])
    centres = np.maximum.accumulate(centres)
    wide, narrow = PitchBands(y, sr, _WIDE_WINDOW), PitchBands(y, sr, _NARROW_WINDOW)
    loudest = wide.loudest(), narrow.loudest()
    if min(loudest) <= 0:
        return onsets
    refined = onsets.copy()
    done = 0
    while done < len(centres):
        # The chord before is repeated at the time that was found, so that sections join.
        first, last = max(done - 1, 0), min(done + _SECTION, len(centres))
        part = chords.between(first, min(last + _AHEAD, len(centres)))
        places = centres[first : first + len(part.members)]
        for _ in range(_ROUNDS):  # again while some are found near the limits of the search
            times = _wide_search(part, places, wide, loudest[0], is_fixed=done > 0)
            moved, places = np.abs(times - places).max(), times
            if moved < _WIDE_RANGE / 2:
                break
        times, moves = _narrow_search(part, times, narrow, loudest[1], is_fixed=done > 0)
        for chord in range(done, last):
            refined[chords.members[chord]] = times[chord - first] + moves[chord - first]
        centres[last - 1] = times[last - 1 - first]
        centres[last:] = np.maximum(centres[last:], centres[last - 1])
        done = last
    return refined


def _chords(notes: Sequence[Note]) -> _Chords:
    starts: list[float] = []
    members: list[list[int]] = []
    for index in sorted(range(len(notes)), key=lambda i: notes[i].onset):
        if starts and notes[index].onset - starts[-1] < _CHORD:
            members[-1].append(index)
        else:
            starts.append(notes[index].onset)
            members.append([index])
    pitches = [[min(max(round(notes[i].pitch), 0), 127) for i in chord] for chord in members]
    chords = _Chords(np.array(starts), members, pitches)
    active: list[Note] = []
    for start, chord in zip(starts, members, strict=True):
        active = [note for note in active if note.offset > start + _CHORD]
        active += [notes[i] for i in chord]
        chords.sounding.append([note.pitch for note in active])
    return chords


def _blocks(
    centres: np.ndarray, reach: float, bands: PitchBands
) -> Iterator[tuple[range, int, np.ndarray]]:
    """Chords that lie within a block, its first frame, and its bands, with a margin."""
    first = 0
    while first < len(centres):
        last = int(np.searchsorted(centres, centres[first] + _BLOCK, side="right"))
        begin = int((centres[first] - reach - _MARGIN) / bands.hop) // _POOL * _POOL
        end = int((centres[last - 1] + reach + _MARGIN) / bands.hop) + 2 * _POOL
        yield range(first, last), begin, bands.magnitudes(begin, end)
        first = last


def _wide_search(
    chords: _Chords, centres: np.ndarray, bands: PitchBands, loudest: float, *, is_fixed: bool
) -> np.ndarray:
    """Times of the chords in frames of 20 ms, the first of which may be known."""
    step = _POOL * bands.hop
    grid = np.arange(-round(_WIDE_RANGE / step), round(_WIDE_RANGE / step) + 1)
    rewards = np.empty((len(centres), len(grid)), np.float32)
    frames = np.round(centres / step).astype(int)
    for block, begin, magnitudes in _blocks(frames * step, _WIDE_RANGE, bands):
        strength = pitch_onsets(magnitudes, bands.hop, loudest, _WIDE_RISE)
        strength = _pooled(locally_normalised(strength, bands.hop), np.max)
        sound = np.sqrt(_pooled(magnitudes, np.mean))
        floor = _QUIET * np.sqrt(loudest)
        sound /= np.maximum(np.linalg.norm(sound, axis=0), floor)
        before = np.zeros(sound.shape[1] + 1)
        if block[0]:
            before = _cumulated(chords.sounding[block[0] - 1], sound)
        for chord in block:
            after = _cumulated(chords.sounding[chord], sound)
            places = np.clip(frames[chord] + grid - begin // _POOL, 0, sound.shape[1] - 1)
            rewards[chord] = _ONSETS * strength[chords.pitches[chord]][:, places].mean(axis=0)
            # Frames before the chord sound like the one before, those after it like this one.
            change = (before - after)[places]
            rewards[chord] += _SUSTAIN * (change - change.max())
            outside = (frames[chord] + grid < 0) | (frames[chord] + grid >= bands.n_frames // _POOL)
            rewards[chord, outside] -= 2 * _ONSETS
            before = after
    if is_fixed:
        rewards[0, grid != 0] -= _BACKWARDS
    expected = _expected_intervals(chords.starts, centres)
    path = _best_path(rewards, frames, grid, step, expected, (_WIDE_TEMPO, _WIDE_JITTER))
    return np.asarray((frames + grid[path]) * step)


def _narrow_search(
    chords: _Chords, times: np.ndarray, bands: PitchBands, loudest: float, *, is_fixed: bool
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Times of the chords in frames of 5 ms, and seconds by which their notes begin later."""
    hop = bands.hop
    grid = np.arange(-round(_NARROW_RANGE / hop), round(_NARROW_RANGE / hop) + 1)
    reach = grid[-1] + round(_NOTE_RANGE / hop) + 1
    near = np.arange(-reach, reach + 1)
    frames = np.round(times / hop).astype(int)
    prior = (grid * hop / _NARROW_PRIOR) ** 2 / 2
    rewards = np.empty((len(times), len(grid)), np.float32)
    curves: list[np.ndarray] = []  # onset strength of the pitches of each chord, around it
    inner = slice(reach - grid[-1], reach + grid[-1] + 1)
    for block, begin, magnitudes in _blocks(times, near[-1] * hop, bands):
        strength = pitch_onsets(magnitudes, hop, loudest, _NARROW_RISE)
        for chord in block:
            places = np.clip(frames[chord] + near - begin, 0, strength.shape[1] - 1)
            curve = strength[chords.pitches[chord]][:, places]
            largest = curve[:, inner].max(axis=1, keepdims=True)
            share = curve[:, inner] / np.maximum(largest, 1e-9)
            rewards[chord] = _NARROW_ONSETS * share.mean(axis=0) - prior
            curves.append(curve)
    if is_fixed:
        rewards[0, grid != 0] -= _BACKWARDS
    intervals = np.diff(times, prepend=times[:1])
    path = _best_path(rewards, frames, grid, hop, intervals, (_NARROW_TEMPO, _NARROW_JITTER))
    moves = [
        _note_moves(curve, reach + grid[at], hop) for curve, at in zip(curves, path, strict=True)
    ]
    return (frames + grid[path]) * hop, moves


def _note_moves(curve: np.ndarray, middle: int, hop: float) -> np.ndarray:
    """Seconds by which each note of a chord begins after it."""
    width = round(_NOTE_RANGE / hop)
    near = np.arange(-width, width + 1)
    strength = curve[:, middle - width : middle + width + 1]
    share = strength / np.maximum(strength.max(axis=1, keepdims=True), 1e-9)
    value = share - (near * hop / _NOTE_PRIOR) ** 2 / 2
    best = value.argmax(axis=1)
    inside = np.clip(best, 1, 2 * width - 1)
    rows = np.arange(len(value))
    left, top, right = (value[rows, inside + k] for k in (-1, 0, 1))
    bend = left - 2 * top + right
    # Vertex of the parabola through three values, between frames.
    vertex = np.where(
        (bend < 0) & (inside == best), 0.5 * (left - right) / np.minimum(bend, -1e-9), 0
    )
    return np.asarray((near[best] + np.clip(vertex, -0.5, 0.5)) * hop)


def _pooled(values: np.ndarray, pool: object) -> np.ndarray:
    """Rows of frames of 5 ms pooled to frames of 20 ms."""
    count = values.shape[1] // _POOL
    return np.asarray(pool(values[:, : count * _POOL].reshape(len(values), count, _POOL), axis=2))  # type: ignore[operator]


def _cumulated(pitches: Sequence[float], sound: np.ndarray) -> np.ndarray:
    """Similarity of sounding pitches to the frames, summed up to each frame."""
    return np.concatenate([[0.0], np.cumsum(chord_template(pitches) @ sound)])


def _expected_intervals(starts: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Seconds of the recording from each chord to the next, at the local tempo of the path."""
    overall = (centres[-1] - centres[0]) / max(starts[-1] - starts[0], 1e-6)
    first = np.searchsorted(starts, starts - _TEMPO_SPAN)
    last = np.searchsorted(starts, starts + _TEMPO_SPAN, side="right") - 1
    lengths = starts[last] - starts[first]
    tempo = np.where(
        lengths > 0, (centres[last] - centres[first]) / np.maximum(lengths, 1e-6), overall
    )
    tempo = np.clip(tempo, overall / 2, overall * 2)
    return np.asarray(tempo * np.diff(starts, prepend=starts[:1]))


def _best_path(
    rewards: np.ndarray,
    frames: np.ndarray,
    grid: np.ndarray,
    step: float,
    expected: np.ndarray,
    deviation: tuple[float, float],
) -> np.ndarray:
    """Place of each chord in the grid, by dynamic programming [shape=(chord,)].

    An interval of d seconds instead of e costs (d − e)² / (2 (a² e² + b²)), where a and b are
    `deviation`.
    """
    share, jitter = deviation
    best = rewards[0].astype(np.float64)
    back = np.zeros(rewards.shape, np.int32)
    columns = np.arange(len(grid))
    between = grid[None, :] - grid[:, None]
    for chord in range(1, len(rewards)):
        seconds = (frames[chord] - frames[chord - 1] + between) * step
        variance = 2 * ((share * expected[chord]) ** 2 + jitter**2)
        cost = np.minimum((seconds - expected[chord]) ** 2 / variance, _LARGEST)
        cost[seconds < 0] += _BACKWARDS
        total = best[:, None] - cost
        back[chord] = total.argmax(axis=0)
        best = total[back[chord], columns] + rewards[chord]
    path = np.empty(len(rewards), int)
    path[-1] = int(best.argmax())
    for chord in range(len(rewards) - 1, 0, -1):
        path[chord - 1] = back[chord, path[chord]]
    return path
