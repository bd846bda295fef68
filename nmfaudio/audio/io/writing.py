"""Writing of audio files: verified, all of a group or none, and without silent clipping."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
from nmfaudio.audio.io.formats import BITS, FLOATS, FORMATS, check_format, compression_level
from nmfaudio.errors import ContentError, OutputError, ParameterError
from nmfaudio.kernels.threads import parallel_for

Clip = Literal["gain", "error"]

_MAX_WAV_BYTES = 2**32 - 2**16  # bytes of audio, with room for the header; beyond it RF64 is used


@dataclass(frozen=True)
class Written:
    """Audio files that were written; iterates over their paths."""

    paths: tuple[Path, ...]
    """Paths in the order of the targets."""
    gain: float
    """Factor applied to all files; below 1 if the format would have clipped a peak."""
    subtype: str
    """libsndfile's name of their coding."""

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


def write_group(
    targets: Mapping[Path, NDArray[Any]],
    sr: int,
    *,
    format: str,
    subtype: str | None = None,
    clip: Clip = "gain",
    overwrite: bool = False,
    bitrate: int | None = None,
    tags: Mapping[Path, Mapping[str, str]] | None = None,
) -> Written:
    """Write several audio files: all of them, or none.

    Each file is written under a temporary name beside its target and read back to verify it, in
    several threads; once all are complete, all are renamed. A WAV file beyond 4 GiB becomes RF64.
    Integers are rounded to the nearest.

    Parameters
    ----------
    targets : mapping of Path to np.ndarray [shape=(channel, sample) or (sample,)]
        Values of a lazy mapping are requested up to twice each, from several threads.
    sr : int
        Sample rate in Hz.
    format : str
        A key of `FORMATS`.
    subtype : str, optional
        Coding as libsndfile names it; by default 32-bit float where the format supports it, and 24
        bits for FLAC.
    clip : {"gain", "error"}
        Treatment of peaks that the format would clip: multiply all files by one common gain, or
        raise an error.
    overwrite : bool
        Whether to replace existing files.
    bitrate : int, optional
        Constant bitrate of MP3 files in kbit/s; by default it is variable.
    tags : mapping of Path to mapping of str to str, optional
        Tags of each file, such as its title, of those that `held_tags` lists for the format.

    Returns
    -------
    Written
        Paths of the files and the common gain.

    Raises
    ------
    ParameterError, ShapeError
        The format cannot hold the audio.
    ContentError
        There are no samples, some are not finite, or a peak is over full scale and `clip` is
        ``"error"``.
    OutputError
        A target exists, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stems = {Path(folder, "a.flac"): np.full(99, 2.0), Path(folder, "b.flac"): np.ones(99)}
    ...     written = write_group(stems, 8000, format="flac")
    >>> round(written.gain, 3)
    0.5
    """
    _check_clip(clip)
    check_targets(list(targets), overwrite=overwrite)
    gain, coding = 1.0, ""
    for target in targets:
        audio = as_audio(targets[target], show(target.stem))
        _, coding = check_format(format, subtype, len(audio), sr)
        gain = min(gain, _gain(target, audio, coding, clip))
    with staged(list(targets), overwrite=overwrite) as names:
        pairs = list(names.items())

        def work(indices: range) -> None:
            for target, temporary in (pairs[i] for i in indices):
                audio = as_audio(targets[target], show(target.stem))
                container, coding = check_format(format, subtype, len(audio), sr)
                own = {} if tags is None else tags.get(target, {})
                encoding = _Encoding(audio, int(sr), container, coding, gain, bitrate, own)
                _write_one(target, temporary, encoding)

        parallel_for(work, len(pairs))
    return Written(tuple(targets), gain, coding)


def stored_blocks(path: Path, y: NDArray[Any], written: Written) -> Iterator[NDArray[Any]]:
    """Yield the stored samples of a file written by `write_group`, block by block.

    Only lossy files are decoded: `write_group` has already verified the samples of all others.

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
            # Integers of any width are stored in the upper bits of an int32.
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
    """Write an audio file in the format of its suffix.

    The file is read back to verify it, and appears under its name only when it is complete.

    Parameters
    ----------
    path : str or os.PathLike
        The suffix chooses the format: wav, flac, aiff, caf, w64, au, ogg, opus or mp3.
    y : np.ndarray [shape=(channel, sample) or (sample,)]
        Floating-point audio with full scale 1.
    sr : int
        Sample rate in Hz.
    subtype : str, optional
        Coding as libsndfile names it, such as ``"PCM_16"``; by default 32-bit float where the
        format supports it, and 24 bits for FLAC.
    clip : {"gain", "error"}
        Treatment of peaks that the format would clip: reduce the gain of the file, or raise an
        error.
    overwrite : bool
        Whether to replace an existing file.

    Returns
    -------
    Written
        `paths` and the applied `gain`, which is 1 unless a peak would have been clipped.

    Raises
    ------
    ParameterError, ShapeError
        The suffix is unknown, or the format cannot hold the audio.
    ContentError
        There are no samples, some are not finite, or a peak is over full scale and `clip` is
        ``"error"``.
    OutputError
        The file exists, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "tone.flac")
    ...     written = na.write(path, tone, 8000, subtype="PCM_16")
    ...     y, sr = na.read(path)
    >>> written.gain, y.shape, sr
    (1.0, (1, 8000), 8000)
    """
    target = Path(path)
    suffix = target.suffix.lower().removeprefix(".")
    format = {"aif": "aiff", "wave": "wav"}.get(suffix, suffix)
    if format not in FORMATS:
        raise ParameterError(
            f"{show(path)}: the suffix is of no format that can be written; "
            f"need one of .{', .'.join(FORMATS)}"
        )
    return write_group(
        {target: y}, sr, format=format, subtype=subtype, clip=clip, overwrite=overwrite
    )


def _check_clip(clip: str) -> None:
    if clip not in get_args(Clip):
        raise ParameterError(f"clip={clip!r}: need one of {', '.join(get_args(Clip))}")


def _gain(target: Path, audio: NDArray[Any], subtype: str, clip: Clip) -> float:
    """Largest factor up to 1 with which no sample is clipped."""
    high, low = float(audio.max()), -float(audio.min())
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


@dataclass(frozen=True)
class _Encoding:
    """Audio of one file and its coding."""

    audio: NDArray[Any]
    sr: int
    container: str
    subtype: str
    gain: float
    bitrate: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def lossless(self) -> bool:
        """True if samples read back exactly as written."""
        return self.subtype in BITS or self.subtype in FLOATS

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples passed to libsndfile, and read back if lossless."""
        if self.subtype in BITS:
            return np.dtype(np.int32)
        return FLOATS.get(self.subtype, np.dtype(np.float32))

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Blocks [shape=(sample, channel)] exactly as they are stored.

        Integers are rounded here, because libsndfile truncates them in all formats but FLAC.
        """
        bits = BITS.get(self.subtype)
        for start in range(0, self.audio.shape[1], BLOCK):
            block = self.audio[:, start : start + BLOCK].T
            if bits is not None:
                half = 2.0 ** (bits - 1)
                codes = np.rint(block.astype(np.float64) * (self.gain * half))
                # libsndfile expects full-scale int32 for integers of any width.
                block = np.clip(codes, -half, half - 1).astype(np.int32) << (32 - bits)
            elif self.gain != 1:
                block = block * self.gain
            yield np.ascontiguousarray(block, dtype=self.dtype)

    @property
    def file_format(self) -> str:
        """Container, or RF64 for a WAV file beyond 4 GiB."""
        width = BITS.get(self.subtype, 8 * self.dtype.itemsize) // 8
        too_large = self.container == "WAV" and self.audio.size * width > _MAX_WAV_BYTES
        return "RF64" if too_large else self.container


def _write_one(target: Path, temporary: Path, encoding: _Encoding) -> None:
    """Write and verify one file under its temporary name."""
    descriptor = create(temporary, target)
    try:
        _encode(descriptor, target, encoding)
        _clear_time_stamp(descriptor, encoding)
        _verify(descriptor, target, encoding)
    finally:
        os.close(descriptor)


def _compression(encoding: _Encoding) -> dict[str, Any]:
    """Arguments of `soundfile.SoundFile` for a constant bitrate."""
    if encoding.bitrate is None:
        return {}
    level = compression_level(encoding.bitrate, encoding.sr)
    return {"compression_level": level, "bitrate_mode": "CONSTANT"}


def _encode(descriptor: int, target: Path, encoding: _Encoding) -> None:
    """Write the audio to an open file."""
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
            **_compression(encoding),
        ) as sound:
            for name, text in encoding.tags.items():
                setattr(sound, name, text)
            for block in encoding.blocks():
                sound.write(block)
    except (soundfile.SoundFileError, AssertionError) as error:
        raise write_failure(descriptor, target, str(error)) from None


def _clear_time_stamp(descriptor: int, encoding: _Encoding) -> None:
    """Clear the time stamp in the PEAK chunk of a float file: equal audio has equal bytes."""
    if encoding.subtype not in FLOATS or encoding.container not in ("WAV", "AIFF"):
        return
    order: Literal["little", "big"] = "little" if encoding.container == "WAV" else "big"
    with open(descriptor, "r+b", closefd=False) as file:
        size = file.seek(0, os.SEEK_END)
        for name, start, _ in chunks(file, size, order):
            if name == b"PEAK":
                file.seek(start + 4)  # after the version
                file.write(bytes(4))
            if name in (b"data", b"SSND"):
                return


def _verify(descriptor: int, target: Path, encoding: _Encoding) -> None:
    """Read the file back and compare shape, sample rate and, if lossless, all samples."""
    import soundfile

    os.lseek(descriptor, 0, os.SEEK_SET)
    channels, frames = encoding.audio.shape
    wrong = OutputError(
        f"{show(target)}: reads back differently than written and was removed; write again"
    )
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
