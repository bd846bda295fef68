"""Choice between a computation in memory and one in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from nmfaudio._common.memory import PROCESS, memory_limit
from nmfaudio.errors import LimitError

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio._common.files.sources import Source
    from nmfaudio.audio.io.inspecting import Header

PREVIEW = "process a shorter part with --preview"
"""Advice where a file does not fit into memory."""

_SHARE = 0.75
"""Share of the available memory that is used by default; estimates may be too low."""


class ShapeOnly:
    """Shape and type of audio that was not read, for estimates of memory.

    Parameters
    ----------
    channels, samples : int
    itemsize : int
        Bytes per sample.
    """

    ndim = 2

    def __init__(self, channels: int, samples: int, itemsize: int) -> None:
        self.shape, self.itemsize = (channels, samples), itemsize
        self.nbytes = channels * samples * itemsize

    def __len__(self) -> int:
        return self.shape[0]


def needed_memory(
    estimate: Callable[[Any, int], int],
    source: Source,
    time_range: tuple[float, float] | None,
) -> int:
    """Estimate the memory for a computation on a file, from its header.

    Parameters
    ----------
    estimate : callable
        Method ``memory`` of a separator or a transcriber.
    source : path or binary file object
    time_range : tuple of float or None
        Part of the file in seconds.

    Returns
    -------
    int
        Bytes, with those of the process.
    """
    from nmfaudio.audio.io.inspecting import read_header

    header = read_header(source)
    samples = count_samples(header, source, time_range)
    return estimate(ShapeOnly(header.channels, samples, header.dtype.itemsize), header.sr)


def count_samples(header: Header, source: Source, time_range: tuple[float, float] | None) -> int:
    """Count the samples of a file per channel, from its header if that says it.

    Parameters
    ----------
    header : Header
        Of the file.
    source : path or binary file object
    time_range : tuple of float or None
        Part of the file in seconds.

    Returns
    -------
    int
    """
    from nmfaudio.audio.io.decoding import open_audio

    if time_range is not None:
        return round((time_range[1] - time_range[0]) * header.sr)
    if header.frames is not None:
        return header.frames
    with open_audio(source) as audio:
        return sum(len(block) for block in audio.blocks())


def check_duration(source: Source, limit: float) -> None:
    """Check, from its header, that a file is not too long.

    Parameters
    ----------
    source : path or binary file object
    limit : float
        Seconds.

    Raises
    ------
    LimitError
        It is longer.
    """
    seconds = needed_memory(lambda y, sr: -(-y.shape[1] // sr), source, None)
    if seconds > limit:
        raise LimitError(
            f"lasts {seconds} s, at most {limit:g} s are processed; raise --max-duration, or"
            " process a part with --preview"
        )


def memory_budget(chosen: int | None) -> int | None:
    """Return the memory that may be used: the chosen amount, or a share of the available one."""
    if chosen is not None:
        return chosen
    limit = memory_limit()
    return None if limit is None else int(_SHARE * limit)


def check_files(
    parts: Iterable[tuple[Source, tuple[float, float] | None]], factor: float, advice: str = PREVIEW
) -> None:
    """Check from their headers that files can be read and computed with.

    Parameters
    ----------
    parts : iterable of (path, tuple of float or None)
        Files, and the part of each in seconds.
    factor : float
        Bytes of the computation for each byte of the samples.
    advice : str
        What to do if they do not fit.

    Raises
    ------
    AudioFileError
        A file cannot be opened, or is not audio.
    LimitError
        More bytes are needed than are available.
    """
    sizes = (needed_memory(lambda y, _: y.nbytes, source, part) for source, part in parts)
    check_memory(PROCESS + int(factor * sum(sizes)), advice=advice)


def check_memory(need: int, budget: int | None = None, *, advice: str = PREVIEW) -> None:
    """Check that a number of bytes can be allocated.

    Parameters
    ----------
    need : int
    budget : int, optional
        Bytes that may be used; by default those that are available without swapping.
    advice : str
        What to do if they cannot.

    Raises
    ------
    LimitError
        More bytes are needed than may be used.
    """
    limit = memory_limit() if budget is None else budget
    if limit is not None and need > limit:
        raise LimitError(f"{shortage(need, limit)}; {advice}")


def check_second(estimate: Callable[[Any, int], int], source: Source, budget: int | None) -> None:
    """Check that a second, which is shorter than any block, can be processed.

    Parameters
    ----------
    estimate : callable
        Method ``memory`` of a separator or a transcriber.
    source : path or binary file object
    budget : int or None
        Bytes that may be used, None if it is unknown.

    Raises
    ------
    LimitError
        More bytes are needed.
    """
    need = needed_memory(estimate, source, (0.0, 1.0)) - PROCESS
    if budget is not None and need > budget:
        raise LimitError(
            f"{shortage(need, budget)}, even for one second; use fewer or shorter templates, a "
            "shorter window or a longer hop"
        )


def shortage(need: int, limit: int) -> str:
    """Describe memory that is not sufficient."""
    return f"needs about {_amount(need)} of memory, {_amount(limit)} may be used"


def _amount(size: int) -> str:
    """Amount of memory in GiB, or in MiB if it is less than one."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
