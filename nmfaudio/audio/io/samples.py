"""Samples of a recording, from a file or an array."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from nmfaudio._common.lazy_audio import LazyAudio

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


@contextmanager
def opened_samples(audio: Any, sr: int | None) -> Iterator[tuple[np.ndarray | LazyAudio, int]]:
    """Open samples that are read where they are sliced: those of a file, a track or an array.

    Parameters
    ----------
    audio : path, Track, or array_like [shape=(channel, sample) or (sample,)]
    sr : int or None
        Sample rate of an array in Hz; None for a file or a track.

    Yields
    ------
    y : np.ndarray or LazyAudio [shape=(channel, sample)]
    sr : int

    Raises
    ------
    AudioFileError, ContentError
        The file cannot be read, or has samples that are not finite.
    ParameterError
        `sr` is missing for an array, or passed with a file, or is not a sample rate in Hz.
    """
    from nmfaudio.audio.io.track import Track, open_track

    is_path = isinstance(audio, str | bytes | os.PathLike)
    if not (is_path or isinstance(audio, Track)):
        yield as_samples(audio, sr)
        return
    if sr is not None:
        raise ParameterError(f"sr is {sr}, but a file has its own sample rate; omit sr")
    if isinstance(audio, Track):
        yield audio, audio.sr
        return
    with open_track(audio) as track:
        yield track, track.sr
