"""Separation by a score: one stem per track, hand, instrument or note."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import AudioWarning, ContentError, ParameterError
from nmfaudio.separators.pipeline import GroupedDecomposition, NmfSeparator, SeparationInput

# Heavy modules are imported where they are used, so that the help of the command stays fast.
if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Stft
    from nmfaudio.symbolic.note import Note

_PARTS = ("track", "program", "channel", "hand", "note")


@public
@documented
@dataclass(frozen=True, kw_only=True)
class ScoreSeparator(NmfSeparator):
    """Take a recording apart by its score.

    Each pitch of each instrument is a sound with partials of its own strengths, at a pitch that
    may glide by somewhat more than a quarter tone: vibrato and tuning are followed. A sound is let
    in only where the score has its note. The score is moved onto the recording first, unless it is
    said to be in time. The parameters are those of the command ``nmfaudio score``; see `options`.

    Raises
    ------
    ParameterError
        A setting is out of range, or there is no score.
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

    score: str | os.PathLike[str] | Sequence[Note] | None = option(
        None,
        "what is played: a MIDI file, or a CSV table of notes",
        metavar="SCORE",
        suffixes=(".mid", ".midi", ".csv"),
        required=True,
    )
    by: Literal["track", "program", "channel", "hand", "note"] = option(
        "track",
        "what gets a stem of its own: each track, program (instrument) or channel of the score, "
        "each hand of a pianist (two tracks, or else from middle C upward and below), each note",
        choices=_PARTS,
    )
    aligned: bool = option(
        False, "take the score to be in time with the recording, instead of moving it there"
    )
    free: int = option(
        0,
        "how many sounds there are beside the score, such as noise or a room: they make the stem "
        "rest",
        metavar="N",
    )
    tolerance: float = option(
        0.1,
        "by how much the playing may be off the score: a note may begin so much earlier and end "
        "twice so much later",
        metavar="SECONDS",
    )
    n_fft: int | None = option(
        None,
        "window length in samples: longer tells pitches apart better, shorter smears beginnings "
        "less; by default the power of two nearest to 186 ms",
        parse=int,
        metavar="SAMPLES",
    )
    max_iter: int = option(
        20, "iterations at most; more fit the mix closer and take longer", metavar="N"
    )
    tol: float = option(
        0.0,
        "stop when ten iterations improved the fit by less than this share; 0 never stops early",
        metavar="SHARE",
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_choice, as_count, as_number

        super().__post_init__()
        as_choice(self.by, "by", _PARTS)
        self._set("free", as_count(self.free, "free", low=0))
        self._set("tolerance", as_number(self.tolerance, "tolerance", low=0))
        if not self.notes:
            raise ContentError("the score has no notes; nothing says what to separate")

    @cached_property
    def notes(self) -> list[Note]:
        """The notes of the score, in its own time."""
        from nmfaudio.symbolic.note import Note
        from nmfaudio.symbolic.notes import read_notes

        if self.score is None:
            raise ParameterError("score is missing; give a file or a list of Note")
        if isinstance(self.score, str | os.PathLike):
            return read_notes(self.score)
        if not all(isinstance(note, Note) for note in self.score):
            raise ParameterError(
                "score has something else than Note; give a file or a list of Note"
            )
        return list(self.score)

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Fit the sounds of the score, and group them into stems."""
        from nmfaudio.separators.score_model import fit
        from nmfaudio.symbolic.names import name_parts

        return fit(
            inputs,
            self._placed(inputs),
            name_parts(self.notes, self.by),
            tolerance=self.tolerance,
            free=self.free,
            max_iter=self.max_iter,
            tol=self.tol,
        )

    def _placed(self, inputs: SeparationInput) -> list[Note]:
        """The notes in the recording's time."""
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
        """The transform for audio of this sample rate, with twice the usual window."""
        from nmfaudio.audio.transforms import default_n_fft

        if self.n_fft is None:
            return replace(self, n_fft=2 * default_n_fft(sr)).transform(sr)
        return super().transform(sr)

    def size(self) -> tuple[int, int]:
        """How many components and stems."""
        from nmfaudio.separators.score_model import GLIDE
        from nmfaudio.symbolic.names import name_parts

        names = name_parts(self.notes, self.by)
        sounds = {
            (name, note.track, note.pitch) for name, note in zip(names, self.notes, strict=True)
        }
        return len(sounds) * len(GLIDE) + self.free, len(set(names)) + (self.free > 0)
