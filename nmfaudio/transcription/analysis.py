"""Salience of a recording before its notes are decoded, and its files."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files import load_archive, save_archive, show
from nmfaudio._common.files.sources import MALFORMED, Source
from nmfaudio._common.validation import frame_step
from nmfaudio.errors import AudioFileError
from nmfaudio.transcription.instruments import InstrumentSalience
from nmfaudio.transcription.salience import Salience
from nmfaudio.transcription.suitability import Suitability

_KIND = "analysis"  # of the file


@dataclass(frozen=True, eq=False, repr=False)
class Analysis(EqualByContent):
    """Salience of a recording, all that a transcriber needs to decode its notes.

    `nmfaudio.Transcriber.analyse` returns one, and `decode` turns it into notes within
    milliseconds, as often as settings of the decoding change.

    Parameters
    ----------
    salience : Salience
        Strength of each pitch, frame by frame.
    duration : float
        Duration of the recording in seconds.
    suitability : Suitability
        Measure of whether the recording is of the kind that the dictionary is for.

    Examples
    --------
    >>> import nmfaudio as na
    >>> transcriber = na.Transcriber()
    >>> analysis = transcriber.analyse(na.example("piano"))
    >>> len(transcriber.decode(analysis)) > len(transcriber.with_decoding(threshold=1).decode(
    ...     analysis))
    True
    """

    salience: Salience
    duration: float
    suitability: Suitability

    def __repr__(self) -> str:
        return f"Analysis({self.duration:g} s, {self.salience!r})"

    def plot(self, **options: Any) -> Any:
        """Draw the salience, as `Salience.plot` does.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_notes`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        return self.salience.plot(**options)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save as a NumPy archive without pickle.

        Parameters
        ----------
        path : str or os.PathLike
            Such as ``"song.npz"``.
        overwrite : bool
            Whether to replace an existing file.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            The file exists or cannot be written.
        """
        value = self.suitability.value
        header: dict[str, Any] = {
            "kind": _KIND,
            "duration": self.duration,
            "suitability": None if math.isnan(value) else value,
            "limit": self.suitability.limit,
        }
        arrays = {name: getattr(self.salience, name) for name in ("values", "pitches", "times")}
        if isinstance(self.salience, InstrumentSalience):
            header["labels"] = list(self.salience.labels)
            arrays |= {"parts": self.salience.parts, "partials": self.salience.partials}
        return save_archive(path, header, arrays, overwrite=overwrite)

    @classmethod
    def load(cls, path: Source) -> Self:
        """Load a file that `save` wrote.

        Parameters
        ----------
        path : str, bytes, os.PathLike or binary file object

        Returns
        -------
        Analysis

        Raises
        ------
        AudioFileError
            The file cannot be read, or is no such file.
        """
        header, arrays = load_archive(path, kind=_KIND)
        try:
            salience = Salience(arrays["values"], arrays["pitches"], arrays["times"])
            if "labels" in header:
                labels = tuple(header["labels"])
                parts = {name: arrays[name] for name in ("parts", "partials")}
                if parts["parts"].shape != (len(labels), *salience.values.shape):
                    raise ValueError("one part for each label is needed")
                salience = InstrumentSalience(**vars(salience), labels=labels, **parts)
            frame_step(salience.values, salience.times)
            if salience.pitches.shape != salience.values.shape[:1]:
                raise ValueError("one pitch for each row is needed")
            value, limit = header["suitability"], header["limit"]
            suitability = Suitability(math.nan if value is None else float(value), limit)
            return cls(salience, float(header["duration"]), suitability)
        except MALFORMED as error:
            raise AudioFileError(f"{show(path)}: not a usable analysis: {error}") from None
