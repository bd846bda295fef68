"""Encoding of one audio file: samples are appended, and read back once all are there."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from nmfaudio._common.files.names import show
from nmfaudio._common.files.staging import close, create
from nmfaudio._common.files.targets import output_error
from nmfaudio.audio.io.containers import chunks
from nmfaudio.audio.io.decoding import BLOCK
from nmfaudio.audio.io.extra_tags import EXTRA_TAGS, write_extra_tags
from nmfaudio.audio.io.formats import BITS, FLOATS, check_format, compression_level
from nmfaudio.audio.io.steady import Steady
from nmfaudio.errors import ContentError, OutputError, ParameterError

Clip = Literal["gain", "error"]

_MAX_BYTES = 2**32 - 2**24  # of audio in headers of 32 bits, with space for tags and cover


def check_clip(clip: str) -> None:
    """Raise a `ParameterError` unless a treatment of peaks is known."""
    if clip not in get_args(Clip):
        raise ParameterError(f"clip={clip!r}: need one of {', '.join(get_args(Clip))}")


def largest_gain(target: Path, high: float, low: float, subtype: str, clip: Clip) -> float:
    """Return the largest factor up to 1 with which no sample is clipped.

    Parameters
    ----------
    target : Path
        File that the samples are for.
    high, low : float
        Largest sample, and the largest of the negated samples.
    subtype : str
        Coding as libsndfile names it.
    clip : {"gain", "error"}
        Treatment of peaks that the coding would clip.

    Returns
    -------
    float

    Raises
    ------
    ContentError
        A peak is beyond the range of 32-bit float, or over full scale and `clip` is ``"error"``.
    """
    if subtype in FLOATS:
        if max(high, low) > float(np.finfo(FLOATS[subtype]).max):
            raise ContentError(
                f"{show(target)}: peaks at {max(high, low):g}, beyond 32-bit float; "
                "scale it, or write the subtype DOUBLE"
            )
        return 1.0
    if clip == "error" and max(high, low) > 1:
        raise ContentError(
            f"{show(target.stem)} peaks at {max(high, low):.4g} "
            f"(+{20 * math.log10(max(high, low)):.2f} dBFS), over the full scale of {subtype}; "
            "write wav (32-bit float), or allow a common gain (clip='gain', or --clip gain)"
        )
    bits = BITS.get(subtype)
    step = 2.0 ** (1 - bits) if bits else 0.0
    # The highest code is one step below 1, the lowest is -1; up to half a step is rounded down.
    upper = (1 - step) / high if high >= 1 - step / 2 and high > 0 else 1.0
    return 1.0 if clip == "error" else min(upper, 1 / low if low > 1 else 1.0, 1.0)


def is_lossless(subtype: str) -> bool:
    """Return True if samples of a coding read back exactly as written."""
    return subtype in BITS or subtype in FLOATS


def stored_samples(samples: NDArray[Any], subtype: str, gain: float) -> NDArray[Any]:
    """Samples exactly as they are passed to libsndfile.

    Integers are rounded here, because libsndfile truncates them in all formats but FLAC.

    Parameters
    ----------
    samples : np.ndarray [shape=(channel, sample)]
    subtype : str
        Coding as libsndfile names it.
    gain : float
        Factor applied to the samples.

    Returns
    -------
    np.ndarray [shape=(sample, channel)]
        Integers of any width are in the upper bits of an int32.
    """
    block, bits = samples.T, BITS.get(subtype)
    if bits is not None:
        half = 2.0 ** (bits - 1)
        codes = np.rint(block.astype(np.float64) * (gain * half))
        # libsndfile expects full-scale int32 for integers of any width.
        block = np.clip(codes, -half, half - 1).astype(np.int32) << (32 - bits)
    elif gain != 1:
        block = block * gain
    return np.ascontiguousarray(block, dtype=_stored_dtype(subtype))


def _stored_dtype(subtype: str) -> np.dtype[Any]:
    """Type of the samples passed to libsndfile, and read back if lossless."""
    return np.dtype(np.int32) if subtype in BITS else FLOATS.get(subtype, np.dtype(np.float32))


@dataclass(frozen=True)
class Coding:
    """Coding of the samples of one file; see `choose_coding`."""

    sr: int
    """Sample rate in Hz."""
    channels: int
    samples: int
    container: str
    """As libsndfile names it."""
    subtype: str
    """As libsndfile names it."""
    bitrate: int | None = None
    """Constant bitrate of MP3 files in kbit/s; None for a variable one."""
    gain: float = 1.0
    """Factor applied to the samples."""
    tags: Mapping[str, str] = field(default_factory=dict)


def choose_coding(
    format: str,
    subtype: str | None,
    sr: int,
    channels: int,
    samples: int,
    bitrate: int | None = None,
) -> Coding:
    """Choose the coding of the samples of a file.

    Parameters
    ----------
    format : str
        A key of `FORMATS`. A WAV file beyond 4 GiB becomes RF64.
    subtype : str or None
        Coding as libsndfile names it; None for the default of the format.
    sr : int
        Sample rate in Hz.
    channels, samples : int
        Shape of the audio.
    bitrate : int, optional
        Constant bitrate of MP3 files in kbit/s; by default it is variable.

    Returns
    -------
    Coding

    Raises
    ------
    ParameterError
        The format cannot hold the audio.
    """
    container, subtype = check_format(format, subtype, channels, sr)
    width = BITS.get(subtype, 8 * _stored_dtype(subtype).itemsize) // 8
    if channels * samples * width > _MAX_BYTES:
        if container == "AIFF":
            raise ParameterError(
                f"{format} holds up to 4 GiB, got {samples / sr:.0f} s of {channels} channels in "
                f"{subtype}; write wav or caf instead"
            )
        container = "RF64" if container == "WAV" else container
    return Coding(int(sr), channels, samples, container, subtype, bitrate)


class Encoder:
    """File under a temporary name to which samples are appended.

    Equal samples make equal bytes, however they are divided into blocks. Nothing but the last
    incomplete block is kept in memory.

    Parameters
    ----------
    target, temporary : Path
        Final and temporary name.
    coding : Coding

    Raises
    ------
    OutputError
        The file cannot be created.
    """

    def __init__(self, target: Path, temporary: Path, coding: Coding) -> None:
        self._target, self._coding = target, coding
        self._waiting = np.empty((coding.channels, 0))  # samples that do not fill a block yet
        self._checksum = 0  # of all that was passed to libsndfile
        self._sound: Any = None
        self._descriptor = create(temporary, target)
        # Unbuffered: without its own position, and with no error when it is closed.
        self._file = cast(BinaryIO, FileIO(self._descriptor, "r+b", closefd=False))
        self._steady = Steady(self._file)

    def __enter__(self) -> Encoder:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        import soundfile

        if self._sound is not None:
            with suppress(soundfile.SoundFileError):  # after an error; the file is removed
                self._sound.close()
        with suppress(OutputError) if kind is not None else nullcontext():
            close(self._descriptor, self._target)

    def append(self, samples: NDArray[Any]) -> None:
        """Encode the next samples.

        Parameters
        ----------
        samples : np.ndarray [shape=(channel, sample)]

        Raises
        ------
        OutputError
            They cannot be written.
        """
        if self._waiting.shape[1]:
            missing = BLOCK - self._waiting.shape[1]
            self._waiting = np.concatenate([self._waiting, samples[:, :missing]], axis=1)
            samples = samples[:, missing:]
            if self._waiting.shape[1] == BLOCK:
                self._write(self._waiting)
                self._waiting = self._waiting[:, :0]
        whole = samples.shape[1] - samples.shape[1] % BLOCK
        for start in range(0, whole, BLOCK):
            self._write(samples[:, start : start + BLOCK])
        if whole < samples.shape[1]:
            self._waiting = samples[:, whole:].copy()

    def finish(self) -> None:
        """Complete the file, and compare what is read back with what was written.

        Raises
        ------
        OutputError
            The file cannot be written, or its shape, its sample rate or, if lossless, its samples
            differ.
        """
        import soundfile

        if self._waiting.shape[1]:
            self._write(self._waiting)
        try:
            if self._sound is not None:
                self._sound.close()
        except soundfile.SoundFileError as error:
            self._check(self._steady, error)
        self._check(self._steady)
        try:
            self._clear_time_stamp()
            file, coding = Steady(self._file), self._coding
            write_extra_tags(cast(BinaryIO, file), coding.container, coding.samples, coding.tags)
            self._check(file)
            self._verify()
        except OutputError:
            raise
        except OSError as error:
            raise output_error(self._target, error) from None

    def _write(self, samples: NDArray[Any]) -> None:
        """Encode one block."""
        import soundfile

        block = stored_samples(samples, self._coding.subtype, self._coding.gain)
        if is_lossless(self._coding.subtype):
            self._checksum = zlib.crc32(block.data, self._checksum)
        try:
            if self._sound is None:
                self._sound = self._open()
            self._sound.write(block)
        except (soundfile.SoundFileError, AssertionError) as error:
            self._check(self._steady, error)
        self._check(self._steady)

    def _check(self, steady: Steady, error: Exception | None = None) -> None:
        """Raise the failure of the file, or else of libsndfile."""
        if isinstance(steady.failure, OSError):
            raise output_error(self._target, steady.failure) from None
        if steady.failure is not None:  # Ctrl-C
            raise steady.failure
        if error is not None:
            raise OutputError(f"{show(self._target)}: could not be written: {error}") from None

    def _open(self) -> Any:
        """Open the file with soundfile, and write its tags."""
        import soundfile

        coding = self._coding
        options: dict[str, Any] = {}
        if coding.bitrate is not None:
            level = compression_level(coding.bitrate, coding.sr)
            options = {"compression_level": level, "bitrate_mode": "CONSTANT"}
        sound = soundfile.SoundFile(
            self._steady,
            "w",
            coding.sr,
            coding.channels,
            coding.subtype,
            format=coding.container,
            **options,
        )
        for name, text in coding.tags.items():
            if name not in EXTRA_TAGS:
                setattr(sound, name, text)
        return sound

    def _clear_time_stamp(self) -> None:
        """Clear the time stamp in the PEAK chunk of a float file: equal audio has equal bytes."""
        coding = self._coding
        if coding.subtype not in FLOATS or coding.container not in ("WAV", "RF64", "AIFF"):
            return
        order: Literal["little", "big"] = "big" if coding.container == "AIFF" else "little"
        file = Steady(self._file)
        for name, start, _ in chunks(cast(BinaryIO, file), file.seek(0, os.SEEK_END), order):
            if name == b"PEAK":
                file.seek(start + 4)  # after the version
                file.write(bytes(4))
            if name in (b"data", b"SSND"):
                break
        self._check(file)

    def _verify(self) -> None:
        """Read the file back, block by block."""
        import soundfile

        coding, steady = self._coding, Steady(self._file)
        self._file.seek(0)
        try:
            with soundfile.SoundFile(steady) as sound:
                shape = (sound.channels, sound.frames, sound.samplerate)
                same = shape == (coding.channels, coding.samples, coding.sr)
                if same and is_lossless(coding.subtype):
                    same = _checksum(sound, coding) == self._checksum
        except soundfile.SoundFileError:
            self._check(steady, OutputError("it cannot be read back"))
        self._check(steady)
        if not same:
            raise OutputError(
                f"{show(self._target)}: reads back differently than written and was removed; "
                "write again"
            )


def _checksum(sound: Any, coding: Coding) -> int:
    """Checksum of all samples of an open file."""
    checksum, dtype = 0, _stored_dtype(coding.subtype).name
    while len(block := sound.read(BLOCK, dtype=dtype, always_2d=True)):
        checksum = zlib.crc32(block.data, checksum)
    return checksum


def encode(target: Path, temporary: Path, coding: Coding, blocks: Iterable[NDArray[Any]]) -> None:
    """Write and verify one file under its temporary name.

    Parameters
    ----------
    target, temporary : Path
        Final and temporary name.
    coding : Coding
    blocks : iterable of np.ndarray [shape=(channel, sample)]

    Raises
    ------
    OutputError
        The file cannot be written, or is different when read back.
    """
    with Encoder(target, temporary, coding) as encoder:
        for block in blocks:
            encoder.append(block)
        encoder.finish()
