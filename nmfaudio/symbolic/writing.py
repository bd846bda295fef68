"""Writing of notes: MIDI files, CSV tables and JAMS documents."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nmfaudio._common.files.names import safe_name, show
from nmfaudio._common.files.staging import write_bytes
from nmfaudio._common.files.targets import check_targets
from nmfaudio._public import public
from nmfaudio.errors import OutputError
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.tables import encode_table

if TYPE_CHECKING:
    from nmfaudio.symbolic.beats import Beats


@public
def write_notes(
    path: str | os.PathLike[str],
    notes: Notes,
    *,
    beats: Beats | None = None,
    pedals: Sequence[tuple[float, float]] = (),
    overwrite: bool = False,
) -> Path:
    """Write notes as a MIDI file, a CSV table or a JAMS document.

    Tables and JAMS keep all values exactly. MIDI rounds times to 0.1 ms and velocities to 1 to 127;
    a note shorter than 0.1 ms lasts that long. Pitches between the keys, and contours, become pitch
    bends, exact within a cent: such notes get channels that no other note is bent in meanwhile,
    with the bend range set by registered parameter 0. Drums are rounded to keys.

    Parameters
    ----------
    path : str or os.PathLike
        The suffix chooses the format: ``.mid``, ``.midi``, ``.csv`` or ``.jams``.
    notes : iterable of Note, or object of another package
        A `pretty_midi.PrettyMIDI`, ``NoteData`` of mirdata, (intervals, Hz) of mir_eval, or any
        object with ``notes``, such as a transcription.
    beats : Beats, optional
        Tempo map and time signature of a MIDI file, and beats of a JAMS document; tables have none.
    pedals : sequence of tuple of float
        Seconds at which the sustain pedal is pressed and rises, for a MIDI file, such as from
        `nmfaudio.symbolic.estimate_pedal`. Notes that end while it is down then sound until it
        rises.
    overwrite : bool
        Whether to replace an existing file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        The file exists, cannot be written, or has another suffix.
    ParameterError
        The notes have another type.

    Warns
    -----
    AudioWarning
        More than 15 different bends sound at a time; MIDI has no channels for more, and the last
        notes get the nearest pitch of another note's bend.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import nmfaudio as na
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     score = Path(folder, "score.csv")
    ...     _ = na.write_notes(score, [na.Note(0.5, 1.0, 69, track="oboe")])
    ...     print(score.read_text().splitlines()[1])
    0.5,1.0,69,0.8,oboe,0,0
    """
    target = Path(path)
    suffix = target.suffix.lower()
    ordered = sorted(as_notes(notes), key=lambda note: (note.onset, note.pitch))
    if suffix in (".mid", ".midi"):
        from nmfaudio.symbolic.midi import encode

        content = encode(ordered, beats, pedals)
    elif suffix == ".csv":
        content = encode_table(ordered).encode()
    elif suffix == ".jams":
        from nmfaudio.symbolic.jams import jams_document

        duration = max((float(note.offset) for note in ordered), default=0.0)
        content = json.dumps(jams_document(ordered, duration, beats)).encode()
    else:
        raise OutputError(
            f"{show(target)}: notes are written as .mid, .midi, .csv or .jams; change the suffix"
        )
    write_bytes(target, content, overwrite=overwrite)
    return target


def save_notes(
    directory: str | os.PathLike[str],
    notes: Notes,
    name: str = "notes",
    *,
    beats: Beats | None = None,
    pedals: Sequence[tuple[float, float]] = (),
    overwrite: bool = False,
) -> list[Path]:
    """Write notes to ``<directory>/<name>.mid`` and ``<name>.csv``: both of them, or none.

    Parameters
    ----------
    directory : str or os.PathLike
        Created if it does not exist.
    notes : iterable of Note, or object of another package
    name : str
        Name of the files without suffix.
    beats : Beats, optional
        Tempo map and time signature of the MIDI file.
    pedals : sequence of tuple of float
        Of the MIDI file, as for `write_notes`.
    overwrite : bool
        Whether existing files may be replaced.

    Returns
    -------
    list of Path
        The MIDI file and the table.

    Raises
    ------
    OutputError
        A file exists, or cannot be written.
    """
    paths = [Path(directory, safe_name(name) + suffix) for suffix in (".mid", ".csv")]
    check_targets(paths, overwrite=overwrite)
    return [
        write_notes(path, notes, beats=beats, pedals=pedals, overwrite=overwrite) for path in paths
    ]
