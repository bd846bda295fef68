"""Notes as a synthesiser plays them from a SoundFont."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from nmfaudio._common.files import show
from nmfaudio._common.validation import as_count, as_number
from nmfaudio.dictionaries.note_stages import NoteSound
from nmfaudio.errors import AudioFileError, ContentError, MissingExtraError, ParameterError
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.notes import write_notes

_SYNTHESISER = "fluidsynth"
_RELEASE = 1.0  # s after a note in which it dies away before the next begins
_GAIN = "0.5"
_RATE = 44100  # Hz, at least
_REFUSALS = ("Failed to load", "not found", "No preset found", "No instrument found")


def soundfont_notes(
    path: str | os.PathLike[str],
    *,
    program: int,
    pitches: Sequence[int],
    velocities: Sequence[float],
    seconds: float,
    sr: int,
) -> Iterator[NoteSound]:
    """Every note that the font plays, each from when its key goes down until it goes up.

    Notes that it does not play are left out; see `NoteDictionary.from_soundfont`.
    """
    seconds = as_number(seconds, "seconds", above=0)
    notes = _notes(program, pitches, velocities, seconds)
    _require_soundfont(path)
    with tempfile.TemporaryDirectory() as folder:
        # At a low rate the synthesiser would fold back what is too high.
        rendered = _render(path, notes, max(sr, _RATE), Path(folder))
        yield from _sounds(rendered, notes, path, sr)


def _notes(
    program: int, pitches: Sequence[int], velocities: Sequence[float], seconds: float
) -> list[Note]:
    """One after the other, far enough apart."""
    keys = [as_count(pitch, "a pitch", low=0, high=127) for pitch in pitches]
    levels = [as_number(velocity, "a velocity", above=0) for velocity in velocities]
    if not (keys and levels):
        raise ParameterError("pitches and velocities must each have at least one entry")
    return [
        Note(start, start + seconds, key, level, program=program)
        for n, (key, level) in enumerate(product(keys, levels))
        for start in [n * (seconds + _RELEASE)]
    ]


def _require_soundfont(path: str | os.PathLike[str]) -> None:
    try:
        with open(path, "rb") as file:
            head = file.read(12)
    except OSError as error:
        raise AudioFileError(f"{show(path)}: {os.strerror(error.errno or 0)}") from None
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise AudioFileError(f"{show(path)}: is no SoundFont; need an .sf2 or .sf3 file")


def _render(path: str | os.PathLike[str], notes: list[Note], sr: int, folder: Path) -> Path:
    """The recording of all notes, without reverb and chorus."""
    program = shutil.which(_SYNTHESISER)
    if program is None:
        raise MissingExtraError(
            f"SoundFonts are played by {_SYNTHESISER}, which is not installed; install it "
            "(apt install fluidsynth, brew install fluid-synth), or learn from recorded notes"
        )
    midi, sound = folder / "notes.mid", folder / "notes.wav"
    write_notes(midi, notes)
    command = [program, "-niq", "-R", "0", "-C", "0", "-g", _GAIN, "-r", str(sr)]
    command += ["-o", f"synth.default-soundfont={os.devnull}"]
    command += ["-T", "wav", "-O", "float", "-F", str(sound), os.path.abspath(path), str(midi)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    said = done.stderr.decode(errors="replace").strip().splitlines()
    # It goes on with another font, or another instrument, where it has not what it was told.
    wrong = [line for line in said if any(words in line for words in _REFUSALS)]
    if done.returncode or wrong or not sound.is_file():
        reason = (wrong or said[-1:] or [f"exit code {done.returncode}"])[0]
        raise AudioFileError(
            f"{show(path)}: {_SYNTHESISER} could not play program {notes[0].program}: {reason}; "
            "give a whole SoundFont that has this program"
        )
    return sound


def _sounds(
    rendered: Path, notes: list[Note], path: str | os.PathLike[str], sr: int
) -> Iterator[NoteSound]:
    from nmfaudio._common.librosa_loader import load_librosa
    from nmfaudio.audio.io import read

    librosa = load_librosa()
    heard = False
    for note in notes:
        found = read(rendered, start=note.onset, stop=note.offset)
        if found.samples.any():
            samples = librosa.resample(found.samples, orig_sr=found.sr, target_sr=sr)
            heard = True
            name = f"{show(path)}, note {note.pitch:g}"
            yield NoteSound(samples, note.pitch, note.velocity, name)
    if not heard:
        raise ContentError(
            f"{show(path)}: plays nothing with program {notes[0].program}; choose another program "
            "or other pitches"
        )
