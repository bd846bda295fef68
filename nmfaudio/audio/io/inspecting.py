"""Facts and suspicious properties of audio files, without keeping them in memory."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmfaudio._common.files.sources import Source
from nmfaudio._common.validation import HIGHEST_RATE, LOWEST_RATE
from nmfaudio.audio.io.checking import UNUSABLE, usable_samples
from nmfaudio.audio.io.decoding import MOST_FRAMES_PER_BYTE, Decoder, open_audio

SILENCE = 1e-4
"""Highest amplitude of silence: -80 dBFS, a few steps of 16-bit dither."""

_LARGE_OFFSET = 0.01  # of full scale
_SCALE = 2.0**-64  # of sums
_ONE_STEP = 2.0**-15  # of 16 bits: the lowest code has no negative, so inversion is off by a step
_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


@dataclass(frozen=True)
class FileInfo:
    """Facts about one audio file. Levels are in dB relative to full scale, None for silence."""

    path: str
    """Printable path."""
    format: str
    subtype: str
    channels: int
    sr: int
    """Sample rate in Hz."""
    frames: int
    """Number of decodable frames."""
    duration: float
    """Duration in seconds."""
    bytes: int
    """Size of the file."""
    peak: tuple[float | None, ...]
    """Peak of each channel in dBFS."""
    rms: tuple[float | None, ...]
    """Level of each channel in dBFS; a full-scale square wave has 0."""
    dc_offset: tuple[float, ...]
    """Mean of each channel; full scale is 1."""
    clipped: int
    """Number of samples at full scale or beyond."""
    nonfinite: int
    """Number of samples that are NaN, infinite or beyond 1e32."""
    silence_start: float
    """Seconds of silence, all channels within -80 dBFS, before the first sound."""
    silence_end: float
    """Seconds of silence after the last sound."""
    notes: tuple[str, ...]
    """Suspicious properties, one sentence each."""

    def to_dict(self) -> dict[str, Any]:
        """Facts as JSON types."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Header:
    """Facts in the header of an audio file."""

    label: str
    """Printable path."""
    format: str
    """Container as libsndfile names it."""
    subtype: str
    """Coding as libsndfile names it."""
    channels: int
    sr: int
    """Sample rate in Hz."""
    frames: int | None
    """Declared number of frames; None if there is none, or the file is too small for it."""
    dtype: np.dtype[Any]
    """Of the samples that `nmfaudio.read` returns."""


def read_header(path: Source) -> Header:
    """Read the header of an audio file, without decoding any samples.

    Parameters
    ----------
    path : str, bytes, os.PathLike or binary file object

    Returns
    -------
    Header

    Raises
    ------
    AudioFileError
        The file cannot be opened, or is not an audio file.

    Examples
    --------
    >>> import nmfaudio as na
    >>> from nmfaudio.audio.io.inspecting import read_header
    >>> header = read_header(na.example("drums"))
    >>> header.channels, header.sr, header.dtype.name
    (1, 44100, 'float32')
    """
    with open_audio(path) as audio:
        total = audio.total
        if total is not None and total > MOST_FRAMES_PER_BYTE * audio.size:
            total = None
        return Header(
            audio.label, audio.format, audio.subtype, audio.channels, audio.sr, total, audio.dtype
        )


def inspect(path: Source) -> FileInfo:
    """Decode an audio file once, block by block, and describe it.

    Parameters
    ----------
    path : str, bytes, os.PathLike or binary file object

    Returns
    -------
    FileInfo
        Facts about the file. A damaged file is described up to the damage.

    Raises
    ------
    AudioFileError
        The file cannot be opened, or is not an audio file.

    Examples
    --------
    >>> import nmfaudio as na
    >>> info = na.audio.inspect(na.example("drums"))
    >>> info.channels, info.sr, info.clipped, info.notes
    (1, 44100, 0, ())
    """
    with open_audio(path) as audio:
        tally = _Tally(audio)
        for block in audio.blocks():
            tally.add(block)
        notes = audio.suspicions(tally.frames)
        if audio.failed_at is not None:
            notes.append(audio.failure())
        return tally.info((*notes, *tally.notes()))


class _Tally:
    """Statistics accumulated over the blocks of a file."""

    def __init__(self, audio: Decoder) -> None:
        self.audio = audio
        self.frames = self.clipped = self.nonfinite = 0
        self.sound: tuple[int, int] | None = None  # first and last frame above silence
        zeros = np.zeros(audio.channels)
        self.peak, self.sum, self.norm = zeros, zeros.copy(), zeros.copy()
        self.difference, self.opposition = zeros.copy(), zeros.copy()  # from and to channel 1
        bits = _BITS.get(audio.subtype)
        self.top = 1 - 2.0 ** (1 - bits) if bits else 1.0

    def add(self, block: NDArray[Any]) -> None:
        """Add one block [shape=(sample, channel)]."""
        with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
            values = np.ascontiguousarray(block.T, dtype=np.float64)
        usable = usable_samples(values)
        self.nonfinite += int(values.size - usable.sum())
        values[~usable] = 0
        size = np.abs(values)
        highest = size.max(axis=1)
        self.peak = np.maximum(self.peak, highest)
        # Neither sums nor squares of the largest numbers overflow.
        self.sum += (values * _SCALE).sum(axis=1)
        unit = values / np.where(highest > 0, highest, 1)[:, None]
        self.norm = np.hypot(self.norm, highest * np.sqrt(np.einsum("ct,ct->c", unit, unit)))
        self.clipped += int((size >= self.top).sum())
        with np.errstate(over="ignore"):  # two of the largest differ by infinity
            self.difference = np.maximum(self.difference, np.abs(values - values[0]).max(axis=1))
            self.opposition = np.maximum(self.opposition, np.abs(values + values[0]).max(axis=1))
        audible = np.flatnonzero(size.max(axis=0) > SILENCE)
        if audible.size:
            begin = self.sound[0] if self.sound else self.frames + int(audible[0])
            self.sound = (begin, self.frames + int(audible[-1]))
        self.frames += len(block)

    def info(self, notes: tuple[str, ...]) -> FileInfo:
        """Return the facts, with the notes."""
        audio, count = self.audio, max(self.frames, 1)
        begin, end = self.sound or (self.frames, self.frames - 1)
        return FileInfo(
            path=audio.label,
            format=audio.format,
            subtype=audio.subtype,
            channels=audio.channels,
            sr=audio.sr,
            frames=self.frames,
            duration=self.frames / audio.sr,
            bytes=audio.size,
            peak=tuple(_decibels(value) for value in self.peak),
            rms=tuple(_decibels(value / math.sqrt(count)) for value in self.norm),
            dc_offset=tuple(float(value / count / _SCALE) for value in self.sum),
            clipped=self.clipped,
            nonfinite=self.nonfinite,
            silence_start=begin / audio.sr,
            silence_end=(self.frames - 1 - end) / audio.sr if self.sound else 0.0,
            notes=notes,
        )

    def notes(self) -> list[str]:
        """Suspicious properties of the samples, one sentence each."""
        notes = []
        if not LOWEST_RATE <= self.audio.sr <= HIGHEST_RATE:
            notes.append(f"a sample rate of {self.audio.sr} Hz is unusual for audio")
        if self.nonfinite:
            notes.append(f"{self.nonfinite} samples are {UNUSABLE}")
        if not self.frames:
            notes.append("has no frames")
        elif self.sound is None:
            notes.append("is silent")
        else:
            notes += self._channel_notes()
        return notes

    def _channel_notes(self) -> list[str]:
        notes = []
        for channel in range(self.audio.channels):
            offset = self.sum[channel] / self.frames / _SCALE
            if abs(offset) > _LARGE_OFFSET:
                notes.append(
                    f"channel {channel + 1} has a DC offset of {offset:.3f}, which separators "
                    "treat as a sound; subtract it first"
                )
            if self.peak[channel] <= SILENCE:
                notes.append(f"channel {channel + 1} is silent")
            elif channel and self.difference[channel] == 0:
                notes.append(f"channel {channel + 1} is the same as channel 1")
            elif channel and self.opposition[channel] <= _ONE_STEP:
                notes.append(f"channel {channel + 1} is channel 1 inverted")
        return notes


def _decibels(amplitude: float) -> float | None:
    return 20 * math.log10(amplitude) if amplitude > 0 else None
