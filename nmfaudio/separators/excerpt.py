"""Place of an excerpt in its file, for annotations whose times count from the file's beginning."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from nmfaudio._common.files.sources import Source


@dataclass(frozen=True)
class Excerpt:
    """Place of an excerpt in the file that it was read from.

    With it, a separator that is called on an excerpt takes all times of boxes, pitch tracks,
    aligned scores, hits and noise as seconds from the beginning of the file.

    Parameters
    ----------
    source : path or binary file object
        The complete recording.
    start : float
        Time of the first sample of the excerpt in seconds.

    Examples
    --------
    >>> import nmfaudio as na
    >>> song, hits = na.example("drums"), {"kick": [2.0, 7.5], "snare": [2.5]}
    >>> y, sr = na.read(song, start=2, stop=3)
    >>> separator = na.DrumSeparator(parts=("kick", "snare"), onsets=hits, max_iter=2)
    >>> list(separator(y, sr, excerpt=na.separators.Excerpt(song, 2)))
    ['kick', 'snare']
    """

    source: Source
    start: float

    @cached_property
    def file_duration(self) -> float:
        """Duration of the complete recording in seconds."""
        from nmfaudio.audio.io.decoding import open_audio

        with open_audio(self.source) as audio:
            frames = audio.total or sum(len(block) for block in audio.blocks())
            return frames / audio.sr

    def read(self, start: float, stop: float) -> np.ndarray:
        """Read another part of the recording.

        Parameters
        ----------
        start, stop : float
            Range in seconds from the beginning of the file.

        Returns
        -------
        np.ndarray [shape=(channel, sample)]
            Samples of the range.

        Raises
        ------
        AudioFileError, ContentError, ParameterError
            The range cannot be read, as for `nmfaudio.read`.
        """
        from nmfaudio.audio.io import read

        return read(self.source, start=start, stop=stop).samples
