"""Names of pitches, instruments and drums."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nmfaudio.symbolic.note import Note

DRUM_CHANNEL = 9
"""MIDI channel of drums, counted from 0."""

_PROGRAMS = """
acoustic grand piano, bright acoustic piano, electric grand piano, honky-tonk piano,
electric piano 1, electric piano 2, harpsichord, clavinet, celesta, glockenspiel, music box,
vibraphone, marimba, xylophone, tubular bells, dulcimer, drawbar organ, percussive organ,
rock organ, church organ, reed organ, accordion, harmonica, tango accordion,
acoustic guitar (nylon), acoustic guitar (steel), electric guitar (jazz), electric guitar (clean),
electric guitar (muted), overdriven guitar, distortion guitar, guitar harmonics, acoustic bass,
electric bass (finger), electric bass (pick), fretless bass, slap bass 1, slap bass 2,
synth bass 1, synth bass 2, violin, viola, cello, contrabass, tremolo strings, pizzicato strings,
orchestral harp, timpani, string ensemble 1, string ensemble 2, synth strings 1, synth strings 2,
choir aahs, voice oohs, synth voice, orchestra hit, trumpet, trombone, tuba, muted trumpet,
french horn, brass section, synth brass 1, synth brass 2, soprano sax, alto sax, tenor sax,
baritone sax, oboe, english horn, bassoon, clarinet, piccolo, flute, recorder, pan flute,
blown bottle, shakuhachi, whistle, ocarina, lead 1 (square), lead 2 (sawtooth), lead 3 (calliope),
lead 4 (chiff), lead 5 (charang), lead 6 (voice), lead 7 (fifths), lead 8 (bass + lead),
pad 1 (new age), pad 2 (warm), pad 3 (polysynth), pad 4 (choir), pad 5 (bowed), pad 6 (metallic),
pad 7 (halo), pad 8 (sweep), fx 1 (rain), fx 2 (soundtrack), fx 3 (crystal), fx 4 (atmosphere),
fx 5 (brightness), fx 6 (goblins), fx 7 (echoes), fx 8 (sci-fi), sitar, banjo, shamisen, koto,
kalimba, bag pipe, fiddle, shanai, tinkle bell, agogo, steel drums, woodblock, taiko drum,
melodic tom, synth drum, reverse cymbal, guitar fret noise, breath noise, seashore, bird tweet,
telephone ring, helicopter, applause, gunshot
"""
PROGRAMS = tuple(" ".join(_PROGRAMS.split()).split(", "))
"""Instruments of General MIDI, by number from 0."""

_PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_MIDDLE_C = 60

CALLED = {
    "kick": "kick kd bd bass bassdrum kickdrum bass_drum kick_drum",
    "snare": "snare sd sn snaredrum snare_drum",
    "hihat": "hihat hh hat hi-hat hi_hat hihats hats",
    "toms": "toms tom tt",
    "cymbals": "cymbals cymbal cy cr rd crash ride",
}
_STRUCK = {
    "kick": (36, 35),
    "snare": (38, 37, 39, 40),
    "hihat": (42, 44, 46),
    "toms": (45, 41, 43, 47, 48, 50),
    "cymbals": (49, 51, 52, 53, 55, 57, 59),
}
_PART_OF = {name: part for part, names in CALLED.items() for name in names.split()} | {
    str(key): part for part, keys in _STRUCK.items() for key in keys
}
_OTHER = 39  # what is no part of ours is written as a clap


def name_parts(notes: Sequence[Note], by: str) -> list[str]:
    """The name of each note's stem."""
    namers: dict[str, Callable[[Note], str]] = {
        "track": lambda note: note.track or "score",
        "program": lambda note: "drums" if note.channel == DRUM_CHANNEL else PROGRAMS[note.program],
        "channel": lambda note: f"channel {note.channel + 1}",
        "hand": _hands(notes),
    }
    if by == "note":
        digits = len(str(len(notes)))
        return [f"{i:0{digits}d} {pitch_name(note.pitch)}" for i, note in enumerate(notes, 1)]
    return [namers[by](note) for note in notes]


def pitch_name(pitch: float) -> str:
    """The name of a MIDI number: C4 for 60."""
    octave, step = divmod(round(pitch), 12)
    return f"{_PITCH_CLASSES[step]}{octave - 1}"


def sound_name(note: Note) -> str:
    """What a note's sound is called: C4, C4+50 half a semitone above, or the part of a drum kit."""
    if note.channel != DRUM_CHANNEL:
        return pitch_name(note.pitch) + cents_suffix(note)
    return part_named(str(round(note.pitch))) or f"drum {note.pitch:.0f}"


def _hands(notes: Sequence[Note]) -> Callable[[Note], str]:
    """Two tracks are the two hands, the higher one the right; else middle C parts them."""
    pitches: dict[str, list[float]] = {}
    for note in notes:
        pitches.setdefault(note.track, []).append(note.pitch)
    if len(pitches) == 2:
        right = max(pitches, key=lambda track: np.mean(pitches[track]))
        return lambda note: "right" if note.track == right else "left"
    return lambda note: "right" if note.pitch >= _MIDDLE_C else "left"


def cents_suffix(note: Note) -> str:
    """How far a note is from the pitch that it is named by, where that is not 0."""
    cents = round(100 * (note.pitch - round(note.pitch)))
    return f"{cents:+d}" if cents else ""


def part_named(text: str) -> str | None:
    """The part of the kit that a name, or the number of a General MIDI drum, stands for.

    Parameters
    ----------
    text : str

    Returns
    -------
    str or None
        None where it is no name of a part.

    Examples
    --------
    >>> part_named("BD"), part_named("hi-hat"), part_named("42"), part_named("oboe")
    ('kick', 'hihat', 'hihat', None)
    """
    return _PART_OF.get(text.strip().lower())


def drum_pitch(part: str) -> int:
    """The number of the General MIDI drum that a part of the kit is written as.

    Parameters
    ----------
    part : str

    Returns
    -------
    int
        That of a clap where it is none of `CALLED`.
    """
    return _STRUCK.get(part, (_OTHER,))[0]
