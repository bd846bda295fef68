"""Recordings to learn from: files, arrays, excerpts of them, and folders of hits or notes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files import show
from nmfaudio._common.files.names import AUDIO_SUFFIXES, no_audio_files
from nmfaudio._common.validation import as_audio, as_number, as_sample_rate, require_array
from nmfaudio._public import public
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.symbolic.names import pitch_named


@public
@dataclass(frozen=True, eq=False)
class Recording(EqualByContent):
    """Recording of a source, or an excerpt of one, to learn templates from.

    Parameters
    ----------
    audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
        Audio file, or samples.
    start_time : float, optional
        Begin of the excerpt in seconds; by default that of the recording.
    stop_time : float, optional
        End of the excerpt in seconds; by default that of the recording.
    pitch : float, optional
        MIDI number, if the recording has a single note.
    isolated : bool
        Whether the recording has a single sound, a hit or a note, which gets templates of its
        own. Always true with `pitch`.

    Raises
    ------
    ParameterError
        The pitch or the excerpt is invalid.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.Recording("mix.wav", 12, 15.5).name
    'mix.wav 12-15.5 s'
    """

    audio: str | os.PathLike[str] | np.ndarray
    start_time: float | None = None
    stop_time: float | None = None
    pitch: float | None = None
    isolated: bool = False

    def __post_init__(self) -> None:
        require_array(self.audio, "audio")
        for name in ("start_time", "stop_time", "pitch"):
            if getattr(self, name) is not None:
                as_number(getattr(self, name), name, low=0)
        if self.stop_time is not None and self.stop_time <= (self.start_time or 0):
            raise ParameterError(
                f"stop_time is {self.stop_time} s and start_time is {self.start_time or 0} s; "
                "stop_time must be later"
            )
        object.__setattr__(self, "isolated", self.isolated or self.pitch is not None)

    @property
    def name(self) -> str:
        """File name and excerpt, for messages."""
        name = "an array" if isinstance(self.audio, np.ndarray) else show(self.audio)
        if self.start_time is None and self.stop_time is None:
            return name
        stop = "" if self.stop_time is None else f"{self.stop_time:g}"
        return f"{name} {self.start_time or 0:g}-{stop} s"

    def load(self, sr: int | None) -> tuple[np.ndarray, int]:
        """Read the samples of the excerpt.

        Parameters
        ----------
        sr : int or None
            Sample rate of an array in Hz; not used for files.

        Returns
        -------
        samples : np.ndarray [shape=(channel, sample)]
        sr : int
            Sample rate in Hz.

        Raises
        ------
        AudioFileError
            The file cannot be read.
        ParameterError
            `audio` is an array and `sr` is None.
        ContentError
            The excerpt does not lie within the recording.
        """
        if not isinstance(self.audio, np.ndarray):
            from nmfaudio.audio.io import read

            decoded = read(self.audio, start=self.start_time, stop=self.stop_time)
            return decoded.samples, decoded.sr
        if sr is None:
            raise ParameterError("sr is missing; give the sample rate of the array in Hz")
        sr = as_sample_rate(sr)
        samples = as_audio(self.audio, "a recording")
        stop = None if self.stop_time is None else round(self.stop_time * sr)
        samples = samples[:, round((self.start_time or 0) * sr) : stop]
        if not samples.size:
            raise ContentError(
                f"{self.name} lies outside the recording, which lasts "
                f"{self.audio.shape[-1] / sr:g} s; give times within it"
            )
        return samples, sr


AnyRecording: TypeAlias = "str | os.PathLike[str] | np.ndarray | Recording"


def as_recordings(sources: AnyRecording | Sequence[AnyRecording]) -> list[Recording]:
    """List the recordings of a label, with each folder replaced by its files.

    The files of a folder are isolated sounds. Where all of them are named by a MIDI number or a
    note (``60.wav``, ``F#3.flac``, ``Bb2.ogg``), that is their pitch.

    Parameters
    ----------
    sources : path, np.ndarray or Recording, or a sequence of them

    Returns
    -------
    list of Recording

    Raises
    ------
    ParameterError
        There is no source, or one is not a path, an array or a Recording.
    ContentError
        A folder has no audio files.
    """
    require_array(sources, "a recording")
    recordings = []
    for source in list(sources) if isinstance(sources, list | tuple) else [sources]:
        require_array(source, "a recording")
        if not isinstance(source, str | os.PathLike | np.ndarray | Recording):
            raise ParameterError(
                f"got {type(source).__name__} as a recording; give a path, an array or a Recording"
            )
        recordings += _files_of(source if isinstance(source, Recording) else Recording(source))
    if not recordings:
        raise ParameterError("no recordings; give at least 1")
    return recordings


def _files_of(recording: Recording) -> list[Recording]:
    """Files of a folder, or the recording itself."""
    if isinstance(recording.audio, np.ndarray) or not os.path.isdir(recording.audio):
        return [recording]
    paths = sorted(
        path
        for path in Path(recording.audio).iterdir()
        if path.suffix.lower() in AUDIO_SUFFIXES
        and not path.name.startswith(".")
        and path.is_file()
    )
    if not paths:
        raise ContentError(no_audio_files(recording.audio))
    pitches: list[float | None] = [pitch_named(path.stem) for path in paths]
    if recording.pitch is not None or None in pitches:
        pitches = [recording.pitch] * len(paths)
    return [
        replace(recording, audio=path, pitch=pitch, isolated=True)
        for path, pitch in zip(paths, pitches, strict=True)
    ]
