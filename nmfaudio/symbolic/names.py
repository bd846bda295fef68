"""Names of pitches, instruments and drums."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from nmfaudio.symbolic.note import Note

DRUM_CHANNEL = 9
"""MIDI channel of drums, from 0."""

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
"""General MIDI instruments, by number from 0."""

_PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_MIDDLE_C = 60

_ALIASES = {
    "kick": "kick kd bd bass bassdrum kickdrum bass_drum kick_drum",
    "snare": "snare sd sn snaredrum snare_drum",
    "hihat": "hihat hh hat hi-hat hi_hat hihats hats",
    "toms": "toms tom tt",
    "cymbals": "cymbals cymbal cy cr rd crash ride",
}
_KEYS = {  # General MIDI drums; the first is the one written
    "kick": (36, 35),
    "snare": (38, 37, 39, 40),
    "hihat": (42, 44, 46),
    "toms": (45, 41, 43, 47, 48, 50),
    "cymbals": (49, 51, 52, 53, 55, 57, 59),
}
DRUM_PARTS = tuple(_ALIASES)
"""Parts of a drum kit, in the order in which they are listed everywhere."""
KINDS_OF_PARTS = {"hihat": ("closed_hihat", "open_hihat"), "cymbals": ("crash", "ride")}
"""Kinds that a part consists of, where transcription tells them apart."""
_KINDS = {  # General MIDI drums; the first is the one written
    "closed_hihat": (42, 44),
    "open_hihat": (46,),
    "crash": (49, 52, 55, 57),
    "ride": (51, 53, 59),
}

_PART_OF = {name: part for part, names in _ALIASES.items() for name in names.split()} | {
    str(key): part for part, keys in _KEYS.items() for key in keys
}
_KIND_OF = {key: kind for kind, keys in _KINDS.items() for key in keys}
_HIT_LENGTH = 0.1  # s, of the note of a hit
_CLAP = 39  # General MIDI drum for parts of any other name
_NOTE = re.compile(r"([A-Ga-g])(##?|bb?|s)?(-?\d)")
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_HIGHEST_PITCH = 127  # MIDI


def name_parts(notes: Sequence[Note], by: str) -> list[str]:
    """Name the stem of each note.

    Parameters
    ----------
    notes : sequence of Note
    by : {"track", "program", "channel", "hand", "note"}
        Property that the stems are named by.

    Returns
    -------
    list of str
        One name per note.

    Examples
    --------
    >>> name_parts([Note(0, 1, 48), Note(0, 1, 72)], "hand")
    ['left', 'right']
    """
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
    """Name of the nearest MIDI number: C4 for 60."""
    octave, step = divmod(round(pitch), 12)
    return f"{_PITCH_CLASSES[step]}{octave - 1}"


def sound_name(note: Note) -> str:
    """Name of a note's pitch or drum.

    Parameters
    ----------
    note : Note

    Returns
    -------
    str
        A pitch name with the deviation in cents, or the part of the drum kit.

    Examples
    --------
    >>> sound_name(Note(0, 1, 60)), sound_name(Note(0, 1, 60.25)), sound_name(Note(0, 1, 36))
    ('C4', 'C4+25', 'C2')
    >>> sound_name(Note(0, 1, 36, channel=9))
    'kick'
    """
    if note.channel != DRUM_CHANNEL:
        return pitch_name(note.pitch) + cents_suffix(note)
    return part_named(str(round(note.pitch))) or f"drum {note.pitch:.0f}"


def kind_name(note: Note) -> str:
    """Name of a drum, with the kinds of hi-hats and cymbals told apart.

    Parameters
    ----------
    note : Note

    Returns
    -------
    str
        One of the kinds in `KINDS_OF_PARTS`, else as `sound_name` has it.

    Examples
    --------
    >>> kind_name(Note(0, 1, 46, channel=9)), kind_name(Note(0, 1, 36, channel=9))
    ('open_hihat', 'kick')
    """
    kind = _KIND_OF.get(round(note.pitch)) if note.channel == DRUM_CHANNEL else None
    return kind or sound_name(note)


def _hands(notes: Sequence[Note]) -> Callable[[Note], str]:
    """Namer of hands: of two tracks the higher is the right hand, otherwise middle C divides."""
    pitches: dict[str, list[float]] = {}
    for note in notes:
        pitches.setdefault(note.track, []).append(note.pitch)
    if len(pitches) == 2:
        right = max(pitches, key=lambda track: sum(pitches[track]) / len(pitches[track]))
        return lambda note: "right" if note.track == right else "left"
    return lambda note: "right" if note.pitch >= _MIDDLE_C else "left"


def cents_suffix(note: Note) -> str:
    """Deviation from the nearest semitone in cents, with its sign; empty where it is 0."""
    cents = round(100 * (note.pitch - round(note.pitch)))
    return f"{cents:+d}" if cents else ""


def part_named(text: str) -> str | None:
    """Part of the drum kit that a text names.

    Parameters
    ----------
    text : str
        Name, abbreviation, or number of a General MIDI drum.

    Returns
    -------
    str or None
        One of `DRUM_PARTS`, or None for any other text.

    Examples
    --------
    >>> part_named("BD"), part_named("hi-hat"), part_named("42"), part_named("oboe")
    ('kick', 'hihat', 'hihat', None)
    """
    return _PART_OF.get(text.strip().lower())


def drum_pitch(part: str) -> int:
    """General MIDI number that a part of the drum kit is written as.

    Parameters
    ----------
    part : str

    Returns
    -------
    int
        That of a hand clap for names that are no part of a kit.

    Examples
    --------
    >>> drum_pitch("kick"), drum_pitch("triangle")
    (36, 39)
    """
    return (_KINDS.get(part) or _KEYS.get(part, (_CLAP,)))[0]


def drum_note(part: str, onset: float, velocity: float = 0.8) -> Note:
    """General MIDI note of a hit, with its part as the track.

    Parameters
    ----------
    part : str
    onset : float
        Seconds.
    velocity : float
        0 to 1.

    Returns
    -------
    Note
        On the channel of drums, 0.1 s long.

    Examples
    --------
    >>> drum_note("snare", 0.5)
    Note(onset=0.5, offset=0.6, pitch=38, velocity=0.8, track='snare', program=0, channel=9)
    """
    pitch = drum_pitch(part)
    return Note(onset, onset + _HIT_LENGTH, pitch, velocity, part, channel=DRUM_CHANNEL)


def program_named(text: str) -> int | None:
    """Number of a General MIDI instrument.

    Parameters
    ----------
    text : str
        A number from 0 to 127, a name, or the beginning of one.

    Returns
    -------
    int or None
        None where the text is none of these, or begins several names and is not one of them.

    Examples
    --------
    >>> program_named("Church organ"), program_named("violin"), program_named("synth")
    (19, 40, None)
    """
    text = " ".join(text.lower().split())
    if text.isdecimal():
        return int(text) if int(text) < len(PROGRAMS) else None
    if text in PROGRAMS:
        return PROGRAMS.index(text)
    matches = [number for number, name in enumerate(PROGRAMS) if text and name.startswith(text)]
    return matches[0] if len(matches) == 1 else None


def pitch_named(text: str) -> int | None:
    """Return the MIDI number that a text is or names, or None.

    Parameters
    ----------
    text : str

    Returns
    -------
    int or None

    Examples
    --------
    >>> pitch_named("60"), pitch_named("A4"), pitch_named("Bb2"), pitch_named("kick")
    (60, 69, 46, None)
    """
    if text.isascii() and text.isdecimal():
        return int(text) if int(text) <= _HIGHEST_PITCH else None
    match = _NOTE.fullmatch(text)
    if match is None:
        return None
    letter, sign, octave = match[1].upper(), match[2] or "", int(match[3])
    shift = -len(sign) if sign.startswith("b") else len(sign)
    pitch = _SEMITONES[letter] + shift + 12 * (octave + 1)
    return pitch if 0 <= pitch <= _HIGHEST_PITCH else None
