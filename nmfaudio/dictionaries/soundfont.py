"""Notes of an instrument learned from a SoundFont, rendered by a synthesiser."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from nmfaudio._common.files import show
from nmfaudio._common.files.sources import open_source
from nmfaudio._common.validation import as_count, as_number
from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.dictionaries.note_learning import (
    PIANO_KEYS,
    IsolatedNote,
    default_note_transform,
    learn_isolated_notes,
)
from nmfaudio.errors import AudioFileError, ContentError, MissingExtraError, ParameterError
from nmfaudio.factorisation.divergences import Beta, beta_named
from nmfaudio.symbolic.names import PROGRAMS
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.writing import write_notes

DEFAULT_RATE = 44100
"""Sample rate in Hz at which a SoundFont is played without a transform."""
_SYNTHESISER = "fluidsynth"
_RELEASE = 1.0  # s from the end of a note to the next onset, for the note to decay
_GAIN = "0.5"
_LOWEST_RATE = 44100  # Hz: at lower rates the synthesiser aliases
_REFUSALS = ("Failed to load", "not found", "No preset found", "No instrument found")


def learn_notes_from_soundfont(
    path: str | os.PathLike[str],
    *,
    program: int = 0,
    pitches: Sequence[int] = PIANO_KEYS,
    velocities: Sequence[float] = (0.3, 0.55, 0.8),
    seconds: float = 2.0,
    sr: int = DEFAULT_RATE,
    instrument: str | None = None,
    transform: Transform | None = None,
    stages: Mapping[str, tuple[float, float]] | None = None,
    lags: int | None = None,
    beta_loss: str | float | Beta = 1.0,
) -> NoteDictionary:
    """Learn the notes of an instrument from a SoundFont, rendered by a synthesiser.

    The program ``fluidsynth`` plays each note at each velocity in isolation, without reverb and
    chorus. Notes for which the font has no sound are left out: `NoteDictionary.fill` transposes
    others to them, and `NoteDictionary.average` makes one template of all velocities.

    Parameters
    ----------
    path : str or os.PathLike
        SoundFont, ``.sf2`` or ``.sf3``.
    program : int
        General MIDI instrument, 0 to 127: 0 is the grand piano.
    pitches : sequence of int
        MIDI numbers.
    velocities : sequence of float
        Velocities at which each note is played, each above 0 and at most 1.
    seconds : float
        Duration of a note.
    sr : int
        Sample rate in Hz, used without `transform`.
    instrument : str, optional
        Label of all components; by default the General MIDI name of the program.
    transform : Transform, optional
        By default as for `learn_notes`, at `sr`.
    stages : mapping of str to (float, float), optional
        As for `learn_notes`.
    lags : int, optional
        As for `learn_notes`.
    beta_loss : str, float or Beta
        β-divergence under which the templates are learned.

    Returns
    -------
    NoteDictionary
        Sorted by pitch, then velocity, then stage; each component sums to one.

    Raises
    ------
    ParameterError
        A parameter is invalid.
    MissingExtraError
        fluidsynth is not installed.
    AudioFileError
        The font cannot be read or played.
    ContentError
        The font has no sound for any of the notes.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.dictionaries.learn_notes_from_soundfont(  # doctest: +SKIP
    ...     "FluidR3_GM.sf2", pitches=[60])
    NoteDictionary(1 label: acoustic grand piano 9; templates of 2049 frequencies, stft, \
44100 Hz, pitch 60, stages attack/early/late)
    """
    beta = beta_named(beta_loss, "a dictionary").beta
    transform = transform or default_note_transform(sr, beta)
    program = as_count(program, "program", low=0, high=127)
    label = PROGRAMS[program] if instrument is None else instrument
    origin = f"{os.path.basename(os.fsdecode(path))} program {program}"
    notes = _score(program, pitches, velocities, as_number(seconds, "seconds", above=0))
    return learn_isolated_notes(
        _play(path, notes, transform.sr),
        transform,
        instrument=label,
        stages=stages,
        lags=lags,
        beta=beta,
        metadata={"examples": {label: [origin]}},
    )


def _play(path: str | os.PathLike[str], notes: list[Note], sr: int) -> Iterator[IsolatedNote]:
    """Every note that the font has a sound for, from its onset until its offset."""
    _require_soundfont(path)
    with tempfile.TemporaryDirectory() as folder:
        rendered = _render(path, notes, max(sr, _LOWEST_RATE), Path(folder))
        yield from _isolated(rendered, notes, path, sr)


def _score(
    program: int, pitches: Sequence[int], velocities: Sequence[float], seconds: float
) -> list[Note]:
    """Notes of all pitches and velocities, one after the other with pauses between."""
    keys = [as_count(pitch, "a pitch", low=0, high=127) for pitch in pitches]
    levels = [as_number(velocity, "a velocity", above=0) for velocity in velocities]
    if not (keys and levels):
        raise ParameterError("pitches and velocities are empty; give at least one of each")
    period = seconds + _RELEASE
    return [
        Note(n * period, n * period + seconds, key, level, program=program)
        for n, (key, level) in enumerate(product(keys, levels))
    ]


def _require_soundfont(path: str | os.PathLike[str]) -> None:
    with open_source(path)[0] as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise AudioFileError(f"{show(path)}: not a SoundFont; give an .sf2 or .sf3 file")


def _render(path: str | os.PathLike[str], notes: list[Note], sr: int, folder: Path) -> Path:
    """Write a recording of all notes, without reverb and chorus, and return its path."""
    program = shutil.which(_SYNTHESISER)
    if program is None:
        raise MissingExtraError(
            f"{_SYNTHESISER}, which plays SoundFonts, is not installed; install it "
            "(apt install fluidsynth, brew install fluid-synth), or learn from recorded notes"
        )
    midi, sound = folder / "notes.mid", folder / "notes.wav"
    write_notes(midi, notes)
    command = [program, "-niq", "-R", "0", "-C", "0", "-g", _GAIN, "-r", str(sr)]
    command += ["-o", f"synth.default-soundfont={os.devnull}"]
    command += ["-T", "wav", "-O", "float", "-F", str(sound), os.path.abspath(path), str(midi)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    messages = done.stderr.decode(errors="replace").strip().splitlines()
    # Without the requested font or program it plays another and returns 0.
    refusals = [line for line in messages if any(words in line for words in _REFUSALS)]
    if done.returncode or refusals or not sound.is_file():
        reason = (refusals or messages[-1:] or [f"exit code {done.returncode}"])[0]
        raise AudioFileError(
            f"{show(path)}: {_SYNTHESISER} could not play program {notes[0].program}: {reason}; "
            "give a complete SoundFont that has this program"
        )
    return sound


def _isolated(
    rendered: Path, notes: list[Note], path: str | os.PathLike[str], sr: int
) -> Iterator[IsolatedNote]:
    """Excerpts of the recording of all notes, without silent ones."""
    from nmfaudio._common.librosa_loader import load_librosa
    from nmfaudio.audio.io import read

    resample = load_librosa("core.audio").resample
    silent = True
    for note in notes:
        excerpt = read(rendered, start=note.onset, stop=note.offset)
        if excerpt.samples.any():
            samples = resample(excerpt.samples, orig_sr=excerpt.sr, target_sr=sr)
            silent = False
            name = f"{show(path)}, note {note.pitch:g}"
            yield IsolatedNote(samples, note.pitch, note.velocity, name)
    if silent:
        raise ContentError(
            f"{show(path)}: is silent with program {notes[0].program}; choose another program "
            "or other pitches"
        )
