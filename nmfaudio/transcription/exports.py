"""Export of notes to CSV, pretty_midi and JAMS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nmfaudio._version import __version__
from nmfaudio.symbolic.note import Note


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
