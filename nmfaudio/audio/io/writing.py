"""Writing of audio files: verified, all of a group or none, and without silent clipping."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmfaudio._common.files.names import show
from nmfaudio._common.files.staging import staged, staged_path
from nmfaudio._common.files.targets import check_targets
from nmfaudio._common.validation import as_audio
from nmfaudio._public import public
from nmfaudio.audio.io.decoding import BLOCK, open_audio
from nmfaudio.audio.io.encoding import (
    Clip,
    check_clip,
    choose_coding,
    encode,
    is_lossless,
    largest_gain,
    stored_samples,
)
from nmfaudio.audio.io.formats import FORMATS
from nmfaudio.errors import OutputError, ParameterError
from nmfaudio.kernels.threads import parallel_for


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
    check_clip(clip)
    check_targets(list(targets), overwrite=overwrite)
    gain, coding = 1.0, ""
    for target in targets:
        audio = as_audio(targets[target], show(target.stem))
        channels, samples = audio.shape
        coding = choose_coding(format, subtype, sr, channels, samples).subtype
        high, low = float(audio.max()), -float(audio.min())
        gain = min(gain, largest_gain(target, high, low, coding, clip))
    with staged(list(targets), overwrite=overwrite) as names:
        pairs = list(names.items())

        def work(indices: range) -> None:
            for target, temporary in (pairs[i] for i in indices):
                audio = as_audio(targets[target], show(target.stem))
                channels, samples = audio.shape
                coding = choose_coding(format, subtype, sr, channels, samples, bitrate)
                own = {} if tags is None else tags.get(target, {})
                encode(target, temporary, replace(coding, gain=gain, tags=own), [audio])

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
    if is_lossless(written.subtype):
        audio = as_audio(y, show(path.stem))
        for start in range(0, audio.shape[1], BLOCK):
            part = audio[:, start : start + BLOCK]
            block = stored_samples(part, written.subtype, written.gain)
            # Integers of any width are stored in the upper bits of an int32.
            yield block / 2.0**31 if block.dtype == np.int32 else block
        return
    with open_audio(staged_path(path)) as file:
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
