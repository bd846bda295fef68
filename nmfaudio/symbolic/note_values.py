"""Durations as note values: spans of time cut into pieces that can be written."""

from __future__ import annotations

from fractions import Fraction

_DOTS = (1, 3)  # numerators of plain and dotted values over powers of two


def written_pieces(
    onset: Fraction, end: Fraction, bar: Fraction, beat: Fraction
) -> list[tuple[Fraction, Fraction]]:
    """Cut a span at bar lines, and where its duration has no note value of its own.

    Parameters
    ----------
    onset, end : Fraction
        In quarter notes; bars begin at multiples of `bar`.
    bar, beat : Fraction
        Durations of a bar and of a beat in quarter notes.

    Returns
    -------
    list of (Fraction, Fraction)
        Onset and end of each piece.

    Examples
    --------
    >>> pieces = written_pieces(Fraction(3), Fraction(21, 4), Fraction(4), Fraction(1))
    >>> [str(end - onset) for onset, end in pieces]
    ['1', '1', '1/4']
    """
    pieces = []
    while onset < end:
        stop = min(end, (onset // bar + 1) * bar)
        while not _has_value(stop - onset):
            stop = _cut(onset, stop, beat)
        pieces.append((onset, stop))
        onset = stop
    return pieces


def _has_value(duration: Fraction) -> bool:
    """Check for a note value: plain, dotted, or one of a triplet."""
    whole = duration / 4
    if whole.denominator % 3 == 0:  # of the triplet or sextuplet of a beat
        whole *= Fraction(3, 2)
    power = whole.denominator & (whole.denominator - 1) == 0
    return (power and whole.numerator in _DOTS and whole <= 1) or whole == Fraction(3, 2)


def _cut(onset: Fraction, stop: Fraction, beat: Fraction) -> Fraction:
    """Earlier end of a span: a beat, or within a beat the end of the longest note value."""
    last = -(-stop // beat) * beat - beat  # the last beat before the end
    if last > onset:
        return last
    candidates = (Fraction(n, d) for n in range(1, 24) for d in (4, 8, 16, 12, 6))
    shorter = [d for d in candidates if d < stop - onset and _has_value(d)]
    return onset + max(shorter)
