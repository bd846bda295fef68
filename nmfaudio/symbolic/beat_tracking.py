"""Beats of performed notes: the best sequence of beat periods (a semi-Markov model)."""

from __future__ import annotations

import numpy as np

from nmfaudio._public import public
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.symbolic.beat_network import bundled_network
from nmfaudio.symbolic.beats import Beats
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.meter import find_meter
from nmfaudio.symbolic.strokes import ACCENTS, Strokes, strokes_of

_RATE = 50  # frames per second
_FASTEST, _SLOWEST = 0.28, 1.5  # s, periods of beats
_WIDTH = 0.03  # s, standard deviation of a stroke around its place
_NEAR = 0.05  # s between a beat and the stroke that it moves to
_EDGE = 2  # frames at the ends of a beat whose strokes are on beats
_START = 3  # frames after the first stroke in which the first beat may be
_FEWEST = 4  # strokes
# Logistic regression of the strokes on beats, on simulated performances of 91 scores, each of the
# same weight; the settings below are chosen on those of 38 scores, on sequenced songs and on four
# real performances, none of which the network was trained on. See `benchmarks/scores`.
_WEIGHTS = np.array([0.96, 1.30, 0.95, 0.27, 0.0, 0.85, 0.68])  # of the accents of a stroke
_OFFSET = -0.44
_ACCENTED, _NETWORK = 0.7, 0.25  # weights of these log-odds, and of those of the network
_USUAL, _SPREAD = 0.63, 0.38  # s, the most probable period, and the spread of its logarithm
_HINT = 1.35  # highest ratio of a period to that of the given tempo, and lowest
_PRIOR, _HINTED_PRIOR = 0.4, 2.0  # weight of that distribution, and of one around a given tempo
_CHANGE = 40.0  # cost of a change of the logarithm of the period
_FREE = 1.05  # frames by which a period may change at no cost
_ON_BEAT, _ON_HALF = 3.0, 0.75  # weight of strokes on beats, and of strokes amid them
_LIKELIHOOD = 0.3  # weight of the log-odds of each beat
_ABSENT = -1.0  # log-odds of a beat without a stroke
_UNEXPLAINED = 0.8  # cost of a stroke beside the places of a division by four or three
_QUARTER, _TERNARY = (
    0.15,
    0.53,
)  # costs of a stroke on a quarter, and of division by three


@public
def track_beats(notes: Notes, tempo: float | None = None) -> Beats:
    """Find beats, bars and time signature of performed notes.

    A network tells from rhythm, harmony, bass, length and loudness which notes are likely on
    beats. Beats have the periods that place these notes on beats and the others on halves, thirds
    and quarters of them, and change slowly; bars begin where harmony and bass change.

    Parameters
    ----------
    notes : iterable of Note, or object of another package
        Notes of 2 s or more.
    tempo : float, optional
        Approximate beats per minute. Notes alone do not tell whether quarters or eighths are
        beats; a tempo does.

    Returns
    -------
    Beats
        Beats are at onsets where they are near them.

    Raises
    ------
    ParameterError
        The tempo is not between 40 and 214 beats per minute.
    ContentError
        The notes have less than four onsets, or last less than two beats.

    Examples
    --------
    >>> import nmfaudio as na
    >>> waltz = [na.Note(i / 2, i / 2 + 0.4, 40 if i % 3 == 0 else 64) for i in range(24)]
    >>> na.symbolic.track_beats(waltz).time_signature
    (3, 4)
    """
    played = sorted(as_notes(notes), key=lambda note: (note.onset, note.pitch))
    strokes = strokes_of(played)
    if len(strokes.times) < _FEWEST or np.ptp(strokes.times) < 2 * _FASTEST:
        raise ContentError(
            f"got {len(strokes.times)} onsets; beats need {_FEWEST} or more, over "
            f"{2 * _FASTEST:g} s or longer"
        )
    lead = _SLOWEST - strokes.times[0]  # beats may begin before the first stroke
    times = strokes.times + lead
    frames = int((times[-1] + _SLOWEST) * _RATE) + 2
    periods = _periods(tempo)
    logits = _log_odds(strokes)
    scores = _scores(times, logits, periods, frames) + _priors(periods, tempo)[:, None]
    first, last = (round(times[i] * _RATE) for i in (0, -1))
    found = _best_path(scores, periods, first + _START, last - _START) / _RATE - lead
    beats = _moved_to_strokes(found, strokes.times)
    return Beats(beats, *find_meter(strokes, beats))


def _periods(tempo: float | None) -> np.ndarray:
    """Periods of beats in frames: all, or those around that of a tempo."""
    periods = np.arange(round(_FASTEST * _RATE), round(_SLOWEST * _RATE) + 1)
    if tempo is None:
        return periods
    if not 60 / _SLOWEST <= tempo <= 60 / _FASTEST:
        raise ParameterError(
            f"the tempo is {tempo!r} beats per minute; it must be from {60 / _SLOWEST:g} to "
            f"{60 / _FASTEST:.0f}"
        )
    ratio = periods / (_RATE * 60 / tempo)
    return periods[(ratio > 1 / _HINT) & (ratio < _HINT)]


def _priors(periods: np.ndarray, tempo: float | None) -> np.ndarray:
    """Score of a beat of each period in frames for its length alone."""
    usual, weight = (_USUAL, _PRIOR) if tempo is None else (60 / tempo, _HINTED_PRIOR)
    seconds = periods / _RATE
    return np.asarray(-seconds * weight * (np.log(seconds / usual) / _SPREAD) ** 2 / 2)


def _log_odds(strokes: Strokes) -> np.ndarray:
    """Log-odds that each stroke is on a beat: those of its accents, and of the network.

    The network has learned from music that is written out; free performances it reads worse alone.
    """
    accented = strokes.features[:, :ACCENTS] @ _WEIGHTS + _OFFSET
    return np.asarray(_ACCENTED * accented + _NETWORK * bundled_network().logits(strokes))


def _envelope(times: np.ndarray, weights: np.ndarray, frames: int) -> np.ndarray:
    """Weights of strokes as a curve over time: the largest of Gaussians around them."""
    curve = np.zeros(frames)
    reach = round(3 * _WIDTH * _RATE)
    centre = np.round(times * _RATE).astype(int)
    for shift in range(-reach, reach + 1):
        near = weights * np.exp(-0.5 * (((centre + shift) / _RATE - times) / _WIDTH) ** 2)
        np.maximum.at(curve, centre + shift, near)
    return curve


def _scores(times: np.ndarray, logits: np.ndarray, periods: np.ndarray, frames: int) -> np.ndarray:
    """Score of a beat of each period that ends at each frame [shape=(period, frame)].

    Strokes at `times` are on beats with log-odds `logits`.
    """
    strong = _envelope(times, 1 / (1 + np.exp(-logits)), frames)
    odds = _ABSENT + _envelope(times, np.maximum(0, logits - _ABSENT), frames)
    present = _envelope(times, np.ones(len(times)), frames)
    strokes = np.bincount(np.round(times * _RATE).astype(int), minlength=frames)
    total = np.concatenate([[0.0], np.cumsum(strokes)])
    end = np.arange(frames)
    scores = np.empty((len(periods), frames))
    for row, period in enumerate(periods):

        def at(curve: np.ndarray, share: float, period: int = int(period)) -> np.ndarray:
            """Curve at a share of the beats of this period."""
            return np.asarray(
                curve[np.maximum(0, np.round(end - period * (1 - share)).astype(int))]
            )

        inner = total[np.maximum(0, end - _EDGE)] - total[np.maximum(0, end - period + _EDGE + 1)]
        quarters = at(present, 0.25) + at(present, 0.75)
        halves = np.maximum(0, inner - at(present, 0.5) - quarters) + _QUARTER * quarters
        thirds = np.maximum(0, inner - at(present, 1 / 3) - at(present, 2 / 3))
        beside = np.minimum(halves, thirds + _TERNARY * (inner > 0))
        seconds = period / _RATE
        gain = _ON_BEAT * strong - _ON_HALF * at(strong, 0.5)
        scores[row] = seconds * gain + _LIKELIHOOD * odds - _UNEXPLAINED * beside
    return scores


def _best_path(scores: np.ndarray, periods: np.ndarray, first: int, last: int) -> np.ndarray:
    """Frames of the beats of the best path.

    It begins at or before the frame `first`, and ends at or after `last`.
    """
    count, frames = scores.shape
    logs = np.log(periods)
    # A change by one frame is free, for periods are no whole numbers of frames.
    free = _FREE * 1 / periods[:, None]
    cost = _CHANGE * np.maximum(0, np.abs(logs[:, None] - logs) - free)  # (period, the one before)
    best = np.full((frames, count), -np.inf)
    origin = np.full((frames, count), -1)
    columns = np.arange(count)
    for now in range(frames):
        before = now - periods
        reach = best[np.maximum(before, 0)] - cost
        choice = reach.argmax(axis=1)
        value = reach[columns, choice]
        begins = (before <= first) & (value <= 0)
        value[begins] = 0.0
        origin[now] = np.where(begins, -1, choice)
        best[now] = np.where(before >= 0, value + scores[:, now], -np.inf)
    frame, row = divmod(int(best[last:].argmax()), count)
    path = [frame + last]
    while row >= 0:
        at = path[-1]
        path.append(at - int(periods[row]))
        row = int(origin[at, row])
    return np.array(path[::-1], float)


def _moved_to_strokes(beats: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Beats at the strokes that are near them: frames are coarser than onsets."""
    nearest = times[np.abs(times[:, None] - beats).argmin(axis=0)]
    return np.where(np.abs(nearest - beats) < _NEAR, nearest, beats)
