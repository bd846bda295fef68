"""Reading of audio files."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files.sources import Source
from nmfaudio._public import public
from nmfaudio.audio.io.checking import CheckedRange, Nonfinite, check_request
from nmfaudio.audio.io.decoding import MOST_FRAMES_PER_BYTE, open_audio
from nmfaudio.errors import AudioWarning


@dataclass(frozen=True, eq=False)
class DecodedAudio(EqualByContent):
    """Samples of an audio file and their sample rate; unpacks as ``y, sr = na.read(path)``.

    Parameters
    ----------
    samples : np.ndarray [shape=(channel, sample)]
        float32, which holds 24 bits exactly, or float64 for files of 32-bit integers and 64-bit
        floats.
    sr : int
        Sample rate in Hz.
    format : str
        Container as libsndfile names it, such as ``"WAV"`` or ``"FLAC"``.
    subtype : str
        Coding as libsndfile names it, such as ``"PCM_16"`` or ``"FLOAT"``.
    warnings : tuple of str
        Suspicious properties of the file, one sentence each.
    offset : int
        Position of the first sample in the file; 0 unless only an excerpt was read.

    Examples
    --------
    >>> import nmfaudio as na
    >>> audio = na.read(na.example("drums"))
    >>> audio.sr, audio.format, audio.subtype, audio.warnings
    (44100, 'WAV', 'PCM_16', ())
    >>> y, sr = audio
    >>> y.dtype.name, y.shape[0]
    ('float32', 1)
    """

    samples: NDArray[Any]
    sr: int
    format: str
    subtype: str
    warnings: tuple[str, ...]
    offset: int

    def __iter__(self) -> Iterator[Any]:
        yield self.samples
        yield self.sr


@public
def read(
    path: Source,
    *,
    start: float | None = None,
    stop: float | None = None,
    strict: bool = False,
    salvage: bool = False,
    nonfinite: Nonfinite = "error",
) -> DecodedAudio:
    """Read an audio file, or an excerpt of it, with its sample rate and all its channels.

    Parameters
    ----------
    path : str, bytes, os.PathLike or binary file object
        Any format that libsndfile reads; with the extra ``m4a`` also that of MP4, AAC, Matroska,
        WebM, AVI and Windows Media files. A file object must be seekable and is read from its
        beginning.
    start, stop : float, optional
        Range in seconds to decode; by default the whole file.
    strict : bool
        Whether a file that was cut short or contradicts its header raises an error instead of a
        warning.
    salvage : bool
        Whether to keep, with a warning, the decodable part of a damaged file.
    nonfinite : {"error", "zero"}
        Treatment of NaN and infinite samples: raise an error, or set them to zero with a warning.

    Returns
    -------
    DecodedAudio
        Audio that unpacks as ``y, sr``, with `y` of shape (channel, sample). Each of its `warnings`
        is also issued as an `AudioWarning`.

    Raises
    ------
    AudioFileError
        The file cannot be opened or decoded, or is suspicious and `strict` is set.
    ContentError
        The file has no frames, or samples that are not finite.
    ParameterError
        The range is not within the file, or the sample rate is not between 100 Hz and 1.5 MHz.

    Examples
    --------
    >>> import nmfaudio as na
    >>> y, sr = na.read(na.example("drums"))
    >>> y.dtype.name, y.ndim, sr
    ('float32', 2, 44100)
    >>> excerpt = na.read(na.example("drums"), start=0.5, stop=1.5)
    >>> excerpt.samples.shape[1], excerpt.offset
    (44100, 22050)
    """
    check_request(start, stop, nonfinite)
    with open_audio(path) as audio:
        excerpt = CheckedRange(audio, start, stop, nonfinite)
        samples = _collect(excerpt)
        messages = excerpt.messages(strict=strict, salvage=salvage)
    for text in messages:
        python_warnings.warn(text, AudioWarning, stacklevel=2)
    return DecodedAudio(samples, audio.sr, audio.format, audio.subtype, messages, excerpt.first)


def _collect(excerpt: CheckedRange) -> NDArray[Any]:
    """Samples [shape=(channel, sample)]."""
    samples = _allocated(excerpt)
    blocks, decoded = [], 0
    for block in excerpt.blocks():
        if samples is None:
            blocks.append(block.T)
        else:
            samples[:, decoded : decoded + len(block)] = block.T
        decoded += len(block)
    if samples is None:
        samples = np.empty((excerpt.audio.channels, decoded), dtype=excerpt.audio.dtype)
        if blocks:
            np.concatenate(blocks, axis=1, out=samples)
    elif decoded < samples.shape[1]:
        samples = samples[:, :decoded].copy()
    return samples


def _allocated(excerpt: CheckedRange) -> NDArray[Any] | None:
    """Array for the declared frames; None if their number is unknown or cannot be true."""
    audio = excerpt.audio
    end = audio.total if excerpt.last is None else excerpt.last
    if audio.total is None or end is None or end > MOST_FRAMES_PER_BYTE * audio.size:
        return None
    try:
        return np.empty((audio.channels, end - excerpt.first), dtype=audio.dtype)
    except MemoryError:  # the header may still be wrong, and the file short
        return None
