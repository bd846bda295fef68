"""Separation of files in memory that does not grow with their length."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files.staging import PREFIX, check_targets
from nmfaudio._public import public
from nmfaudio.audio.io.decoding import open_audio
from nmfaudio.audio.io.writing import Written
from nmfaudio.audio.transforms import transform_from
from nmfaudio.errors import AudioFileError, ParameterError
from nmfaudio.stems.residual import largest_residual

if TYPE_CHECKING:
    from nmfaudio.display import Panels
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.loop import Callback
    from nmfaudio.metrics.sources import Sources
    from nmfaudio.separators.base import Separator
    from nmfaudio.separators.blockwise import StemStream
    from nmfaudio.separators.inputs import Fit
    from nmfaudio.stems.grouping import ComponentGroup
    from nmfaudio.symbolic.note import Note


@public
@dataclass(frozen=True, eq=False)
class SeparatedFile(EqualByContent, Mapping[str, np.ndarray]):
    """Stems of a file that were written to files.

    `separate_file` returns it; it is a mapping from the names of the stems to their samples, which
    are read when they are requested.

    Parameters
    ----------
    paths : dict of str to Path
        File of each stem.
    sr : int
        Sample rate in Hz.
    shape : tuple of int
        Number of channels and of samples of each stem.
    decomposition : Decomposition
        Model without activations, which `RegroupSeparator` fits to the recording again; its
        `metadata` holds transform, settings and sources.
    groups : dict of str to ComponentGroup
        Components of each stem, with their features.
    settings : dict
        Settings of the separator, JSON-serialisable.
    gain : float
        Factor applied to all stems; below 1 if the format would have clipped a peak.
    largest_residual : float or None
        Largest deviation of the sum of the stems as stored from the recording; None for a lossy
        format that cut them.
    notes : tuple of Note
        Transcribed notes, if the separator was set to keep them.

    Examples
    --------
    >>> import tempfile, nmfaudio as na
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stems = na.separate_file(na.example("drums"), folder)
    ...     percussive = stems["percussive"]
    >>> list(stems), percussive.shape == stems.shape
    (['harmonic', 'percussive'], True)
    """

    paths: dict[str, Path]
    sr: int
    shape: tuple[int, int]
    decomposition: Decomposition
    groups: dict[str, ComponentGroup]
    settings: dict[str, Any]
    gain: float
    largest_residual: float | None
    notes: tuple[Note, ...] = ()

    def __getitem__(self, name: str) -> np.ndarray:
        from nmfaudio.audio.io import read

        samples: np.ndarray = read(self.paths[name]).samples
        return samples

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def __repr__(self) -> str:
        channels, samples = self.shape
        return (
            f"SeparatedFile({', '.join(self)}: {channels} × {samples} samples at {self.sr} Hz, "
            f"{self.decomposition.n_components} components)"
        )

    def plot(self, start: float = 0.0, stop: float = 30.0, **options: Any) -> Panels:
        """Draw the spectrograms of a part of the recording and of its stems.

        The part of each stem is read from its file; the recording is their sum.

        Parameters
        ----------
        start, stop : float
            Part in seconds.
        **options
            Further arguments of `nmfaudio.plot_stems`.

        Returns
        -------
        nmfaudio.display.Panels

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        AudioFileError
            A file cannot be read.
        """
        from nmfaudio.display import plot_stems

        parts = self._part(start, stop)
        excerpt = SimpleNamespace(
            stems=parts,
            mixture=sum(parts.values()),
            sr=self.sr,
            transform=transform_from(self.decomposition.metadata["transform"]),
        )
        return plot_stems(excerpt, start=start, **options)

    def _part(self, start: float, stop: float) -> dict[str, np.ndarray]:
        """Samples of each stem between two times in seconds, without the common gain."""
        from nmfaudio.audio.io import read

        stop = min(stop, self.shape[1] / self.sr)
        return {
            name: read(path, start=start, stop=stop).samples / self.gain
            for name, path in self.paths.items()
        }

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        references: Sources | None = None,
        notes: Sequence[Note] | None = None,
        title: str | None = None,
        recording: str = "mixture.wav",
        model: str = "model.npz",
        options: Mapping[str, Sequence[str]] | None = None,
        start: float = 0.0,
        overwrite: bool = False,
    ) -> list[Path]:
        """Write a page to hear, see and regroup the stems, for any browser.

        The stems are read from their files block by block; the recording is their sum. Browsers
        hold all sounds in memory as 32-bit floats, so the page has the beginning of a recording of
        which these exceed 1 GiB: 17 minutes of two stems in stereo at 44.1 kHz, 10 of four.

        Parameters
        ----------
        path : str or os.PathLike
            The page, such as ``"song.html"``.
        references : mapping of str to np.ndarray, np.ndarray or path, optional
            True sources of the part that the page has, as `evaluate` takes them.
        notes : sequence of Note, optional
            Notes for the piano roll; by default `notes` of the stems, or the aligned score.
        title : str, optional
            Heading of the page; by default `recording`.
        recording, model : str
            Files of the recording and of the saved decomposition, for the commands that the page
            suggests.
        options : mapping of str to sequence of str, optional
            Further words of these commands, as for `Stems.report`.
        start : float
            Time of the first sample in the file of the recording in seconds, as passed to
            `separate_file`.
        overwrite : bool
            Whether existing files may be replaced.

        Returns
        -------
        list of Path
            The page, and the files of its sounds.

        Raises
        ------
        AudioFileError
            The file of a stem cannot be read.
        OutputError
            A file exists or cannot be written.
        ParameterError, ShapeError, ContentError
            The references cannot be compared with the stems, or the model lacks the fit that
            computes its activations.

        Examples
        --------
        >>> import tempfile, nmfaudio as na
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     quick = na.BlindSeparator(n_components=4, max_iter=5)
        ...     stems = na.separate_file(na.example("drums"), folder, quick, stop=1)
        ...     [path.name for path in stems.report(f"{folder}/drums.html")]
        ['drums.html']
        """
        from nmfaudio.display.report import write_report
        from nmfaudio.separators.written_stems import opened_stems
        from nmfaudio.stems.reporting import report_contents

        with opened_stems(self, start) as stems:
            contents = report_contents(
                stems,
                references=references,
                notes=notes,
                title=title,
                recording=recording,
                model=model,
                options=options,
                start=start,
            )
            contents = contents.beginning_of(self.shape[1] / self.sr)
            contents = replace(contents, sum_error=self.largest_residual)
            return write_report(path, contents, overwrite=overwrite)

    def _repr_html_(self) -> str:
        from nmfaudio.display.html import stems_html
        from nmfaudio.display.html.players import MOST_SECONDS

        parts: dict[str, np.ndarray] = {}
        problems = []
        try:
            parts = self._part(0.0, MOST_SECONDS)
        except AudioFileError as error:
            problems.append(f"There is no sound: {error}.")
        return stems_html(
            self,
            title="SeparatedFile",
            mixture=np.sum([*parts.values()], axis=0) if parts else np.zeros((self.shape[0], 0)),
            sounds={name: parts.get(name) for name in self},
            samples=self.shape[1],
            residual=self.largest_residual,
            remarks=problems,
        )

    def summary(self) -> dict[str, Any]:
        """Summarise the separation.

        Returns
        -------
        dict
            JSON-serialisable: the keys of `Stems.summary`, ``paths`` and ``gain``.
        """
        return {
            "sr": self.sr,
            "channels": self.shape[0],
            "samples": self.shape[1],
            "sources": {name: asdict(group) for name, group in self.groups.items()},
            "iterations": self.decomposition.n_iter,
            "converged": self.decomposition.converged,
            "loss": float(self.decomposition.losses[-1]),
            "largest_residual": self.largest_residual,
            "settings": self.settings,
            "paths": {name: str(path) for name, path in self.paths.items()},
            "gain": self.gain,
        }


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
        files = [opened.enter_context(open_audio(path)) for path in written.paths]
        return written, largest_residual(y, [file.blocks() for file in files], written.gain)
