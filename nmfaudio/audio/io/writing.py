"""Arrays into audio files: verified, all of a group or none, and never clipped in silence."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nmfaudio._common.files.names import show
from nmfaudio._common.files.staging import check_targets, create, staged, write_failure
from nmfaudio._common.validation import as_audio
from nmfaudio._public import public
from nmfaudio.audio.io.containers import chunks
from nmfaudio.audio.io.decoding import BLOCK, open_audio
from nmfaudio.audio.io.reading import HIGHEST_RATE, LOWEST_RATE
from nmfaudio.errors import ContentError, OutputError, ParameterError
from nmfaudio.kernels.threads import parallel_for

Clip = Literal["gain", "error"]

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
"""What can be written: libsndfile's name of the container, and the coding unless one is chosen."""

_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_FLOATS: dict[str, np.dtype[Any]] = {"FLOAT": np.dtype(np.float32), "DOUBLE": np.dtype(np.float64)}
_WRONG = [("AIFF", "PCM_S8"), ("AIFF", "PCM_U8")]  # libsndfile takes its padding for a sample
_LARGEST_WAV = 2**32 - 2**16  # bytes of audio; the rest is room for the header

_MOST_CHANNELS = {"FLAC": 8, "MP3": 2, "OGG": 255}
_OTHERWISE = 1024  # libsndfile's own limit
_RATES = {
    "OPUS": (8000, 12000, 16000, 24000, 48000),
    "MPEG_LAYER_III": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
}
_FASTEST_VORBIS = 200_000  # Hz: beyond it libsndfile crashes
_FASTEST_FLAC = 655_350  # Hz: what a FLAC frame can say, above 65535 in tens of Hz


@dataclass(frozen=True)
class Written:
    """What was written."""

    paths: tuple[Path, ...]
    """In the order of the targets."""
    gain: float
    """What all of them were multiplied by; below 1 where the format would have clipped a peak."""
    subtype: str
    """libsndfile's name of their coding."""


def check_format(format: str, subtype: str | None, channels: int, sr: int) -> tuple[str, str]:
    """Find out, before any work, whether a format can hold the audio.

    Parameters
    ----------
    format : str
        A key of `FORMATS`.
    subtype : str or None
        libsndfile's name of the coding ("PCM_16"); None takes the format's usual one.
    channels : int
    sr : int
        Hz.

    Returns
    -------
    container, subtype : str
        As libsndfile names them.

    Raises
    ------
    ParameterError
        If it cannot. The message says what can.
    """
    if format.lower() not in FORMATS:
        raise ParameterError(
            f"format {format!r} cannot be written; need one of {', '.join(FORMATS)}"
        )
    container, usual = FORMATS[format.lower()]
    chosen = _check_subtype(format, container, usual, subtype)
    most = _MOST_CHANNELS.get(container, _OTHERWISE)
    if not 1 <= channels <= most:
        raise ParameterError(
            f"{format} holds 1 to {most} channels, got {channels}; write wav instead"
        )
    _check_rate(format, chosen, sr)
    return container, chosen


def write_group(
    targets: Mapping[Path, NDArray[Any]],
    sr: int,
    *,
    format: str,
    subtype: str | None = None,
    clip: Clip = "gain",
    overwrite: bool = False,
) -> Written:
    """Write several audio files: all of them, or none.

    Each is written under a temporary name beside its target and read back to verify it, several at
    a time in threads; when all are there, all are renamed. A WAV beyond 4 GiB becomes RF64.
    Integers are rounded to nearest.

    Parameters
    ----------
    targets : mapping of Path to np.ndarray [shape=(channel, sample) or (sample,)]
        A mapping that computes its values will be asked up to twice for each, from several threads.
    sr : int
        Hz.
    format : str
        A key of `FORMATS`.
    subtype : str, optional
        libsndfile's name of the coding; the default is 32-bit float where the format knows it,
        24 bit for FLAC.
    clip : {"gain", "error"}
        What to do when a format that ends at full scale would clip a peak: multiply all files by
        one common gain, or refuse.
    overwrite : bool
        Whether files that exist may be replaced.

    Returns
    -------
    Written

    Raises
    ------
    ParameterError, ShapeError
        If the format cannot hold the audio.
    ContentError
        If there are no samples, some are not finite, or `clip="error"` and a peak is over full
        scale.
    OutputError
        If a target exists, or the system cannot write it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stems = {Path(folder, "a.flac"): np.full(99, 2.0), Path(folder, "b.flac"): np.ones(99)}
    ...     written = write_group(stems, 8000, format="flac")
    >>> round(written.gain, 3)
    0.5
    """
    if clip not in get_args(Clip):
        raise ParameterError(f"clip={clip!r}: need one of {get_args(Clip)}")
    check_targets(list(targets), overwrite=overwrite)
    gain, coding = 1.0, ""
    for target in targets:
        audio = as_audio(targets[target], show(target.stem))
        _, coding = check_format(format, subtype, len(audio), sr)
        gain = min(gain, _gain(target, audio, coding, clip))
    with staged(list(targets), overwrite=overwrite) as names:
        pairs = list(names.items())

        def work(mine: range) -> None:
            for target, temporary in (pairs[i] for i in mine):
                audio = as_audio(targets[target], show(target.stem))
                container, coding = check_format(format, subtype, len(audio), sr)
                _write_one(target, temporary, _Encoding(audio, int(sr), container, coding, gain))

        parallel_for(work, len(pairs))
    return Written(tuple(targets), gain, coding)


def stored_blocks(path: Path, y: NDArray[Any], written: Written) -> Iterator[NDArray[Any]]:
    """Yield the samples that a file written by `write_group` holds, block by block.

    Only a lossy file is decoded: `write_group` has read back any other, and found these samples.

    Parameters
    ----------
    path : Path
        One of `written.paths`.
    y : np.ndarray [shape=(channel, sample) or (sample,)]
        The audio that was written to it.
    written : Written

    Yields
    ------
    np.ndarray [shape=(sample, channel)]

    Raises
    ------
    OutputError
        A lossy file cannot be decoded.
    """
    encoding = _Encoding(as_audio(y, show(path.stem)), 0, "", written.subtype, written.gain)
    if encoding.lossless:
        for block in encoding.blocks():
            # Codes fill the upper bits of an int32, whatever their width.
            yield block / 2.0**31 if block.dtype == np.int32 else block
        return
    with open_audio(path) as file:
        yield from file.blocks()
        if file.failed_at is not None:
            raise OutputError(f"{show(path)}: cannot be read back; write it again")


@public
def write(
    path: str | os.PathLike[str],
    y: NDArray[Any],
    sr: int,
    *,
    subtype: str | None = None,
    clip: Clip = "gain",
    overwrite: bool = False,
) -> Written:
    """Write one audio file; the suffix of its name chooses the format.

    Parameters
    ----------
    path : str or os.PathLike
    y : np.ndarray [shape=(channel, sample) or (sample,)]
    sr : int
        Hz.
    subtype, clip, overwrite
        As for `write_group`, which says what is raised, too.

    Returns
    -------
    Written
    """
    target = Path(path)
    suffix = target.suffix.lower().removeprefix(".")
    format = {"aif": "aiff", "wave": "wav"}.get(suffix, suffix)
    if format not in FORMATS:
        raise ParameterError(
            f"{show(path)}: the suffix says no format that can be written; "
            f"need one of .{', .'.join(FORMATS)}"
        )
    return write_group(
        {target: y}, sr, format=format, subtype=subtype, clip=clip, overwrite=overwrite
    )


def _check_subtype(format: str, container: str, usual: str, subtype: str | None) -> str:
    import soundfile

    chosen = usual if subtype is None else subtype.upper()
    codings = (*_BITS, *_FLOATS) if usual in (*_BITS, *_FLOATS) else (usual,)
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
    if not isinstance(sr, int | np.integer) or not LOWEST_RATE <= sr <= HIGHEST_RATE:
        raise ParameterError(
            f"sr={sr!r}: need a whole number of Hz from {LOWEST_RATE} to {HIGHEST_RATE}"
        )
    rates = _RATES.get(subtype)
    if rates and sr not in rates:
        raise ParameterError(
            f"{format} holds sample rates of {', '.join(map(str, rates))} Hz, got {sr}; "
            "write flac or wav instead, or resample"
        )
    if subtype == "VORBIS" and sr > _FASTEST_VORBIS:
        raise ParameterError(
            f"{format} holds sample rates up to {_FASTEST_VORBIS} Hz, got {sr}; write wav instead"
        )
    if format.lower() == "flac" and (sr > _FASTEST_FLAC or (sr > 65535 and sr % 10)):
        raise ParameterError(
            f"flac holds sample rates up to 65535 Hz, and up to {_FASTEST_FLAC} Hz in tens, "
            f"got {sr}; write wav instead"
        )


def _gain(target: Path, audio: NDArray[Any], subtype: str, clip: Clip) -> float:
    """By what the audio must be multiplied so that no sample is clipped."""
    high, low = float(audio.max()), -float(audio.min())
    if subtype in _FLOATS:
        if max(high, low) > float(np.finfo(_FLOATS[subtype]).max):
            raise ContentError(
                f"{show(target)}: peaks at {max(high, low):g}, beyond 32-bit float; "
                "scale it, or write the subtype DOUBLE"
            )
        return 1.0
    if clip == "error" and max(high, low) > 1:
        raise ContentError(
            f"{show(target.stem)} peaks at {max(high, low):.4g} "
            f"(+{20 * math.log10(max(high, low)):.2f} dBFS), over the full scale of {subtype}; "
            "write wav (32-bit float), or allow a common gain (clip gain)"
        )
    bits = _BITS.get(subtype)
    step = 2.0 ** (1 - bits) if bits else 0.0
    # The highest code is one step below 1, the lowest is -1; half a step is rounded away.
    upper = (1 - step) / high if high >= 1 - step / 2 and high > 0 else 1.0
    return 1.0 if clip == "error" else min(upper, 1 / low if low > 1 else 1.0, 1.0)


@dataclass(frozen=True)
class _Encoding:
    """One file's audio and how it shall be coded."""

    audio: NDArray[Any]
    sr: int
    container: str
    subtype: str
    gain: float

    @property
    def lossless(self) -> bool:
        return self.subtype in _BITS or self.subtype in _FLOATS

    @property
    def dtype(self) -> np.dtype[Any]:
        """In what type of number blocks go to libsndfile and, if lossless, come back."""
        if self.subtype in _BITS:
            return np.dtype(np.int32)
        return _FLOATS.get(self.subtype, np.dtype(np.float32))

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Shape (sample, channel), exactly as they shall be in the file.

        Integers are rounded here, as libsndfile cuts them off everywhere but in FLAC.
        """
        bits = _BITS.get(self.subtype)
        for start in range(0, self.audio.shape[1], BLOCK):
            block = self.audio[:, start : start + BLOCK].T
            if bits is not None:
                half = 2.0 ** (bits - 1)
                codes = np.rint(block.astype(np.float64) * (self.gain * half))
                block = np.clip(codes, -half, half - 1).astype(np.int32) << (32 - bits)
            elif self.gain != 1:
                block = block * self.gain
            yield np.ascontiguousarray(block, dtype=self.dtype)

    @property
    def file_format(self) -> str:
        width = _BITS.get(self.subtype, 8 * self.dtype.itemsize) // 8
        too_large = self.container == "WAV" and self.audio.size * width > _LARGEST_WAV
        return "RF64" if too_large else self.container


def _write_one(target: Path, temporary: Path, encoding: _Encoding) -> None:
    descriptor = create(temporary, target)
    try:
        _encode(descriptor, target, encoding)
        _forget_time(descriptor, encoding)
        _verify(descriptor, target, encoding)
    finally:
        os.close(descriptor)


def _encode(descriptor: int, target: Path, encoding: _Encoding) -> None:
    import soundfile

    try:
        with soundfile.SoundFile(
            descriptor,
            "w",
            encoding.sr,
            len(encoding.audio),
            encoding.subtype,
            format=encoding.file_format,
            closefd=False,
        ) as sound:
            for block in encoding.blocks():
                sound.write(block)
    except (soundfile.SoundFileError, AssertionError) as error:
        raise write_failure(descriptor, target, str(error)) from None


def _forget_time(descriptor: int, encoding: _Encoding) -> None:
    """Blank the time of day in the PEAK chunk of a float file: same sound, same bytes."""
    if encoding.subtype not in _FLOATS or encoding.container not in ("WAV", "AIFF"):
        return
    order: Literal["little", "big"] = "little" if encoding.container == "WAV" else "big"
    with open(descriptor, "r+b", closefd=False) as file:
        size = file.seek(0, os.SEEK_END)
        for name, start, _ in chunks(file, size, order):
            if name == b"PEAK":
                file.seek(start + 4)  # behind the version
                file.write(bytes(4))
            if name in (b"data", b"SSND"):
                return


def _verify(descriptor: int, target: Path, encoding: _Encoding) -> None:
    """Read the file back: shape and rate, and every sample if the coding keeps them."""
    import soundfile

    os.lseek(descriptor, 0, os.SEEK_SET)
    channels, frames = encoding.audio.shape
    wrong = OutputError(f"{show(target)}: reads back differently than written; nothing was kept")
    try:
        with soundfile.SoundFile(descriptor, closefd=False) as sound:
            if (sound.frames, sound.channels, sound.samplerate) != (frames, channels, encoding.sr):
                raise wrong
            if not encoding.lossless:
                return
            for block in encoding.blocks():
                back = sound.read(len(block), dtype=encoding.dtype.name, always_2d=True)
                if not np.array_equal(back, block):
                    raise wrong
    except soundfile.SoundFileError:
        raise write_failure(descriptor, target, "it cannot be read back") from None
