"""Result of a transcription: notes, salience, and exports of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files import save_archive, write_bytes
from nmfaudio._public import public
from nmfaudio.audio.transforms import Transform
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.salience import Salience
from nmfaudio.transcription.suitability import Suitability

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nmfaudio.stems.stems import Stems


@public
@dataclass(frozen=True, eq=False, repr=False)
class Transcription(EqualByContent):
    """Notes of a recording, with the salience and decomposition that they were decoded from.

    Parameters
    ----------
    notes : tuple of Note
        By onset, then pitch.
    salience : Salience
        Strength of each pitch, frame by frame.
    mixture : np.ndarray [shape=(channel, sample)]
        The recording.
    sr : int
        Its sample rate in Hz.
    decomposition : Decomposition
        Decomposition of the recording, at the transform's sample rate.
    transform : Transform
        Transform that was decomposed; its sample rate may differ from `sr`.
    pitches : tuple of (float or None)
        MIDI number of the notes that each component makes, None where it makes none.
    settings : Mapping
        Settings of the transcriber, JSON-serialisable.
    suitability : Suitability, optional
        Measure of whether the recording is of the kind that the dictionary is for.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050) * np.linspace(1, 0, 22050) ** 3
    >>> transcription = na.Transcriber()(y, 22050)
    >>> transcription.notes[0].pitch
    69.0
    >>> list(transcription.stems())
    ['A4', 'rest']
    """

    notes: tuple[Note, ...]
    salience: Salience
    mixture: np.ndarray
    sr: int
    decomposition: Decomposition
    transform: Transform
    pitches: tuple[float | None, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    suitability: Suitability | None = None

    def __repr__(self) -> str:
        channels, samples = self.mixture.shape
        return (
            f"Transcription({len(self.notes)} notes: {channels} × {samples} samples at "
            f"{self.sr} Hz, {self.decomposition.n_components} components)"
        )

    @property
    def duration(self) -> float:
        """Duration of the recording in seconds."""
        return float(self.mixture.shape[1] / self.sr)

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

    def to_jams(self) -> dict[str, Any]:
        """Return the notes as a JAMS document, in the namespace ``note_midi``.

        Returns
        -------
        dict
            JSON-serialisable: `jams.load` reads the file that ``json.dump`` writes.
        """
        from nmfaudio.transcription.exports import jams_document

        return jams_document(self.notes, self.duration)

    def plot(self) -> Figure:
        """Plot the notes over the salience.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display.piano_roll import piano_roll

        return piano_roll(self.notes, self.salience)

    def sonify(self, *, beside: bool = False) -> np.ndarray:
        """Synthesise the notes as simple tones and drums as clicks, to check them by ear.

        Parameters
        ----------
        beside : bool
            Return two channels: the recording mixed to mono on the left, the notes on the right.

        Returns
        -------
        np.ndarray [shape=(sample,) or (channel, sample)]
            Scaled to the peak of the recording; with `beside`, two channels.
        """
        from nmfaudio.transcription.sonification import tones

        mono = self.mixture.mean(axis=0)
        peak = float(np.abs(mono).max()) or 1.0
        synthesised = (peak * tones(self.notes, len(mono), self.sr)).astype(mono.dtype)
        return np.stack([mono, synthesised]) if beside else synthesised

    def stems(self, *, by: Literal["note", "pitch", "hand", "track"] = "pitch") -> Stems:
        """Separate the recording into stems of its notes, pitches, hands or tracks.

        The components of a pitch belong to one note at a time: from its onset until it has died
        away or the next note of that pitch begins. Wiener masks of these parts of the model
        divide the recording. Sound of no note is the stem ``rest``.

        Parameters
        ----------
        by : "note", "pitch", "hand" or "track"
            Notes that share a stem. Two tracks are two hands, the higher one the right;
            otherwise the hands are divided at middle C. The tracks of drums are the parts of the
            kit.

        Returns
        -------
        Stems
            They sum to the recording. Their groups list components only where the recording has
            the transform's sample rate.

        Raises
        ------
        ParameterError
            `by` is not one of these.
        """
        from nmfaudio.transcription.note_stems import note_stems

        return note_stems(self, by)

    def save(
        self, directory: str | os.PathLike[str], name: str = "notes", *, overwrite: bool = False
    ) -> list[Path]:
        """Write the notes to ``<directory>/<name>.mid`` and ``<name>.csv``.

        Parameters
        ----------
        directory : str or os.PathLike
            Created where it does not exist.
        name : str
            Name of the files without extension.
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

        return save_notes(directory, self.notes, name, overwrite=overwrite)

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
