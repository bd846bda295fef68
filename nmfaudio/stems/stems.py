"""Stems of a recording, with the model and the masks that made them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._public import public
from nmfaudio.audio.masking import Masking, apply_masks
from nmfaudio.audio.transforms import Transform
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.stems.grouping import ComponentGroup
from nmfaudio.stems.masks import group_masks

if TYPE_CHECKING:
    from nmfaudio.audio.io import Written
    from nmfaudio.display import Panels
    from nmfaudio.metrics.sources import Sources
    from nmfaudio.symbolic.note import Note


@public
@dataclass(frozen=True, eq=False)
class Stems(EqualByContent, Mapping[str, np.ndarray]):
    """Named stems that sum to the mixture.

    Separators return it; it is a mapping from the names of the stems to their samples.

    Parameters
    ----------
    stems : dict of str to np.ndarray [shape=(channel, sample)]
        Samples of each stem, also available as ``stems[name]``.
    mixture : np.ndarray [shape=(channel, sample)]
        The recording that was separated.
    sr : int
        Sample rate in Hz.
    decomposition : Decomposition
        Model of the mixture's spectrogram; its `metadata` holds transform, settings and sources.
    transform : Transform
        Transform of the mixture.
    groups : dict of str to ComponentGroup
        Components of each stem, with their features.
    masking : Masking
        Kind of the masks.
    settings : dict
        Settings of the separator, JSON-serialisable.
    notes : tuple of Note
        Transcribed notes, if the separator was set to keep them.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> stems = na.separate(y, 8000, n_components=4, max_iter=5)
    >>> list(stems)
    ['harmonic', 'percussive']
    >>> bool(np.allclose(stems["harmonic"] + stems["percussive"], y))
    True
    """

    stems: dict[str, np.ndarray]
    mixture: np.ndarray
    sr: int
    decomposition: Decomposition
    transform: Transform
    groups: dict[str, ComponentGroup]
    masking: Masking
    settings: dict[str, Any]
    notes: tuple[Note, ...] = ()

    def __getitem__(self, name: str) -> np.ndarray:
        return self.stems[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.stems)

    def __len__(self) -> int:
        return len(self.stems)

    def __repr__(self) -> str:
        channels, samples = self.mixture.shape
        return (
            f"Stems({', '.join(self)}: {channels} × {samples} samples at {self.sr} Hz, "
            f"{self.decomposition.n_components} components)"
        )

    def _repr_html_(self) -> str:
        from nmfaudio.display.html import stems_html

        return stems_html(
            self,
            title="Stems",
            mixture=self.mixture,
            sounds=self.stems,
            samples=self.mixture.shape[1],
            residual=float(np.abs(self.residual()).max(initial=0.0)),
        )

    def plot(self, **options: Any) -> Panels:
        """Draw the spectrograms of the mixture and of each stem.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.plot_stems`.

        Returns
        -------
        nmfaudio.display.Panels

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display import plot_stems

        return plot_stems(self, **options)

    def residual(self) -> np.ndarray:
        """Subtract the sum of the stems from the mixture.

        Returns
        -------
        np.ndarray [shape=(channel, sample)]
            Rounding errors only.
        """
        difference: np.ndarray = self.mixture - sum(self.stems.values())
        return difference

    def components(self) -> Iterator[tuple[str, np.ndarray]]:
        """Render each component separately.

        A component is masked within its stem as stems are within the mixture, so the components of
        a stem sum to that stem. Those of one stem are computed together.

        Yields
        ------
        name : str
            Name of the component, ``"<stem>-<component>"``.
        audio : np.ndarray [shape=(channel, sample)]
            Samples of the component.
        """
        for name, group in self.groups.items():
            if not group.components:
                continue
            masks = group_masks(self.decomposition, [[k] for k in group.components], self.masking)
            parts = apply_masks(masks, len(group.components), self.stems[name], self.transform)
            for k, part in zip(group.components, parts, strict=True):
                yield f"{name}-{k}", part

    def summary(self) -> dict[str, Any]:
        """Summarise the separation.

        Returns
        -------
        dict
            JSON-serialisable: ``sr``, ``channels``, ``samples``, ``sources`` (the fields of each
            `ComponentGroup`), ``iterations``, ``converged``, ``loss``, ``largest_residual`` (peak
            of `residual`) and ``settings``.
        """
        return {
            "sr": self.sr,
            "channels": len(self.mixture),
            "samples": self.mixture.shape[1],
            "sources": {name: asdict(group) for name, group in self.groups.items()},
            "iterations": self.decomposition.n_iter,
            "converged": self.decomposition.converged,
            "loss": float(self.decomposition.losses[-1]),
            "largest_residual": float(np.abs(self.residual()).max()),
            "settings": self.settings,
        }

    def report(
        self,
        path: str | Path,
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

        The page is a single file that needs no network. Beyond one minute its sound is in the
        folder ``<name>_files`` beside it. Components have sound of the whole recording up to 20
        minutes in total, otherwise excerpts of where they are loudest.

        Parameters
        ----------
        path : str or Path
            The page, such as ``"song.html"``.
        references : mapping of str to np.ndarray, np.ndarray or path, optional
            True sources, as `evaluate` takes them, for a table of measures.
        notes : sequence of Note, optional
            Notes for the piano roll; by default `notes` of the stems, or the aligned score.
        title : str, optional
            Heading of the page; by default `recording`.
        recording, model : str
            Files of the recording and of the saved decomposition, for the commands that the page
            suggests.
        options : mapping of str to sequence of str, optional
            Further words of these commands, such as ``{"regroup": ["--refine", "none"]}``; the
            other command is ``"paint"``.
        start : float
            Time of the first sample in the file of the recording, in seconds: boxes for ``paint``
            count from the beginning of the file.
        overwrite : bool
            Whether existing files may be replaced.

        Returns
        -------
        list of Path
            The page, and the files of its sounds.

        Raises
        ------
        OutputError
            A file exists or cannot be written.
        ParameterError, ShapeError, ContentError
            The references cannot be compared with the stems.

        Examples
        --------
        >>> import tempfile, numpy as np, nmfaudio as na
        >>> y = np.random.default_rng(0).standard_normal((1, 8000))
        >>> stems = na.separate(y, 8000, n_components=4, max_iter=5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     [path.name for path in stems.report(f"{folder}/noise.html")]
        ['noise.html']
        """
        from nmfaudio.display.report import write_report
        from nmfaudio.stems.reporting import report_contents

        contents = report_contents(
            self,
            references=references,
            notes=notes,
            title=title,
            recording=recording,
            model=model,
            options=options,
            start=start,
        )
        return write_report(path, contents, overwrite=overwrite)

    def save(
        self,
        directory: str | Path,
        *,
        format: str = "wav",
        subtype: str | None = None,
        clip: Literal["gain", "error"] = "gain",
        overwrite: bool = False,
        components_too: bool = False,
    ) -> Written:
        """Write every stem to ``<directory>/<name>.<format>``: all of them, or none.

        Characters that no file name may have become underscores. Of stems whose file names would
        then differ in nothing but case, the later ones are numbered: ``<name>-2.<format>``.

        Parameters
        ----------
        directory : str or Path
            Folder of the files; created if it does not exist.
        format : str
            File format: ``"wav"``, ``"flac"``, ``"ogg"``, ``"mp3"``, ``"aiff"``, …
        subtype : str, optional
            Sample format as libsndfile names it, e.g. ``"PCM_16"``; by default 32-bit float for
            wav.
        clip : "gain" or "error"
            Treatment of peaks above full scale in integer formats: one common gain for all stems,
            or an error.
        overwrite : bool
            Whether existing files may be replaced.
        components_too : bool
            Whether each component is also written, to ``<directory>/components``.

        Returns
        -------
        Written
            Paths of the files, in the order of the stems and then of the components, and the
            common gain.

        Raises
        ------
        OutputError
            A file exists or cannot be written.
        ParameterError
            The format cannot store this audio.
        ContentError
            A peak is above full scale, and `clip` is ``"error"``.
        """
        from nmfaudio._common.files import distinct_names
        from nmfaudio.audio.io import write_group

        folder = Path(directory)
        targets = {
            folder / f"{file}.{format}": stem
            for file, stem in zip(distinct_names(self), self.values(), strict=True)
        }
        if components_too:
            parts = dict(self.components())
            targets |= {
                folder / "components" / f"{file}.{format}": audio
                for file, audio in zip(distinct_names(parts), parts.values(), strict=True)
            }
        return write_group(
            targets, self.sr, format=format, subtype=subtype, clip=clip, overwrite=overwrite
        )

    def save_notes(self, directory: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Write the notes to ``<directory>/notes.mid`` and ``notes.csv``.

        Parameters
        ----------
        directory : str or Path
            Created if it does not exist.
        overwrite : bool
            Whether existing files may be replaced.

        Returns
        -------
        list of Path
            Files that were written.

        Raises
        ------
        OutputError
            A file exists or cannot be written.
        """
        from nmfaudio.symbolic.writing import save_notes

        return save_notes(directory, self.notes, overwrite=overwrite)
