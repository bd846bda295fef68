"""Recognition and loading of data sets."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from nmfaudio._common.files.names import show
from nmfaudio._public import public
from nmfaudio.datasets.layouts import LAYOUTS
from nmfaudio.datasets.mirdata_tracks import HasTracks, track_pieces
from nmfaudio.datasets.piece import Piece
from nmfaudio.errors import AudioFileError, AudioWarning, ContentError, ParameterError


@public
def load_dataset(
    folder: str | os.PathLike[str] | HasTracks, layout: str | None = None
) -> list[Piece]:
    """Find the recordings and notes of a data set on disk.

    Neither audio nor notes are read: a piece reads its notes when they are used. Known layouts, as
    they are after unpacking, with any folders around them:

    ===============  =======================================================================
    ``maps``         MAPS: ``MAPS_*.wav`` beside ``.mid`` (with pedal) or ``.txt``
    ``maestro``      MAESTRO: ``.midi`` beside ``.wav``; splits from ``maestro-v*.csv``
    ``smd``          SMD: ``*-SMD.mid`` beside audio or with ``wav_44100_stereo``
    ``guitarset``    GuitarSet: ``annotation/*.jams`` with ``audio_mono-mic`` and others
    ``slakh``        Slakh: ``Track*/all_src.mid`` beside ``mix.flac``
    ``musicnet``     MusicNet: ``train_labels/*.csv`` with ``train_data``, likewise ``test``
    ``urmp``         URMP: ``AuMix_*.wav`` beside ``Notes_*.txt``
    ``bach10``       Bach10: ``*-GTNotes.mat`` beside ``.wav`` of all and of each part
    ``enst``         ENST-Drums: ``drummer_*/annotation/*.txt`` with ``audio/wet_mix``
    ``idmt_drums``   IDMT-SMT-Drums: ``annotation_xml/*.xml`` with ``audio``
    ``mdb_drums``    MDB Drums: ``annotations/subclass/*.txt`` with ``audio/drum_only``
    ``pairs``        any others: a MIDI file or table of notes beside audio of the same name
    ===============  =======================================================================

    Parameters
    ----------
    folder : str, os.PathLike or Dataset of mirdata
        Folder of the data set, or one that contains it. Of ``mirdata.initialize``, tracks whose
        audio is there, with the notes that mirdata reads: in MAESTRO they end with the keys, while
        this function extends them by the pedal in a folder.
    layout : str, optional
        Name of the layout. Default: the first whose files are found. Not for mirdata.

    Returns
    -------
    list of Piece
        Sorted by split and name. Pieces without audio are left out with a warning.

    Raises
    ------
    AudioFileError
        There is no such folder, or no index or metadata of mirdata.
    ParameterError
        The layout is unknown, or one is named for mirdata.
    ContentError
        The folder has no piece of this layout, or of any; mirdata has no tracks with notes.

    Warns
    -----
    AudioWarning
        Pieces have notes and no audio.

    Examples
    --------
    Scores of the shipped piano on the test pieces of a data set:

    >>> import tempfile
    >>> from pathlib import Path
    >>> import nmfaudio as na
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = na.write(Path(folder, "waltz.wav"), [[0.0] * 8000], 8000)
    ...     _ = na.write_notes(Path(folder, "waltz.mid"), [na.Note(0.0, 1.0, 60)])
    ...     pieces = na.load_dataset(folder)
    ...     pairs = {piece.name: (piece, na.Transcriber()(piece.audio)) for piece in pieces}
    ...     na.metrics.evaluate_transcriptions(pairs)["waltz"].n_reference
    1
    """
    if layout is not None and layout not in LAYOUTS:
        raise ParameterError(f"layout is {layout!r}; it must be one of {', '.join(LAYOUTS)}")
    if isinstance(folder, HasTracks):
        if layout is not None:
            raise ParameterError(f"layout is {layout!r}; mirdata knows its own, omit it")
        return _with_audio(track_pieces(folder), folder.name)
    root = Path(folder)
    if not root.is_dir():
        raise AudioFileError(f"{show(folder)}: is not a folder; name that of a data set")
    for name in (layout,) if layout is not None else LAYOUTS:
        pieces = list(LAYOUTS[name](root))
        if pieces:
            return _with_audio(pieces, show(folder))
    missing = layout or f"any known layout ({', '.join(LAYOUTS)})"
    raise ContentError(f"{show(folder)}: has no pieces of {missing}; name its folder")


def _with_audio(pieces: list[Piece], label: str) -> list[Piece]:
    """Pieces with a recording; the number of others is a warning."""
    audible = [piece for piece in pieces if piece.recordings]
    silent = [piece.name for piece in pieces if not piece.recordings]
    if not audible:
        raise ContentError(f"{label}: has notes of {silent[0]}, and no audio; add the audio")
    if silent:
        warnings.warn(
            f"{label}: {len(silent)} of {len(pieces)} pieces have no audio, such as "
            f"{silent[0]}; they are left out",
            AudioWarning,
            stacklevel=3,
        )
    return sorted(audible, key=lambda piece: (piece.split, piece.name))
