"""Notes and beats as JAMS documents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.files.sources import MALFORMED
from nmfaudio._common.pitch import hz_to_midi, midi_to_hz
from nmfaudio._version import __version__
from nmfaudio.errors import AudioFileError
from nmfaudio.symbolic.note import Note

if TYPE_CHECKING:
    from nmfaudio.symbolic.beats import Beats

_NAMESPACES = ("note_midi", "note_hz")  # of notes, in the order of preference
_BESIDE = ("velocity", "track", "program", "channel", "contour")  # what sandboxes have of each note


def jams_document(
    notes: Sequence[Note], duration: float, beats: Beats | None = None
) -> dict[str, Any]:
    """Return notes and beats as a JSON-serialisable JAMS document.

    Parameters
    ----------
    notes : sequence of Note
    duration : float
        Duration of the recording in seconds.
    beats : Beats, optional

    Returns
    -------
    dict
        An annotation in the namespace ``note_midi``, with velocities, tracks, programs and
        channels in its sandbox, since the namespace has no fields for them; one in
        ``pitch_contour`` if a note has a contour; and one in ``beat``, whose values count the beats
        of a bar from 1, with the time signature in its sandbox.

    References
    ----------
    E. J. Humphrey et al., "JAMS: a JSON annotated music specification for reproducible MIR
    research", ISMIR 2014, doi:10.5281/zenodo.1415694.

    Examples
    --------
    >>> jams_document([Note(0.5, 1.0, 69)], 2.0)["annotations"][0]["data"]
    [{'time': 0.5, 'duration': 0.5, 'value': 69.0, 'confidence': None}]
    """
    data = [_observation(n.onset, n.offset - n.onset, float(n.pitch)) for n in notes]
    sandbox = {name: [getattr(note, name) for note in notes] for name in _BESIDE}
    annotations = [_annotation("note_midi", data, duration, sandbox)]
    if any(note.contour for note in notes):
        annotations.append(_annotation("pitch_contour", _contours(notes), duration, {}))
    else:
        del sandbox["contour"]
    if beats is not None:
        numbers = (np.arange(len(beats.times)) - beats.first_downbeat) % beats.per_bar + 1
        pairs = zip(beats.times, numbers, strict=True)
        data = [_observation(time, 0.0, float(number)) for time, number in pairs if time >= 0]
        signature = {"time_signature": list(beats.time_signature)}
        annotations.append(_annotation("beat", data, duration, signature))
    return {
        "annotations": annotations,
        "file_metadata": {
            "duration": duration,
            "jams_version": "0.3.5",
            "identifiers": {},
            **dict.fromkeys(("title", "artist", "release"), ""),
        },
        "sandbox": {},
    }


def _contours(notes: Sequence[Note]) -> list[dict[str, Any]]:
    """Observations of the namespace ``pitch_contour``: the frequency of each note over time."""
    return [
        _observation(time, 0.0, {"index": index, "frequency": float(hertz), "voiced": True})
        for index, note in enumerate(notes)
        for times in [
            note.onset + np.array([seconds for seconds, _ in note.contour or ((0.0, 0),)])
        ]
        for time, hertz in zip(times, midi_to_hz(note.pitch_at(times)), strict=True)
    ]


def decode_jams(content: bytes, label: str) -> list[Note]:
    """Read the notes of a JAMS document.

    Parameters
    ----------
    content : bytes
    label : str
        Name of the file in messages.

    Returns
    -------
    list of Note
        Annotation by annotation, of the namespace ``note_midi``, or of ``note_hz`` where that is
        the only one.

    Raises
    ------
    AudioFileError
        The file is damaged, or has no annotation of notes.
    """
    try:
        annotations = json.loads(content)["annotations"]
        found = {name: [a for a in annotations if a["namespace"] == name] for name in _NAMESPACES}
        chosen = next((found[name] for name in _NAMESPACES if found[name]), [])
        notes = [note for annotation in chosen for note in _notes(annotation)]
    except MALFORMED as error:
        raise AudioFileError(
            f"{label}: a damaged JAMS file: {type(error).__name__} {error}; export it again"
        ) from None
    if not chosen:
        names = ", ".join(sorted({str(a["namespace"]) for a in annotations})) or "none"
        raise AudioFileError(
            f"{label}: has no notes, but annotations of {names}; need a JAMS file with note_midi "
            "or note_hz"
        )
    return notes


def _notes(annotation: Mapping[str, Any]) -> list[Note]:
    """Notes of an annotation, whose data are records or columns."""
    data, sandbox = annotation["data"], annotation.get("sandbox") or {}
    if isinstance(data, dict):
        columns = zip(data["time"], data["duration"], data["value"], strict=True)
        data = [{"time": t, "duration": d, "value": v} for t, d, v in columns]
    beside = {name: sandbox[name] for name in _BESIDE if name in sandbox}
    in_hertz = annotation["namespace"] == "note_hz"
    return [
        Note(
            float(row["time"]),
            float(row["time"]) + float(row["duration"]),
            float(hz_to_midi(row["value"])) if in_hertz else float(row["value"]),
            **{name: values[i] for name, values in beside.items()},
        )
        for i, row in enumerate(data)
    ]


def _observation(time: float, duration: float, value: Any) -> dict[str, Any]:
    """One observation of an annotation."""
    return {"time": float(time), "duration": float(duration), "value": value, "confidence": None}


def _annotation(
    namespace: str, data: list[dict[str, Any]], duration: float, sandbox: dict[str, Any]
) -> dict[str, Any]:
    """Annotation of a document, made by a program."""
    return {
        "namespace": namespace,
        "time": 0.0,
        "duration": duration,
        "data": data,
        "annotation_metadata": {
            "annotation_tools": f"nmfaudio {__version__}",
            "data_source": "program",
            **dict.fromkeys(("annotation_rules", "corpus", "validation", "version"), ""),
            "curator": {"name": "", "email": ""},
            "annotator": {},
        },
        "sandbox": sandbox,
    }
