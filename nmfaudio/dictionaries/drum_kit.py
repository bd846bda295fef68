"""Templates of the parts of a drum kit: shipped ones, and those of a folder of one-shots."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nmfaudio._common.files import show
from nmfaudio._common.files.names import AUDIO_SUFFIXES
from nmfaudio.audio.interpolation import interpolate
from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.bundled import bundled_kit
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.learning import learn
from nmfaudio.errors import AudioFileError, ContentError
from nmfaudio.symbolic.names import DRUM_PARTS, part_named

# Templates per part, their length, and iterations, for recordings of the kit in use. They are more
# specific than the shipped templates, and the sounds decay longer.
_COMPONENTS, _SECONDS, _ITERATIONS = 4, 0.186, 40


def bundled_kit_templates(parts: Sequence[str], transform: Transform) -> np.ndarray:
    """Return the shipped template of each part, converted to a transform.

    Parameters
    ----------
    parts : sequence of str
        Labels of the shipped kit.
    transform : Transform

    Returns
    -------
    np.ndarray [shape=(lag, freq, part)]
        Each part sums to one.
    """
    kit = bundled_kit().select(parts)
    return convert_drum_templates(kit.templates, kit.transform, transform)


def convert_drum_templates(
    templates: np.ndarray, source: Transform, target: Transform
) -> np.ndarray:
    """Convert convolutive templates of one transform to another of the same kind.

    Templates are interpolated linearly, at the frequencies of the bins in Hz and at the times of
    the frames in seconds. Beyond the highest frequency of `source` and after the last frame the
    nearest value is kept: hits are noisy, and a hi-hat does not end at 22 kHz. The duration stays.

    Parameters
    ----------
    templates : np.ndarray [shape=(lag, freq, component)]
    source, target : Transform

    Returns
    -------
    np.ndarray [shape=(lag, freq, component)]
        Each component sums to one.
    """
    ratio = target.hop_seconds / source.hop_seconds
    lags = max(1, round(len(templates) / ratio))
    by_time = interpolate(templates, np.arange(lags) * ratio, axis=0)
    bins = target.frequencies / source.frequencies[1]
    W = interpolate(by_time, bins, axis=1)
    shares: np.ndarray = W / np.maximum(W.sum(axis=(0, 1)), np.finfo(W.dtype).tiny)
    return shares


def learn_one_shots(
    folder: str | os.PathLike[str],
    parts: Sequence[str] | None,
    transform: Transform,
    *,
    rng: int | np.random.Generator | None,
) -> Dictionary:
    """Learn the templates of a kit from a folder with recordings of its isolated parts.

    Parameters
    ----------
    folder : str or os.PathLike
        With one folder per part, or files whose names begin with that of the part
        (``kick-2.wav``). Usual names of parts (``BD``) become kick, snare, hihat, toms or
        cymbals; other names are unchanged.
    parts : sequence of str, optional
        Parts to learn; by default all in the folder.
    transform : Transform
    rng : int, np.random.Generator or None

    Returns
    -------
    Dictionary
        Labels are parts, those of a kit in the order of `DRUM_PARTS`.

    Raises
    ------
    ContentError
        There are no recordings at all, or of a required part.
    AudioFileError
        A recording cannot be read.
    """
    recordings = _recordings(folder)
    missing = [part for part in parts or () if part not in recordings]
    if missing or not recordings:
        contents = f"has {', '.join(recordings)}" if recordings else "there are no recordings"
        raise ContentError(
            f"{show(folder)}: no recordings of {' and '.join(missing or ['hits'])}: {contents}; "
            "add files such as kick/*.wav or kick*.wav"
        )
    return learn(
        {part: recordings[part] for part in parts or recordings},
        kind="convolutive",
        size=_COMPONENTS,
        lags=max(2, round(_SECONDS / transform.hop_seconds)),
        transform=transform,
        max_iter=_ITERATIONS,
        resample=True,
        rng=rng,
    )


def _recordings(folder: str | os.PathLike[str]) -> dict[str, list[Path]]:
    """Audio files of each part."""
    try:
        entries = sorted(Path(folder).iterdir())
    except OSError as error:
        raise AudioFileError(f"{show(folder)}: {os.strerror(error.errno or 0)}") from None
    files_by_part: dict[str, list[Path]] = {}
    for entry in entries:
        inside = sorted(entry.iterdir()) if entry.is_dir() else [entry]
        files = [file for file in inside if file.suffix.lower() in AUDIO_SUFFIXES]
        if files:
            files_by_part.setdefault(_part(entry), []).extend(files)
    order = [part for part in DRUM_PARTS if part in files_by_part]
    return {
        part: files_by_part[part]
        for part in [*order, *(p for p in files_by_part if p not in order)]
    }


def _part(entry: Path) -> str:
    """Part of the kit that a folder or a file is named after."""
    if entry.is_dir():
        return part_named(entry.name) or entry.name
    begin = re.split(r"[^A-Za-z]", entry.stem, maxsplit=1)[0]
    return part_named(entry.stem) or part_named(begin) or begin or entry.stem
