"""Data that a report page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio.transforms import Transform
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.symbolic.note import Note


@dataclass(frozen=True, eq=False)
class ComponentSound:
    """Sound of one component, whole or an excerpt.

    Parameters
    ----------
    start : float
        Time of the first sample in the recording, in seconds.
    samples : np.ndarray [shape=(sample,)]
        One channel, at the sample rate of the recording.
    """

    start: float
    samples: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportContents:
    """All that a report page shows.

    Parameters
    ----------
    title : str
        Heading of the page.
    sr : int
        Sample rate in Hz.
    mixture : np.ndarray or LazyAudio [shape=(channel, sample)]
        The recording.
    stems : mapping of str to np.ndarray or LazyAudio [shape=(channel, sample)]
        Samples of each stem.
    groups : mapping of str to sequence of int
        Components of each stem; stems without components may be missing.
    decomposition : Decomposition
        Model with templates and activations.
    transform : Transform
        Transform that was decomposed.
    sounds : mapping of int to ComponentSound
        Sound of each component of the groups; components may be missing.
    rests : mapping of str to np.ndarray [shape=(sample,)]
        For stems of which some components lack a whole sound, the sound of these together.
    settings : mapping of str to Any
        Settings of the separator, JSON-serialisable.
    notes : sequence of Note
        Notes for the piano roll.
    scores : mapping of str to mapping of str to float
        For each stem, measures by title, such as ``{"SDR": 7.1}``; empty without references.
    references : mapping of str to str
        For each stem of `scores`, the name of the reference that it is compared with.
    recording, model : str
        File names in the commands that the page suggests.
    options : mapping of str to sequence of str
        Further words of these commands, by the name of the command: ``regroup`` and ``paint``.
    start : float
        Time of the first sample in the file of the recording, in seconds, for boxes.
    alpha : float
        Exponent of the masks.
    sum_error : float, optional
        Largest difference between the sum of the stems and the recording, if it is known.
    remarks : sequence of str
        Sentences at the head of the page.
    """

    title: str
    sr: int
    mixture: np.ndarray | LazyAudio
    stems: Mapping[str, np.ndarray | LazyAudio]
    groups: Mapping[str, Sequence[int]]
    decomposition: Decomposition
    transform: Transform
    sounds: Mapping[int, ComponentSound]
    rests: Mapping[str, np.ndarray] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[Note] = ()
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    recording: str = "mixture.wav"
    model: str = "model.npz"
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    start: float = 0.0
    alpha: float = 2.0
    sum_error: float | None = None
    remarks: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """Duration of the recording in seconds."""
        return float(self.mixture.shape[1] / self.sr)

    def cut(self, seconds: float) -> ReportContents:
        """Return the contents of the beginning of the recording.

        Parameters
        ----------
        seconds : float
            Longest duration.

        Returns
        -------
        ReportContents
            These contents, if they are not longer.
        """
        if self.seconds <= seconds:
            return self
        count = int(seconds * self.sr)
        sounds = {
            k: ComponentSound(sound.start, sound.samples[: count - int(sound.start * self.sr)])
            for k, sound in self.sounds.items()
            if sound.start < seconds
        }
        return replace(
            self,
            mixture=self.mixture[:, :count],
            stems={name: y[:, :count] for name, y in self.stems.items()},
            sounds=sounds,
            rests={name: y[:count] for name, y in self.rests.items()},
            notes=[note for note in self.notes if note.onset < seconds],
        )

    def beginning_of(self, duration: float) -> ReportContents:
        """Return these contents with a remark if the whole recording is longer than they are.

        Parameters
        ----------
        duration : float
            Duration of the whole recording in seconds.

        Returns
        -------
        ReportContents
        """
        if duration < self.seconds + 1 / self.sr:
            return self
        text = (
            f"This page has the first {_minutes(self.seconds)} of {_minutes(duration)}, as browsers"
            " hold all sounds in memory; the files of the stems and the commands are of the whole."
        )
        notes = [note for note in self.notes if note.onset < self.seconds]
        return replace(self, remarks=(*self.remarks, text), notes=notes)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
