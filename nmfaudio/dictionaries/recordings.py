"""Examples of sounds: recordings, stretches of them, folders of hits and of notes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from nmfaudio._common.files import show
from nmfaudio._common.validation import as_audio, as_number
from nmfaudio._public import public
from nmfaudio.errors import ContentError, ParameterError

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".caf", ".w64", ".au")
"""What the files of a folder must end in to be taken for audio."""

_NOTE = re.compile(r"([A-Ga-g])(##?|bb?|s)?(-?\d)")
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_HIGHEST = 127  # MIDI


@public
@dataclass(frozen=True, eq=False)
class Recording:
    """A recording, or a stretch of one, that says what something sounds like.

    Parameters
    ----------
    audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
    start, stop : float, optional
        Seconds: only this stretch counts.
    pitch : float, optional
        The MIDI number of the one note that it holds.
    alone : bool
        Whether it is one sound, a hit or a note, that gets templates of its own. What has a pitch
        always is.

    Raises
    ------
    ParameterError
        The pitch or the stretch cannot be.

    Examples
    --------
    >>> Example("mix.wav", 12, 15.5).name
    'mix.wav 12-15.5 s'
    """

    audio: str | os.PathLike[str] | np.ndarray
    start: float | None = None
    stop: float | None = None
    pitch: float | None = None
    alone: bool = False

    def __post_init__(self) -> None:
        for name in ("start", "stop", "pitch"):
            if getattr(self, name) is not None:
                as_number(getattr(self, name), name, low=0)
        if self.stop is not None and self.stop <= (self.start or 0):
            raise ParameterError(
                f"stop is {self.stop} s and start {self.start or 0} s; put the earlier first"
            )
        object.__setattr__(self, "alone", self.alone or self.pitch is not None)

    @property
    def name(self) -> str:
        """What messages call it."""
        name = "an array" if isinstance(self.audio, np.ndarray) else show(self.audio)
        if self.start is None and self.stop is None:
            return name
        stop = "" if self.stop is None else f"{self.stop:g}"
        return f"{name} {self.start or 0:g}-{stop} s"

    def load(self, sr: int | None) -> tuple[np.ndarray, int]:
        """Samples (channel, sample), and their rate in Hz, which is `sr` for arrays."""
        if not isinstance(self.audio, np.ndarray):
            from nmfaudio.audio.io import read

            found = read(self.audio, start=self.start, stop=self.stop)
            return found.samples, found.sr
        if sr is None:
            raise ParameterError("sr is missing; samples need their rate in Hz")
        samples = as_audio(self.audio, "an example")
        stop = None if self.stop is None else round(self.stop * sr)
        samples = samples[:, round((self.start or 0) * sr) : stop]
        if not samples.size:
            raise ContentError(
                f"{self.name} does not lie within its {self.audio.shape[-1] / sr:g} s; "
                "name a stretch that does"
            )
        return samples, sr


AnyRecording: TypeAlias = "str | os.PathLike[str] | np.ndarray | Recording"


def gather(given: AnyRecording | Sequence[AnyRecording]) -> list[Recording]:
    """All examples of one label, folders as the files in them.

    A file of a folder is a sound by itself. Where all of them are named by a MIDI number or a note
    (``60.wav``, ``F#3.flac``, ``Bb2.ogg``), that is their pitch.

    Parameters
    ----------
    given : path, np.ndarray or Example, or a sequence of them

    Returns
    -------
    list of Example

    Raises
    ------
    ParameterError
        There is none, or something that is no recording.
    ContentError
        A folder holds no audio.
    """
    several = list(given) if isinstance(given, list | tuple) else [given]
    found = []
    for one in several:
        if not isinstance(one, str | os.PathLike | np.ndarray | Recording):
            raise ParameterError(
                f"an example must be a path, an array or an Example, got {type(one).__name__}"
            )
        example = one if isinstance(one, Recording) else Recording(one)
        found += _expanded(example)
    if not found:
        raise ParameterError("there is no recording; at least 1 is needed")
    return found


def pitch_named(text: str) -> int | None:
    """The MIDI number that a text is or names, else None.

    Examples
    --------
    >>> pitch_named("60"), pitch_named("A4"), pitch_named("Bb2"), pitch_named("kick")
    (60, 69, 46, None)
    """
    if text.isascii() and text.isdecimal():
        return int(text) if int(text) <= _HIGHEST else None
    match = _NOTE.fullmatch(text)
    if match is None:
        return None
    letter, sign, octave = match[1].upper(), match[2] or "", int(match[3])
    shift = -len(sign) if sign.startswith("b") else len(sign)
    pitch = _SEMITONES[letter] + shift + 12 * (octave + 1)
    return pitch if 0 <= pitch <= _HIGHEST else None


def _expanded(example: Recording) -> list[Recording]:
    if isinstance(example.audio, np.ndarray) or not os.path.isdir(example.audio):
        return [example]
    paths = sorted(
        path
        for path in Path(example.audio).iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    if not paths:
        raise ContentError(
            f"{show(example.audio)}: a folder without audio files; "
            f"put files that end in {', '.join(SUFFIXES[:3])} there"
        )
    pitches: list[float | None] = [pitch_named(path.stem) for path in paths]
    if example.pitch is not None or None in pitches:
        pitches = [example.pitch] * len(paths)
    return [
        replace(example, audio=path, pitch=pitch, alone=True)
        for path, pitch in zip(paths, pitches, strict=True)
    ]
