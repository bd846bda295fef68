"""Spelling of pitches: the name, such as F# or Gb, of each MIDI number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nmfaudio._public import public

_STEPS = "FCGDAEB"  # along the line of fifths, from F = 0
_NATURAL = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
_BEFORE, _AFTER = 10, 42  # notes of the context: Meredith's values
# Steps of the scale above a tonic for each number of semitones (Meredith 2006, eq. 5).
_STEPS_ABOVE = np.array([0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6])


@public
class Spelling(NamedTuple):
    """Name of a pitch.

    Parameters
    ----------
    step : str
        Letter from A to G.
    alter : int
        Semitones above the letter's own pitch: 1 is a sharp, -1 a flat.
    octave : int
        Octave of the letter; middle C begins octave 4.

    Examples
    --------
    >>> Spelling("B", -1, 3).pitch
    58
    """

    step: str
    alter: int
    octave: int

    @property
    def pitch(self) -> int:
        """MIDI number."""
        return 12 * (self.octave + 1) + _NATURAL[self.step] + self.alter


@public
def spell(pitches: Sequence[int], sharps: int = 0) -> list[Spelling]:
    """Spell pitches by their context.

    Each pitch class near a note votes, as a tonic, for the letter that the note has in its
    chromatic scale. Votes fix the letters up to one enharmonic change of all notes, which
    is chosen by the key signature.

    Parameters
    ----------
    pitches : sequence of int
        MIDI numbers by onset, then pitch.
    sharps : int
        Sharps of the key signature, negative for flats.

    Returns
    -------
    list of Spelling
        One for each pitch.

    References
    ----------
    D. Meredith, "The ps13 pitch spelling algorithm", Journal of New Music Research 35(2), 2006,
    doi:10.1080/09298210600834961.

    Examples
    --------
    >>> [name.step + "#" * name.alter for name in spell([62, 66, 69, 73], sharps=2)]
    ['D', 'F#', 'A', 'C#']
    """
    chroma = np.asarray(pitches, int) % 12
    if not len(chroma):
        return []
    # The commonest pitch class, for a first note may be chromatic; of several the earliest.
    reference = int(chroma[np.bincount(chroma, minlength=12)[chroma].argmax()])
    letters = _letters(chroma, reference)
    fifths = _line_of_fifths(chroma, letters, reference)
    # The major scale of the key signature reaches from `sharps` - 1 to `sharps` + 5.
    shift = 12 * round((np.mean(fifths) - (sharps + 2)) / 12)
    return [_named(int(pitch), int(f - shift)) for pitch, f in zip(pitches, fifths, strict=True)]


def _letters(chroma: np.ndarray, reference: int) -> np.ndarray:
    """Letter of each note, as steps above the letter of a pitch class, modulo 7."""
    present = np.eye(12)[chroma]
    total = np.concatenate([np.zeros((1, 12)), np.cumsum(present, axis=0)])
    index = np.arange(len(chroma))
    high = np.minimum(index + _AFTER, len(chroma))
    counts = total[high] - total[np.maximum(0, index - _BEFORE)]  # (note, tonic)
    tonics = np.arange(12)
    first = -_STEPS_ABOVE[(reference - tonics) % 12]  # letter of each tonic
    letters = (_STEPS_ABOVE[(chroma[:, None] - tonics) % 12] + first) % 7
    votes = np.stack([(counts * (letters == letter)).sum(axis=1) for letter in range(7)], axis=1)
    return np.asarray(votes.argmax(axis=1))


def _line_of_fifths(chroma: np.ndarray, letters: np.ndarray, reference: int) -> np.ndarray:
    """Place of each note on the line of fifths, up to a multiple of 12 that all notes share."""
    # An interval of s semitones and l letters is 7 s - 12 l fifths; l has any multiple of 7.
    semitones = (chroma - reference) % 12
    fifths = 7 * semitones - 12 * letters
    fifths -= 84 * np.round(fifths / 84).astype(int)  # the nearest to the reference
    return np.asarray(fifths + 7 * reference - 12 * ((7 * reference + 6) // 12))


def _named(pitch: int, fifth: int) -> Spelling:
    """Name of a pitch from its place on the line of fifths, where C is 0."""
    step = _STEPS[(fifth + 1) % 7]
    alter = (fifth + 1) // 7
    return Spelling(step, alter, (pitch - alter - _NATURAL[step]) // 12 - 1)
