"""From salience to notes: all steps, with their settings."""

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

_PEAK = 0.2  # s after its onset that a note is at its loudest
_SILENT = 0.02  # of its level, below which a note has ended however slowly it died away


def note_peaks(
    values: np.ndarray, times: np.ndarray, onsets: Sequence[tuple[int, int]]
) -> list[int]:
    """When each note is loudest: within 0.2 s, and before its pitch begins again.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    onsets : sequence of tuple of int
        Row and frame of each, by row, then frame.

    Returns
    -------
    list of int
        A frame for each onset.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not fit.

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
    """How hard notes were played, from how loud they are.

    Synthesisers make a note's amplitude go with the square of its velocity (General MIDI level 2,
    SoundFont 2.04), so velocities go with the root of amplitude.

    Parameters
    ----------
    levels : np.ndarray [shape=(note,)]
        Amplitudes, ≥ 0, in any unit.
    loudest : float
        The velocity of the highest one, above 0, at most 1.

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
    """Notes from salience.

    Onsets are peaks of the rise of salience, less what the partials of lower notes put there,
    above a threshold that goes with how loud the passage is. A note lasts until a hidden Markov
    model, or hysteresis, says that it has faded. Nothing depends on the unit of salience.

    Parameters
    ----------
    threshold : float
        How strong an onset has to be, as in `adaptive_threshold`: lower finds more notes.
    rise : float
        Seconds over which salience rises, as in `onset_strength`.
    ghosts : float
        How much of a lower note's onset is taken from its partials' pitches, as in
        `suppress_ghosts`.
    balance : float
        Between the passage (0) and the recording (1), as in `adaptive_threshold`.
    window : float
        Seconds of the passage.
    gap : float
        Seconds between two onsets of a pitch at least.
    release : float
        The share of its recent level below which a note has been let go, between 0 and 1.
    sustain : float
        Seconds in which the recent level falls to 1/e, as in `recent_level`: notes that die away
        more slowly are still held.
    damping : float
        Seconds that it takes a string to fall so far after its key was let go.
    smoothing : "hmm" or "hysteresis"
        What decides so: `smooth_activity` or `hysteresis`.
    hold : float
        Seconds that notes and rests last on average, for the hidden Markov model: longer ones
        bridge longer gaps.
    shortest : float
        Seconds; a note that ends sooner is none.
    loudest : float
        The velocity of the loudest note.

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
        """Find the notes.

        Parameters
        ----------
        salience : Salience
            Of any model, with times ≥ 0 that are evenly spaced.

        Returns
        -------
        list of Note
            By onset, then pitch.

        Raises
        ------
        ShapeError, ParameterError
            The salience's arrays do not fit each other, or have values that cannot be.
        """
        values, times = np.asarray(salience.values), np.asarray(salience.times, np.float64)
        strength = onset_strength(values, times, rise=self.rise)
        strength = suppress_ghosts(strength, salience.pitches, times, share=self.ghosts)
        threshold = adaptive_threshold(
            strength, times, self.threshold, balance=self.balance, window=self.window
        )
        peaks = find_onsets(strength, times, threshold, gap=self.gap)
        onsets = place_onsets(values, times, peaks, rise=self.rise)
        loud = note_peaks(values, times, onsets)
        offsets = self._offsets(values, times, onsets, loud)
        levels = values[[row for row, _ in onsets], loud].astype(np.float64)
        hardness = velocities(levels, loudest=self.loudest)
        notes = [
            Note(float(times[frame]), end, float(salience.pitches[row]), velocity=float(velocity))
            for (row, frame), end, velocity in zip(onsets, offsets, hardness, strict=True)
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
        """When each note is let go."""
        recent = recent_level(values, times, sustain=self.sustain)
        shares = np.divide(values, recent, out=np.zeros(values.shape), where=recent > 0)
        for (row, frame), peak in zip(onsets, peaks, strict=True):
            shares[row, frame:][values[row, frame:] < _SILENT * values[row, peak]] = 0
            shares[row, frame:peak] = 1  # a note that still rises is not let go
        if self.smoothing == "hmm":
            active = smooth_activity(shares, times, self.release, length=self.hold)
        else:
            active = hysteresis(shares, high=(1 + self.release) / 2, low=self.release)
        ends = find_offsets(active, times, onsets)
        least = [float(times[frame]) + self.shortest for _, frame in onsets]
        # A flicker stays one, to be dropped; of a note at least the shortest is left.
        return [
            end if end < short else max(end - self.damping, short)
            for end, short in zip(ends, least, strict=True)
        ]
