"""Scales of any tuning: their pitches, and the files of Scala."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from nmfaudio._common.files.names import show
from nmfaudio._common.files.sources import read_bytes
from nmfaudio._common.pitch import A4_HZ
from nmfaudio.errors import AudioFileError, ParameterError

_MAX_BYTES = 2**20
_NEED = (
    "need a description, the number of degrees, and a line for each, such as 350.0 (cents) or 3/2"
)
_DEGREE = re.compile(r"-?\d{0,9}\.\d{0,20}|\d{1,9}(/\d{1,9})?")
_OCTAVE = 1200.0  # cents
_MIDDLE_C = 60.0
_LOWEST_HZ, _HIGHEST_HZ = 220.0, 880.0  # of A4, which is to be no other note


@dataclass(frozen=True)
class Scale:
    """Pitches of a scale, equally tempered or not.

    Parameters
    ----------
    cents : sequence of float
        Degrees above the first one, ascending and below the period; the first is 0. By default the
        twelve of equal temperament.
    period : float
        Cents after which the degrees repeat: an octave by default.
    tonic : float
        MIDI number of the first degree at A4 = 440 Hz: middle C by default.
    a4 : float
        Tuning in Hz, 220 to 880: all pitches are transposed by its interval from 440 Hz.

    Raises
    ------
    ParameterError
        A value is out of range.

    Examples
    --------
    Quarter tones:

    >>> import nmfaudio as na
    >>> quarters = na.symbolic.Scale(range(0, 1200, 50))
    >>> quarters.pitches(60, 61.5)
    (60.0, 60.5, 61.0, 61.5)
    >>> [round(pitch, 2) for pitch in na.symbolic.Scale(a4=442).pitches(60, 62)]
    [60.08, 61.08]
    """

    cents: tuple[float, ...] = tuple(range(0, 1200, 100))
    period: float = _OCTAVE
    tonic: float = _MIDDLE_C
    a4: float = A4_HZ

    def __post_init__(self) -> None:
        degrees = tuple(float(degree) for degree in self.cents)
        object.__setattr__(self, "cents", degrees)
        if not degrees or degrees[0] != 0 or any(a >= b for a, b in pairwise(degrees)):
            raise ParameterError(
                f"cents are {degrees}; they must begin with 0 and ascend, e.g. (0, 200, 350)"
            )
        if not degrees[-1] < self.period < math.inf:
            raise ParameterError(
                f"period is {self.period!r} cents; it must be above the last degree, "
                f"{degrees[-1]:g}"
            )
        if not 0 <= self.tonic <= 127:
            raise ParameterError(f"tonic is {self.tonic!r}; it must be a MIDI number, 0 to 127")
        if not _LOWEST_HZ <= self.a4 <= _HIGHEST_HZ:
            raise ParameterError(
                f"a4 is {self.a4!r} Hz; it must be from {_LOWEST_HZ:g} to {_HIGHEST_HZ:g}, e.g. 442"
            )

    def pitches(self, low: float, high: float) -> tuple[float, ...]:
        """Return the pitches of the scale within a range.

        Parameters
        ----------
        low, high : float
            MIDI numbers, both included.

        Returns
        -------
        tuple of float
            MIDI numbers, ascending.
        """
        first = self.tonic + 12 * math.log2(self.a4 / A4_HZ)
        begin = math.floor((low - first) * 100 / self.period)
        end = math.ceil((high - first) * 100 / self.period)
        pitches = (
            round(first + (n * self.period + degree) / 100, 6)
            for n in range(begin, end + 1)
            for degree in self.cents
        )
        return tuple(pitch for pitch in pitches if low <= pitch <= high)


def read_scale(
    path: str | os.PathLike[str], *, tonic: float = _MIDDLE_C, a4: float = A4_HZ
) -> Scale:
    """Read a scale from a file of Scala.

    Parameters
    ----------
    path : str or os.PathLike
        Text: lines that begin with ``!`` are comments; the others are a description, the number of
        degrees, and one degree a line, in cents if it has a point (``350.0``) and as a ratio
        otherwise (``3/2`` or ``2``). The last degree is the period; the first, 1/1, is not listed.
    tonic : float
        MIDI number of 1/1.
    a4 : float
        Tuning in Hz.

    Returns
    -------
    Scale
        Degrees in ascending order, within the period.

    Raises
    ------
    AudioFileError
        The file cannot be read, or is not such a file.
    ParameterError
        `tonic` or `a4` is out of range.

    References
    ----------
    M. Op de Coul, "Scala scale file format",
    https://www.huygens-fokker.org/scala/scl_format.html.

    Examples
    --------
    >>> import os, tempfile, nmfaudio as na
    >>> path = os.path.join(tempfile.mkdtemp(), "thirds.scl")
    >>> with open(path, "w") as file:
    ...     _ = file.write("! thirds.scl\\nNeutral thirds\\n3\\n350.0\\n3/2\\n2/1\\n")
    >>> [round(degree) for degree in na.symbolic.read_scale(path).cents]
    [0, 350, 702]
    """
    text = read_bytes(path, _MAX_BYTES, _NEED).decode("utf-8-sig", errors="replace")
    lines = [line.strip() for line in text.splitlines() if not line.startswith("!")]
    try:
        count = int(lines[1].split()[0])
        degrees = [_degree(line) for line in lines[2 : 2 + count]]
        if len(degrees) != count or count < 1 or not 0 < degrees[-1] < math.inf:
            raise ValueError("degrees are missing, or the period is not above 0")
    except (ValueError, IndexError, ZeroDivisionError):
        raise AudioFileError(f"{show(path)}: is not a scale of Scala; {_NEED}") from None
    # Scales may list degrees in any order, and repeat the first one.
    within = sorted({0.0, *(degree % degrees[-1] for degree in degrees[:-1])})
    return Scale(tuple(within), degrees[-1], tonic, a4)


def _degree(line: str) -> float:
    """Cents of a line, whose first word is cents or a ratio."""
    word = line.split()[0]
    if not _DEGREE.fullmatch(word):
        raise ValueError(word)
    return float(word) if "." in word else _OCTAVE * math.log2(Fraction(word))
