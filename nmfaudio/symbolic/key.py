"""Key of a piece, from how long its pitch classes sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from nmfaudio._public import public
from nmfaudio.symbolic.note import Note

# Probe-tone ratings of Krumhansl & Kessler as revised by Temperley (2001), from the tonic upward.
_PROFILES: dict[Literal["major", "minor"], tuple[float, ...]] = {
    "major": (5, 2, 3.5, 2, 4.5, 4, 2, 4.5, 2, 3.5, 1.5, 4),
    "minor": (5, 2, 3.5, 4.5, 2, 4, 2, 4.5, 3.5, 2, 1.5, 4),
}
_LONGEST = 2.0  # s, of a note's weight
_OPENING = 1 / 3  # of the notes: later ones may be in other keys
_FEWEST = 60  # notes of an opening


@public
class Key(NamedTuple):
    """Key of a piece.

    Parameters
    ----------
    tonic : int
        Pitch class: 0 is C.
    mode : "major" or "minor"

    Examples
    --------
    >>> Key(3, "major").name, Key(3, "major").sharps
    ('Eb major', -3)
    """

    tonic: int
    mode: Literal["major", "minor"]

    @property
    def sharps(self) -> int:
        """Sharps of the key signature, negative for flats: from -5 to 6."""
        major = self.tonic + (3 if self.mode == "minor" else 0)
        return (7 * major + 5) % 12 - 5

    @property
    def name(self) -> str:
        """Name such as ``"Eb major"``."""
        fifth = self.sharps + (3 if self.mode == "minor" else 0)
        accidentals = (fifth + 1) // 7
        sign = "#" * accidentals if accidentals > 0 else "b" * -accidentals
        return f"{'FCGDAEB'[(fifth + 1) % 7]}{sign} {self.mode}"


@public
def find_key(notes: Sequence[Note]) -> Key:
    """Find the key of the opening of a piece.

    Its profile is the one that correlates best with the sounding time of the pitch classes.

    Parameters
    ----------
    notes : sequence of Note
        Sorted by onset.

    Returns
    -------
    Key
        C major where there are no notes.

    References
    ----------
    D. Temperley, "The Cognition of Basic Musical Structures", MIT Press, 2001, chapter 7.

    Examples
    --------
    >>> scale = [62, 64, 66, 67, 69, 71, 73, 74]
    >>> find_key([Note(i, i + 1, pitch) for i, pitch in enumerate(scale)]).name
    'D major'
    """
    weights = np.zeros(12)
    for note in notes[: max(_FEWEST, round(_OPENING * len(notes)))]:
        weights[round(note.pitch) % 12] += min(note.offset - note.onset, _LONGEST)
    keys = [Key(tonic, mode) for mode in _PROFILES for tonic in range(12)]
    if not weights.std():
        return keys[0]
    profiles = [np.roll(_PROFILES[key.mode], key.tonic) for key in keys]
    return keys[int(np.argmax([np.corrcoef(weights, profile)[0, 1] for profile in profiles]))]
