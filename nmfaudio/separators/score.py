"""Separation by a score: one stem per track, hand, instrument or note."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import AudioWarning, ContentError, ParameterError
from nmfaudio.separators.inputs import GroupedDecomposition, SeparationInput
from nmfaudio.separators.pipeline import NmfSeparator

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from nmfaudio.audio.transforms import Stft
    from nmfaudio.separators.blockwise import Learned
    from nmfaudio.separators.score_model import ScoreSettings
    from nmfaudio.symbolic.conversion import Notes
    from nmfaudio.symbolic.note import Note

# Components of the stem rest beside a single stem. SI-SDR of the stem, mean of six tracks of two
# recordings: 4.1, 4.5, 5.2 and 5.2 dB with 5, 10, 20 and 40.
_REST_COMPONENTS = 20
_LEARNING_SHARE = 4  # of the learning frames, since windows are twice as long
_LONGEST = 3600.0  # s of the tolerance
_LISTED = 3  # names of stems in a warning
_PARTS = ("track", "program", "channel", "hand", "note")


@public
@documented
@dataclass(frozen=True, kw_only=True)
class ScoreSeparator(NmfSeparator):
    """Separate a recording by its score.

    Each pitch of each instrument is modelled separately, by the strengths of its partials and by a
    pitch that may deviate by up to 0.6 semitones, to follow vibrato and tuning. It is active only
    during its notes in the score. Unless it is already aligned, the score is first aligned with the
    recording.

    Raises
    ------
    ParameterError
        A setting is out of range, or the score is missing.
    AudioFileError
        The score cannot be read.
    ContentError
        The score has no notes.

    References
    ----------
    S. Ewert and M. Müller, "Using score-informed constraints for NMF-based source separation",
    ICASSP 2012, doi:10.1109/ICASSP.2012.6287834.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(8000) / 8000
    >>> low, high = np.sin(220 * 2 * np.pi * t), np.sin(554.4 * 2 * np.pi * t) * (t > 0.5)
    >>> score = [na.Note(0, 1, 57, track="cello"), na.Note(0.5, 1, 73, track="flute")]
    >>> stems = na.ScoreSeparator(score=score, aligned=True)(low + high, 8000)
    >>> {name: round(na.metrics.si_sdr(y, stems[name])) > 20 for name, y in
    ...  {"cello": low[None], "flute": high[None]}.items()}
    {'cello': True, 'flute': True}
    """

    usage_examples: ClassVar[tuple[str, ...]] = (
        "quartet.wav quartet.mid",
        "piano.wav piano.mid --by hand",
        "take.wav score.csv --aligned",
    )

    score: Notes | None = option(
        None,
        "notes of the recording: a MIDI file, or a CSV table of notes",
        metavar="SCORE",
        suffixes=(".mid", ".midi", ".csv"),
        required=True,
    )
    by: Literal["track", "program", "channel", "hand", "note"] = option(
        "track",
        "unit of a stem: track, program (instrument) or channel of the score, hand of a pianist "
        "(two tracks, or else split at middle C), or note",
        choices=_PARTS,
    )
    aligned: bool = option(
        False, "use the times of the score unchanged, without aligning it with the recording"
    )
    n_free: int | None = option(
        None,
        "number of components of sounds outside the score, such as noise or reverberation; they "
        "make the stem rest; by default 20 if the score makes only one stem, and none otherwise",
        flag="--free",
        parse=int,
        metavar="N",
    )
    tolerance: float = option(
        0.1,
        "deviation of the performance from the score: a note may begin earlier by this much, and "
        "end later by twice as much",
        metavar="SECONDS",
    )
    n_fft: int | None = option(
        None,
        "window length in samples: longer windows resolve pitches better, shorter ones smear "
        "onsets less; by default the power of two nearest to 186 ms",
        parse=int,
        metavar="SAMPLES",
    )
    max_iter: int = option(
        20,
        "maximum number of iterations; more fit the mixture better and take longer",
        metavar="N",
    )
    tol: float = option(
        0.0,
        "stop once ten iterations improve the fit by less than this fraction; 0 never stops early",
        metavar="FRACTION",
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_choice, as_count, as_number

        super().__post_init__()
        as_choice(self.by, "by", _PARTS)
        if self.n_free is not None:
            self._set("n_free", as_count(self.n_free, "n_free", low=0))
        self._set("tolerance", as_number(self.tolerance, "tolerance", low=0))
        if self.tolerance > _LONGEST:
            raise ParameterError(
                f"tolerance is {self.tolerance:g} s; it must be at most {_LONGEST:g} s"
            )
        if not isinstance(self.score, str | os.PathLike):
            self._set("score", tuple(self.notes))  # an iterator or a foreign object is read once
        if not self.notes:
            raise ContentError("the score has no notes; give a score of the recording")
        _ = self._free_components  # refuses a single stem before any audio is read

    @cached_property
    def notes(self) -> list[Note]:
        """Notes of the score, at the times of the score."""
        from nmfaudio.symbolic.conversion import as_notes

        if self.score is None:
            raise ParameterError("score is missing; give a file or a list of Note")
        return as_notes(self.score, "score")

    @cached_property
    def _names(self) -> list[str]:
        """Name of the stem of each note."""
        from nmfaudio.symbolic.names import name_parts

        return name_parts(self.notes, self.by)

    @cached_property
    def _free_components(self) -> int:
        """Number of components of sounds outside the score."""
        from nmfaudio.separators.free_components import count_free_components

        return count_free_components(self.n_free, set(self._names), _REST_COMPONENTS)

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Fit the sounds of the score, and group them into stems.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        GroupedDecomposition
            The model, and the components of each stem.
        """
        from nmfaudio.separators.score_model import fit_score

        notes, metadata = self._aligned_notes(inputs)
        fitted = fit_score(inputs, notes, self._names, self._settings)
        return replace(fitted, metadata=metadata)

    def learn(self, inputs: SeparationInput) -> Learned:
        """Learn the partials of all sounds of the score from frames of their notes.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        Learned
            The templates, and the components of each stem.
        """
        from nmfaudio.separators.blockwise import LEARNING_FRAMES
        from nmfaudio.separators.score_model import learn_score

        notes, metadata = self._aligned_notes(inputs)
        count = LEARNING_FRAMES // _LEARNING_SHARE
        learned = learn_score(inputs, notes, self._names, self._settings, count)
        return replace(learned, metadata=metadata)

    def _aligned_notes(self, inputs: SeparationInput) -> tuple[list[Note], dict[str, Any]]:
        """Notes at the times of the recording, and metadata with those inside it."""
        from nmfaudio.separators.score_model import note_values
        from nmfaudio.symbolic.alignment import align_with_mismatch

        metadata: dict[str, Any] = {}
        if self.aligned:
            notes = _within(self.notes, inputs, self.tolerance)
        else:
            alignment = align_with_mismatch(self.notes, inputs.y, inputs.sr)
            notes, metadata = alignment.notes, {"score_mismatch": alignment.mismatch}
        self._check_times(notes, inputs)
        inside = [note for note in notes if note.onset < inputs.duration]
        return notes, metadata | {"notes": [list(note_values(note)) for note in inside]}

    @property
    def _settings(self) -> ScoreSettings:
        """Settings of the decomposition."""
        from nmfaudio.separators.score_model import ScoreSettings

        return ScoreSettings(self.tolerance, self._free_components, self.max_iter, self.tol)

    def _check_times(self, notes: Sequence[Note], inputs: SeparationInput) -> None:
        """Warn of notes and stems that are outside the recording."""
        inside = [note.onset < inputs.duration for note in notes]
        names = {name for name, is_inside in zip(self._names, inside, strict=True) if is_inside}
        silent = [name for name in dict.fromkeys(self._names) if name not in names]
        beyond = inside.count(False)
        # A recording may be an excerpt of its score, but then an aligned score has its times.
        complete = self.aligned and inputs.excerpt is None
        if not silent and not (beyond and complete):
            return
        more = f" and {len(silent) - _LISTED} more" if len(silent) > _LISTED else ""
        empty = f"; no note is left of {', '.join(silent[:_LISTED])}{more}" if silent else ""
        part = f"the recording, which ends at {inputs.duration:.2f} s"
        if inputs.excerpt is not None:
            part = f"{inputs.start:.2f}-{inputs.start + inputs.duration:.2f} s of the recording"
        warnings.warn(
            f"{beyond} of the {len(notes)} notes of the score are outside {part}{empty}",
            AudioWarning,
            stacklevel=3,
        )

    def memory(self, y: np.ndarray, sr: int) -> int:
        """Estimate the peak memory of a call.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]
            The recording.
        sr : int
            Sample rate in Hz.

        Returns
        -------
        int
            Bytes, including `y` and the process itself.
        """
        from nmfaudio._common.memory import PROCESS
        from nmfaudio.symbolic.alignment import alignment_memory

        fit = super().memory(y, sr)
        if self.aligned:
            return fit
        # The alignment ends before the fit begins.
        end = max(note.offset for note in self.notes)
        return max(fit, PROCESS + y.nbytes + alignment_memory(y.shape[1] / sr, end))

    def transform(self, sr: int) -> Stft:
        """Return the transform for audio of a sample rate.

        Parameters
        ----------
        sr : int
            Sample rate in Hz.

        Returns
        -------
        Stft
            With a window twice as long as usual.
        """
        from nmfaudio.audio.transforms import default_n_fft

        if self.n_fft is None:
            return replace(self, n_fft=2 * default_n_fft(sr)).transform(sr)
        return super().transform(sr)

    def size(self) -> tuple[int, int]:
        """Return upper bounds of the numbers of components and stems.

        Returns
        -------
        tuple of (int, int)
            Number of components, number of stems.
        """
        from nmfaudio.separators.score_voices import count_states

        n_free = self._free_components
        return count_states(self.notes, self._names, n_free), len(set(self._names)) + (n_free > 0)


def _within(notes: Sequence[Note], inputs: SeparationInput, tolerance: float) -> list[Note]:
    """Notes at the times of an excerpt; those that end before it are moved to its end."""
    if inputs.excerpt is None:
        return list(notes)

    def shifted(note: Note) -> Note:
        onset, offset = note.onset - inputs.start, note.offset - inputs.start
        if offset < -2 * tolerance:  # has ended when the excerpt begins
            return replace(note, onset=inputs.duration, offset=inputs.duration)
        return replace(note, onset=max(onset, 0.0), offset=max(offset, 0.0))

    return [shifted(note) for note in notes]
