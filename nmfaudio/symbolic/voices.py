"""Voices of a staff: chords that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby, zip_longest

Span = tuple[Fraction, Fraction]


def divide_voices(
    spans: Sequence[Span], pitches: Sequence[int], fill: Fraction
) -> list[tuple[int, Fraction]]:
    """Divide notes between two voices, so that a voice has one chord at a time.

    Notes that begin together form a chord, or two where they last differently. A chord joins a
    voice that is free, or else the one that is free first, whose chord it ends.

    Parameters
    ----------
    spans : sequence of (Fraction, Fraction)
        Onset and end of each note, by onset.
    pitches : sequence of int
        A note ends before the next one of its pitch.
    fill : Fraction
        Rests shorter than this are filled by the chord before them.

    Returns
    -------
    list of (int, Fraction)
        Voice, 1 or 2, and end of each note.
    """
    latest = _restrikes(spans, pitches)
    voice_of: dict[int, int] = {}
    chords: dict[int, list[tuple[list[int], Span]]] = {1: [], 2: []}
    for onset, members in groupby(range(len(spans)), key=lambda i: spans[i][0]):
        used: list[int] = []
        for group, end in _chords(list(members), spans):
            free = {voice: chords[voice][-1][1][1] if chords[voice] else onset for voice in (1, 2)}
            order = [voice for voice in (1, 2) if voice not in used]
            voice = min(order, key=lambda voice: (max(free[voice], onset), voice))
            used.append(voice)
            chords[voice].append((group, (onset, min([end, *(latest[i] for i in group)]))))
            voice_of.update(dict.fromkeys(group, voice))
    ends: dict[int, Fraction] = {}
    for voice in (1, 2):
        begins = [onset for _, (onset, _) in chords[voice]]
        for (group, (_, end)), limit in zip_longest(chords[voice], begins[1:]):
            if limit is not None and end > limit - fill:
                end = max(min(limit, *(latest[i] for i in group)), min(end, limit))
            ends.update(dict.fromkeys(group, end))
    return [(voice_of[i], ends[i]) for i in range(len(spans))]


def _restrikes(spans: Sequence[Span], pitches: Sequence[int]) -> list[Fraction]:
    """Onset of the next note of the same pitch, or the end of all notes."""
    following: dict[int, Fraction] = {}
    latest = [max(end for _, end in spans)] * len(spans) if spans else []
    for i in reversed(range(len(spans))):
        latest[i] = following.get(pitches[i], latest[i])
        following[pitches[i]] = spans[i][0]
    return latest


def _chords(members: list[int], spans: Sequence[Span]) -> list[tuple[list[int], Fraction]]:
    """One chord, or a long and a short one where the durations differ by more than half."""
    onset = spans[members[0]][0]
    lengths = {i: spans[i][1] - onset for i in members}
    shortest, longest = min(lengths.values()), max(lengths.values())
    if shortest * 2 >= longest:
        return [(members, onset + longest)]
    limit = (shortest + longest) / 2
    short = [i for i in members if lengths[i] <= limit]
    long = [i for i in members if lengths[i] > limit]
    return [
        (long, onset + longest),
        (short, onset + max(lengths[i] for i in short)),
    ]
