"""Sounds of the first page: the song of its picture and the stems of this song."""

from __future__ import annotations

import shutil
from pathlib import Path

import librosa

import nmfaudio as na

INSTRUMENTS = ("drums", "bass", "keys")
_INTERVAL = "0-9"  # seconds of each instrument alone, as the caption of the picture says
_RATE = 48000  # Hz, which Opus takes


def write_sounds(folder: Path) -> list[Path]:
    """Separate the sample song by examples; write it and its stems as Opus, with one common gain.

    Parameters
    ----------
    folder : Path
        Replaced.

    Returns
    -------
    list of Path
        ``mixture.opus``, and a file for each instrument.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    examples = {
        name: f"{na.example('band', f'sources/{name}.flac')}@{_INTERVAL}" for name in INSTRUMENTS
    }
    stems = na.guided(na.example("band"), example=examples)
    sounds = {"mixture": stems.mixture} | dict(stems)
    files = {
        folder / f"{name}.opus": librosa.resample(y, orig_sr=stems.sr, target_sr=_RATE)
        for name, y in sounds.items()
    }
    na.audio.io.write_group(files, _RATE, format="opus")
    return list(files)
