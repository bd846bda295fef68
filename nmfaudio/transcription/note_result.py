"""Exports that the results of all transcriptions share."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files import save_archive, write_bytes
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.salience import Salience

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nmfaudio.symbolic.beats import Beats
    from nmfaudio.symbolic.conversion import Notes
    from nmfaudio.symbolic.score import Score


class NoteResult(EqualByContent, ABC):
    """Notes of a recording with the salience that they were decoded from, and their exports.

    Attributes
    ----------
    notes : tuple of Note
        By onset, then pitch.
    salience : Salience
        Strength of each pitch, frame by frame.
    """

    notes: tuple[Note, ...]
    salience: Salience

    @property
    @abstractmethod
    def duration(self) -> float:
        """Duration of the recording in seconds."""

    def to_csv(self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> str:
        """Return the notes as CSV, and optionally write them to a file.

        The table is that of `nmfaudio.write_notes`, with the header
        ``start_time_s,end_time_s,pitch_midi,velocity,track,program,channel`` and velocities from 0
        to 1.

        Parameters
        ----------
        path : str or os.PathLike, optional
            File to write as well.
        overwrite : bool
            Whether an existing file may be replaced.

        Returns
        -------
        str
            The text of the table.

        Raises
        ------
        OutputError
            The file exists, or cannot be written.
        """
        from nmfaudio.symbolic.tables import encode_table

        text = encode_table(self.notes)
        if path is not None:
            write_bytes(Path(path), text.encode(), overwrite=overwrite)
        return text

    def to_dataframe(self) -> Any:
        """Return the notes as a `pandas.DataFrame`.

        Returns
        -------
        pandas.DataFrame
            One row for each note; the columns are the fields of `Note`: ``onset`` and ``offset``
            in seconds, ``pitch`` as a MIDI number, ``velocity`` from 0 to 1, ``track``,
            ``program`` and ``channel``.

        Raises
        ------
        MissingExtraError
            pandas is not installed.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> transcription = na.Transcriber()(np.zeros(22050), 22050)
        >>> list(transcription.to_dataframe().columns)[:4]
        ['onset', 'offset', 'pitch', 'velocity']
        """
        from nmfaudio._common.dataframes import to_dataframe

        # The columns are named again, for a table without rows would have none.
        columns = [column.name for column in fields(Note)]
        return to_dataframe([asdict(note) for note in self.notes]).reindex(columns=columns)

    def to_midi(self) -> Any:
        """Return the notes as a `pretty_midi.PrettyMIDI`, with one instrument for each track.

        Returns
        -------
        pretty_midi.PrettyMIDI

        Raises
        ------
        MissingExtraError
            pretty_midi is not installed.
        """
        from nmfaudio.symbolic.midi import to_pretty_midi

        return to_pretty_midi(self.notes)

    def beats(self, tempo: float | None = None) -> Beats:
        """Find beats, bars and time signature of the notes.

        Parameters
        ----------
        tempo : float, optional
            Approximate beats per minute, which choose between quarters and eighths as beats.

        Returns
        -------
        Beats

        Raises
        ------
        ContentError
            The notes have less than four onsets, or last less than two beats.
        ParameterError
            The tempo is not between 40 and 214 beats per minute.
        """
        from nmfaudio.symbolic.beat_tracking import track_beats

        return track_beats(self.notes, tempo)

    def score(self, beats: Beats | None = None, grid: str = "1/16") -> Score:
        """Write the notes as a score of two staves.

        Parameters
        ----------
        beats : Beats, optional
            By default those of `beats`.
        grid : str
            Shortest note value.

        Returns
        -------
        Score
            `nmfaudio.symbolic.write_musicxml` writes it to a file.

        Raises
        ------
        ContentError
            The notes are too few to find beats.
        ParameterError
            The grid does not divide the beat, or only drums are played.
        """
        from nmfaudio.symbolic.score import notate

        return notate(self.notes, self.beats() if beats is None else beats, grid)

    def to_jams(self, beats: Beats | None = None) -> dict[str, Any]:
        """Return the notes as a JAMS document, in the namespace ``note_midi``.

        Parameters
        ----------
        beats : Beats, optional
            Beats to add in the namespace ``beat``.

        Returns
        -------
        dict
            JSON-serialisable: `jams.load` reads the file that ``json.dump`` writes.
        """
        from nmfaudio.symbolic.jams import jams_document

        return jams_document(self.notes, self.duration, beats)

    def plot(self, reference: Notes | None = None, **options: Any) -> Axes:
        """Draw the notes over the salience, compared with a reference if there is one.

        Parameters
        ----------
        reference : sequence of Note, path, or object with notes, optional
            True notes.
        **options
            Further arguments of `nmfaudio.display.plot_notes`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display import plot_notes

        if "V" not in options:
            options.setdefault("salience", self.salience)
        return plot_notes(self.notes, reference, **options)

    def save(
        self,
        directory: str | os.PathLike[str],
        name: str = "notes",
        *,
        beats: Beats | None = None,
        pedals: Sequence[tuple[float, float]] = (),
        overwrite: bool = False,
    ) -> list[Path]:
        """Write the notes to ``<directory>/<name>.mid`` and ``<name>.csv``.

        Parameters
        ----------
        directory : str or os.PathLike
            Created where it does not exist.
        name : str
            Name of the files without extension.
        beats : Beats, optional
            Tempo map and time signature of the MIDI file.
        pedals : sequence of tuple of float
            Of the MIDI file, such as from `nmfaudio.symbolic.estimate_pedal`.
        overwrite : bool
            Whether existing files may be replaced.

        Returns
        -------
        list of Path
            Paths of the files.

        Raises
        ------
        OutputError
            A file exists, or cannot be written.
        """
        from nmfaudio.symbolic.writing import save_notes

        return save_notes(
            directory, self.notes, name, beats=beats, pedals=pedals, overwrite=overwrite
        )

    def save_salience(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the salience as an ``.npz`` file of ``values``, ``pitches`` and ``times``.

        Parameters
        ----------
        path : str or os.PathLike
            File to write; `numpy.load` reads it without pickle.
        overwrite : bool
            Whether an existing file may be replaced.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            The file exists, or cannot be written.
        """
        arrays = {
            "values": self.salience.values,
            "pitches": np.asarray(self.salience.pitches, np.float64),
            "times": self.salience.times,
        }
        return save_archive(path, {"kind": "salience"}, arrays, overwrite=overwrite)
