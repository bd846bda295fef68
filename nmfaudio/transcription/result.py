"""Result of a transcription: notes, salience, and exports of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmfaudio._public import public
from nmfaudio.audio.transforms import Transform
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.note_result import NoteResult
from nmfaudio.transcription.salience import Salience
from nmfaudio.transcription.suitability import Suitability

if TYPE_CHECKING:
    from nmfaudio.stems.stems import Stems


@public
@dataclass(frozen=True, eq=False, repr=False)
class Transcription(NoteResult):
    """Notes of a recording, with the salience and decomposition that they were decoded from.

    Parameters
    ----------
    notes : tuple of Note
        By onset, then pitch.
    salience : Salience
        Strength of each pitch, frame by frame.
    mixture : np.ndarray [shape=(channel, sample)]
        The recording.
    sr : int
        Its sample rate in Hz.
    decomposition : Decomposition
        Decomposition of the recording, at the transform's sample rate.
    transform : Transform
        Transform that was decomposed; its sample rate may differ from `sr`.
    pitches : tuple of (float or None)
        MIDI number of the notes that each component makes, None where it makes none.
    settings : Mapping
        Settings of the transcriber, JSON-serialisable.
    suitability : Suitability, optional
        Measure of whether the recording is of the kind that the dictionary is for.
    labels : tuple of (str or None)
        Instrument of each component, the track of its notes; empty where there is only one.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050) * np.linspace(1, 0, 22050) ** 3
    >>> transcription = na.Transcriber()(y, 22050)
    >>> transcription.notes[0].pitch
    69.0
    >>> list(transcription.stems())
    ['A4', 'rest']
    """

    notes: tuple[Note, ...]
    salience: Salience
    mixture: np.ndarray
    sr: int
    decomposition: Decomposition
    transform: Transform
    pitches: tuple[float | None, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    suitability: Suitability | None = None
    labels: tuple[str | None, ...] = ()

    def __repr__(self) -> str:
        channels, samples = self.mixture.shape
        return (
            f"Transcription({len(self.notes)} notes: {channels} × {samples} samples at "
            f"{self.sr} Hz, {self.decomposition.n_components} components)"
        )

    def _repr_html_(self) -> str:
        from nmfaudio.display.html import transcription_html

        return transcription_html(self)

    @property
    def duration(self) -> float:
        """Duration of the recording in seconds."""
        return float(self.mixture.shape[1] / self.sr)

    @property
    def detuning(self) -> float:
        """Interval in semitones by which the recording is higher than the dictionary.

        0 if it was not estimated.
        """
        return float(self.decomposition.metadata.get("detuning", 0.0))

    def sonify(self, *, beside: bool = False) -> np.ndarray:
        """Synthesise the notes as simple tones and drums as clicks, to check them by ear.

        Parameters
        ----------
        beside : bool
            Return two channels: the recording mixed to mono on the left, the notes on the right.

        Returns
        -------
        np.ndarray [shape=(sample,) or (channel, sample)]
            Scaled to the peak of the recording; with `beside`, two channels.
        """
        from nmfaudio.transcription.sonification import tones

        mono = self.mixture.mean(axis=0)
        peak = float(np.abs(mono).max()) or 1.0
        synthesised = (peak * tones(self.notes, len(mono), self.sr)).astype(mono.dtype)
        return np.stack([mono, synthesised]) if beside else synthesised

    def stems(self, *, by: Literal["note", "pitch", "hand", "track"] = "pitch") -> Stems:
        """Separate the recording into stems of its notes, pitches, hands or tracks.

        The components of a pitch belong to one note at a time: from its onset until it has died
        away or the next note of that pitch begins. Wiener masks of these parts of the model
        divide the recording. Sound of no note is the stem ``rest``.

        Parameters
        ----------
        by : "note", "pitch", "hand" or "track"
            Notes that share a stem. Two tracks are two hands, the higher one the right;
            otherwise the hands are divided at middle C. The tracks of drums are the parts of the
            kit.

        Returns
        -------
        Stems
            They sum to the recording. Their groups list components only where the recording has
            the transform's sample rate.

        Raises
        ------
        ParameterError
            `by` is not one of these.
        """
        from nmfaudio.transcription.note_stems import note_stems

        return note_stems(self, by)

    def report(
        self,
        path: str | Path,
        *,
        by: Literal["note", "pitch", "hand", "track"] = "hand",
        title: str | None = None,
        recording: str = "mixture.wav",
        model: str = "model.npz",
        overwrite: bool = False,
    ) -> list[Path]:
        """Write a page to hear and see the notes and their stems, for any browser.

        It has no cards of components, since these belong to one stem after another.

        Parameters
        ----------
        path : str or Path
            The page, such as ``"song.html"``; see `Stems.report`.
        by : "note", "pitch", "hand" or "track"
            Notes that share a stem; see `stems`.
        title : str, optional
            Heading of the page; by default `recording`.
        recording, model : str
            Files of the recording and of the saved decomposition, for the commands that the page
            suggests.
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
        ParameterError
            `by` is not one of these.
        """
        stems = self.stems(by=by)
        groups = {name: replace(group, components=()) for name, group in stems.groups.items()}
        return replace(stems, groups=groups).report(
            path,
            notes=self.notes,
            title=title,
            recording=recording,
            model=model,
            overwrite=overwrite,
        )
