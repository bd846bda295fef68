"""Samples of a recording, from a file or an array."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from nmfaudio.errors import ParameterError

Audio = str | bytes | os.PathLike[str] | np.ndarray


def as_samples(audio: Any, sr: int | None) -> tuple[np.ndarray, int]:
    """Return samples and sample rate of a file or an array.

    Parameters
    ----------
    audio : path or array_like [shape=(channel, sample) or (sample,)]
    sr : int or None
        Sample rate of an array in Hz; None for a file.

    Returns
    -------
    y : np.ndarray [shape=(channel, sample)]
    sr : int

    Raises
    ------
    ParameterError
        `sr` is missing for an array, or passed with a file, or is not a sample rate in Hz.
    """
    from nmfaudio._common.validation import as_audio, as_sample_rate, require_array

    if isinstance(audio, str | bytes | os.PathLike):
        if sr is not None:
            raise ParameterError(f"sr is {sr}, but a file has its own sample rate; omit sr")
        from nmfaudio.audio.io import read

        recording = read(audio)
        return recording.samples, recording.sr
    require_array(audio, "audio")
    if sr is None:
        raise ParameterError(
            "sr is missing; an array needs its sample rate in Hz, and (y, sr) of na.read is passed "
            "as *na.read(path)"
        )
    return as_audio(audio), as_sample_rate(sr)
