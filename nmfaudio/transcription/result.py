"""What a transcription gives: notes, what they were read from, and each of them as sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nmfaudio.decomposition import Decomposition
from nmfaudio.notes import Note
from nmfaudio.transcription.salience import Salience
from nmfaudio.transforms import Transform


@dataclass(frozen=True, eq=False, repr=False)
class Transcription:
    """The notes of a recording, and what they were read from.

    Attributes
    ----------
    notes : tuple of Note
        By onset, then pitch.
    salience : Salience
        How strongly each pitch is heard, frame by frame.
    mixture : np.ndarray [shape=(channel, sample)]
        The recording.
    sr : int
        Its sample rate in Hz.
    decomposition : Decomposition
        What was found in the recording, at the transform's sample rate.
    transform : Transform
        What the decomposition's model is a spectrogram of; its sample rate may be another.
    pitches : tuple of (float or None)
        The MIDI number of the notes that each component of the decomposition makes, None where it
        makes none.
    settings : Mapping
        What the transcriber was told, of JSON types.
    """

    notes: tuple[Note, ...]
    salience: Salience
    mixture: np.ndarray
    sr: int
    decomposition: Decomposition
    transform: Transform
    pitches: tuple[float | None, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
