"""Decoding of salience to notes: onsets, offsets and velocities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from nmfaudio._common.validation import as_choice, as_number, frame_step
from nmfaudio.errors import ParameterError
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.offsets import (
    find_offsets,
    hysteresis,
    recent_level,
    smooth_activity,
)
from nmfaudio.transcription.onsets import (
    adaptive_threshold,
    find_onsets,
    onset_strength,
    place_onsets,
    suppress_ghosts,
)
from nmfaudio.transcription.salience import Salience

_PEAK = 0.2  # s after its onset within which a note reaches its peak
_SILENT = 0.02  # share of its peak (−34 dB) below which a note has ended, however slow its decay


def note_peaks(
    values: np.ndarray, times: np.ndarray, onsets: Sequence[tuple[int, int]]
) -> list[int]:
    """Find the peak of each note: within 0.2 s, and before the next onset of its pitch.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    onsets : sequence of tuple of int
        Row and frame of each onset, by row, then frame.

    Returns
    -------
    list of int
        Frame of the peak, for each onset.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not match.

    Examples
    --------
    >>> import numpy as np
    >>> note_peaks(np.array([[1.0, 5, 4, 2, 8]]), np.arange(5) * 0.1, [(0, 0), (0, 3)])
    [1, 4]
    """
    reach = max(1, int(_PEAK / frame_step(values, times)) + 1)
    peaks = []
    for n, (row, frame) in enumerate(onsets):
        following = onsets[n + 1] if n + 1 < len(onsets) else (row + 1, 0)
        end = min(frame + reach, following[1] if following[0] == row else values.shape[1])
        peaks.append(frame + int(np.argmax(values[row, frame:end])))
    return peaks


def velocities(levels: np.ndarray, *, loudest: float = 1.0) -> np.ndarray:
    """Estimate velocities from amplitudes.

    In synthesisers the amplitude is proportional to the square of the velocity (General MIDI
    level 2, SoundFont 2.04), so velocities are proportional to the square root of amplitudes.

    Parameters
    ----------
    levels : np.ndarray [shape=(note,)]
        Amplitudes, ≥ 0, in any unit.
    loudest : float
        Velocity of the highest amplitude, above 0, at most 1.

    Returns
    -------
    np.ndarray [shape=(note,)]
        float64, from 0 to `loudest`.

    Raises
    ------
    ParameterError
        `loudest` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> velocities(np.array([4.0, 1.0])).tolist()
    [1.0, 0.5]
    """
    if as_number(loudest, "loudest", above=0) > 1:
        raise ParameterError(f"loudest is {loudest!r}; it must be at most 1")
    top = levels.max(initial=0.0)
    return np.zeros(len(levels)) if top == 0 else loudest * np.sqrt(levels / top)


@dataclass(frozen=True)
class Decoding:
    """Decode salience to notes.

    Onsets are peaks of the rise of salience, less the part due to partials of lower notes, above
    a threshold that adapts to the level of the passage. A note ends when a hidden Markov model,
    or hysteresis, finds that it has been released. The result does not depend on the unit of
    salience.

    Parameters
    ----------
    threshold : float
        Onset strength of a note at least, as in `adaptive_threshold`: lower finds more notes.
    rise : float
        Seconds over which salience rises, as in `onset_strength`.
    ghosts : float
        Share of a lower note's onset strength that is subtracted at the pitches of its partials,
        as in `suppress_ghosts`.
    balance : float
        Reference of the threshold, from the passage (0) to the recording (1), as in
        `adaptive_threshold`.
    window : float
        Length of the passage in seconds.
    gap : float
        Shortest time between two onsets of a pitch in seconds.
    release : float
        Share of its recent level below which a note has been released, between 0 and 1.
    sustain : float
        Seconds in which the recent level falls to 1/e, as in `recent_level`; notes that decay
        more slowly are not taken for released.
    damping : float
        Seconds from the release of a key until the string has fallen to that share; offsets are
        moved back by it.
    smoothing : "hmm" or "hysteresis"
        Method that smooths this decision: `smooth_activity` or `hysteresis`.
    hold : float
        Mean duration of notes and rests in seconds, for the hidden Markov model; longer ones
        bridge longer gaps.
    shortest : float
        Shortest note in seconds; shorter ones are dropped.
    loudest : float
        Velocity of the loudest note.

    Raises
    ------
    ParameterError
        A setting is out of range.

    References
    ----------
    J. P. Bello et al., "A tutorial on onset detection in music signals", IEEE TSAP 13(5), 2005,
    doi:10.1109/TSA.2005.851998.

    E. Benetos, S. Dixon, Z. Duan, S. Ewert, "Automatic music transcription: an overview", IEEE
    Signal Processing Magazine 36(1), 2019, doi:10.1109/MSP.2018.2869928.

    Examples
    --------
    >>> import numpy as np
    >>> from nmfaudio.transcription.decoding import Decoding
    >>> from nmfaudio.transcription.salience import Salience
    >>> times = np.arange(100) * 0.02
    >>> played = np.where(times >= 0.5, np.exp(0.5 - times), 0)
    >>> notes = Decoding()(Salience(np.stack([played, 0.1 * played]), np.array([60, 72]), times))
    >>> [(note.pitch, round(note.onset, 2)) for note in notes]
    [(60.0, 0.5)]
    """

    _: KW_ONLY
    threshold: float = 0.11
    rise: float = 0.07
    ghosts: float = 0.2
    balance: float = 0.5
    window: float = 0.4
    gap: float = 0.06
    release: float = 0.5
    sustain: float = 0.2
    damping: float = 0.04
    smoothing: str = "hmm"
    hold: float = 0.05
    shortest: float = 0.03
    loudest: float = 1.0

    def __post_init__(self) -> None:
        for name in ("threshold", "rise", "release", "sustain", "hold", "loudest"):
            as_number(getattr(self, name), name, above=0)
        for name in ("ghosts", "balance", "window", "gap", "damping", "shortest"):
            as_number(getattr(self, name), name, low=0)
        if self.release >= 1:
            raise ParameterError(f"release is {self.release!r}; it must be below 1")
        for name in ("balance", "loudest"):
            if getattr(self, name) > 1:
                raise ParameterError(f"{name} is {getattr(self, name)!r}; it must be at most 1")
        as_choice(self.smoothing, "smoothing", ("hmm", "hysteresis"))

    def __call__(self, salience: Salience) -> list[Note]:
        """Return the notes of a salience.

        Parameters
        ----------
        salience : Salience
            Salience of any model, with evenly spaced times ≥ 0.

        Returns
        -------
        list of Note
            By onset, then pitch.

        Raises
        ------
        ShapeError, ParameterError
            The arrays of the salience do not match, or have invalid values.
        """
        values, times = np.asarray(salience.values), np.asarray(salience.times, np.float64)
        strength = onset_strength(values, times, rise=self.rise)
        strength = suppress_ghosts(strength, salience.pitches, times, share=self.ghosts)
        threshold = adaptive_threshold(
            strength, times, self.threshold, balance=self.balance, window=self.window
        )
        onsets = find_onsets(strength, times, threshold, gap=self.gap)
        onsets = place_onsets(values, times, onsets, rise=self.rise)
        peaks = note_peaks(values, times, onsets)
        offsets = self._offsets(values, times, onsets, peaks)
        levels = values[[row for row, _ in onsets], peaks].astype(np.float64)
        note_velocities = velocities(levels, loudest=self.loudest)
        notes = [
            Note(float(times[frame]), end, float(salience.pitches[row]), velocity=float(velocity))
            for (row, frame), end, velocity in zip(onsets, offsets, note_velocities, strict=True)
            if end - times[frame] >= self.shortest
        ]
        return sorted(notes, key=lambda note: (note.onset, note.pitch))

    def _offsets(
        self,
        values: np.ndarray,
        times: np.ndarray,
        onsets: Sequence[tuple[int, int]],
        peaks: Sequence[int],
    ) -> list[float]:
        """Time of each note's release in seconds."""
        recent = recent_level(values, times, sustain=self.sustain)
        shares = np.divide(values, recent, out=np.zeros(values.shape), where=recent > 0)
        for (row, frame), peak in zip(onsets, peaks, strict=True):
            shares[row, frame:][values[row, frame:] < _SILENT * values[row, peak]] = 0
            shares[row, frame:peak] = 1  # a note that still rises has not been released
        if self.smoothing == "hmm":
            active = smooth_activity(shares, times, self.release, length=self.hold)
        else:
            active = hysteresis(shares, high=(1 + self.release) / 2, low=self.release)
        ends = find_offsets(active, times, onsets)
        earliest = [float(times[frame]) + self.shortest for _, frame in onsets]
        # Notes that are too short stay so, to be dropped; damping makes no other note too short.
        return [
            end if end < first else max(end - self.damping, first)
            for end, first in zip(ends, earliest, strict=True)
        ]
