"""Audio formats that can be written, and their limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio._common.validation import as_sample_rate
from nmfaudio.errors import ParameterError

FORMATS: dict[str, tuple[str, str]] = {
    "wav": ("WAV", "FLOAT"),
    "flac": ("FLAC", "PCM_24"),
    "aiff": ("AIFF", "FLOAT"),
    "caf": ("CAF", "FLOAT"),
    "w64": ("W64", "FLOAT"),
    "au": ("AU", "FLOAT"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
"""Formats by suffix: the container and the default coding as libsndfile names them."""

BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
"""Integer codings and their bits per sample."""

FLOATS: dict[str, np.dtype[Any]] = {"FLOAT": np.dtype(np.float32), "DOUBLE": np.dtype(np.float64)}
"""Floating-point codings and their dtypes."""

# libsndfile mistakes the padding of these for a sample.
_WRONG = [("AIFF", "PCM_S8"), ("AIFF", "PCM_U8")]
_MAX_CHANNELS = {"FLAC": 8, "MP3": 2, "OGG": 255}
_MAX_CHANNELS_ELSEWHERE = 1024  # limit of libsndfile
_RATES = {
    "OPUS": (8000, 12000, 16000, 24000, 48000),
    "MPEG_LAYER_III": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
}
# kbit/s of constant bitrates, by the lowest sample rate of each version of the format. Frames of
# lower bitrates are too short for the header with the exact number of samples.
_MP3_BITRATES = {
    32000: (64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    16000: (64, 80, 96, 112, 128, 144, 160),
    0: (32, 40, 48, 56, 64),
}
_MAX_VORBIS_RATE = 200_000  # Hz: beyond it libsndfile crashes
_MAX_FLAC_RATE = 655_350  # Hz: the limit of frame headers, in tens of Hz above 65535


def check_format(format: str, subtype: str | None, channels: int, sr: int) -> tuple[str, str]:
    """Check that a format can hold audio, and name its container and coding.

    Parameters
    ----------
    format : str
        A key of `FORMATS`.
    subtype : str or None
        Coding as libsndfile names it, such as ``"PCM_16"``; None for the default of the format.
    channels : int
        Number of channels.
    sr : int
        Sample rate in Hz.

    Returns
    -------
    container, subtype : str
        As libsndfile names them.

    Raises
    ------
    ParameterError
        The format cannot hold the audio; the message names one that can.

    Examples
    --------
    >>> check_format("flac", None, channels=2, sr=44100)
    ('FLAC', 'PCM_24')
    """
    if format.lower() not in FORMATS:
        raise ParameterError(
            f"format is {format!r}, which cannot be written; need one of {', '.join(FORMATS)}"
        )
    container, default = FORMATS[format.lower()]
    chosen = _check_subtype(format, container, default, subtype)
    limit = _MAX_CHANNELS.get(container, _MAX_CHANNELS_ELSEWHERE)
    if not 1 <= channels <= limit:
        raise ParameterError(
            f"{format} holds 1 to {limit} channels, got {channels}; write wav instead"
        )
    _check_rate(format, chosen, sr)
    return container, chosen


def mp3_bitrates(sr: int | None = None) -> tuple[int, ...]:
    """Return the constant bitrates of MP3 files.

    Parameters
    ----------
    sr : int, optional
        Sample rate in Hz; by default, the bitrates of any sample rate are returned.

    Returns
    -------
    tuple of int
        In kbit/s.

    Examples
    --------
    >>> mp3_bitrates(8000)
    (32, 40, 48, 56, 64)
    """
    if sr is None:
        return tuple(sorted(set().union(*_MP3_BITRATES.values())))
    return next(rates for lowest, rates in _MP3_BITRATES.items() if sr >= lowest)


def compression_level(bitrate: int, sr: int) -> float:
    """Return the compression level with which libsndfile writes MP3 of a constant bitrate.

    Parameters
    ----------
    bitrate : int
        One of `mp3_bitrates`, in kbit/s.
    sr : int
        Sample rate in Hz.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ParameterError
        MP3 of this sample rate has no such bitrate.

    Examples
    --------
    >>> compression_level(320, 44100)
    0.0
    """
    rates = mp3_bitrates(sr)
    if bitrate not in rates:
        raise ParameterError(
            f"mp3 of {sr} Hz has bitrates of {', '.join(map(str, rates))} kbit/s, got {bitrate}"
        )
    # libsndfile maps levels from 1 to 0 linearly to all bitrates of the version.
    lowest = 32 if sr >= 32000 else 8
    return (rates[-1] - bitrate) / (rates[-1] - lowest)


def _check_subtype(format: str, container: str, default: str, subtype: str | None) -> str:
    """Coding in upper case, or the default; raises a `ParameterError` if the container lacks it."""
    import soundfile

    chosen = default if subtype is None else subtype.upper()
    codings = (*BITS, *FLOATS) if default in (*BITS, *FLOATS) else (default,)
    possible = [
        name
        for name in codings
        if soundfile.check_format(container, name) and (container, name) not in _WRONG
    ]
    if not possible:
        raise ParameterError(f"{format} is not in this build of libsndfile; write wav instead")
    if chosen not in possible:
        raise ParameterError(
            f"{format} cannot be written as {chosen}; need one of {', '.join(possible)}"
        )
    return chosen


def _check_rate(format: str, subtype: str, sr: int) -> None:
    """Raise a `ParameterError` unless the coding holds audio of this sample rate."""
    sr = as_sample_rate(sr)
    rates = _RATES.get(subtype)
    if rates and sr not in rates:
        raise ParameterError(
            f"{format} holds sample rates of {', '.join(map(str, rates))} Hz, got {sr}; "
            "write flac or wav instead, or resample"
        )
    if subtype == "VORBIS" and sr > _MAX_VORBIS_RATE:
        raise ParameterError(
            f"{format} holds sample rates up to {_MAX_VORBIS_RATE} Hz, got {sr}; write wav instead"
        )
    if format.lower() == "flac" and (sr > _MAX_FLAC_RATE or (sr > 65535 and sr % 10)):
        raise ParameterError(
            f"flac holds sample rates up to 65535 Hz, and up to {_MAX_FLAC_RATE} Hz in tens, "
            f"got {sr}; write wav instead"
        )
