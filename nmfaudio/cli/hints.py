"""Hints for arguments that nmfaudio does not know, by names from elsewhere or by kinds of files."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from nmfaudio._common.similar_names import nearest

_VOICE = (
    "a voice needs its pitch (nmfaudio f0 --help), an example (nmfaudio guided --help) or a score"
    " (nmfaudio score --help)"
)
_MODEL = "there are no trained models; the command chooses the method, see nmfaudio --help"
_FOLDER = "the folder of the results is -o FOLDER"
_FORMAT = "the format of the stems is --format FORMAT"

FLAGS = {
    "--two-stems": "two stems without an example: nmfaudio hpss; " + _VOICE,
    "--vocals": _VOICE,
    "--mp3": "write --format mp3",
    "--flac": "write --format flac",
    "--wav": "write --format wav",
    "--codec": _FORMAT,
    "--output-format": _FORMAT,
    "--output-dir": _FOLDER,
    "--output-folder": _FOLDER,
    "--out": _FOLDER,
    "--outdir": _FOLDER,
    "-n": _MODEL,
    "-p": _MODEL,
    "--name": _MODEL,
    "--model": _MODEL,
    "-s": "the number of stems is an option of nmfaudio separate alone",
    "--sources": "the number of stems is an option of nmfaudio separate alone",
    "--stems": "the number of stems is -s N of nmfaudio separate; other commands name their stems",
    "-j": "the number of threads is --threads N",
    "--jobs": "the number of threads is --threads N",
    "--device": "all is computed on the processor; leave it out",
    "--shifts": "leave it out; nmfaudio hpss and denoise average over --models N",
    "--input": "name the files without a flag",
    "-i": "name the files without a flag",
    "--version": "write nmfaudio --version",
}
"""Flags of other programs, and of other commands, with what to write instead."""

COMMANDS = {
    "vocals": _VOICE,
    "voice": _VOICE,
    "karaoke": _VOICE,
    "demucs": _MODEL,
    "spleeter": _MODEL,
    "split": "to separate a recording without examples: nmfaudio hpss or nmfaudio separate",
    "stems": "to separate a recording without examples: nmfaudio hpss or nmfaudio separate",
    "midi": "for the notes of a recording: nmfaudio transcribe",
    "plot": "for the spectrogram of a recording: nmfaudio picture",
    "version": "write nmfaudio --version",
}
"""Commands that users of other programs expect, with what to write instead."""

_VIDEO = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv")

_SONG = (
    ("only this", "nmfaudio hpss {}"),
    ("drums", "nmfaudio drums {}"),
    ("an example of each sound", "nmfaudio guided {} --example voice=voice.wav --free 20"),
    ("its score", "nmfaudio score {} score.mid"),
    ("the pitch of the voice", "nmfaudio f0 {} pitch.csv"),
    ("an excerpt of the noise", "nmfaudio denoise {} --noise 0-1.2"),
    ("eyes for its spectrogram", "nmfaudio picture {}"),
    ("a piano, and need its notes", "nmfaudio transcribe {}"),
    ("no idea", "nmfaudio info {}"),
)
_ONE_EACH = ("nmfaudio score", "nmfaudio f0", "nmfaudio picture", "nmfaudio info")  # not a folder
_OTHERS = {
    (".mid", ".midi"): (
        ("the recording too", "nmfaudio score recording.wav {}"),
        ("notes to compare", "nmfaudio evaluate --notes {} notes.csv"),
    ),
    (".npz",): (
        ("no idea", "nmfaudio dictionary info {}"),
        ("a recording, this its dictionary", "nmfaudio guided recording.wav --dictionary {}"),
        ("a recording, this its model", "nmfaudio regroup recording.wav {} --group name=0,1"),
    ),
    (".json",): (("the recording too", "nmfaudio paint recording.wav {}"),),
    (".csv", ".tsv"): (
        ("the pitch of a voice in it", "nmfaudio f0 recording.wav {}"),
        ("notes in it", "nmfaudio score recording.wav {} --aligned"),
    ),
}


def flag_hint(text: str, known: Sequence[str]) -> str:
    """Hint for an unknown flag, from a semicolon on, or an empty string."""
    name = text.partition("=")[0]
    if is_file(text):
        return f"; if it is a file, write {shlex.quote(_without_dash(text))}"
    return f"; {FLAGS[name]}" if name in FLAGS else nearest(name, known)


def is_file(text: str) -> bool:
    """Return True for the name of a file, which may not exist, rather than a word."""
    from nmfaudio._common.files.names import AUDIO_SUFFIXES  # loads NumPy, which --help must not

    known = (*AUDIO_SUFFIXES, *_VIDEO, *sum(_OTHERS, ()))
    return os.path.lexists(text) or _suffix(text) in known


def suggestions(path: str) -> list[str]:
    """Lines that name commands for a file or folder, by what else there is."""
    target = shlex.quote(_without_dash(path))
    rows: Sequence[tuple[str, str]] = _SONG
    if os.path.isdir(path):
        rows = [row for row in rows if not row[1].startswith(_ONE_EACH)]
    else:
        rows = next((rows for ends, rows in _OTHERS.items() if _suffix(path) in ends), _SONG)
    width = max(len(have) for have, _ in rows)
    return [f"  {have:<{width}}  {command.format(target)}" for have, command in rows]


def _without_dash(path: str) -> str:
    """Path that is not read as an option."""
    return f"./{path}" if path.startswith("-") else path


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()
