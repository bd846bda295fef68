"""Sound in the formats that browsers play."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio.io.ogg import number_pages

_BLOCK = 16384  # samples; libsndfile crashes on longer blocks of Ogg
# Browsers decode at 48 kHz; tones that were coded at 16 kHz came out with errors of -12 dB.
_OPUS_RATE = 48000  # Hz
_MIME = {"OGG": "audio/ogg", "FLAC": "audio/flac"}
# The coder overshoots by a few per cent, and a browser clips what is above full scale.
_HEADROOM = 0.95


@dataclass(frozen=True)
class SoundCoding:
    """Container and coding of the sound in a page, as libsndfile names them.

    Parameters
    ----------
    container : str
        ``"OGG"`` or ``"FLAC"``.
    subtype : str
        ``"OPUS"`` or ``"PCM_16"``.
    """

    container: str
    subtype: str

    @property
    def mime(self) -> str:
        """Media type."""
        return _MIME[self.container]

    @property
    def title(self) -> str:
        """Name for readers."""
        return "Ogg Opus" if self.subtype == "OPUS" else "FLAC, 16 bit"


def choose_sound_coding() -> SoundCoding:
    """Return Ogg Opus where libsndfile has it, otherwise FLAC.

    Returns
    -------
    SoundCoding
    """
    import soundfile

    if "OPUS" in soundfile.available_subtypes("OGG"):
        return SoundCoding("OGG", "OPUS")
    return SoundCoding("FLAC", "PCM_16")


def common_gain(peak: float) -> float:
    """Return the factor with which sounds of this peak fit an integer format.

    Parameters
    ----------
    peak : float
        Largest absolute sample of all sounds.

    Returns
    -------
    float
        1 unless the peak is close to full scale or above.
    """
    return min(1.0, _HEADROOM / peak) if peak > 0 else 1.0


def encode_sound(
    y: np.ndarray | LazyAudio,
    sr: int,
    coding: SoundCoding,
    *,
    gain: float = 1.0,
    quality: float | None = None,
) -> bytes:
    """Encode sound as a file in memory, block by block; equal samples make equal bytes.

    Parameters
    ----------
    y : np.ndarray or LazyAudio [shape=(channel, sample)]
        Within full scale after `gain`.
    sr : int
        Sample rate in Hz; for Opus the sound is resampled to 48 kHz.
    coding : SoundCoding
    gain : float
        Factor of the samples.
    quality : float, optional
        For Opus, from 0 (smallest) to 1 (best); by default about 64 kbit/s for each channel.

    Returns
    -------
    bytes
        Content of the file.
    """
    import soundfile

    content, options, rate = io.BytesIO(), {}, sr
    if coding.subtype == "OPUS":
        rate = _OPUS_RATE
        options = {} if quality is None else {"compression_level": 1 - quality}
    with soundfile.SoundFile(
        content, "w", rate, len(y), coding.subtype, format=coding.container, **options
    ) as file:
        for block in _resampled_blocks(y, sr, rate):
            for start in range(0, block.shape[1], _BLOCK):
                file.write(np.ascontiguousarray(gain * block[:, start : start + _BLOCK].T))
    if coding.container == "OGG":
        number_pages(content)
    return content.getvalue()


def _resampled_blocks(y: np.ndarray | LazyAudio, sr: int, rate: int) -> Iterator[np.ndarray]:
    """Samples at another rate in consecutive blocks."""
    from scipy.signal import resample_poly

    divisor = math.gcd(rate, sr)
    up, down = rate // divisor, sr // divisor
    # Blocks begin where samples of both rates coincide; the filter extends over 10 samples of the
    # lower rate on each side.
    length = down * max(1, _BLOCK // up)
    halo = 0 if up == down else down * (1 + 10 * max(up, down) // (up * down) + 1)
    for start in range(0, y.shape[1], length):
        first = max(start - halo, 0)
        piece = y[:, first : start + length + halo]
        if up != down:
            piece = resample_poly(piece, up, down, axis=-1).astype(piece.dtype)
        begin, count = (start - first) // down * up, length // down * up
        yield piece[:, begin : begin + count]
