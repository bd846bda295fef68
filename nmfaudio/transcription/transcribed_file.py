"""Result of transcribing a recording that is not kept in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nmfaudio.audio.transforms import Transform
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.note_result import NoteResult
from nmfaudio.transcription.salience import Salience
from nmfaudio.transcription.suitability import Suitability

_PEAK = 0.5  # of the tones, as the level of the recording is not known


@dataclass(frozen=True, eq=False)
class BlockFit:
    """Fit of a recording in blocks, before its notes are decoded."""

    salience: Salience
    suitability: Suitability
    loss: float
    n_iter: int
    detuning: float = 0.0


@dataclass(frozen=True, eq=False, repr=False)
class TranscribedFile(NoteResult):
    """Notes of a recording that was read block by block, with their salience.

    Parameters
    ----------
    notes : tuple of Note
        By onset, then pitch.
    salience : Salience
        Strength of each pitch, frame by frame.
    channels, samples, sr : int
        Size of the recording, and its sample rate in Hz.
    transform : Transform
        Transform that was decomposed; its sample rate may differ from `sr`.
    settings : Mapping
        Settings of the transcriber, JSON-serialisable.
    suitability : Suitability
        Measure of whether the recording is of the kind that the dictionary is for.
    loss : float
        Objective of the decomposition, summed over all frames.
    n_iter : int
        Iterations of each block.
    detuning : float
        Interval in semitones by which the recording is higher than the dictionary, if estimated.

    Examples
    --------
    >>> import nmfaudio as na
    >>> y, sr = na.read(na.example("piano"))
    >>> na.Transcriber().transcribe_file(y, sr).notes == na.Transcriber()(y, sr).notes
    True
    """

    notes: tuple[Note, ...]
    salience: Salience
    channels: int
    samples: int
    sr: int
    transform: Transform
    settings: Mapping[str, Any]
    suitability: Suitability
    loss: float
    n_iter: int
    detuning: float = 0.0

    def __repr__(self) -> str:
        return (
            f"TranscribedFile({len(self.notes)} notes: {self.channels} × {self.samples} samples "
            f"at {self.sr} Hz)"
        )

    def _repr_html_(self) -> str:
        from nmfaudio.display.html import transcribed_file_html
        from nmfaudio.display.html.players import MOST_SECONDS
        from nmfaudio.transcription.sonification import tones

        length = min(self.samples, round(MOST_SECONDS * self.sr))
        return transcribed_file_html(self, tones=_PEAK * tones(self.notes, length, self.sr))

    @property
    def duration(self) -> float:
        """Duration of the recording in seconds."""
        return float(self.samples / self.sr)
