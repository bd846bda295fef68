"""Dictionaries that ship with the package: a piano, a drum kit and the sounds of drums."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.note_dictionary import NoteDictionary

if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Transform

AnyDictionary = TypeVar("AnyDictionary", bound=Dictionary)

_DATA = Path(__file__).resolve().parents[1] / "data"
_SOUND_LAGS = 16  # frames


def piano_notes(transform: Transform | None = None) -> NoteDictionary:
    """Return the piano that ships with the package: the mean of six, three stages for each key.

    It was learned at 22.05 kHz from pianos of the SoundFonts Fluid (R3) GM and MuseScore General;
    see ``nmfaudio/data/LICENSES.md``.

    Parameters
    ----------
    transform : Transform, optional
        Transform to convert the templates to; by default their own.

    Returns
    -------
    NoteDictionary
        Its templates are read-only without `transform`: it is loaded once and shared.

    Raises
    ------
    ParameterError
        The transform does not cover the keys of a piano.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.dictionaries.piano_notes()
    NoteDictionary(1 label: piano 264; templates of 2049 frequencies, stft, 22050 Hz, \
88 pitches from 21 to 108, stages attack/early/late)
    """
    piano = _bundled_piano()
    return piano if transform is None else piano.to_transform(transform)


@cache
def bundled_kit() -> Dictionary:
    """Return the shipped drum kit: kick, snare, hihat, toms and cymbals, one template each."""
    return _read_only(Dictionary.load(_DATA / "drums.npz"))


@cache
def bundled_drum_sounds() -> Dictionary:
    """Return templates of the kinds of sounds of a drum kit, each with a decay of its own.

    A part has a template for each of its kinds: open and closed hi-hats, rides and crashes, low,
    middle and high toms, and snares that ring more or less. All are attacks followed by exponential
    decays, twice as long as the templates of `bundled_kit`.
    """
    with np.load(_DATA / "drum_sounds.npz", allow_pickle=False) as file:
        labels = tuple(file["labels"].tolist())
        attack, level, rate = (
            file[name].astype(np.float64) for name in ("attack", "level", "rate")
        )
    decay = level - rate * np.arange(_SOUND_LAGS - len(attack))[:, None, None]
    templates = np.exp(np.concatenate([attack, decay]))
    templates /= templates.sum(axis=(0, 1))
    return _read_only(
        Dictionary(
            templates.astype(np.float32), labels, bundled_kit().transform, kind="convolutive"
        )
    )


@cache
def _bundled_piano() -> NoteDictionary:
    return _read_only(NoteDictionary.load(_DATA / "piano.npz"))


def _read_only(dictionary: AnyDictionary) -> AnyDictionary:
    dictionary.templates.flags.writeable = False
    return dictionary
