"""Stems that were written to files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files.staging import staged_path
from nmfaudio._public import public
from nmfaudio.audio.transforms import transform_from
from nmfaudio.errors import AudioFileError

if TYPE_CHECKING:
    from nmfaudio.display import Panels
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.metrics.sources import Sources
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

        samples: np.ndarray = read(staged_path(self.paths[name])).samples
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
            name: read(staged_path(path), start=start, stop=stop).samples / self.gain
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
