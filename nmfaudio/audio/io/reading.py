"""Reading of audio files."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files.sources import Source
from nmfaudio._common.validation import HIGHEST_RATE, LOWEST_RATE
from nmfaudio._public import public
from nmfaudio.audio.io.decoding import Decoder, open_audio
from nmfaudio.errors import AudioFileError, AudioWarning, ContentError, ParameterError

Nonfinite = Literal["error", "zero"]

# No format holds more: FLAC has silence of up to 65,535 frames in ten bytes.
_MOST_FRAMES_PER_BYTE = 8192


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
        Any format that libsndfile reads. A file object must be seekable and is read from its
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
    if nonfinite not in get_args(Nonfinite):
        raise ParameterError(
            f"nonfinite={nonfinite!r}: need one of {', '.join(get_args(Nonfinite))}"
        )
    _check_range(start, stop)
    with open_audio(path) as audio:
        if not LOWEST_RATE <= audio.sr <= HIGHEST_RATE:
            raise ParameterError(
                f"{audio.label}: has a sample rate of {audio.sr} Hz; need {LOWEST_RATE} to "
                f"{HIGHEST_RATE} Hz; correct the header or resample"
            )
        first, last = _frames(audio, start, stop)
        samples, repairs = _collect(audio, first, last, nonfinite)
        messages = _warnings(audio, first, last, samples.shape[1], strict=strict, salvage=salvage)
    if not samples.shape[1]:
        raise ContentError(f"{audio.label}: has no frames; need at least one")
    messages = tuple(f"{audio.label}: {text}" for text in (*messages, *repairs))
    for text in messages:
        python_warnings.warn(text, AudioWarning, stacklevel=2)
    return DecodedAudio(samples, audio.sr, audio.format, audio.subtype, messages, first)


def _check_range(start: float | None, stop: float | None) -> None:
    """Raise a `ParameterError` unless start and stop are ascending times."""
    for name, value in (("start", start), ("stop", stop)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise ParameterError(f"{name}={value!r}: need seconds, 0 or more")
    if stop is not None and stop <= (start or 0):
        raise ParameterError(f"stop={stop!r}: need more than start={start or 0!r} seconds")


def _frames(audio: Decoder, start: float | None, stop: float | None) -> tuple[int, int | None]:
    """First frame, and the frame after the last; None for the end of the file."""
    first = round((start or 0) * audio.sr)
    last = None if stop is None else max(round(stop * audio.sr), first + 1)
    if audio.total is not None and audio.total > 0:
        _check_within(audio, first, last, audio.total)
        last = None if last is None else min(last, audio.total)
    return first, last


def _check_within(audio: Decoder, first: int, last: int | None, total: int) -> None:
    """Raise a `ParameterError` unless the range lies within `total` frames."""
    # Tolerance of one frame: the duration in rounded seconds may exceed the file.
    if first >= total or (last is not None and last > total + 1):
        end = "the end" if last is None else f"{last / audio.sr:g} s"
        raise ParameterError(
            f"{audio.label}: the range from {first / audio.sr:g} s to {end} does not lie within "
            f"its {total / audio.sr:.3f} s; choose one that does"
        )


def _collect(
    audio: Decoder, first: int, last: int | None, nonfinite: Nonfinite
) -> tuple[NDArray[Any], list[str]]:
    """Samples [shape=(channel, sample)], and a sentence for each repair."""
    samples = _allocated(audio, first, last)
    blocks, decoded, bad, first_bad = [], 0, 0, 0
    for block in audio.blocks(first, last):
        broken = ~np.isfinite(block)
        if broken.any():
            if not bad:
                first_bad = first + decoded + int(broken.any(axis=1).argmax())
            bad += int(broken.sum())
            block[broken] = 0
        if samples is None:
            blocks.append(block.T)
        else:
            samples[:, decoded : decoded + len(block)] = block.T
        decoded += len(block)
    if bad and nonfinite == "error":
        raise ContentError(
            f"{audio.label}: {_count(bad)} NaN or infinite, the first at "
            f"{first_bad / audio.sr:.3f} s; repair the file, or set them to zero "
            "with nonfinite='zero'"
        )
    if samples is None:
        samples = np.empty((audio.channels, decoded), dtype=audio.dtype)
        if blocks:
            np.concatenate(blocks, axis=1, out=samples)
    elif decoded < samples.shape[1]:
        samples = samples[:, :decoded].copy()
    repairs = f"{_count(bad)} NaN or infinite, the first at {first_bad / audio.sr:.3f} s: now zero"
    return samples, [repairs] if bad else []


def _allocated(audio: Decoder, first: int, last: int | None) -> NDArray[Any] | None:
    """Array for the declared frames; None if their number is unknown or cannot be true."""
    end = audio.total if last is None else last
    if audio.total is None or end is None or end > _MOST_FRAMES_PER_BYTE * audio.size:
        return None
    try:
        return np.empty((audio.channels, end - first), dtype=audio.dtype)
    except MemoryError:  # the header may still be wrong, and the file short
        return None


def _count(number: int) -> str:
    return "1 sample is" if number == 1 else f"{number} samples are"


def _warnings(
    audio: Decoder, first: int, last: int | None, decoded: int, *, strict: bool, salvage: bool
) -> tuple[str, ...]:
    """Warnings about a decoded file; raises an error for damage that is not to be tolerated."""
    complete = first == 0 and last is None
    if audio.total is None and not complete:
        _check_within(audio, first, last, first + decoded)
    messages = audio.suspicions(decoded) if complete else _missing(audio, first, last, decoded)
    if audio.failed_at is not None and (last is None or audio.failed_at < last):
        if not salvage:
            raise AudioFileError(
                f"{audio.label}: {audio.failure()}; use another copy, or keep what can be "
                "decoded (salvage=True, or --salvage)"
            )
        messages.append(f"{audio.failure()}; the {decoded} frames that could be decoded were kept")
    if strict and messages:
        raise AudioFileError(
            f"{audio.label}: {messages[0]}; repair the file, or read it without strict"
        )
    return tuple(messages)


def _missing(audio: Decoder, first: int, last: int | None, decoded: int) -> list[str]:
    """Warning about an excerpt that has fewer frames than declared."""
    end = audio.total if last is None else last
    if audio.failed_at is None and end is not None and decoded < end - first:
        return [
            f"{end - first} frames from {first / audio.sr:g} s on are declared, only {decoded} "
            "were decoded"
        ]
    return []
