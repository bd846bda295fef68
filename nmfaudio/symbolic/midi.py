"""MIDI files as notes, and notes as MIDI files; `nmfaudio.symbolic.notes` reads and writes them."""

from __future__ import annotations

import io
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, NamedTuple

from nmfaudio.errors import AudioFileError, MissingExtraError
from nmfaudio.symbolic.note import Note

_TICKS = 5000  # per beat of half a second: steps of 0.1 ms
_SUSTAIN, _DOWN = 64, 64  # the pedal's controller, and the value from which on it is down
_TEMPO = 500_000  # µs per beat: what MIDI begins with


class _Stroke(NamedTuple):
    """A key struck: when, which, how hard, by what instrument."""

    tick: int
    key: int
    velocity: int
    program: int
    channel: int


def decode(content: bytes, label: str) -> list[Note]:
    """The notes of a MIDI file, track by track; `label` is what messages call it."""
    mido = _mido()
    try:
        file = mido.MidiFile(file=io.BytesIO(content))
        seconds = _clock(file)
        return [
            Note(seconds(s.tick), seconds(end), s.key, s.velocity / 127, name, s.program, s.channel)
            for name, events in _named_tracks(file)
            for s, end in _strokes(events, _first_programs(file))
        ]
    except Exception as error:  # whatever a damaged file leads the library to
        raise AudioFileError(
            f"{label}: a damaged MIDI file: {error or type(error).__name__}; export it again"
        ) from None


def encode(notes: Sequence[Note]) -> bytes:
    """Notes, by onset, as a MIDI file with a track for each of theirs."""
    mido = _mido()
    file = mido.MidiFile(ticks_per_beat=_TICKS, charset="utf-8")
    for name in dict.fromkeys(note.track for note in notes):
        events = [(0, 0, mido.MetaMessage("track_name", name=name))]
        programs: dict[int, int] = {}
        for note in notes:
            if note.track == name:
                events += _messages(note, programs)
        track = mido.MidiTrack()
        last = 0
        for tick, _, event in sorted(events, key=lambda one: one[:2]):
            track.append(event.copy(time=tick - last))
            last = tick
        file.tracks.append(track)
    content = io.BytesIO()
    file.save(file=content)
    return content.getvalue()


def _mido() -> Any:
    try:
        import mido
    except ImportError:
        raise MissingExtraError(
            "MIDI files need mido, which is not installed; pip install 'nmfaudio[midi]', "
            "or use .csv"
        ) from None
    return mido


def _messages(note: Note, programs: dict[int, int]) -> Iterator[tuple[int, int, Any]]:
    """(tick, rank among those of the same tick, message); `programs` are those set so far."""
    mido = _mido()
    onset, offset = (round(seconds * 2 * _TICKS) for seconds in (note.onset, note.offset))
    if programs.get(note.channel) != note.program:
        change = mido.Message("program_change", channel=note.channel, program=note.program)
        yield onset, 2, change
        programs[note.channel] = note.program
    key = {"channel": note.channel, "note": math.floor(note.pitch + 0.5)}
    yield onset, 2, mido.Message("note_on", velocity=max(1, round(note.velocity * 127)), **key)
    yield max(offset, onset + 1), 1, mido.Message("note_off", **key)


def _clock(file: Any) -> Callable[[int], float]:
    """From ticks to seconds, by the tempo changes of all tracks."""
    if file.ticks_per_beat <= 0:
        raise ValueError("its time is not counted in beats")
    tempos = [(0, _TEMPO)]
    for track in file.tracks:
        tempos += [(tick, e.tempo) for tick, e in _timed(track) if e.type == "set_tempo"]
    tempos.sort(key=lambda change: change[0])
    marks = [0.0]  # seconds at each change
    for (tick, tempo), (following, _) in pairwise(tempos):
        marks.append(marks[-1] + (following - tick) * tempo / file.ticks_per_beat / 1e6)

    def seconds(tick: int) -> float:
        last = bisect_right(tempos, tick, key=lambda change: change[0]) - 1
        since, tempo = tempos[last]
        return marks[last] + (tick - since) * tempo / float(file.ticks_per_beat) / 1e6

    return seconds


def _timed(events: Any) -> Iterator[tuple[int, Any]]:
    """The events of a track, each with its tick since the beginning."""
    tick = 0
    for event in events:
        tick += event.time
        yield tick, event


def _named_tracks(file: Any) -> Iterator[tuple[str, Any]]:
    """The tracks that have notes, each under a name of its own."""
    taken: list[str] = []
    for track in file.tracks:
        if any(event.type == "note_on" and event.velocity for event in track):
            name = _text(track.name) or f"track {len(taken) + 1}"
            names = (name if n == 1 else f"{name} {n}" for n in range(1, len(taken) + 2))
            taken.append(next(one for one in names if one not in taken))
            yield taken[-1], track


def _text(name: str) -> str:
    """A track's name, which files keep in UTF-8 or Latin 1 and mido reads as Latin 1."""
    with suppress(UnicodeError):
        name = name.encode("latin1").decode()
    return name.strip("\0 \t\r\n")


def _first_programs(file: Any) -> dict[int, int]:
    """What each channel begins with, whichever track sets it."""
    programs: dict[int, int] = {}
    for track in file.tracks:
        for event in track:
            if event.type == "program_change":
                programs.setdefault(event.channel, event.program)
    return programs


def _strokes(events: Any, programs: dict[int, int]) -> Iterator[tuple[_Stroke, int]]:
    """The keys struck in a track, each with the tick on which its sound ends.

    A key let go while the sustain pedal is down sounds until the pedal goes up or the key is
    struck again; one never let go sounds until the end of the track. Of several strokes of one
    key the oldest ends first.
    """
    down: dict[tuple[int, int], list[_Stroke]] = {}
    held: dict[tuple[int, int], _Stroke] = {}
    pedals: set[int] = set()
    tick = 0
    for tick, event in _timed(events):
        where = getattr(event, "channel", -1), getattr(event, "note", -1)
        if event.type == "program_change":
            programs[event.channel] = event.program
        elif event.type == "note_on" and event.velocity:
            if where in held:
                yield held.pop(where), tick
            stroke = _Stroke(
                tick, event.note, event.velocity, programs.get(event.channel, 0), event.channel
            )
            down.setdefault(where, []).append(stroke)
        elif event.type in ("note_on", "note_off") and down.get(where):
            if event.channel in pedals:
                held[where] = down[where].pop(0)
            else:
                yield down[where].pop(0), tick
        elif event.type == "control_change" and event.control == _SUSTAIN:
            pedals.add(event.channel)
            if event.value < _DOWN:
                pedals.remove(event.channel)
                for one in [key for key in held if key[0] == event.channel]:
                    yield held.pop(one), tick
    for stroke in [*held.values(), *(one for several in down.values() for one in several)]:
        yield stroke, tick
