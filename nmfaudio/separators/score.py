"""Separation by a score: one stem per track, hand, instrument or note."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import AudioWarning, ContentError, ParameterError
from nmfaudio.separators.pipeline import GroupedDecomposition, NmfSeparator, SeparationInput

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Stft
    from nmfaudio.symbolic.conversion import Notes
    from nmfaudio.symbolic.note import Note

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
    n_free: int = option(
        0,
        "number of components of sounds outside the score, such as noise or reverberation; they "
        "make the stem rest",
        flag="--free",
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
        self._set("n_free", as_count(self.n_free, "n_free", low=0))
        self._set("tolerance", as_number(self.tolerance, "tolerance", low=0))
        if not isinstance(self.score, str | os.PathLike):
            self._set("score", tuple(self.notes))  # an iterator or a foreign object is read once
        if not self.notes:
            raise ContentError("the score has no notes; give a score of the recording")

    @cached_property
    def notes(self) -> list[Note]:
        """Notes of the score, at the times of the score."""
        from nmfaudio.symbolic.conversion import as_notes

        if self.score is None:
            raise ParameterError("score is missing; give a file or a list of Note")
        return as_notes(self.score, "score")

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
        from nmfaudio.symbolic.names import name_parts

        return fit_score(
            inputs,
            self._aligned_notes(inputs),
            name_parts(self.notes, self.by),
            tolerance=self.tolerance,
            n_free=self.n_free,
            max_iter=self.max_iter,
            tol=self.tol,
        )

    def _aligned_notes(self, inputs: SeparationInput) -> list[Note]:
        """Notes at the times of the recording."""
        from nmfaudio.symbolic.alignment import align

        if not self.aligned:
            return align(self.notes, inputs.y, inputs.sr)
        duration = inputs.y.shape[1] / inputs.sr
        beyond = sum(note.onset >= duration for note in self.notes)
        if beyond:
            warnings.warn(
                f"{beyond} of the {len(self.notes)} notes of the score begin after the end of the "
                f"recording, at {duration:.2f} s",
                AudioWarning,
                stacklevel=2,
            )
        return self.notes

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
        from nmfaudio.separators.score_model import GLIDE
        from nmfaudio.symbolic.names import name_parts

        names = name_parts(self.notes, self.by)
        sounds = {
            (name, note.track, note.pitch) for name, note in zip(names, self.notes, strict=True)
        }
        return len(sounds) * len(GLIDE) + self.n_free, len(set(names)) + (self.n_free > 0)
