"""Notes as MIDI files; `nmfaudio.symbolic.notes` reads and writes the files."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from nmfaudio._common.extras import missing_extra
from nmfaudio.errors import AudioFileError
from nmfaudio.symbolic.bends import (
    PitchWheel,
    Voicing,
    bend_range,
    range_controls,
    voice,
    wheel_position,
)
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.pedal import SUSTAIN, pedal_messages

if TYPE_CHECKING:
    from nmfaudio.symbolic.beats import Beats

_TICKS_PER_BEAT = 5000  # at the default tempo: steps of 0.1 ms
_TICKS_PER_SECOND = 2 * _TICKS_PER_BEAT
_TEMPO = 500_000  # µs per beat: the default of the MIDI standard
_PEDAL_DOWN = 64  # lowest controller value of a pressed pedal
_FULL_VELOCITY = 127


class _Stroke(NamedTuple):
    """A note-on event."""

    tick: int
    key: int
    velocity: int
    program: int
    channel: int


def decode(content: bytes, label: str, most: int | None = None) -> list[Note]:
    """Read the notes of a MIDI file.

    Parameters
    ----------
    content : bytes
    label : str
        Name of the file in messages.
    most : int, optional
        Number of notes after which reading stops.

    Returns
    -------
    list of Note
        Track by track.

    Raises
    ------
    AudioFileError
        The file is damaged.
    """
    import mido

    try:
        file = mido.MidiFile(file=io.BytesIO(content))
        seconds = _clock(file)
        wheels = _pitch_wheels(file, seconds)
        programs = _first_programs(file)
        notes = (
            _note(stroke, seconds(stroke.tick), seconds(end), name, wheels)
            for name, events in _named_tracks(file)
            for stroke, end in _strokes(events, dict(programs))
        )
        return list(islice(notes, most))
    except Exception as error:  # mido raises errors of any kind on damaged files
        raise AudioFileError(
            f"{label}: a damaged MIDI file: {str(error) or type(error).__name__}; export it again"
        ) from None


def encode(
    notes: Sequence[Note],
    beats: Beats | None = None,
    pedals: Sequence[tuple[float, float]] = (),
) -> bytes:
    """Write notes as a MIDI file with one track for each track of the notes.

    Parameters
    ----------
    notes : sequence of Note
        Sorted by onset.
    beats : Beats, optional
        Beats of the tempo map and of the time signature, which form a track of their own.
    pedals : sequence of tuple of float
        Seconds at which the sustain pedal is pressed and rises, for all tracks but drums.

    Returns
    -------
    bytes

    Warns
    -----
    AudioWarning
        More than 15 different bends sound at a time.
    """
    import mido

    file = mido.MidiFile(ticks_per_beat=_TICKS_PER_BEAT, charset="utf-8")
    ticks = _default_ticks
    if beats is not None:
        from nmfaudio.symbolic.tempo_map import TempoMap

        tempo_map = TempoMap(beats)
        ticks = tempo_map.ticks
        file.ticks_per_beat = tempo_map.TICKS_PER_QUARTER
        file.tracks.append(tempo_map.track())
    voicings = voice(notes)
    limit = bend_range(voicings)
    bent = {each.channel for each in voicings if each.bends}
    for name in dict.fromkeys(note.track for note in notes):
        events = [(0, 0, mido.MetaMessage("track_name", name=name))]
        programs: dict[int, int] = {}
        unset = set(bent)  # channels whose bend range is still to be set, in each track anew
        for note, voicing in zip(notes, voicings, strict=True):
            if note.track == name:
                if voicing.channel in bent:  # its last note may be one of another track
                    programs.pop(voicing.channel, None)
                if voicing.channel in unset:
                    events += _range_messages(voicing.channel, limit)
                    unset.remove(voicing.channel)
                events += _messages(note, voicing, programs, ticks)
                events += _bend_messages(voicing, limit, ticks, note.offset)
        channels = {
            voicing.channel
            for note, voicing in zip(notes, voicings, strict=True)
            if note.track == name and note.channel != DRUM_CHANNEL
        }
        events += pedal_messages(pedals, sorted(channels), ticks)
        track = mido.MidiTrack()
        last = 0
        for tick, _, event in sorted(events, key=lambda entry: entry[:2]):
            track.append(event.copy(time=tick - last))
            last = tick
        file.tracks.append(track)
    content = io.BytesIO()
    file.save(file=content)
    return content.getvalue()


def unique_names(names: Sequence[str]) -> list[str]:
    """Names of tracks, with numbers where earlier ones have the same.

    Parameters
    ----------
    names : sequence of str
        Empty for a track without a name.

    Returns
    -------
    list of str

    Examples
    --------
    >>> unique_names(["oboe", "", "oboe"])
    ['oboe', 'track 2', 'oboe 2']
    """
    unique: dict[str, None] = {}
    numbers: dict[str, int] = {}  # last number of each name: all before it are taken
    for name in names:
        name = candidate = name or f"track {len(unique) + 1}"
        number = numbers.get(name, 1)
        if number > 1:
            candidate = f"{name} {number}"
        while candidate in unique:
            number += 1
            candidate = f"{name} {number}"
        unique[candidate] = None
        numbers[name] = number
    return list(unique)


def to_pretty_midi(notes: Sequence[Note]) -> Any:
    """Convert notes to a `pretty_midi.PrettyMIDI` with one instrument for each of their tracks.

    Notes off keys get instruments of their own, one for each bend that sounds at a time.

    Parameters
    ----------
    notes : sequence of Note

    Returns
    -------
    pretty_midi.PrettyMIDI
        Times are exact; velocities are rounded, and pitches bent, as in `encode`.

    Raises
    ------
    MissingExtraError
        pretty_midi is not installed.
    """
    try:
        import pretty_midi
    except ImportError:
        raise missing_extra("midi", "PrettyMIDI objects", "use write_notes()") from None
    score = pretty_midi.PrettyMIDI(resolution=_TICKS_PER_BEAT)
    instruments: dict[tuple[str, int, bool, int], Any] = {}
    voicings = voice(notes)
    limit = bend_range(voicings)
    bent = {each.channel for each in voicings if each.bends}
    for note, voicing in zip(notes, voicings, strict=True):
        is_drum, channel = note.channel == DRUM_CHANNEL, voicing.channel
        key = (note.track, note.program, is_drum, channel if channel in bent else -1)
        if key not in instruments:
            instruments[key] = pretty_midi.Instrument(note.program, is_drum, note.track)
            if channel in bent:
                instruments[key].control_changes += [
                    pretty_midi.ControlChange(*control, 0.0) for control in range_controls(limit)
                ]
        end = max(note.offset, note.onset + 1 / _TICKS_PER_SECOND)
        instruments[key].notes.append(
            pretty_midi.Note(_velocity(note), voicing.key, float(note.onset), float(end))
        )
        instruments[key].pitch_bends += [
            pretty_midi.PitchBend(wheel_position(semitones, limit), seconds)
            for seconds, semitones in voicing.bends
        ]
    score.instruments.extend(instruments.values())
    return score


def _velocity(note: Note) -> int:
    """MIDI velocity, at least 1: a note-on event of velocity 0 ends a note."""
    return max(1, round(_FULL_VELOCITY * note.velocity))


def _default_ticks(seconds: float) -> int:
    """Tick of a time in a file at the default tempo."""
    return round(seconds * _TICKS_PER_SECOND)


def _messages(
    note: Note, voicing: Voicing, programs: dict[int, int], ticks: Callable[[float], int]
) -> Iterator[tuple[int, int, Any]]:
    """Events of a note as (tick, rank within the tick, message).

    Note-off events rank before note-on events, so that repeated notes stay apart, and bends between
    them. `programs` has the program of each channel so far and is updated.
    """
    import mido

    onset, offset = ticks(note.onset), ticks(note.offset)
    if programs.get(voicing.channel) != note.program:
        change = mido.Message("program_change", channel=voicing.channel, program=note.program)
        yield onset, 3, change
        programs[voicing.channel] = note.program
    key = {"channel": voicing.channel, "note": voicing.key}
    yield onset, 3, mido.Message("note_on", velocity=_velocity(note), **key)
    yield max(offset, onset + 1), 1, mido.Message("note_off", **key)


def _range_messages(channel: int, limit: int) -> Iterator[tuple[int, int, Any]]:
    """Events that set the bend range of a channel."""
    import mido

    for control, value in range_controls(limit):
        message = {"channel": channel, "control": control, "value": value}
        yield 0, 0, mido.Message("control_change", **message)


def _bend_messages(
    voicing: Voicing, limit: int, ticks: Callable[[float], int], offset: float
) -> Iterator[tuple[int, int, Any]]:
    """Events of the bends of a note."""
    import mido

    end = ticks(offset)  # where the next note of the channel may begin
    for index, (seconds, semitones) in enumerate(voicing.bends):
        tick = ticks(seconds)
        if index == 0 or tick < end:
            position = wheel_position(semitones, limit)
            yield tick, 2, mido.Message("pitchwheel", channel=voicing.channel, pitch=position)


def _clock(file: Any) -> Callable[[int], float]:
    """Function from ticks to seconds, by the tempo changes of all tracks."""
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
    """Events of a track, each with its tick from the beginning."""
    tick = 0
    for event in events:
        tick += event.time
        yield tick, event


def _named_tracks(file: Any) -> Iterator[tuple[str, Any]]:
    """Tracks that have notes, each under a unique name."""
    tracks = [
        track
        for track in file.tracks
        if any(event.type == "note_on" and event.velocity for event in track)
    ]
    return zip(unique_names([_text(track.name) for track in tracks]), tracks, strict=True)


def _text(name: str) -> str:
    """Name of a track: files have UTF-8 or Latin 1, mido decodes as Latin 1."""
    with suppress(UnicodeError):
        name = name.encode("latin1").decode()
    return name.strip("\0 \t\r\n")


def _first_programs(file: Any) -> dict[int, int]:
    """First program of each channel, in whichever track it is set."""
    programs: dict[int, int] = {}
    for track in file.tracks:
        for event in track:
            if event.type == "program_change":
                programs.setdefault(event.channel, event.program)
    return programs


def _pitch_wheels(file: Any, seconds: Callable[[int], float]) -> dict[int, PitchWheel]:
    """Pitch wheels of the channels that are bent, by the events of all tracks."""
    kinds = ("pitchwheel", "control_change")
    timed = [entry for track in file.tracks for entry in _timed(track) if entry[1].type in kinds]
    wheels: dict[int, PitchWheel] = {}
    for tick, event in sorted(timed, key=lambda entry: entry[0]):
        wheel = wheels.setdefault(event.channel, PitchWheel())
        if event.type == "pitchwheel":
            wheel.turn(seconds(tick), event.pitch)
        else:
            wheel.control(event.control, event.value)
    return wheels


def _note(
    stroke: _Stroke, onset: float, offset: float, name: str, wheels: dict[int, PitchWheel]
) -> Note:
    """Note of a stroke, with the bends of its channel; drums are not bent."""
    pitch: float = stroke.key
    contour: tuple[tuple[float, float], ...] = ()
    if stroke.channel in wheels and stroke.channel != DRUM_CHANNEL:
        pitch, contour = wheels[stroke.channel].pitch(stroke.key, onset, offset)
    velocity = stroke.velocity / _FULL_VELOCITY
    program, channel = stroke.program, stroke.channel
    return Note(onset, offset, pitch, velocity, name, program, channel, contour)


def _strokes(events: Any, programs: dict[int, int]) -> Iterator[tuple[_Stroke, int]]:
    """Note-on events of a track, each with the tick at which the note ends.

    A note released while the sustain pedal is down ends when the pedal is released or the same key
    is pressed again. A note that is never released ends with the track. If a key is pressed several
    times before its release, the earliest note ends first.
    """
    down: dict[tuple[int, int], deque[_Stroke]] = {}
    sustained: dict[tuple[int, int], _Stroke] = {}
    pedals: set[int] = set()  # channels whose pedal is down
    tick = 0
    for tick, event in _timed(events):
        key = getattr(event, "channel", -1), getattr(event, "note", -1)
        if event.type == "program_change":
            programs[event.channel] = event.program
        elif event.type == "note_on" and event.velocity:
            if key in sustained:
                yield sustained.pop(key), tick
            stroke = _Stroke(
                tick, event.note, event.velocity, programs.get(event.channel, 0), event.channel
            )
            down.setdefault(key, deque()).append(stroke)
        elif event.type in ("note_on", "note_off") and down.get(key):
            if event.channel in pedals:
                sustained[key] = down[key].popleft()
            else:
                yield down[key].popleft(), tick
        elif event.type == "control_change" and event.control == SUSTAIN:
            pedals.add(event.channel)
            if event.value < _PEDAL_DOWN:
                pedals.remove(event.channel)
                for released in [key for key in sustained if key[0] == event.channel]:
                    yield sustained.pop(released), tick
    unfinished = [*sustained.values(), *(stroke for strokes in down.values() for stroke in strokes)]
    for stroke in unfinished:
        yield stroke, tick
