"""Decoding of pitch salience into notes with onsets, offsets and velocities."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace

import numpy as np

from nmfaudio._common.settings import Settings
from nmfaudio._common.validation import as_choice, as_number, frame_step
from nmfaudio.errors import ParameterError
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.dynamics import key_gains, note_levels, note_peaks, velocities
from nmfaudio.transcription.fluctuations import without_fluctuations
from nmfaudio.transcription.monophony import one_at_a_time
from nmfaudio.transcription.note_ends import note_ends
from nmfaudio.transcription.note_selection import probable_notes
from nmfaudio.transcription.note_starts import StartSettings, note_starts
from nmfaudio.transcription.offsets import note_offsets
from nmfaudio.transcription.onset_blocks import OnsetBlocks
from nmfaudio.transcription.onsets import rise_frames, steepest_frame
from nmfaudio.transcription.pitch_thresholds import threshold_factors
from nmfaudio.transcription.salience import Salience
from nmfaudio.transcription.suitability import decaying_share

# Share of the salience that decays: of 24 recordings of eight struck or plucked instruments 21 have
# 0.65 or more, of 24 of eight others none.
_DECAYING = 0.65


@dataclass(frozen=True)
class Decoding(Settings):
    """Decode salience into notes.

    Onsets are peaks of onset strength, the increase of salience, above a threshold that adapts to
    the local level; the part that the partials of lower notes cause is subtracted first. A note
    ends when its pitch becomes inactive, as decided by a hidden Markov model or by hysteresis.
    Scaling the salience does not change the notes.

    Parameters
    ----------
    starts : "strength" or "piano"
        How starts of notes are found: at peaks of onset strength above the threshold, or among all
        such peaks by `note_starts`, which has learned how the notes of a piano begin. A stream uses
        the strength in any case.
    threshold : float
        Smallest onset strength of a note, relative to the reference of `adaptive_threshold`. Lower
        values detect more notes. With the starts of a piano, peaks of a sixth of it are considered,
        and a threshold of 0.085 takes those for notes that more likely are than not.
    rise : float
        Seconds over which the increase of salience is measured, as in `onset_strength`.
    ghosts : float
        Share of the onset strength of a lower note that is subtracted at the pitches of its
        partials, as in `suppress_ghosts`.
    balance : float
        Reference of the threshold, from the local maximum (0) to the maximum of the recording (1),
        as in `adaptive_threshold`.
    window : float
        Length in seconds of the window of the local maximum.
    gap : float
        Shortest time between two onsets of the same pitch in seconds.
    repeat : float
        Smallest rise at an onset, as a share of the highest salience of its pitch in the 0.35 s
        before. Notes that are sustained, such as those of winds, fluctuate; 0 keeps all onsets.
    selection : "threshold", "network" or "auto"
        Whether all onsets above the threshold are notes, or those that a network takes for notes,
        as in `probable_notes`; then the threshold is best low. The network knows instruments that
        sustain: "auto" doubles the threshold instead if most of the salience decays, as of struck
        and plucked strings. A stream has a higher threshold instead of the network.
    bass, treble : float
        Octaves (factors of 2) by which the threshold increases per octave of low and of high
        pitches, as in `threshold_factors`. The starts of a piano do not use them.
    ends : "activity" or "piano"
        How ends of notes are found: where the pitch becomes inactive, by the settings `release` to
        `hold`, or by `note_ends`, which has learned how the strings of a piano decay and are
        damped. A stream uses the activity in any case.
    release : float
        Threshold of activity, between 0 and 1: a note is released when its salience falls below
        this share of its recent level.
    sustain : float
        Time constant of the recent level in seconds, as in `recent_level`. Notes that decay more
        slowly stay active.
    damping : float
        Time in seconds that salience takes to fall to the share `release` after a key is released;
        it is subtracted from the offsets.
    smoothing : "hmm" or "hysteresis"
        Method that decides when a pitch is active: `smooth_activity` or `hysteresis`.
    hold : float
        Mean duration of notes and rests in seconds, for the hidden Markov model. Longer values
        bridge longer gaps.
    shortest : float
        Shortest duration of a note in seconds; shorter notes are dropped.
    ensemble : float
        Weight of the level of all pitches in that of a note, from 0 to 1, as in `note_levels`.
    calibrated : bool
        Whether levels are relative to those of their keys, as estimated by `key_gains`. A stream,
        which does not know the notes to come, does not calibrate them.
    loudest : float
        Velocity of the loudest note, above 0 and at most 1.
    monophonic : bool
        Whether notes sound one at a time, as of a voice or a wind instrument: those off the
        strongest path through the pitches are dropped, and each ends where the next one begins.
    lowest, highest : float
        MIDI numbers of the lowest and the highest pitch of a note, both included.

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
    starts: str = "strength"
    threshold: float = 0.11
    rise: float = 0.07
    ghosts: float = 0.2
    balance: float = 0.5
    window: float = 0.4
    gap: float = 0.06
    repeat: float = 0.0
    selection: str = "threshold"
    bass: float = 0.0
    treble: float = 0.0
    ends: str = "activity"
    release: float = 0.5
    sustain: float = 0.2
    damping: float = 0.04
    smoothing: str = "hmm"
    hold: float = 0.05
    shortest: float = 0.03
    ensemble: float = 0.3
    calibrated: bool = False
    loudest: float = 1.0
    monophonic: bool = False
    lowest: float = 0.0
    highest: float = 127.0

    def __post_init__(self) -> None:
        for name in ("threshold", "rise", "release", "sustain", "hold", "loudest"):
            as_number(getattr(self, name), name, above=0)
        for name in ("ghosts", "balance", "window", "gap", "damping", "shortest", "lowest"):
            as_number(getattr(self, name), name, low=0)
        for name in ("repeat", "bass", "treble", "ensemble"):
            as_number(getattr(self, name), name, low=0)
        if self.release >= 1:
            raise ParameterError(f"release is {self.release!r}; it must be below 1")
        for name in ("balance", "ensemble", "loudest"):
            if getattr(self, name) > 1:
                raise ParameterError(f"{name} is {getattr(self, name)!r}; it must be at most 1")
        if as_number(self.highest, "highest") < self.lowest:
            raise ParameterError(
                f"lowest is {self.lowest:g} and highest {self.highest:g}; give the lower pitch as "
                "lowest"
            )
        as_choice(self.selection, "selection", ("threshold", "network", "auto"))
        as_choice(self.starts, "starts", ("strength", "piano"))
        as_choice(self.ends, "ends", ("activity", "piano"))
        as_choice(self.smoothing, "smoothing", ("hmm", "hysteresis"))

    def __call__(self, salience: Salience) -> list[Note]:
        """Decode a salience into notes.

        Parameters
        ----------
        salience : Salience
            Salience from any model, ≥ 0, with evenly spaced times ≥ 0.

        Returns
        -------
        list of Note
            Notes, sorted by onset, then by pitch.

        Raises
        ------
        ShapeError, ParameterError
            The shapes of the arrays do not match, or their values are invalid.
        """
        if self.selection == "auto":
            return self._selected(salience)(salience)
        starts = self._starts(salience)
        onsets = list(starts)
        values, times = np.asarray(salience.values), np.asarray(salience.times, np.float64)
        peaks = note_peaks(values, times, onsets)
        if self.ends == "piano":
            offsets = note_ends(values, times, salience.pitches, onsets, peaks)
        else:
            names = ("release", "sustain", "damping", "smoothing", "hold", "shortest")
            settings = {name: getattr(self, name) for name in names}
            offsets = note_offsets(values, times, onsets, peaks, **settings)
        if self.selection == "network":
            are_notes = probable_notes(
                values, times, salience.pitches, onsets, offsets, rise=self.rise
            )
            kept = np.flatnonzero(are_notes).tolist()
            onsets, peaks = [onsets[n] for n in kept], [peaks[n] for n in kept]
            offsets, starts = [offsets[n] for n in kept], {each: starts[each] for each in onsets}
        levels = note_levels(values, times, onsets, peaks, ensemble=self.ensemble)
        if self.calibrated:
            pitches = np.asarray(salience.pitches, np.float64)[[row for row, _ in onsets]]
            levels = levels / key_gains(levels, pitches, np.array(list(starts.values())))
        note_velocities = velocities(levels, loudest=self.loudest)
        notes = [
            # A refined start is not to shorten a note to less than `shortest`.
            Note(
                start,
                max(end, start + self.shortest),
                float(salience.pitches[row]),
                velocity=float(velocity),
            )
            for ((row, frame), start), end, velocity in zip(
                starts.items(), offsets, note_velocities, strict=True
            )
            if end - times[frame] >= self.shortest
        ]
        notes.sort(key=lambda note: (note.onset, note.pitch))
        if not self.monophonic:
            return notes
        return one_at_a_time(notes, values, np.asarray(salience.pitches), times)

    def onsets(self, salience: Salience) -> list[tuple[int, int]]:
        """Find the onsets of notes in a salience.

        Parameters
        ----------
        salience : Salience
            As for a call.

        Returns
        -------
        list of tuple of int
            Row and frame of each onset, by row, then frame.

        Raises
        ------
        ShapeError, ParameterError
            The shapes of the arrays do not match, or their values are invalid.
        """
        return list(self._selected(salience)._starts(salience))

    def _selected(self, salience: Salience) -> Decoding:
        """Decoding with the selection that suits a salience, if it is to be chosen."""
        if self.selection != "auto":
            return self
        if decaying_share(salience) >= _DECAYING:
            return replace(self, selection="threshold", threshold=2 * self.threshold)
        return replace(self, selection="network")

    def _starts(self, salience: Salience) -> dict[tuple[int, int], float]:
        """Row and frame of each onset, by row, then frame, with its time in seconds."""
        values, times = np.asarray(salience.values), np.asarray(salience.times, np.float64)
        pitches = np.asarray(salience.pitches)
        seconds: dict[tuple[int, int], float] = {}
        if self.starts == "piano":
            settings = StartSettings(self.rise, self.ghosts, self.balance, self.window, self.gap)
            seconds = note_starts(
                values, times, pitches, threshold=self.threshold, settings=settings
            )
        onsets = list(seconds) if self.starts == "piano" else self._peaks(values, times, pitches)
        # Pitches out of range are left out only here, so that they still mask their partials.
        onsets = [each for each in onsets if self.lowest <= pitches[each[0]] <= self.highest]
        if self.repeat:
            onsets = without_fluctuations(values, times, onsets, share=self.repeat, rise=self.rise)
        lag = rise_frames(self.rise, frame_step(values, times))
        placed: dict[tuple[int, int], float] = {}
        for row, frame in onsets:
            steepest = steepest_frame(values[row], frame, lag)
            second = seconds.get((row, frame), float(times[steepest]))
            placed.setdefault((row, steepest), second)
        return dict(sorted(placed.items()))

    def _peaks(
        self, values: np.ndarray, times: np.ndarray, pitches: np.ndarray
    ) -> list[tuple[int, int]]:
        """Row and frame of each peak of onset strength above the threshold."""
        blocks = OnsetBlocks(values, pitches, times, rise=self.rise, ghosts=self.ghosts)
        return blocks.onsets(
            self.threshold,
            balance=self.balance,
            window=self.window,
            gap=self.gap,
            factors=threshold_factors(pitches, bass=self.bass, treble=self.treble),
        )
