"""Export of notes to CSV, pretty_midi and JAMS."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from nmfaudio._version import __version__
from nmfaudio.errors import MissingExtraError
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note

_COLUMNS = ("start_time_s", "end_time_s", "pitch_midi", "velocity", "pitch_bend")
_TICKS = 5000  # per beat of half a second: a resolution of 0.1 ms


def note_table(notes: Sequence[Note]) -> str:
    """Return notes as CSV with the columns that basic-pitch writes.

    Parameters
    ----------
    notes : sequence of Note

    Returns
    -------
    str
        Velocities are integers from 0 to 127; the column ``pitch_bend`` is empty.

    Examples
    --------
    >>> print(note_table([Note(0.5, 1.0, 69, velocity=1.0)]), end="")
    start_time_s,end_time_s,pitch_midi,velocity,pitch_bend
    0.5,1.0,69,127,
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for note in notes:
        times = (repr(float(note.onset)), repr(float(note.offset)))
        rows.writerow((*times, f"{note.pitch:g}", round(127 * note.velocity), ""))
    return text.getvalue()


def pretty_score(notes: Sequence[Note]) -> Any:
    """Return notes as a `pretty_midi.PrettyMIDI`; see `Transcription.to_midi`."""
    try:
        import pretty_midi
    except ImportError:
        raise MissingExtraError(
            "pretty_midi is not installed; to_midi() needs it: pip install 'nmfaudio[midi]', "
            "or use to_csv()"
        ) from None
    score = pretty_midi.PrettyMIDI(resolution=_TICKS)
    instruments: dict[tuple[str, int, bool], Any] = {}
    for note in notes:
        key = (note.track, note.program, note.channel == DRUM_CHANNEL)
        if key not in instruments:
            instruments[key] = pretty_midi.Instrument(note.program, key[2], note.track)
        velocity = max(1, round(127 * note.velocity))  # a note-on of velocity 0 ends a note
        end = max(note.offset, note.onset + 0.5 / _TICKS)  # at least one tick
        instruments[key].notes.append(
            pretty_midi.Note(velocity, int(note.pitch + 0.5), float(note.onset), float(end))
        )
    score.instruments.extend(instruments.values())
    return score


def jams_document(notes: Sequence[Note], duration: float) -> dict[str, Any]:
    """Return notes as a JSON-serialisable JAMS document, in the namespace ``note_midi``.

    Parameters
    ----------
    notes : sequence of Note
    duration : float
        Duration of the recording in seconds.

    Returns
    -------
    dict
        Velocities are in the annotation's sandbox, since the namespace has no field for them.

    References
    ----------
    E. J. Humphrey et al., "JAMS: a JSON annotated music specification for reproducible MIR
    research", ISMIR 2014, doi:10.5281/zenodo.1415694.

    Examples
    --------
    >>> jams_document([Note(0.5, 1.0, 69)], 2.0)["annotations"][0]["data"]
    [{'time': 0.5, 'duration': 0.5, 'value': 69.0, 'confidence': None}]
    """
    annotation = {
        "namespace": "note_midi",
        "time": 0.0,
        "duration": duration,
        "data": [
            {
                "time": float(note.onset),
                "duration": float(note.offset - note.onset),
                "value": float(note.pitch),
                "confidence": None,
            }
            for note in notes
        ],
        "annotation_metadata": {
            "annotation_tools": f"nmfaudio {__version__}",
            "data_source": "program",
            **dict.fromkeys(("annotation_rules", "corpus", "validation", "version"), ""),
            "curator": {"name": "", "email": ""},
            "annotator": {},
        },
        "sandbox": {"velocity": [float(note.velocity) for note in notes]},
    }
    return {
        "annotations": [annotation],
        "file_metadata": {
            "duration": duration,
            "jams_version": "0.3.5",
            "identifiers": {},
            **dict.fromkeys(("title", "artist", "release"), ""),
        },
        "sandbox": {},
    }
