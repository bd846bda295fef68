"""Samples of a recording, from a file or from an array."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from nmfaudio.errors import ParameterError


def as_samples(audio: Any, sr: int | None) -> tuple[np.ndarray, int]:
    """Samples [shape=(channel, sample)] and their rate, of a file or as they are."""
    from nmfaudio._common.validation import as_audio

    if isinstance(audio, str | bytes | os.PathLike):
        if sr is not None:
            raise ParameterError(f"sr is {sr}, but a file knows its own rate; leave sr out")
        from nmfaudio.audio.io import read

        recording = read(audio)
        return recording.samples, recording.sr
    if sr is None:
        raise ParameterError("sr is missing; samples need their rate in Hz")
    return as_audio(audio), sr


Audio = str | bytes | os.PathLike[str] | np.ndarray
