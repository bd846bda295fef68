"""Notes of an instrument learned from a folder with recordings of one note each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nmfaudio._common.files import show
from nmfaudio._common.files.names import AUDIO_SUFFIXES
from nmfaudio._common.validation import as_number
from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.learning import RecordingReader
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.dictionaries.note_learning import (
    IsolatedNote,
    default_note_transform,
    learn_isolated_notes,
    sample_rate_of,
)
from nmfaudio.dictionaries.recordings import Recording
from nmfaudio.errors import AudioFileError, ContentError, ParameterError
from nmfaudio.factorisation.divergences import Beta, beta_named
from nmfaudio.symbolic.names import pitch_named

_HIGHEST_VELOCITY = 127  # MIDI
_STEM = re.compile(r"(?P<pitch>[^_]+?)(?:_v?(?P<velocity>\d{1,3}))?")


def learn_notes(
    folder: str | os.PathLike[str],
    *,
    instrument: str = "piano",
    transform: Transform | None = None,
    stages: Mapping[str, tuple[float, float]] | None = None,
    lags: int | None = None,
    velocities: Mapping[str, float] | None = None,
    beta_loss: str | float | Beta = 1.0,
    resample: bool = False,
) -> NoteDictionary:
    """Learn the notes of an instrument from recordings of one note each.

    The name of a file states its pitch, as a MIDI number or a note, and optionally its MIDI
    velocity after ``_`` or ``_v`` (``60.wav``, ``F#3.flac``, ``Bb2_v100.wav``). Notes may lie in
    folders within the folder, one for each velocity (``64/60.wav``). A recording may begin with
    silence: the onset is where its power comes within 26 dB of its highest.

    Parameters
    ----------
    folder : str or os.PathLike
        Folder of audio files.
    instrument : str
        Label of all components.
    transform : Transform, optional
        By default ``Stft(sr, n_fft, n_fft // 8)`` at the sample rate of the first recording, with
        `n_fft` the power of two nearest to 186 ms, and power 2 where `beta_loss` is 0.
    stages : mapping of str to (float, float), optional
        Stages that get a template each, with begin and end in seconds after the onset: by default
        ``{"attack": (-0.01, 0.05), "early": (0.05, 0.25), "late": (0.4, 1.5)}``. A frame belongs
        to the stage that its centre lies in. An empty mapping makes a single template from the
        begin of the attack to the end of the late stage.
    lags : int, optional
        Number of frames from the onset that form one convolutive template per note, unmodified,
        instead of stages.
    velocities : mapping of str to float, optional
        Velocity, 0 to 1, of the notes in each named folder: ``{"soft": 0.3}``.
    beta_loss : str, float or Beta
        β-divergence under which the templates are learned.
    resample : bool
        Whether recordings are resampled to the rate of `transform`; otherwise those of another
        rate are refused.

    Returns
    -------
    NoteDictionary
        Sorted by pitch, then velocity, then stage; each component sums to one.

    Raises
    ------
    ParameterError
        A parameter is invalid, or sample rates differ.
    AudioFileError
        A file cannot be read.
    ContentError
        The folder has no audio, a recording is silent, or its name states no pitch.

    Examples
    --------
    >>> import tempfile, numpy as np, nmfaudio as na
    >>> t = np.arange(8000) / 8000
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for pitch, hertz in (("A4", 440), ("B4", 493.88)):
    ...         y = np.exp(-4 * t) * np.sin(2 * np.pi * hertz * t)
    ...         _ = na.write(f"{folder}/{pitch}.wav", y, 8000)
    ...     na.dictionaries.learn_notes(folder).groups()
    {69.0: (0, 1, 2), 71.0: (3, 4, 5)}
    """
    files = note_files(folder, velocities)
    beta = beta_named(beta_loss, "a dictionary").beta
    transform = transform or default_note_transform(sample_rate_of(files[0].path), beta)
    reader = RecordingReader(None, transform, resample, beta)
    return learn_isolated_notes(
        _read(files, instrument, reader),
        transform,
        instrument=instrument,
        stages=stages,
        lags=lags,
        beta=beta,
        metadata={"examples": {instrument: [os.fsdecode(file.path) for file in files]}},
    )


class NoteFile(NamedTuple):
    """Audio file of one note."""

    path: Path
    pitch: int
    velocity: float | None


def note_files(
    folder: str | os.PathLike[str], velocities: Mapping[str, float] | None
) -> list[NoteFile]:
    """List the notes in a folder and in the folders within it; see `learn_notes`.

    Parameters
    ----------
    folder : str or os.PathLike
    velocities : mapping of str to float, or None

    Returns
    -------
    list of NoteFile
        Sorted by pitch, then velocity.

    Raises
    ------
    AudioFileError
        The folder cannot be read.
    ContentError
        It has no audio, or a file whose name states no pitch.
    ParameterError
        A velocity is given for a folder that does not exist.
    """
    by_folder = dict(velocities or {})
    root = Path(folder)
    layers = [entry for entry in _entries(root) if entry.is_dir()]
    if unknown := set(by_folder) - {entry.name for entry in layers}:
        raise ParameterError(
            f"{show(root)}: velocities names the folder {sorted(unknown)[0]!r}, which does not "
            f"exist; folders are: {', '.join(entry.name for entry in layers) or 'none'}"
        )
    files = [_note_file(path, None) for path in _audio_files(root)]
    for layer in layers:
        velocity = _layer_velocity(layer.name, by_folder)
        files += [_note_file(path, velocity) for path in _audio_files(layer)]
    if not files:
        raise ContentError(
            f"{show(root)}: has no audio files; add notes named by their MIDI numbers or "
            f"pitches: 60.wav, F#3.flac (of {', '.join(AUDIO_SUFFIXES)})"
        )
    return sorted(files, key=lambda note: (note.pitch, note.velocity or 0, str(note.path)))


def _read(
    files: list[NoteFile], instrument: str, reader: RecordingReader
) -> Iterator[IsolatedNote]:
    """Recordings of the notes, one at a time."""
    for file in files:
        samples = reader.samples(instrument, Recording(file.path, pitch=file.pitch))
        yield IsolatedNote(samples, file.pitch, file.velocity, show(file.path))


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise AudioFileError(f"{show(folder)}: {os.strerror(error.errno or 0)}") from None


def _audio_files(folder: Path) -> list[Path]:
    return [
        path
        for path in _entries(folder)
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()
    ]


def _note_file(path: Path, velocity: float | None) -> NoteFile:
    match = _STEM.fullmatch(path.stem)
    pitch = pitch_named(match["pitch"]) if match else None
    if match is None or pitch is None:
        raise ContentError(
            f"{show(path)}: its name states no pitch; name it by a MIDI number or a note, and "
            "optionally a velocity: 60.wav, F#3.wav, C4_v100.wav"
        )
    if match["velocity"]:
        velocity = _midi_velocity(match["velocity"], path)
    return NoteFile(path, pitch, velocity)


def _layer_velocity(name: str, velocities: Mapping[str, float]) -> float | None:
    """Velocity of the notes in a folder of this name."""
    if name in velocities:
        velocity = as_number(velocities[name], f"the velocity of {name}", low=0)
        if velocity > 1:
            raise ParameterError(
                f"the velocity of {name} is {velocity:g}; it must be between 0 and 1"
            )
        return velocity
    match = re.fullmatch(r"v?(\d{1,3})", name)
    return _midi_velocity(match[1], name) if match else None


def _midi_velocity(digits: str, path: str | Path) -> float:
    if not 1 <= int(digits) <= _HIGHEST_VELOCITY:
        raise ContentError(
            f"{show(path)}: its name states velocity {int(digits)}; it must be from 1 to "
            f"{_HIGHEST_VELOCITY}"
        )
    return int(digits) / _HIGHEST_VELOCITY
