"""Audio files into arrays."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nmfaudio._common.files.sources import Source
from nmfaudio._public import public
from nmfaudio.audio.io.decoding import Decoder, open_audio
from nmfaudio.errors import AudioFileError, AudioWarning, ContentError, ParameterError

LOWEST_RATE, HIGHEST_RATE = 100, 1_500_000
"""Sample rates in Hz between which a file is taken for audio."""

Nonfinite = Literal["error", "zero"]


@dataclass(frozen=True)
class DecodedAudio:
    """Samples of a file with their rate; unpacks as ``samples, sr = read(path)``."""

    samples: NDArray[Any]
    """Shape (channel, sample); float32, or float64 where the file holds more than 24 bits."""
    sr: int
    """Hz."""
    format: str
    """libsndfile's name, "WAV", "FLAC" and so on."""
    subtype: str
    """libsndfile's name of the coding, "PCM_16", "FLOAT" and so on."""
    warnings: tuple[str, ...]
    """What was suspicious, one sentence each."""
    offset: int
    """The first sample's place in the file; 0 unless a stretch was asked for."""

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
    """Read an audio file, or a stretch of it, at its own sample rate and with all its channels.

    Parameters
    ----------
    path : str, bytes, os.PathLike or binary file object
        Anything libsndfile reads. A file object must be seekable and is read from its beginning.
    start, stop : float, optional
        Seconds: only this stretch is decoded.
    strict : bool
        Whether a file that was cut short or contradicts its header is an error, not a warning.
    salvage : bool
        Whether to keep, with a warning, what can be decoded of a damaged file.
    nonfinite : {"error", "zero"}
        What to do with samples that are NaN or infinite: refuse, or set them to zero with a
        warning.

    Returns
    -------
    DecodedAudio
        Its `samples` are float32, which holds 24 bits exactly, or float64 for files of 32-bit
        integers and 64-bit floats. Every one of its `warnings` was also issued as an
        `AudioWarning`.

    Raises
    ------
    AudioFileError
        If the file cannot be opened or decoded, or `strict` finds something.
    ContentError
        If there are no frames, or samples that are not finite.
    ParameterError
        If the stretch does not lie within the file, or the sample rate is not between 100 Hz and
        1.5 MHz.

    Examples
    --------
    >>> import io
    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros((8000, 2)), 8000, format="WAV")
    >>> recording = read(file, start=0.25)
    >>> recording.samples.shape, recording.sr, recording.offset
    ((2, 6000), 8000, 2000)
    """
    if nonfinite not in get_args(Nonfinite):
        raise ParameterError(f"nonfinite={nonfinite!r}: need one of {get_args(Nonfinite)}")
    _check_stretch(start, stop)
    with open_audio(path) as audio:
        if not LOWEST_RATE <= audio.sr <= HIGHEST_RATE:
            raise ParameterError(
                f"{audio.label}: a sample rate of {audio.sr} Hz; need {LOWEST_RATE} to "
                f"{HIGHEST_RATE} Hz; correct the header or resample"
            )
        first, last = _frames(audio, start, stop)
        samples, repairs = _collect(audio, first, last, nonfinite)
        found = _judge(audio, first, last, samples.shape[1], strict=strict, salvage=salvage)
    if not samples.shape[1]:
        raise ContentError(f"{audio.label}: has no frames; need at least one")
    found = tuple(f"{audio.label}: {text}" for text in (*found, *repairs))
    for text in found:
        python_warnings.warn(text, AudioWarning, stacklevel=2)
    return DecodedAudio(samples, audio.sr, audio.format, audio.subtype, found, first)


def _check_stretch(start: float | None, stop: float | None) -> None:
    for name, value in (("start", start), ("stop", stop)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise ParameterError(f"{name}={value!r}: need seconds, 0 or more")
    if stop is not None and stop <= (start or 0):
        raise ParameterError(f"stop={stop!r}: need more than start={start or 0!r} seconds")


def _frames(audio: Decoder, start: float | None, stop: float | None) -> tuple[int, int | None]:
    first = round((start or 0) * audio.sr)
    last = None if stop is None else max(round(stop * audio.sr), first + 1)
    if audio.total is not None and audio.total > 0:
        _check_within(audio, first, last, audio.total)
        last = None if last is None else min(last, audio.total)
    return first, last


def _check_within(audio: Decoder, first: int, last: int | None, total: int) -> None:
    # One frame of grace: the end of a file in rounded seconds may lie just behind it.
    if first >= total or (last is not None and last > total + 1):
        end = "the end" if last is None else f"{last / audio.sr:g} s"
        raise ParameterError(
            f"{audio.label}: the stretch {first / audio.sr:g} s to {end} does not lie within "
            f"its {total / audio.sr:.3f} s"
        )


def _collect(
    audio: Decoder, first: int, last: int | None, nonfinite: Nonfinite
) -> tuple[NDArray[Any], list[str]]:
    """All frames as (channel, sample), and what had to be repaired in them."""
    blocks, decoded, bad, first_bad = [], 0, 0, 0
    for block in audio.blocks(first, last):
        broken = ~np.isfinite(block)
        if broken.any():
            if not bad:
                first_bad = first + decoded + int(broken.any(axis=1).argmax())
            bad += int(broken.sum())
            block[broken] = 0
        blocks.append(block.T)
        decoded += len(block)
    if bad and nonfinite == "error":
        raise ContentError(
            f"{audio.label}: {_count(bad)} NaN or infinite, the first at "
            f"{first_bad / audio.sr:.3f} s; repair the file, or set them to zero "
            "(nonfinite='zero', or --nonfinite zero)"
        )
    samples = np.empty((audio.channels, decoded), dtype=audio.dtype)
    if blocks:
        np.concatenate(blocks, axis=1, out=samples)
    repairs = f"{_count(bad)} NaN or infinite, the first at {first_bad / audio.sr:.3f} s: now zero"
    return samples, [repairs] if bad else []


def _count(number: int) -> str:
    return "1 sample is" if number == 1 else f"{number} samples are"


def _judge(
    audio: Decoder, first: int, last: int | None, decoded: int, *, strict: bool, salvage: bool
) -> tuple[str, ...]:
    """The warnings a decoded file deserves, or an error where it deserves more."""
    whole = first == 0 and last is None
    if audio.total is None and not whole:
        _check_within(audio, first, last, first + decoded)
    found = audio.suspicions(decoded) if whole else _short_stretch(audio, first, last, decoded)
    if audio.failed_at is not None and (last is None or audio.failed_at < last):
        if not salvage:
            raise AudioFileError(
                f"{audio.label}: {audio.failure()}; find a good copy, or keep what can be "
                "decoded (salvage)"
            )
        found.append(f"{audio.failure()}; the {decoded} frames that could be decoded were kept")
    if strict and found:
        raise AudioFileError(f"{audio.label}: {found[0]}; refused because of strict")
    return tuple(found)


def _short_stretch(audio: Decoder, first: int, last: int | None, decoded: int) -> list[str]:
    end = audio.total if last is None else last
    if audio.failed_at is None and end is not None and decoded < end - first:
        return [f"{end - first} frames from {first / audio.sr:g} s on are declared, {decoded} came"]
    return []
