"""Reading of notes: MIDI files, CSV tables and JAMS documents."""

from __future__ import annotations

from nmfaudio._common.files.names import show
from nmfaudio._common.files.sources import Source, read_bytes
from nmfaudio._public import public
from nmfaudio.errors import AudioFileError
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.tables import decode_table

_MAX_BYTES = 4 * 2**20  # a symphony needs a tenth of it
_MOST_NOTES = 100_000  # several times those of a symphony


@public
def read_notes(path: Source) -> list[Note]:
    """Read notes from a MIDI file, a CSV table or a JAMS document.

    Parameters
    ----------
    path : str, bytes, os.PathLike or binary file object
        MIDI and JAMS are recognised by their first bytes, not by their names.

    Returns
    -------
    list of Note
        Sorted by onset, then pitch.

    Raises
    ------
    AudioFileError
        The file cannot be read, is larger than 4 MiB or has over 100,000 notes, or is neither
        MIDI, JAMS nor such a table.

    Notes
    -----
    MIDI: a note under the sustain pedal lasts until the pedal is released. Tracks without a name
    are called ``track 1`` and so on; of several tracks with the same name the later ones get a
    number. Pitch bends become fractions of the pitch, and moving ones a contour around their median
    pitch; the bend range is 2 semitones unless registered parameter 0 sets another.

    Tables of notes: CSV in UTF-8 with the header
    ``start_time_s,end_time_s,pitch_midi,velocity,track,program,channel`` in any order. Only the
    first three columns are required, and unknown columns are ignored. Velocities range from 0 to
    1, or to 127 if one of them exceeds 1 or there is a column ``pitch_bend``. A column
    ``contour_semitones`` has contours, such as ``0:-0.5 0.25:0``: seconds after the onset and
    semitones above the pitch. In ``pitch_bend``, the last column of tables of basic-pitch, and the
    cells that follow, are thirds of a semitone, evenly spaced over the note.

    JAMS: annotations in the namespace ``note_midi``, or ``note_hz`` if there are no others.
    Velocities and tracks are those of files that `nmfaudio.write_notes` wrote.

    Tables of drum hits: rows of seconds and part (``0.5,kick``, ``0.5,KD`` or ``0.5,36``), with an
    optional header. Their notes are General MIDI drums on channel 9.

    Examples
    --------
    >>> import io
    >>> import nmfaudio as na
    >>> table = b"start_time_s,end_time_s,pitch_midi\\n0.5,1,69\\n"
    >>> na.read_notes(io.BytesIO(table))
    [Note(onset=0.5, offset=1.0, pitch=69.0, velocity=0.8, track='', program=0, channel=0)]
    """
    label = show(path)
    content = read_bytes(path, _MAX_BYTES, "cut the score")
    if content[:4] == b"MThd":
        from nmfaudio.symbolic.midi import decode

        notes = decode(content, label, _MOST_NOTES + 1)
    elif content.lstrip()[:1] == b"{":
        from nmfaudio.symbolic.jams import decode_jams

        notes = decode_jams(content, label)
    else:
        notes = decode_table(content, label)
    if len(notes) > _MOST_NOTES:  # comparing them would take minutes and gigabytes
        raise AudioFileError(
            f"{label}: has more than {_MOST_NOTES} notes, which are not read; cut the score"
        )
    return sorted(notes, key=lambda note: (note.onset, note.pitch))
