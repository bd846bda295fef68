"""Separation of files in memory that does not grow with their length."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmfaudio._common.files.staging import PREFIX, staged_path
from nmfaudio._common.files.targets import check_targets
from nmfaudio._public import public
from nmfaudio.audio.io.decoding import open_audio
from nmfaudio.audio.io.writing import Written
from nmfaudio.errors import ParameterError
from nmfaudio.separators.separated_file import SeparatedFile
from nmfaudio.stems.residual import largest_residual

if TYPE_CHECKING:
    from nmfaudio.factorisation.loop import Callback
    from nmfaudio.separators.base import Separator
    from nmfaudio.separators.blockwise import StemStream
    from nmfaudio.separators.inputs import Fit


@public
def separate_file(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    separator: Separator | None = None,
    *,
    rng: int | np.random.Generator | None = 0,
    callback: Callback | None = None,
    start: float | None = None,
    stop: float | None = None,
    fit: Fit = "frames",
    format: str = "wav",
    subtype: str | None = None,
    clip: Literal["gain", "error"] = "gain",
    overwrite: bool = False,
    executor: Any = None,
) -> SeparatedFile:
    """Separate a file of any length into files, in memory that does not grow with the length.

    The templates are learned from frames that are spread over the recording. Then it is read again
    block by block: the activations of a block are fitted, and its stems are written.

    Parameters
    ----------
    path : str or os.PathLike
        A file in a format that libsndfile supports.
    folder : str or os.PathLike
        Folder of the stems, ``<folder>/<name>.<format>``; created if it does not exist.
    separator : Separator, optional
        Separator with its settings; by default a `BlindSeparator`.
    rng : int, np.random.Generator or None
        Seed of the random numbers; the same seed gives the same bytes, on any number of threads.
    callback : callable, optional
        Called with a `Progress` every ten iterations; returning True stops the iterations.
    start, stop : float, optional
        Range in seconds to separate; by default the whole file.
    fit : "frames" or "all"
        Frames from which templates are learned: 8,192 or fewer that are spread over the recording,
        or all of them, whose spectrogram is a temporary file; see `NmfSeparator.stream`.
    format : str
        File format: ``"wav"``, ``"flac"``, ``"ogg"``, ``"mp3"``, ``"aiff"``, …
    subtype : str, optional
        Sample format as libsndfile names it, e.g. ``"PCM_16"``; by default 32-bit float for wav.
    clip : "gain" or "error"
        Treatment of peaks above full scale in integer formats: one common gain for all stems, or an
        error.
    overwrite : bool
        Whether existing files may be replaced.
    executor : None, "processes", int, str, or object
        Anything with ``submit(function, *arguments)``, as for `fit_corpus`: the stems are rendered
        in tasks of about five minutes of the recording, to scratch files in `folder`, and have the
        same bytes. By default they are rendered in this process.

    Returns
    -------
    SeparatedFile
        Paths and model of the stems, which sum to the recording.

    Raises
    ------
    AudioFileError
        The file cannot be read, or is changed meanwhile.
    ParameterError, ShapeError, ContentError
        A setting or the audio is invalid.
    LimitError
        The separator needs the whole recording in memory.
    OutputError
        A file exists or cannot be written, or the disk has no space for the spectrogram.

    Examples
    --------
    >>> import tempfile, nmfaudio as na
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stems = na.separate_file(na.example("drums"), folder, na.BlindSeparator(n_sources=3))
    >>> [path.name for path in stems.paths.values()]
    ['source-1.wav', 'source-2.wav', 'source-3.wav']
    """
    from nmfaudio._common.files import distinct_names
    from nmfaudio._common.validation import shown
    from nmfaudio.audio.io.track import open_track
    from nmfaudio.separators.blind import BlindSeparator
    from nmfaudio.separators.excerpt import Excerpt

    separator = BlindSeparator() if separator is None else separator
    if not callable(getattr(separator, "stream", None)):
        raise ParameterError(
            f"separator is {shown(separator)}; it must be a separator such as na.HpssSeparator()"
        )
    excerpt = None if start is None and stop is None else Excerpt(path, start or 0.0)
    with open_track(path, start=start, stop=stop) as track:
        stream = separator.stream(
            track, track.sr, rng=rng, callback=callback, excerpt=excerpt, fit=fit
        )
        names = stream.names
        targets = {
            name: Path(folder, f"{file}.{format}")
            for name, file in zip(names, distinct_names(names), strict=True)
        }
        encoding = {"format": format, "subtype": subtype, "clip": clip, "overwrite": overwrite}
        check_targets(list(targets.values()), overwrite=overwrite)
        with _rendered(stream, path, folder, separator, executor) as rendered:
            written, error = write_stream(rendered, targets, **encoding)
    return SeparatedFile(
        targets,
        track.sr,
        track.shape,
        stream.model(),
        dict(stream.learned.groups),
        stream.settings,
        written.gain,
        error,
        stream.learned.notes,
    )


@contextmanager
def _rendered(
    stream: StemStream,
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    separator: Separator,
    executor: Any,
) -> Iterator[StemStream]:
    """Render the shards of a stream on an executor; without one, return the stream itself."""
    from nmfaudio._common.executors import map_tasks
    from nmfaudio.separators.render_shards import (
        is_divisible,
        open_shards,
        prepare_shards,
        render_shard,
    )

    if executor is None or not is_divisible(separator):
        yield stream
        return
    is_new = not os.path.lexists(folder)
    os.makedirs(folder, exist_ok=True)
    try:
        with TemporaryDirectory(prefix=PREFIX, dir=folder) as name:
            scratch = os.path.abspath(name)
            count = prepare_shards(stream, path, scratch)
            for _ in map_tasks(render_shard, ((scratch, n) for n in range(count)), executor):
                pass
            if not count:
                yield stream
                return
            with open_shards(scratch, separator.finisher) as rendered:  # type: ignore[attr-defined]
                yield rendered
    except BaseException:
        if is_new:
            with suppress(OSError):  # it has files
                os.rmdir(folder)
        raise


def write_stream(
    stream: StemStream, targets: Mapping[str, Path], **encoding: Any
) -> tuple[Written, float | None]:
    """Render stems block by block and write them.

    Parameters
    ----------
    stream : StemStream
    targets : mapping of str to Path
        File of each stem to write, not necessarily of all stems.
    **encoding
        Keyword arguments of `open_group`.

    Returns
    -------
    written : Written
    largest_residual : float or None
        Largest deviation of the sum of the files from the recording; None if some stems are not
        written, or a lossy format cut them.

    Raises
    ------
    OutputError, ParameterError, ContentError
        As for `open_group`.
    """
    from nmfaudio.audio.io.appending import open_group

    y, sr = stream.y, stream.transform.sr
    chosen = [stream.names.index(name) for name in targets]
    largest, done = 0.0, 0
    with open_group(list(targets.values()), sr, *y.shape, **encoding) as group:
        for block in stream.blocks():
            group.append([block[k] for k in chosen])
            rest = y[:, done : done + block.shape[-1]] - block.sum(axis=0, dtype=np.float64)
            largest = max(largest, float(np.abs(rest).max(initial=0)))
            done += block.shape[-1]
    written: Written = group.written
    if len(chosen) < len(stream.names):
        return written, None
    if written.subtype == "DOUBLE" or (written.subtype == "FLOAT" and y.dtype == np.float32):
        return written, largest
    with ExitStack() as opened:
        files = [opened.enter_context(open_audio(staged_path(path))) for path in written.paths]
        return written, largest_residual(y, [file.blocks() for file in files], written.gain)
